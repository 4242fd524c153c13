/** Rounds in the database: their logs, snapshots and results. All of it throws what SQLite throws. */
import type { Scenario } from '#game/types.ts';
import { ROUNDS_LISTED_MAX } from '#protocol/limits.ts';
import type { RoundLog } from '#protocol/log.ts';
import { randomRoundId } from '../secrets.ts';
import { decodeBeat, decodeChunk, encodeChunk, type LoggedTick } from './beats.ts';
import type { Store } from './Store.ts';
import type { NewRound, RoundRow } from './tables.ts';

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

export function roundById(store: Store, id: string): RoundRow | null {
  return store.first(store.db.selectFrom('rounds').selectAll().where('id', '=', id));
}

/** Of a room, the newest first. */
export function roundsOf(store: Store, room: number): Pick<RoundRow, 'id' | 'number' | 'scenario' | 'began' | 'ended'>[] {
  const query = store.db.selectFrom('rounds').select(['id', 'number', 'scenario', 'began', 'ended']).where('room', '=', room);
  return store.all(query.orderBy('key', 'desc').limit(ROUNDS_LISTED_MAX));
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

/** Tick n at index n − 1, up to the first that is missing. Throws WireFormatError for rows that nobody wrote so. */
export function ticksOf(store: Store, round: number): Uint8Array[] {
  return inOrder([...gatheredTicks(store, round), ...looseTicks(store).filter((tick) => tick.round === round)]);
}

function gatheredTicks(store: Store, round: number): LoggedTick[] {
  const rows = store.all(store.db.selectFrom('chunks').select(['first', 'bytes']).where('round', '=', round).orderBy('first'));
  return rows.flatMap(({ first, bytes }) => decodeChunk(bytes).map((tick, index) => ({ round, n: first + index, bytes: tick })));
}

function looseTicks(store: Store): LoggedTick[] {
  return store.all(store.db.selectFrom('beats').select('bytes').orderBy('seq')).flatMap((row) => decodeBeat(row.bytes));
}

/** Some stand in a chunk and still in a beat. */
function inOrder(ticks: readonly LoggedTick[]): Uint8Array[] {
  const list: Uint8Array[] = [];
  for (const { n, bytes } of ticks) if (n === list.length + 1) list.push(bytes);
  return list;
}

/** Into chunks: what is in beats only, after a server was killed. Returns the number of the last beat. */
export function gatherLeftovers(store: Store): number {
  return store.transact(() => {
    const last = store.first(store.db.selectFrom('beats').select('seq').orderBy('seq', 'desc').limit(1))?.seq ?? 0;
    for (const round of new Set(looseTicks(store).map((tick) => tick.round))) {
      // The round may have been forgotten meanwhile.
      if (roundByKey(store, round) === null) continue;
      const gathered = inOrder(gatheredTicks(store, round)).length;
      const rest = ticksOf(store, round).slice(gathered);
      if (rest.length > 0) insertChunk(store, round, gathered + 1, rest);
    }
    store.run(store.db.deleteFrom('beats'));
    return last;
  });
}

export function insertChunk(store: Store, round: number, first: number, ticks: readonly Uint8Array[]): void {
  store.run(store.db.insertInto('chunks').values({ round, first, bytes: encodeChunk(ticks) }));
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
    insertChunk(store, key, 1, ticks);
    endRound(store, key, hash, result);
    return roundByKey(store, key)!.id;
  });
}

/** With its log. */
export function forgetRound(store: Store, round: number): void {
  store.run(store.db.deleteFrom('rounds').where('key', '=', round));
}
