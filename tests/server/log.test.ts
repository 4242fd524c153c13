/** The log: written before anybody is told, complete, without names; and what happens when it cannot be written. */
import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { createRound, playTick, podium, roundHash, RULES } from '#game/round.ts';
import { decodeLog, encodeLog } from '#protocol/log.ts';
import { decodeTick } from '#protocol/tick.ts';
import { Journal, type Trace } from '../../server/store/Journal.ts';
import { findRound, insertRound, logOf, ticksOf } from '../../server/store/rounds.ts';
import { Store } from '../../server/store/Store.ts';
import { hashOnDisk, newHome, openHome, removeHomes, type Housed } from './homes.ts';
import { begin, enter, enterHost, insideOf, makeRoom, type Guest } from './people.ts';

let house: Housed;
beforeEach(async () => {
  house = await openHome();
});
afterEach(() => house.close());
afterAll(removeHomes);

const running = (seconds = 3600) => begin(house, { seconds, name: 'Grace Hopper', ticks: 1 });

async function toPodium({ host, player }: { host: Guest; player: Guest }): Promise<void> {
  await host.host({ do: 'end' });
  await player.untilPhase('podium');
}

test('whatever tick anybody hears is on the disk already, byte for byte', async () => {
  const { room, player } = await running();
  // Another connection, as another process has: it sees what is committed and nothing else.
  const disk = await Store.openBeside(house.folder);
  const { key } = findRound(disk, room.code)!;
  const late: number[] = [];
  player.socket.onMessage('tick', (bytes: Uint8Array) => {
    const { n } = decodeTick(bytes);
    const kept = ticksOf(disk, key)[n - 1];
    if (kept === undefined || !Buffer.from(kept).equals(bytes)) late.push(n);
  });
  const from = player.round!.now;
  await player.untilTick(from + 150);
  expect(late).toEqual([]);
  await disk.close();
});

test('the log on the disk, played alone, is the round that everybody saw; the result is kept with it', async () => {
  const { room, host, player } = await running();
  for (let i = 0; i < 5; i++) {
    await player.act({ do: 'freeDone' });
    await player.untilTick(player.round!.now + 10);
  }
  await toPodium({ host, player });
  expect(await hashOnDisk(house.folder, room.code)).toBe(player.hash);
  const row = findRound(house.store, room.code)!;
  expect(row.hash).toBe(player.hash);
  expect(JSON.parse(row.result!)).toEqual(JSON.parse(JSON.stringify(podium(player.round!))));
  const acts = [...player.heard.values()].flat().filter((input) => input.type === 'act').length;
  expect(acts).toBe(5);
});

test('names and secrets are not in the log, nor anywhere but in the roster', async () => {
  const round = await running();
  await toPodium(round);
  const { room, player } = round;
  const bytes = Buffer.from(encodeLog(logOf(house.store, findRound(house.store, room.code)!)));
  for (const hidden of ['Grace', room.code, room.hostSecret, player.secret]) expect(bytes.includes(hidden)).toBe(false);
  const tables = ['rooms', 'rounds', 'beats', 'chunks', 'snapshots'] as const;
  for (const table of tables) {
    const rows = JSON.stringify(house.store.all(house.store.db.selectFrom(table).selectAll()));
    for (const hidden of ['Grace', room.hostSecret, player.secret]) expect(rows).not.toContain(hidden);
  }
  const people = JSON.stringify(house.store.all(house.store.db.selectFrom('people').selectAll()));
  expect(people).toContain('Grace Hopper');
  for (const hidden of [room.hostSecret, player.secret]) expect(people).not.toContain(hidden);
});

test('who is removed from a room is removed from the disk', async () => {
  const { host, player } = await running();
  await host.host({ do: 'kick', id: player.welcome!.id });
  expect(house.store.all(house.store.db.selectFrom('people').select('name'))).toEqual([{ name: 'Host' }]);
});

test('the file of a round plays to the same hash', async () => {
  const round = await running();
  await toPodium(round);
  const { rules, scenario, seed, seats, ticks } = decodeLog(encodeLog(logOf(house.store, findRound(house.store, round.room.code)!)));
  expect(rules).toBe(RULES);
  const played = createRound(scenario, seed, seats);
  for (const bytes of ticks) playTick(played, decodeTick(bytes));
  expect(roundHash(played)).toBe(round.player.hash);
});

test('a full disk: the round goes on, the host is told, and with space the log is complete again', async () => {
  const { room, host, player } = await running();
  const { sqlite } = house.store;
  const { page_count: pages } = sqlite.prepare('pragma page_count').get() as { page_count: number };
  // SQLite itself says "database or disk is full" from here on.
  sqlite.exec(`pragma max_page_count = ${pages}`);
  await host.until(() => host.socket.state.unlogged);
  const from = player.round!.now;
  await player.untilTick(from + 100);
  expect(await player.act({ do: 'freeDone' })).toMatchObject({ ok: true });
  const other = await enter(room);
  await other.until(() => other.digests.length > 0);
  expect([...player.differences, ...other.differences]).toEqual([]);
  sqlite.exec('pragma max_page_count = 1000000');
  await host.until(() => !host.socket.state.unlogged);
  await toPodium({ host, player });
  expect(await hashOnDisk(house.folder, room.code)).toBe(player.hash);
  expect(sqlite.prepare('pragma integrity_check').all()).toEqual([{ integrity_check: 'ok' }]);
});

