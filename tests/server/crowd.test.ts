/** As many as a room takes. */
import { Client } from '@colyseus/sdk';
import { expect, test } from 'vitest';
import { BEAT_MS } from '../../server/sequencer/Sequencer.ts';
import { askSeat, describe, enter, enterHost, makeRoom, newSecret, openPlace } from './people.ts';

test('a hundred players and two hundred spectators are in one room, and all of them hear the round', { timeout: 180_000 }, async () => {
  // At the speed of life: three hundred pages in the server's own process have enough to do. Seats wait for a slow machine.
  const place = await openPlace({ beatMs: BEAT_MS, patience: { reservationMs: 120_000 } });
  const room = await makeRoom(place, { seconds: 180, seats: 100 });
  const host = await enterHost(room);
  const first = await enter(room);
  const heard = new Map<string, number>();
  const sit = async (role: 'player' | 'spectator', index: number): Promise<void> => {
    const seat = await askSeat(room, { secret: newSecret(), role });
    const socket = await new Client(place.url).consumeSeatReservation(seat.body.reservation);
    socket.reconnection.enabled = false;
    for (const type of ['welcome', 'snap', 'digest']) socket.onMessage(type, () => {});
    socket.onMessage('tick', () => void heard.set(`${role} ${index}`, (heard.get(`${role} ${index}`) ?? 0) + 1));
  };
  await Promise.all(Array.from({ length: 99 }, (_, index) => sit('player', index)));
  await Promise.all(Array.from({ length: 200 }, (_, index) => sit('spectator', index)));
  expect(await describe(room)).toMatchObject({ players: 100 });
  expect(await askSeat(room, { secret: newSecret(), role: 'player' })).toMatchObject({ body: { error: 'FULL' } });
  await host.host({ do: 'start' });
  await first.untilTick(50);
  await first.until(() => first.digests.length > 0 && heard.size === 299);
  expect(first.differences).toEqual([]);
  await host.until(() => host.roster.filter((entry) => entry.online).length === 301);
  expect(first.heard.get(1)!.filter((input) => input.type === 'join')).toHaveLength(100);
  await place.close();
});
