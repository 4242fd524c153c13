/** Rounds as files: taken out, taken up elsewhere, played again; and forgotten, by hand or because they are old. */
import { execFile, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { RULES } from '#game/round.ts';
import { decodeLog, encodeLog } from '#protocol/log.ts';
import { createLog } from '../../server/log.ts';
import { forgetStep, Retention } from '../../server/store/retention.ts';
import { findRound, logOf } from '../../server/store/rounds.ts';
import { Store } from '../../server/store/Store.ts';
import { newHome, openHome, removeHomes, type Housed } from './homes.ts';
import { askSeat, begin, enter, enterHost, makeRoom, newSecret } from './people.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** What one round of a class has left behind: a folder, and the hashes that a player was told. */
interface Left {
  folder: string;
  code: string;
  file: string;
  digests: { n: number; hash: string }[];
}

let left: Left;
beforeAll(async () => {
  const house = await openHome();
  const { code, digests } = await playRound(house);
  await house.close();
  left = { folder: house.folder, code, digests, file: join(newHome(), 'round') };
  run('export', [code, left.file], left.folder);
});
afterAll(removeHomes);

async function playRound(house: Housed) {
  const room = await makeRoom(house, { seconds: 3600 });
  const host = await enterHost(room);
  const player = await enter(room, { name: 'Ada' });
  await host.host({ do: 'addBots', bots: ['free', 'splinter', 'never'] });
  await host.host({ do: 'start' });
  await player.untilTick(170);
  await host.host({ do: 'end' });
  await player.untilPhase('podium');
  await player.until(() => player.digests.at(-1)?.n === player.round!.now);
  return { code: room.code, digests: player.digests };
}

function run(tool: string, words: string[], folder: string, input?: Buffer) {
  const env = { ...process.env, DATA_DIR: folder };
  const { status, stdout, stderr } = spawnSync(process.execPath, [`server/cli/${tool}.ts`, ...words], { cwd: ROOT, env, input });
  return { status, out: stdout.toString(), err: stderr.toString(), bytes: stdout };
}

/** As `run`, several at a time. */
function runBeside(tool: string, words: string[], folder: string): Promise<{ status: number | null; out: string; err: string }> {
  const env = { ...process.env, DATA_DIR: folder };
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [`server/cli/${tool}.ts`, ...words], { cwd: ROOT, env }, (_, out, err) =>
      resolve({ status: child.exitCode, out, err }),
    );
  });
}

const hashLines = (digests: Left['digests']): string => digests.map(({ n, hash }) => `${n} ${hash}\n`).join('');

test('replay gives the hashes that players were told, every 50 ticks and at the end', () => {
  expect(left.digests.length).toBeGreaterThanOrEqual(4);
  expect(run('replay', [left.file, '--hash'], left.folder)).toMatchObject({ status: 0, out: hashLines(left.digests) });
  const long = run('replay', [left.file], left.folder);
  expect(long.status).toBe(0);
  for (const { n, hash } of left.digests) expect(long.out).toContain(`${n} ${hash}  `);
  expect(long.out).toMatch(/seat \d+: -?\d+ points/);
});

test('a round goes by its file to another server, and comes out of it the same, byte for byte', () => {
  const other = newHome();
  const imported = run('import', [left.file], other);
  expect(imported).toMatchObject({ status: 0 });
  const id = imported.out.trim();
  const again = run('export', [id, '-'], other);
  expect(again.bytes.equals(readFileSync(left.file))).toBe(true);
  expect(run('replay', ['-', '--hash'], other, again.bytes).out).toBe(hashLines(left.digests));
});

test('export works beside a server that is running', async () => {
  const house = await openHome();
  const { room } = await begin(house, { ticks: 30 });
  const { status, bytes } = run('export', [room.code.toLowerCase(), '-'], house.folder);
  expect(status).toBe(0);
  expect(decodeLog(bytes).ticks.length).toBeGreaterThanOrEqual(30);
  const refused = run('forget', [room.code], house.folder);
  expect(refused).toMatchObject({ status: 1 });
  expect(refused.err).toContain('Another server uses the folder');
  await house.close();
});

