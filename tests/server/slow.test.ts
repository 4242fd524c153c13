/** Clients that read too slowly, not at all, or cannot keep up: bounded, healed by snapshots, and in the end spectators. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RoundRoom } from '../../server/rooms/RoundRoom.ts';
import { isTooSlow } from '../../server/rooms/slow.ts';
import { begin, enter, insideOf, newSecret, openPlace, type Guest, type Place } from './people.ts';
import { RawSocket } from './RawSocket.ts';

let place: Place;
beforeAll(async () => {
  place = await openPlace();
});
afterAll(() => place.close());

async function running() {
  const begun = await begin(place);
  return { ...begun, inside: insideOf(begun.room) };
}

/** As if so many bytes of what was sent to this guest still waited in the server. */
function hold(inside: RoundRoom, guest: Guest, bytes: number): void {
  const socket = inside.clients.get(guest.socket.sessionId)!.ref;
  Object.defineProperty(socket, 'bufferedAmount', { value: bytes, configurable: true });
}

test('a client with much unsent gets nothing more, then a snapshot when it has read', async () => {
  const { host, player, inside } = await running();
  hold(inside, player, 1_000_000);
  await host.untilTick(host.round!.now + 10);
  await player.ask('resync', null);
  const stopped = player.round!.now;
  await host.untilTick(host.round!.now + 20);
  await player.ask('resync', null);
  expect(player.round!.now).toBe(stopped);
  hold(inside, player, 0);
  await player.untilTick(stopped + 40);
  expect(player.snaps).toHaveLength(2);
  await player.until(() => player.digests.length > 0);
  expect(player.differences).toEqual([]);
});

test('a client that has had a little unsent for five seconds of game time is behind, and gets a snapshot', async () => {
  const { host, player, inside } = await running();
  hold(inside, player, 300);
  const from = host.round!.now;
  // Up to five seconds it gets every tick, and again when a moment was without a wait.
  await player.untilTick(from + 40);
  hold(inside, player, 0);
  await player.untilTick(player.round!.now + 2);
  hold(inside, player, 300);
  await player.untilTick(player.round!.now + 40);
  expect(player.snaps).toHaveLength(1);
  await player.until(() => player.snaps.length === 2);
  hold(inside, player, 0);
  await player.untilTick(player.snaps[1]! + 20);
  expect(player.differences).toEqual([]);
});

test('three snapshots in a row are enough; slower ones begin to count anew', () => {
  const slow = { snapshots: 0, at: 0 };
  expect([1000, 3000, 5000].map((now) => isTooSlow(slow, now))).toEqual([false, false, false]);
  expect(isTooSlow(slow, 7000)).toBe(true);
  expect(isTooSlow(slow, 40_000)).toBe(false);
});

test('who needs a fourth snapshot in a row watches pictures, is told why, and plays again when they come in anew', async () => {
  const { room, host, player, inside } = await running();
  const member = inside.roster.bySeat(player.welcome!.seat)!;
  member.slow.snapshots = 3;
  member.slow.at = performance.now();
  expect(await player.act({ do: 'freeDone' })).toMatchObject({ ok: true });
  expect(await player.ask('resync', {})).toMatchObject({ ok: true });
  await player.until(() => player.welcome!.role === 'spectator');
  expect(player.welcome).toMatchObject({ seat: -1, why: 'WATCHING', own: 1 });
  expect(await player.ask('input', { seq: 2, action: { do: 'freeDone' } })).toEqual({ ok: false, code: 'WATCHING' });
  const [ticks, snaps] = [player.heard.size, player.snaps.length];
  await player.until(() => player.snaps.length >= snaps + 2);
  expect(player.heard.size).toBe(ticks);
  const [before, last] = player.snaps.slice(-2);
  expect(last! - before!).toBeGreaterThanOrEqual(50);
  // The process is still there, and the end is seen.
  expect(host.roster.find((entry) => entry.seat === member.seat)).toMatchObject({ role: 'player', online: true });
  const back = await enter(room, { secret: player.secret });
  await back.until(() => back.round !== null && back.welcome !== null);
  expect(back.welcome).toMatchObject({ role: 'player', seat: member.seat });
  expect(await back.act({ do: 'freeDone' })).toMatchObject({ ok: true });
});

test('who watches pictures sees the end of the round', async () => {
  const { host, player, inside } = await running();
  inside.roster.bySeat(player.welcome!.seat)!.slow = { snapshots: 3, at: performance.now() };
  await player.ask('resync', {});
  await host.host({ do: 'end' });
  await player.until(() => player.round!.over);
  expect(player.hash).toBe(host.hash);
});

test('a reader that never reads is dropped, little is kept for it, and the others hear every tick', async () => {
  const { room, host, inside } = await running();
  const secret = newSecret();
  const { socket } = await RawSocket.join(room, secret);
  socket.pause();
  const isDeaf = (online: boolean) => host.roster.some((entry) => entry.seat === 1 && entry.online === online);
  await host.until(() => isDeaf(true));
  const client = inside.roster.bySeat(1)!.client!;
  let most = 0;
  await host.until(() => {
    most = Math.max(most, (client.ref as unknown as { bufferedAmount: number }).bufferedAmount);
    return isDeaf(false);
  });
  expect(most).toBeLessThan(300_000);
  expect(inside.clients).toHaveLength(2);
  expect([...host.heard.keys()]).toEqual(Array.from({ length: host.round!.now }, (_, index) => index + 1));
  expect(host.differences).toEqual([]);
  socket.destroy();
  // The same person comes back by a better link to the same seat.
  expect((await enter(room, { secret })).seat.seat).toBe(1);
});
