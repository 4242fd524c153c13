/** A bot holds the process of a player who dropped, when the host allows it, and gives it back at once. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { classView } from '#game/round.ts';
import type { Input } from '#game/types.ts';
import { enter, enterHost, makeRoom, openPlace, type Guest, type Place } from './people.ts';

let place: Place;
beforeAll(async () => {
  place = await openPlace({ patience: { standInMs: 50 } });
});
afterAll(() => place.close());

async function running() {
  const room = await makeRoom(place, { seconds: 3600 });
  const host = await enterHost(room);
  const player = await enter(room);
  const other = await enter(room);
  await host.host({ do: 'start' });
  await player.untilTick(5);
  return { room, host, player, other, seat: player.welcome!.seat };
}

const inputsOf = (guest: Guest, seat: number): Input[] =>
  [...guest.heard.values()].flat().filter((input) => 'seat' in input && input.seat === seat);
const presences = (guest: Guest, seat: number) => inputsOf(guest, seat).flatMap((input) => (input.type === 'join' ? [input.bot] : []));
const acts = (guest: Guest, seat: number) => inputsOf(guest, seat).flatMap((input) => (input.type === 'act' ? [input.seq] : []));
const botOf = (guest: Guest, seat: number) => classView(guest.round!).processes.find((row) => row.seat === seat)!.bot;

test('who drops is played by a bot on the same process, and has it back with the first tick after the return', async () => {
  const { room, host, player, other, seat } = await running();
  const pid = classView(host.round!).processes.find((row) => row.seat === seat)!.pid;
  expect(await host.host({ do: 'standIns', on: true })).toMatchObject({ ok: true });
  await player.act({ do: 'freeDone' });
  await player.drop();
  await host.until(() => acts(host, seat).length > 3);
  expect(presences(host, seat)).toEqual([null, 'free']);
  expect(botOf(host, seat)).toBe('free');
  // Only the one who is away.
  expect(presences(host, other.welcome!.seat)).toEqual([null]);

  const back = await enter(room, { secret: player.secret });
  await back.until(() => back.welcome !== null && back.round !== null);
  expect(back.welcome).toMatchObject({ seat, own: 1 });
  await host.until(() => presences(host, seat).length === 3);
  expect(presences(host, seat)).toEqual([null, 'free', null]);
  const last = Math.max(...acts(host, seat));
  expect(back.welcome!.seq).toBe(last);
  expect(await back.act({ do: 'freeDone' })).toEqual({ ok: true, value: { queued: last + 1 } });
  await host.untilTick(host.round!.now + 40);
  // The bot has not played on: each number stands once, the last is the player's own.
  expect(acts(host, seat)).toEqual(Array.from({ length: last + 1 }, (_, index) => index + 1));
  expect(botOf(host, seat)).toBeNull();
  expect(classView(host.round!).processes.find((row) => row.seat === seat)!.pid).toBe(pid);
  await host.until(() => host.digests.length > 0);
  expect(host.differences).toEqual([]);
  expect(back.differences).toEqual([]);
});

test('a number that the bot has used is refused, not taken for one that was queued', async () => {
  const { room, host, player, seat } = await running();
  await host.host({ do: 'standIns', on: true });
  await player.drop();
  await host.until(() => acts(host, seat).length > 0);
  const back = await enter(room, { secret: player.secret });
  await back.until(() => back.welcome !== null);
  expect(await back.ask('input', { seq: 1, action: { do: 'freeDone' } })).toEqual({ ok: false, code: 'MALFORMED' });
});

test('without the host’s word a process waits for its player', async () => {
  const { host, player, other, seat } = await running();
  await player.drop();
  await host.untilTick(host.round!.now + 250);
  expect(presences(host, seat)).toEqual([null]);
  // The word counts from when it is said; taken back, the process is nobody's again.
  await host.host({ do: 'standIns', on: true });
  await host.until(() => presences(host, seat).length === 2);
  await host.host({ do: 'standIns', on: false });
  await host.until(() => presences(host, seat).length === 3);
  const done = acts(host, seat).length;
  await host.untilTick(host.round!.now + 100);
  expect(acts(host, seat)).toHaveLength(done);
  expect(presences(host, other.welcome!.seat)).toEqual([null]);
});

test('who is kicked is not played by a bot', async () => {
  const { host, player, seat } = await running();
  await host.host({ do: 'standIns', on: true });
  await host.host({ do: 'kick', id: player.welcome!.id });
  await host.untilTick(host.round!.now + 250);
  expect(inputsOf(host, seat).map((input) => input.type)).toEqual(['join', 'leave']);
});