test('other rules, spoilt files and words that mean nothing are refused by name', async () => {
  const log = decodeLog(readFileSync(left.file));
  const place = newHome();
  const other = join(place, 'other');
  writeFileSync(other, encodeLog({ ...log, rules: RULES + 1 }));
  const older = join(place, 'older');
  const before = { rules: RULES - 1 };
  writeFileSync(older, encodeLog({ ...log, ...before, scenario: { ...log.scenario, ...before } as unknown as typeof log.scenario }));
  const cut = join(place, 'cut');
  writeFileSync(cut, readFileSync(left.file).subarray(0, 1000));
  const wild = join(place, 'wild');
  writeFileSync(wild, encodeLog({ ...log, scenario: { ...log.scenario, seconds: 1_000_000 } }));
  const gap = join(place, 'gap');
  writeFileSync(gap, encodeLog({ ...log, ticks: log.ticks.toSpliced(5, 1) }));
  const sentences: [string, RegExp][] = [
    [other, new RegExp(`under rules ${RULES + 1}\\. This version has rules ${RULES}\\.`)],
    [older, new RegExp(`under rules ${RULES - 1}\\. This version has rules ${RULES}\\.`)],
    [cut, /the file was cut or changed/],
    [wild, /seconds/],
    [gap, /tick 6: tick 7 after 5/],
    [join(place, 'nothing'), /ENOENT/],
  ];
  const cases = [
    ...sentences.map(([file, sentence]) => ({ tool: 'replay', words: [file], exit: 1, sentence })),
    { tool: 'import', words: [other], exit: 1, sentence: /This version has rules/ },
    { tool: 'import', words: [gap], exit: 1, sentence: /tick 6: tick 7 after 5/ },
    { tool: 'replay', words: [left.file, '--fast'], exit: 2, sentence: /usage/ },
    { tool: 'import', words: [], exit: 2, sentence: /usage/ },
    { tool: 'export', words: ['000000'], exit: 2, sentence: /usage/ },
    { tool: 'forget', words: [], exit: 2, sentence: /usage/ },
    { tool: 'export', words: ['000000', other], exit: 1, sentence: /no round of the room or the id 000000/ },
    { tool: 'forget', words: ['000000'], exit: 1, sentence: /no room and no round 000000/ },
  ];
  const answers = await Promise.all(cases.map(({ tool, words }) => runBeside(tool, words, left.folder)));
  for (const [index, { tool, exit, sentence }] of cases.entries()) {
    const { status, out, err } = answers[index]!;
    expect([tool, status, out]).toEqual([tool, exit, '']);
    expect(err).toMatch(sentence);
    expect(err).toMatch(exit === 1 ? new RegExp(`^${tool}: `) : /npm run -s/);
  }
});

/** Rows by table. */
function countsOf(store: Store): Record<string, number> {
  const count = (table: 'rooms' | 'people' | 'rounds' | 'chunks' | 'snapshots') =>
    store.all(store.db.selectFrom(table).select(({ fn }) => fn.countAll<number>().as('n')))[0]!.n;
  return {
    rooms: count('rooms'),
    people: count('people'),
    rounds: count('rounds'),
    chunks: count('chunks'),
    snapshots: count('snapshots'),
  };
}
const NOTHING = { rooms: 0, people: 0, rounds: 0, chunks: 0, snapshots: 0 };

test('forget leaves nothing of a room on the disk, the names first of all', async () => {
  const house = await openHome();
  const { code } = await playRound(house);
  await house.close();
  expect(readFileSync(join(house.folder, 'overcommit.db')).includes('Ada')).toBe(true);
  expect(run('forget', [code], house.folder)).toMatchObject({ status: 0, out: `forgotten: the room ${code}\n` });
  expect(readFileSync(join(house.folder, 'overcommit.db')).includes('Ada')).toBe(false);
  const store = await Store.openBeside(house.folder);
  expect(countsOf(store)).toEqual(NOTHING);
  await store.close();
});

test('a host forgets the room: everybody is told, and it can never be entered again', async () => {
  const house = await openHome();
  const { room, host, player } = await begin(house, { name: 'Ada', ticks: 20 });
  void host.host({ do: 'forget' });
  await player.until(() => player.closed !== null);
  expect(player.closed!.reason).toBe('FORGOTTEN');
  expect(await askSeat(room, { secret: newSecret(), role: 'player' })).toMatchObject({ status: 404, body: { error: 'NO_ROOM' } });
  expect(countsOf(house.store).people).toBe(0);
  const isEmpty = () => Object.values(countsOf(house.store)).every((count) => count === 0);
  while (!isEmpty()) await new Promise((resolve) => setImmediate(resolve));
  await house.close();
});

test('what is older than the retention goes, what is in use or younger stays', async () => {
  const store = await Store.openFolder(newHome());
  const log = decodeLog(readFileSync(left.file));
  const day = 24 * 60 * 60_000;
  const now = Date.now();
  const room = (code: string, touched: number) =>
    Number(
      store.run(store.db.insertInto('rooms').values({ code, hostDigest: '', saved: '{}', round: null, touched, closed: null }))
        .lastInsertRowid,
    );
  const [old, young] = [room('OLD000', now - 31 * day), room('YOUNG0', now)];
  const { importLog } = await import('../../server/store/rounds.ts');
  const roundOf = (key: number | null, ended: number) => {
    const id = importLog(store, log, '', {});
    store.run(store.db.updateTable('rounds').set({ room: key, ended }).where('id', '=', id));
    return findRound(store, id)!;
  };
  const gone = [roundOf(old, now), roundOf(young, now - 31 * day), roundOf(null, now - 31 * day)];
  const stays = [roundOf(young, now), roundOf(null, now - 29 * day)];
  // The round of a podium that nobody has left for a month.
  const current = roundOf(young, now - 31 * day);
  store.run(store.db.updateTable('rooms').set({ round: current.key }).where('key', '=', young));
  while (forgetStep(store, now - 30 * day));
  for (const { id } of gone) expect(findRound(store, id)).toBeNull();
  for (const row of [...stays, current]) expect(logOf(store, findRound(store, row.id)!).ticks).toHaveLength(log.ticks.length);
  expect(countsOf(store)).toMatchObject({ rooms: 1, rounds: 3, chunks: 3 });
  // And so it does by itself.
  store.run(store.db.updateTable('rooms').set({ touched: now - 2 * day }));
  const retention = new Retention(store, createLog('silent'), 1);
  while (countsOf(store)['rooms']! > 0) await new Promise((resolve) => setImmediate(resolve));
  retention.stop();
  await store.close();
});
