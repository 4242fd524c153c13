/**
 * The tables, as Kysely sees them; migrations.ts makes them. Times are milliseconds since 1970. Keys are numbers of this
 * database; names of people stand in `people` and nowhere else.
 */
import type { Generated, Insertable, Selectable } from 'kysely';

export interface Tables {
  rooms: RoomsTable;
  people: PeopleTable;
  rounds: RoundsTable;
  beats: BeatsTable;
  chunks: ChunksTable;
  snapshots: SnapshotsTable;
}

export interface RoomsTable {
  key: Generated<number>;
  /** Two open rooms never have the same. */
  code: string;
  /** SHA-256 of the secret of the device that made the room. */
  hostDigest: string;
  /** JSON of rooms/record.ts: phase, options. */
  saved: string;
  /** The round that is on, or stands on the podium. */
  round: number | null;
  /** When somebody was last in it, to the half minute. */
  touched: number;
  /** Why it is closed for good, a code of protocol/codes.ts; null while it can be entered. */
  closed: string | null;
}

/** The roster. Who leaves a room for good is deleted. */
export interface PeopleTable {
  room: number;
  id: string;
  /** In order of arrival. */
  place: number;
  name: string;
  /** SHA-256 of the device's secret, '' for bots. */
  digest: string;
  /** JSON of rooms/record.ts: role, seat, bot. */
  saved: string;
}

export interface RoundsTable {
  key: Generated<number>;
  /** Names the round in links and on the command line; nobody can guess it. */
  id: string;
  /** Null for one that was imported. */
  room: number | null;
  code: string | null;
  /** The first, second, … of its room. */
  number: number;
  /** Version of the rules, scenario as JSON, seed and seats planned: with the ticks all that a round is. */
  rules: number;
  scenario: string;
  seed: number;
  seats: number;
  began: number;
  ended: number | null;
  /** At the end: 16 hex digits, and the podium as JSON. */
  hash: string | null;
  result: string | null;
}

/** What was written since the last chunk, of all rounds together. */
export interface BeatsTable {
  seq: number;
  /** beats.ts. */
  bytes: Uint8Array;
}

/** The log of a round, in stretches. */
export interface ChunksTable {
  round: number;
  /** Number of its first tick. */
  first: number;
  /** beats.ts. */
  bytes: Uint8Array;
}

/** The newest of each round; it saves time and holds nothing that the ticks do not. */
export interface SnapshotsTable {
  round: number;
  n: number;
  /** protocol/snap.ts. */
  message: Uint8Array;
}

export type RoomRow = Selectable<RoomsTable>;
export type PersonRow = Insertable<PeopleTable>;
export type RoundRow = Selectable<RoundsTable>;
export type NewRound = Insertable<RoundsTable>;
