/** The log: written before anybody is told, complete, without names; and what happens when it cannot be written. */
import { randomBytes } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { matchMaker } from '@colyseus/core';
import { createRound, playTick, podium, roundHash } from '#game/round.ts';
import { decodeLog, encodeLog } from '#protocol/log.ts';
import { decodeTick } from '#protocol/tick.ts';
import type { RoundRoom } from '../../server/rooms/RoundRoom.ts';
import { findRound, logOf } from '../../server/store/rounds.ts';
import { FILE, Store } from '../../server/store/Store.ts';
import { hashOnDisk, newHome, openHome, removeHomes, type Housed } from './homes.ts';
import { enter, enterHost, makeRoom, type ClassRoom, type Guest } from './people.ts';

let house: Housed;
beforeEach(async () => {
  house = await openHome();
});
afterEach(() => house.close());
afterAll(removeHomes);

async function running(seconds = 3600) {
  const room = await makeRoom(house, { seconds });
  const host = await enterHost(room);
  const player = await enter(room, { name: 'Grace Hopper' });
  expect(await host.host({ do: 'start' })).toMatchObject({ ok: true });
  await player.untilTick(1);
  return { room, host, player };
}

async function toPodium({ host, player }: { host: Guest; player: Guest }): Promise<void> {
  await host.host({ do: 'end' });
  await player.untilPhase('podium');
}

const insideOf = (room: ClassRoom): RoundRoom => matchMaker.getLocalRoomById(room.code) as unknown as RoundRoom;

test('whatever tick anybody hears is on the disk already, byte for byte', async () => {
  const { room, player } = await running();
  // Another connection, as another process has: it sees what is committed and nothing else.
  const disk = new DatabaseSync(join(house.folder, FILE), { readOnly: true });
  const kept = disk.prepare('select bytes from ticks join rounds on rounds.key = ticks.round where rounds.code = ? and n = ?');
  const late: number[] = [];
  player.socket.onMessage('tick', (bytes: Uint8Array) => {
    const { n } = decodeTick(bytes);
    const row = kept.get(room.code, n) as { bytes: Uint8Array } | undefined;
    if (row === undefined || !Buffer.from(row.bytes).equals(bytes)) late.push(n);
  });
  const from = player.round!.now;
  await player.untilTick(from + 150);
  expect(late).toEqual([]);
  disk.close();
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
  const tables = ['rooms', 'rounds', 'ticks', 'snapshots'] as const;
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
  expect(rules).toBe(1);
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

test('ticks of random bytes come back from the disk as they were', () => {
  const { store } = house;
  const ticks = Array.from({ length: 5000 }, (_, index) => randomBytes(index % 300));
  const bytesOf = store.db.selectFrom('ticks').select('bytes').orderBy('n');
  const key = Number(
    store.run(
      store.db.insertInto('rounds').values({
        id: 'x',
        room: null,
        code: null,
        number: 0,
        rules: 1,
        scenario: '{}',
        seed: 1,
        seats: 1,
        began: 0,
        ended: null,
        hash: null,
        result: null,
      }),
    ).lastInsertRowid,
  );
  store.transact(() => {
    for (const [index, bytes] of ticks.entries()) store.run(store.db.insertInto('ticks').values({ round: key, n: index + 1, bytes }));
  });
  expect(Buffer.concat(store.all(bytesOf).map((row) => row.bytes))).toEqual(Buffer.concat(ticks));
});
