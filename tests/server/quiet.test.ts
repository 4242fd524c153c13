/** What logs hold, and in which order a client hears. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Streams } from '../../server/rooms/streams.ts';
import { begin, enter, enterHost, insideOf, makeRoom, openPlace, type Place } from './people.ts';

let place: Place;
const lines: string[] = [];
beforeAll(async () => {
  place = await openPlace({ logLevel: 'trace', logTo: { write: (line) => void lines.push(line) } });
});
afterAll(() => place.close());

test('logs are JSON and hold no name, no secret and no session', async () => {
  const room = await makeRoom(place);
  const host = await enterHost(room);
  const player = await enter(room, { name: 'Grace Hopper' });
  await enter(room, { name: 'Grace Hopper' }).catch(() => {});
  await player.ask('input', { seq: 'Grace Hopper', secret: player.secret });
  await host.host({ do: 'start' });
  await player.act({ do: 'freeDone' });
  await player.ask('resync', {});
  await host.host({ do: 'kick', id: player.welcome!.id });
  await host.untilPhase('podium');
  expect(lines.length).toBeGreaterThan(3);
  for (const line of lines) expect(() => JSON.parse(line) as unknown).not.toThrow();
  const all = lines.join('');
  expect(all).toContain(room.code);
  for (const hidden of ['Grace', room.hostSecret, player.secret, player.socket.sessionId, '127.0.0.1']) expect(all).not.toContain(hidden);
});

test('who begins anew before the first snapshot is ready gets one snapshot, not two', async () => {
  const { room, player } = await begin(place);
  const inside = insideOf(room);
  const client = inside.clients.get(player.socket.sessionId)!;
  const streams = (inside as unknown as { streams: Streams }).streams;
  await Promise.all([0, 1, 2].map(() => streams.begin(client, inside.playing!, true)));
  await player.untilTick(player.round!.now + 20);
  expect(player.snaps).toHaveLength(2);
});
