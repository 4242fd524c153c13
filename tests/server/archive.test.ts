/** Rounds over HTTP: the list of a room's, and the file of one, which plays to the hashes that players were told. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createRound, playTick, roundHash } from '#game/round.ts';
import { decodeLog } from '#protocol/log.ts';
import { HASH_HEADER } from '#protocol/limits.ts';
import type { RoundsReply } from '#protocol/messages.ts';
import { decodeTick } from '#protocol/tick.ts';
import { newHome, openHome, removeHomes, type Housed } from './homes.ts';
import { enter, enterHost, makeRoom, type ClassRoom, type Guest } from './people.ts';

let house: Housed;
let room: ClassRoom;
let player: Guest;
let host: Guest;
beforeAll(async () => {
  house = await openHome({ dataFolder: newHome() });
  room = await makeRoom(house, { seconds: 3600 });
  host = await enterHost(room);
  player = await enter(room, { name: 'Ada' });
  await host.host({ do: 'addBots', bots: ['free', 'splinter', 'never'] });
});
afterAll(async () => {
  await house.close();
  removeHomes();
});

async function list(code = room.code): Promise<{ status: number; body: RoundsReply & { error?: string } }> {
  const response = await fetch(`${house.url}/api/rooms/${code}/rounds`);
  return { status: response.status, body: (await response.json()) as RoundsReply };
}

const fetchRound = (id: string): Promise<Response> => fetch(`${house.url}/api/rounds/${id}`);

async function playOne(ticks: number): Promise<void> {
  await host.host({ do: 'start' });
  await player.untilPhase('running');
  await player.untilTick(ticks);
  await host.host({ do: 'end' });
  await player.untilPhase('podium');
  await player.until(() => player.digests.at(-1)?.n === player.round!.now);
}

test('a room lists its rounds, the newest first; each has its file, with the hash of its end', async () => {
  expect((await list()).body.rounds).toEqual([]);
  await playOne(120);
  const digests = [...player.digests];
  const end = player.hash!;
  await host.host({ do: 'again' });
  await player.untilPhase('lobby');
  await playOne(20);
  const { rounds } = (await list(room.code.toLowerCase())).body;
  expect(rounds.map(({ number }) => number)).toEqual([2, 1]);
  for (const { began, ended, scenario } of rounds) {
    expect(ended).toBeGreaterThanOrEqual(began);
    expect(scenario).toBe(house.scenario);
  }

  const response = await fetchRound(rounds[1]!.id);
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('application/octet-stream');
  expect(response.headers.get('cache-control')).toBe('no-store');
  expect(response.headers.get(HASH_HEADER)).toBe(end);
  const bytes = new Uint8Array(await response.arrayBuffer());
  // No name of a person is in it.
  expect(Buffer.from(bytes).includes('Ada')).toBe(false);
  const log = decodeLog(bytes);
  const round = createRound(log.scenario, log.seed, log.seats);
  const hashes = new Map<number, string>();
  for (const tick of log.ticks) {
    playTick(round, decodeTick(tick));
    hashes.set(round.now, roundHash(round));
  }
  expect(digests.length).toBeGreaterThan(2);
  for (const { n, hash } of digests) expect(hashes.get(n)).toBe(hash);
});

test('a round that is on has a file, too, without a hash of its end', async () => {
  await host.host({ do: 'again' });
  await player.untilPhase('lobby');
  await host.host({ do: 'start' });
  await player.untilTick(30);
  const [newest] = (await list()).body.rounds;
  expect(newest!.ended).toBeNull();
  const response = await fetchRound(newest!.id);
  expect(response.headers.get(HASH_HEADER)).toBeNull();
  expect(decodeLog(new Uint8Array(await response.arrayBuffer())).ticks.length).toBeGreaterThanOrEqual(30);
  await host.host({ do: 'end' });
  await player.untilPhase('podium');
});

test('what is not there is refused by name, and a room’s code is not the id of a round', async () => {
  const refusals: [string, number, string][] = [
    ['/api/rooms/ZZZZZZ/rounds', 404, 'NO_ROOM'],
    ['/api/rooms/12345/rounds', 400, 'BAD_CODE'],
    ['/api/rounds/nothing', 404, 'NO_ROUND'],
    [`/api/rounds/${room.code}`, 404, 'NO_ROUND'],
    ['/api/rounds/%27%20or%201%3D1', 404, 'NO_ROUND'],
  ];
  for (const [path, status, code] of refusals) {
    const response = await fetch(house.url + path);
    expect([path, response.status, ((await response.json()) as { error: string }).error]).toEqual([path, status, code]);
  }
  const posted = await fetch(`${house.url}/api/rounds/nothing`, { method: 'DELETE' });
  expect([posted.status, posted.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
});

test('who tries many ids is told to wait', async () => {
  let last = 0;
  for (let n = 0; n < 100 && last !== 429; n++) last = (await fetchRound(`guess${n}`)).status;
  expect(last).toBe(429);
});
