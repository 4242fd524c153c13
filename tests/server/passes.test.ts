/** A pass lets one more device into one's place: once, soon, into that place alone. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DEVICES_MAX, PASS_SECONDS } from '#protocol/limits.ts';
import { Passes } from '../../server/rooms/passes.ts';
import { at, crash, openHome, removeHomes } from './homes.ts';
import { askSeat, enter, enterHost, Guest, makeRoom, newSecret, openPlace, type ClassRoom, type Place } from './people.ts';

let place: Place;
beforeAll(async () => {
  place = await openPlace();
});
afterAll(async () => {
  await place.close();
  removeHomes();
});

async function passOf(guest: Guest): Promise<string> {
  await guest.until(() => guest.welcome !== null);
  const answer = await guest.ask('pass', {});
  if (!answer.ok) throw new Error(answer.code);
  return (answer.value as { pass: string }).pass;
}

/** Comes in by a pass, with a secret that nobody else has. */
async function enterBy(room: ClassRoom, pass: string, role: 'host' | 'player'): Promise<Guest> {
  const secret = newSecret();
  const seat = await askSeat(room, { role, secret, pass });
  if (seat.status !== 200) throw new Error(seat.body.error);
  return Guest.connect(room, seat.body, secret);
}

test('it opens one place, once, until its time is over; a newer one makes it void', () => {
  const passes = new Passes();
  const [first, other] = [passes.give('ada', 0), passes.give('bob', 0)];
  expect(first).toMatch(/^[0-9a-f]{32}$/);
  expect(passes.take('0'.repeat(32), 1)).toBeNull();
  expect(passes.take(first, PASS_SECONDS * 1000 - 1)).toBe('ada');
  expect(passes.take(first, 2)).toBeNull();
  expect(passes.take(other, PASS_SECONDS * 1000)).toBeNull();
  const [older, newer] = [passes.give('ada', 5), passes.give('ada', 6)];
  expect(passes.take(older, 7)).toBeNull();
  expect(passes.take(newer, 7)).toBe('ada');
});

test('another device goes on in the place, the first is told and can come back; the pass is void', async () => {
  const room = await makeRoom(place, { seconds: 3600 });
  const host = await enterHost(room);
  const ada = await enter(room, { name: 'Ada' });
  await host.host({ do: 'start' });
  await ada.untilTick(5);
  const pass = await passOf(ada);
  // A lock is for newcomers.
  await host.host({ do: 'lock', locked: true });
  const phone = await enterBy(room, pass, 'player');
  await phone.until(() => phone.welcome !== null);
  expect(phone.welcome).toMatchObject({ id: ada.welcome!.id, seat: ada.seat.seat });
  expect(phone.seat.name).toBe('Ada');
  await ada.until(() => ada.closed !== null);
  expect(ada.closed!.reason).toBe('REPLACED');
  await host.until(() => host.roster.filter((entry) => entry.role === 'player').length === 1);
  expect(await askSeat(room, { role: 'player', secret: newSecret(), pass })).toMatchObject({ status: 410, body: { error: 'NO_PASS' } });
  // Sent again because the answer was lost: the device is known by now.
  expect((await askSeat(room, { role: 'player', secret: phone.secret, pass })).body).toMatchObject({ seat: ada.seat.seat });
  expect((await enter(room, { secret: ada.secret })).seat.seat).toBe(ada.seat.seat);
});

test('a pass of the host’s own device to a player’s place gives no powers of the host', async () => {
  const room = await makeRoom(place);
  const host = await enterHost(room);
  const player = await enter(room, { secret: room.hostSecret });
  const friend = await enterBy(room, await passOf(player), 'player');
  expect(await friend.host({ do: 'lock', locked: true })).toEqual({ ok: false, code: 'NOT_HOST' });
  expect(await askSeat(room, { role: 'host', secret: friend.secret })).toMatchObject({ status: 403, body: { error: 'NOT_HOST' } });
  const again = await enter(room, { secret: room.hostSecret });
  const pass = await passOf(again);
  for (const role of ['host', 'player'])
    // Asked for in the wrong role it is used up all the same.
    expect(await askSeat(room, { role, secret: newSecret(), pass })).toMatchObject({ status: 410, body: { error: 'NO_PASS' } });
  expect(host.closed).toBeNull();
});

