/** The server's end: everybody is told, and nothing more can be made. */
import { expect, test } from 'vitest';
import { askSeat, enter, enterHost, Guest, makeRoom, newSecret, openPlace, type ClassRoom } from './people.ts';

test('closing tells those inside, and the port is free again', async () => {
  const place = await openPlace();
  const room = await makeRoom(place);
  const guest = await enter(room);
  await place.close();
  await guest.until(() => guest.closed !== null);
  expect(guest.closed!.reason).toBe('STOPPING');
  await expect(fetch(`${place.url}/healthz`)).rejects.toThrow();
  const next = await openPlace({ port: place.port });
  expect(next.port).toBe(place.port);
  expect((await fetch(`${next.url}/healthz`)).status).toBe(200);
  await expect(openPlace({ port: place.port })).rejects.toThrow(/EADDRINUSE/);
  await next.close();
});

test('seats that were asked for and that nobody takes do not hold up the end, and open nothing after it', async () => {
  const place = await openPlace({ patience: { reservationMs: 600_000 } });
  const room = await makeRoom(place);
  const guest = await enter(room);
  const secret = newSecret();
  const seat = await askSeat(room, { secret, role: 'player' });
  await askSeat(room, { secret: newSecret(), role: 'screen' });
  const other = await makeRoom(place);
  await askSeat(other, { secret: newSecret(), role: 'player' });
  const closed = place.close();
  await expect(Guest.connect(room, seat.body, secret)).rejects.toThrow();
  await closed;
  await guest.until(() => guest.closed !== null);
  expect(guest.closed!.reason).toBe('STOPPING');
});

test('an empty room closes after its time', async () => {
  const place = await openPlace({ patience: { emptyMs: 1 } });
  const room = await makeRoom(place);
  const gone = async () => (await fetch(`${place.url}/api/rooms/${room.code}`)).status === 404;
  while (!(await gone())) await new Promise((resolve) => setImmediate(resolve));
  await place.close();
});

/** Asks until the only seat of a room is free. */
async function untilFree(room: ClassRoom): Promise<void> {
  while ((await askSeat(room, { secret: newSecret(), role: 'player' })).status !== 200)
    await new Promise((resolve) => setImmediate(resolve));
}

test('a seat that was asked for and not taken is free again', async () => {
  const place = await openPlace({ patience: { reservationMs: 1500 } });
  const room = await makeRoom(place, { seats: 1 });
  expect((await askSeat(room, { secret: newSecret(), role: 'player' })).status).toBe(200);
  expect((await askSeat(room, { secret: newSecret(), role: 'player' })).body.error).toBe('FULL');
  await untilFree(room);
  await place.close();
});

test('a player who left the lobby gives up the seat; one who left the round keeps the process', async () => {
  const place = await openPlace({ patience: { lobbyAwayMs: 50 } });
  const [lobby, round] = [await makeRoom(place, { seats: 1 }), await makeRoom(place, { seats: 2, seconds: 3600 })];
  const host = await enterHost(round);
  const player = await enter(round);
  await host.host({ do: 'start' });
  await player.untilTick(1);
  await player.drop();
  await (await enter(lobby)).drop();
  await untilFree(lobby);
  await host.until(() => host.roster.some((entry) => !entry.online));
  expect(host.roster.map((entry) => [entry.role, entry.online])).toEqual([
    ['host', true],
    ['player', false],
  ]);
  await place.close();
});
