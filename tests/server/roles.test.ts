/** Spectators and projectors: they see the whole round and can do nothing in it. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SCREENS_MAX, SPECTATORS_MAX } from '#protocol/limits.ts';
import { askSeat, begin, describe, enter, enterHost, makeRoom, newSecret, openPlace, type Place } from './people.ts';

const WATCHERS = ['spectator', 'screen'] as const;
let place: Place;
beforeAll(async () => {
  // Hundreds of sockets on a slow machine take their time.
  place = await openPlace({ patience: { lobbyAwayMs: 50, reservationMs: 120_000 } });
});
afterAll(() => place.close());

const running = () => begin(place, { seats: 2 });

test.each(WATCHERS)('a %s follows the round without a seat and without a name', async (role) => {
  const { room, host } = await running();
  const guest = await enter(room, { role, name: 'Ada' });
  expect(guest.seat).toMatchObject({ role, seat: -1, name: '' });
  await guest.until(() => guest.digests.length > 0);
  expect(guest.welcome).toMatchObject({ role, seat: -1 });
  expect(guest.differences).toEqual([]);
  await host.until(() => host.roster.some((entry) => entry.role === role && entry.online));
  expect(JSON.stringify(host.roster)).not.toContain('Ada');
  expect(await describe(room)).toMatchObject({ players: 1 });
  // No process came with it.
  expect([...host.heard.values()].flat().filter((input) => input.type === 'join')).toHaveLength(1);
});

test.each(WATCHERS)('a %s can neither act nor host', async (role) => {
  const { room } = await running();
  const guest = await enter(room, { role });
  expect(await guest.act({ do: 'freeDone' })).toEqual({ ok: false, code: 'NO_SEAT' });
  for (const action of [{ do: 'pause' }, { do: 'end' }, { do: 'lock', locked: true }, { do: 'standIns', on: true }] as const)
    expect(await guest.ask('host', { action })).toEqual({ ok: false, code: 'NOT_HOST' });
});

test('watchers need no seat: a full room takes them, and they take none', async () => {
  const { room } = await running();
  await enter(room);
  expect(await askSeat(room, { secret: newSecret(), role: 'player' })).toMatchObject({ body: { error: 'FULL' } });
  for (const role of WATCHERS) expect((await askSeat(room, { secret: newSecret(), role })).status).toBe(200);
});

test(`of 250 who want to watch, ${SPECTATORS_MAX} get in, and ${SCREENS_MAX} screens; then it is said that there are too many`, async () => {
  const room = await makeRoom(place);
  const tries = { spectator: SPECTATORS_MAX + 50, screen: SCREENS_MAX + 5 };
  for (const role of WATCHERS) {
    const answers = await Promise.all(Array.from({ length: tries[role] }, () => askSeat(room, { secret: newSecret(), role })));
    expect(answers.filter((answer) => answer.status === 200)).toHaveLength(role === 'screen' ? SCREENS_MAX : SPECTATORS_MAX);
    expect(new Set(answers.flatMap((answer) => answer.body.error ?? []))).toEqual(new Set(['TOO_MANY_WATCH']));
  }
  expect((await askSeat(room, { secret: newSecret(), role: 'player' })).status).toBe(200);
});

test('a locked room takes no watchers, but the projector of the device that made it', async () => {
  const room = await makeRoom(place);
  const host = await enterHost(room);
  await host.host({ do: 'lock', locked: true });
  for (const role of WATCHERS)
    expect(await askSeat(room, { secret: newSecret(), role })).toMatchObject({ status: 403, body: { error: 'LOCKED' } });
  expect(await askSeat(room, { secret: room.hostSecret, role: 'spectator' })).toMatchObject({ body: { error: 'LOCKED' } });
  const screen = await enter(room, { role: 'screen', secret: room.hostSecret });
  expect(screen.seat.role).toBe('screen');
  expect(host.closed).toBeNull();
});

test('a projector that is reloaded comes back, and one that is gone is forgotten, in a round too', async () => {
  const { room, host } = await running();
  const screen = await enter(room, { role: 'screen' });
  const screens = () => host.roster.filter((entry) => entry.role === 'screen');
  await host.until(() => screens().length === 1);
  const again = await enter(room, { role: 'screen', secret: screen.secret });
  await screen.until(() => screen.closed !== null);
  expect(screen.closed!.reason).toBe('REPLACED');
  expect(screens()).toHaveLength(1);
  await again.drop();
  await host.until(() => screens().length === 0);
  expect(host.roster.filter((entry) => entry.role === 'player')).toHaveLength(1);
});

test('sixty who come within two seconds are all in, each with a seat of their own', async () => {
  const room = await makeRoom(place, { seats: 60 });
  const seats = await Promise.all(Array.from({ length: 60 }, () => enter(room)));
  expect(new Set(seats.map(({ seat }) => seat.seat)).size).toBe(60);
  expect(new Set(seats.map(({ seat }) => seat.name)).size).toBe(60);
});