test('the host goes on elsewhere and back, and there is one host', async () => {
  const room = await makeRoom(place);
  const host = await enterHost(room);
  const tablet = await enterBy(room, await passOf(host), 'host');
  expect(await tablet.host({ do: 'lock', locked: true })).toMatchObject({ ok: true });
  await host.until(() => host.closed !== null);
  const back = await enterHost(room);
  expect(await back.host({ do: 'lock', locked: false })).toMatchObject({ ok: true });
  await back.until(() => back.roster.length === 1);
  expect((await enter(room, { role: 'host', secret: tablet.secret })).seat.role).toBe('host');
});

test('who watches has no pass, and a pass to who was removed opens nothing; a ban holds for all devices of a person', async () => {
  const room = await makeRoom(place);
  const host = await enterHost(room);
  const [pest, watcher] = [await enter(room), await enter(room, { role: 'spectator' })];
  expect(await watcher.ask('pass', {})).toEqual({ ok: false, code: 'NO_SEAT' });
  expect(await pest.ask('pass', { role: 'host' })).toEqual({ ok: false, code: 'MALFORMED' });
  const phone = await enterBy(room, await passOf(pest), 'player');
  const pass = await passOf(phone);
  expect(await host.host({ do: 'ban', id: phone.welcome!.id })).toMatchObject({ ok: true });
  expect((await askSeat(room, { role: 'player', secret: newSecret(), pass })).body.error).toBe('NO_PASS');
  for (const { secret } of [pest, phone]) expect((await askSeat(room, { role: 'player', secret })).body.error).toBe('BANNED');
  expect(await host.host({ do: 'pardon', id: phone.welcome!.id })).toMatchObject({ ok: true });
  for (const { secret } of [pest, phone]) expect((await askSeat(room, { role: 'spectator', secret })).status).toBe(200);
});

test(`of more than ${DEVICES_MAX} devices that came by passes the oldest is forgotten, never the first of all`, async () => {
  const room = await makeRoom(place);
  const ada = await enter(room);
  const devices = [ada];
  for (let n = 0; n <= DEVICES_MAX; n++) devices.push(await enterBy(room, await passOf(devices.at(-1)!), 'player'));
  await Promise.all(devices.slice(0, -1).map((guest) => guest.until(() => guest.closed !== null)));
  const seats = await Promise.all([ada, devices[1]!].map(({ secret }) => askSeat(room, { role: 'player', secret })));
  expect(seats.map(({ body }) => body.seat ?? body.error)).toEqual([ada.seat.seat, ada.seat.seat + 1]);
});

test('devices that were let in are known after a crash, a ban of them too; the disk holds neither pass nor secret', async () => {
  const house = await openHome();
  const room = await makeRoom(house, { seconds: 3600 });
  const host = await enterHost(room);
  const [ada, pest] = [await enter(room), await enter(room)];
  const tablet = await enterBy(room, await passOf(host), 'host');
  const phone = await enterBy(room, await passOf(ada), 'player');
  const other = await enterBy(room, await passOf(pest), 'player');
  await other.until(() => other.welcome !== null);
  await tablet.host({ do: 'ban', id: other.welcome!.id });
  const pass = await passOf(phone);
  const after = await crash(house);
  const bytes = readdirSync(after.folder).map((name) => readFileSync(join(after.folder, name), 'latin1'));
  for (const text of [pass, phone.secret, tablet.secret]) for (const file of bytes) expect(file).not.toContain(text);
  const again = at(room, after);
  for (const { secret } of [ada, phone]) expect((await enter(again, { secret })).seat.seat).toBe(ada.seat.seat);
  for (const { secret } of [host, tablet]) expect((await enter(again, { role: 'host', secret })).seat.role).toBe('host');
  for (const { secret } of [pest, other]) expect((await askSeat(again, { role: 'player', secret })).body.error).toBe('BANNED');
  await after.close();
});
