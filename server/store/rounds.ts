/** Rounds in the database: their logs, snapshots and results. All of it throws what SQLite throws. */
import type { Scenario } from '#game/types.ts';
import type { RoundLog } from '#protocol/log.ts';
import { randomRoundId } from '../secrets.ts';
import type { Store } from './Store.ts';
import type { NewRound, RoundRow } from './tables.ts';

/** Ticks written, or deleted, in one go. */
export const TICKS_AT_ONCE = 2000;

export type Began = Pick<RoundRow, 'room' | 'code' | 'number' | 'rules' | 'seed' | 'seats'> & { scenario: Scenario };

export function insertRound(store: Store, { scenario, ...began }: Began): number {
  const row: NewRound = {
    ...began,
    id: randomRoundId(),
    scenario: JSON.stringify(scenario),
    began: Date.now(),
    ended: null,
    hash: null,
    result: null,
  };
  return Number(store.run(store.db.insertInto('rounds').values(row)).lastInsertRowid);
}

/** `result`: the podium. */
export function endRound(store: Store, key: number, hash: string, result: object): void {
  const changes = { ended: Date.now(), hash, result: JSON.stringify(result) };
  store.run(store.db.updateTable('rounds').set(changes).where('key', '=', key));
}

export function roundByKey(store: Store, key: number): RoundRow | null {
  return store.first(store.db.selectFrom('rounds').selectAll().where('key', '=', key));
}

/** By its id, or the newest of a room by the room's code. */
export function findRound(store: Store, name: string): RoundRow | null {
  const query = store.db.selectFrom('rounds').selectAll();
  return store.first(
    query
      .where((by) => by.or([by('id', '=', name), by('code', '=', name)]))
      .orderBy('key', 'desc')
      .limit(1),
  );
}

/** Tick n at index n − 1, up to the first that is missing. */
export function ticksOf(store: Store, round: number): Uint8Array[] {
  const rows = store.all(store.db.selectFrom('ticks').select(['n', 'bytes']).where('round', '=', round).orderBy('n'));
  const gap = rows.findIndex((row, index) => row.n !== index + 1);
  return rows.slice(0, gap < 0 ? rows.length : gap).map((row) => row.bytes);
}

export function logOf(store: Store, { key, rules, scenario, seed, seats }: RoundRow): RoundLog {
  return { rules, scenario: JSON.parse(scenario) as Scenario, seed, seats, ticks: ticksOf(store, key) };
}

/** The message `snap`, or null. */
export function snapshotOf(store: Store, round: number): Uint8Array | null {
  return store.first(store.db.selectFrom('snapshots').select('message').where('round', '=', round))?.message ?? null;
}

/** In place of the one before. */
export function putSnapshot(store: Store, round: number, n: number, message: Uint8Array): void {
  const query = store.db.insertInto('snapshots').values({ round, n, message });
  store.run(query.onConflict((conflict) => conflict.column('round').doUpdateSet({ n, message })));
}

/** Of a room's rounds that are over; `but`: the one that is on. */
export function dropSnapshots(store: Store, room: number, but: number | null): void {
  const over = store.db
    .selectFrom('rounds')
    .select('key')
    .where('room', '=', room)
    .where('key', '!=', but ?? 0);
  store.run(store.db.deleteFrom('snapshots').where('round', 'in', over));
}

/** A round that was played elsewhere; returns its id. */
export function importLog(store: Store, { rules, scenario, seed, seats, ticks }: RoundLog, hash: string, result: object): string {
  return store.transact(() => {
    const key = insertRound(store, { room: null, code: null, number: 0, rules, scenario, seed, seats });
    const insert = store.prepare(store.db.insertInto('ticks').values({ round: 0, n: 0, bytes: new Uint8Array() }));
    for (const [index, bytes] of ticks.entries()) insert.run(key, index + 1, bytes);
    endRound(store, key, hash, result);
    return roundByKey(store, key)!.id;
  });
}

/** Deletes ticks of a round, so many at a time that nobody waits long. True when none is left, and the round is gone too. */
export function forgetSome(store: Store, round: number): boolean {
  const first = store.first(store.db.selectFrom('ticks').select('n').where('round', '=', round).orderBy('n').limit(1))?.n;
  if (first === undefined) {
    store.run(store.db.deleteFrom('rounds').where('key', '=', round));
    return true;
  }
  store.run(
    store.db
      .deleteFrom('ticks')
      .where('round', '=', round)
      .where('n', '<', first + TICKS_AT_ONCE),
  );
  return false;
}