test('a database that is gone: rounds, seats and the podium go on', async () => {
  const { room, host, player } = await running();
  house.store.sqlite.close();
  await host.until(() => host.socket.state.unlogged);
  const other = await enter(room);
  await other.until(() => other.round !== null);
  await host.host({ do: 'lock', locked: true });
  await host.until(() => host.socket.state.locked);
  const made = await makeRoom(house, { seconds: 10 });
  await enterHost(made);
  await toPodium({ host, player });
  expect(player.round!.over).toBe(true);
  expect(player.differences).toEqual([]);
});

test('one round that cannot be written is unlogged alone', async () => {
  const [lost, well] = [await running(), await running()];
  const { store } = house;
  const { key } = findRound(store, lost.room.code)!;
  store.run(store.db.deleteFrom('rounds').where('key', '=', key));
  await lost.host.until(() => lost.host.socket.state.unlogged);
  await lost.player.untilTick(lost.player.round!.now + 30);
  await well.player.untilTick(well.player.round!.now + 30);
  expect(insideOf(well.room).state.unlogged).toBe(false);
  await toPodium(well);
  expect(await hashOnDisk(house.folder, well.room.code)).toBe(well.player.hash);
});

test('a folder has one server; who asks for it twice is told', async () => {
  await expect(Store.openFolder(house.folder)).rejects.toThrow(`Another server uses the folder ${house.folder} already.`);
  const other = newHome();
  const store = await Store.openFolder(other);
  await store.close();
  await (await Store.openFolder(other, 'power')).close();
});

test('durability: process does not wait for the disk, power does', async () => {
  const level = (store: Store) => (store.sqlite.prepare('pragma synchronous').get() as { synchronous: number }).synchronous;
  expect(level(house.store)).toBe(1);
  expect(house.store.sqlite.prepare('pragma journal_mode').get()).toEqual({ journal_mode: 'wal' });
  const store = await Store.openFolder(newHome(), 'power');
  expect(level(store)).toBe(2);
  await store.close();
});

/** Rounds of random bytes in a store of their own. */
async function journalOf(count: number) {
  const store = await Store.openMemory();
  const { scenario } = logOf(house.store, findRound(house.store, (await running()).room.code)!);
  const faults: unknown[] = [];
  const traces = Array.from({ length: count }, (_, index) => {
    const ticks: Uint8Array[] = [];
    const round = insertRound(store, { room: null, code: null, number: 0, rules: RULES, scenario, seed: index, seats: 1 });
    const trace: Trace = { round, ticks, written: 0, onWritten: () => {}, onFailed: (error) => faults.push(error) };
    return { trace, ticks };
  });
  return { store, journal: new Journal(store), traces, faults };
}

const rowsOf = (store: Store): number => store.all(store.db.selectFrom('beats').select('seq')).length;

test('ticks of random bytes come back as they were: from beats, from chunks, and after a crash', async () => {
  const { store, journal, traces, faults } = await journalOf(4);
  const check = () => {
    for (const { trace, ticks } of traces)
      expect(Buffer.concat(ticksOf(store, trace.round!)).equals(Buffer.concat(ticks.slice(0, trace.written)))).toBe(true);
  };
  for (let beat = 1; beat <= 2200; beat++) {
    // The second is paused for long, the third ticks now and then, the fourth stops early.
    for (const [index, { trace, ticks }] of traces.entries()) {
      if ((index === 1 && beat > 100) || (index === 2 && beat % 7 > 0) || (index === 3 && beat > 700)) continue;
      ticks.push(randomBytes((beat * (index + 3)) % 300));
      journal.add(trace);
    }
    journal.commit();
    if (beat === 750) journal.remove(traces[3]!.trace);
    if (beat % 371 === 0) check();
  }
  check();
  expect(faults).toEqual([]);
  // A server that is killed here leaves beats; the next one gathers them, and goes on.
  expect(rowsOf(store)).toBeGreaterThan(0);
  const next = new Journal(store);
  expect(rowsOf(store)).toBe(0);
  check();
  const { trace, ticks } = traces[0]!;
  for (let i = 0; i < 10; i++) {
    ticks.push(randomBytes(20));
    next.add(trace);
    next.commit();
  }
  check();
  await store.close();
});

test('beats do not pile up, though one round stands still', async () => {
  const { store, journal, traces } = await journalOf(2);
  const [busy, still] = traces as [(typeof traces)[0], (typeof traces)[0]];
  still.ticks.push(randomBytes(10));
  journal.add(still.trace);
  for (let beat = 1; beat <= 9000; beat++) {
    busy.ticks.push(randomBytes(10));
    journal.add(busy.trace);
    journal.commit();
  }
  expect(rowsOf(store)).toBeLessThan(5000);
  for (const { trace, ticks } of traces) expect(ticksOf(store, trace.round!)).toHaveLength(ticks.length);
  await store.close();
});
