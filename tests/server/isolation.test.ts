/** A fault in one room is that room's alone. */
import { matchMaker } from '@colyseus/core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RoundRoom } from '../../server/rooms/RoundRoom.ts';
import { enter, enterHost, makeRoom, openPlace, type Place } from './people.ts';

let place: Place;
beforeAll(async () => {
  place = await openPlace();
});
afterAll(() => place.close());

async function running() {
  const room = await makeRoom(place, { seconds: 60 });
  const host = await enterHost(room);
  const player = await enter(room);
  await host.host({ do: 'start' });
  await player.untilTick(5);
  return { room, host, player, inside: matchMaker.getLocalRoomById(room.code) as unknown as RoundRoom };
}

/** Takes the machine out of a round: whatever the round does next throws. */
function breakRound(inside: RoundRoom): void {
  (inside.playing!.round as { machine: unknown }).machine = null;
}

test('a tick that throws is dropped, its room and its neighbour go on', async () => {
  const [broken, well] = [await running(), await running()];
  const before = broken.player.round!.now;
  breakRound(broken.inside);
  await broken.player.untilTick(Math.max(100, before + 20));
  await broken.player.until(() => broken.player.digests.length > 0);
  expect(broken.player.differences).toEqual([]);
  expect([...broken.player.heard.keys()]).toEqual(Array.from({ length: broken.player.round!.now }, (_, index) => index + 1));
  await well.player.untilTick(100);
  expect(well.player.differences).toEqual([]);
});

test('who came in the tick that failed has a process in the next', async () => {
  const { room, host, player, inside } = await running();
  await host.host({ do: 'pause' });
  await player.untilPhase('paused');
  const late = await enter(room);
  breakRound(inside);
  await host.host({ do: 'resume' });
  await player.until(() => [...player.heard.values()].flat().some((input) => input.type === 'join' && input.seat === late.seat.seat));
});

test('a round that throws again and again ends its room, and only that', async () => {
  const [broken, well] = [await running(), await running()];
  Object.defineProperty(broken.inside.playing!, 'round', {
    get: () => {
      throw new Error('planted');
    },
    set: () => {},
  });
  await broken.player.until(() => broken.player.closed !== null);
  expect(broken.player.closed!.reason).toBe('ROOM_BROKEN');
  expect((await fetch(`${place.url}/api/rooms/${broken.room.code}`)).status).toBe(404);
  const now = well.player.round!.now;
  await well.player.untilTick(now + 60);
  expect(well.player.differences).toEqual([]);
  expect((await fetch(`${place.url}/healthz`)).status).toBe(200);
});

test('a message handler that throws answers, and the process stays', async () => {
  const { host, player, inside } = await running();
  const roster = inside.roster;
  Object.defineProperty(inside, 'roster', {
    configurable: true,
    get: () => {
      throw new Error('planted');
    },
  });
  await player.ask('input', { seq: 1, action: { do: 'freeDone' } });
  player.socket.send('input' as never, { seq: 2, action: { do: 'freeDone' } } as never);
  Object.defineProperty(inside, 'roster', { value: roster });
  expect(await host.host({ do: 'pause' })).toMatchObject({ ok: true });
});

test('a fault while a message is decoded closes its socket and nothing else', async () => {
  const { host, player, inside } = await running();
  Object.defineProperty(inside.clients.get(player.socket.sessionId)!, '_lastMessageTime', {
    set: () => {
      throw new Error('planted');
    },
  });
  player.socket.send('input' as never, { seq: 1, action: { do: 'freeDone' } } as never);
  await player.until(() => player.closed !== null);
  expect(player.closed!.reason).toBe('MALFORMED');
  expect(await host.host({ do: 'pause' })).toMatchObject({ ok: true });
});

test('not a byte of one room reaches another', async () => {
  const [one, other] = [await running(), await running()];
  await one.player.act({ do: 'discard', card: 4_000_000_001 });
  await other.player.act({ do: 'discard', card: 4_000_000_002 });
  const cards = (guest: typeof one.player) =>
    [...guest.heard.values()].flat().flatMap((input) => (input.type === 'act' && input.action.do === 'discard' ? [input.action.card] : []));
  await one.player.until(() => cards(one.player).length > 0);
  await other.player.until(() => cards(other.player).length > 0);
  expect(cards(one.player)).toEqual([4_000_000_001]);
  expect(cards(other.player)).toEqual([4_000_000_002]);
  expect(one.player.round!.seed).not.toBe(other.player.round!.seed);
});
