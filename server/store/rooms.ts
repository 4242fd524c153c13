/** Rooms and their rosters in the database. All of it throws what SQLite throws. */
import type { Updateable } from 'kysely';
import type { Code } from '#protocol/codes.ts';
import type { Store } from './Store.ts';
import type { PersonRow, RoomRow, RoomsTable } from './tables.ts';

export type NewRoom = Pick<RoomRow, 'code' | 'hostDigest' | 'saved' | 'touched'>;

/** Throws when an open room has this code. */
export function insertRoom(store: Store, room: NewRoom): number {
  return Number(store.run(store.db.insertInto('rooms').values({ ...room, round: null, closed: null })).lastInsertRowid);
}

export function updateRoom(store: Store, key: number, changes: Updateable<RoomsTable>): void {
  store.run(store.db.updateTable('rooms').set(changes).where('key', '=', key));
}

/** It cannot be entered any more; its rounds stay. Who was in it is forgotten. */
export function closeRoom(store: Store, key: number, why: Code): void {
  store.transact(() => {
    updateRoom(store, key, { closed: why, round: null });
    store.run(store.db.deleteFrom('people').where('room', '=', key));
  });
}

export function openRoom(store: Store, code: string): RoomRow | null {
  return store.first(store.db.selectFrom('rooms').selectAll().where('code', '=', code).where('closed', 'is', null));
}

/** Why the last room of this code closed; null where none did. */
export function closedRoom(store: Store, code: string): Code | null {
  const query = store.db.selectFrom('rooms').select('closed').where('code', '=', code).where('closed', 'is not', null);
  return (store.first(query.orderBy('key', 'desc').limit(1))?.closed as Code | undefined) ?? null;
}

/** Open rooms in which somebody was at or after a time, the latest first. */
export function openRoomsSince(store: Store, time: number): RoomRow[] {
  const query = store.db.selectFrom('rooms').selectAll().where('closed', 'is', null).where('touched', '>=', time);
  return store.all(query.orderBy('touched', 'desc').orderBy('key', 'desc'));
}

/** In order of arrival. */
export function peopleOf(store: Store, room: number): PersonRow[] {
  return store.all(store.db.selectFrom('people').selectAll().where('room', '=', room).orderBy('place'));
}

export function putPerson(store: Store, person: PersonRow): void {
  const { name, digest, saved, place } = person;
  const query = store.db.insertInto('people').values(person);
  store.run(query.onConflict((conflict) => conflict.columns(['room', 'id']).doUpdateSet({ name, digest, saved, place })));
}

export function removePerson(store: Store, room: number, id: string): void {
  store.run(store.db.deleteFrom('people').where('room', '=', room).where('id', '=', id));
}

/** Everybody but these. */
export function removeOthers(store: Store, room: number, ids: string[]): void {
  const query = store.db.deleteFrom('people').where('room', '=', room);
  store.run(ids.length === 0 ? query : query.where('id', 'not in', ids));
}
