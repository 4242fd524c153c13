/**
 * One SQLite database: rooms, rosters, logs of rounds. Kysely builds and types the SQL; it runs at once and in this thread,
 * because a tick may be sent only after it is written, and a write takes a few hundredths of a millisecond.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type SQLInputValue, type StatementResultingChanges, type StatementSync } from 'node:sqlite';
import { Kysely, type CompiledQuery } from 'kysely';
import { Migrator } from 'kysely/migration';
import { startCheckpoints, type Checkpoints } from './checkpoints.ts';
import { nodeSqlite } from './dialect.ts';
import { holdFolder } from './lock.ts';
import { MIGRATIONS } from './migrations.ts';
import type { Tables } from './tables.ts';

/** `process`: a killed process loses nothing. `power`: nor does a machine that loses power, at a flush to the disk a commit. */
export type Durability = 'process' | 'power';

/** The folder's file. */
export const FILE = 'overcommit.db';
/** A command line tool that writes at the same moment is waited for so long, ms. */
const BUSY_MS = 250;
/** Checkpoints are made beside this thread (checkpoints.ts); only if those do not keep up, a commit makes one: at 64 MB. */
const CHECKPOINT_PAGES = 16_384;

/** A query of Kysely's that was built and not run. */
interface Built<O> {
  compile(): CompiledQuery<O>;
}

export class Store {
  /** Builds queries; they run by `all` and `run`. */
  readonly db: Kysely<Tables>;
  readonly sqlite: DatabaseSync;
  private checkpoints: Checkpoints | null;
  private readonly letGo: () => void;

  private constructor(sqlite: DatabaseSync, checkpoints: Checkpoints | null, letGo: () => void) {
    this.sqlite = sqlite;
    this.db = new Kysely<Tables>({ dialect: nodeSqlite(sqlite) });
    this.checkpoints = checkpoints;
    this.letGo = letGo;
  }

  /** For a server: the folder is this process's alone. Throws FolderInUse, and what SQLite throws for a folder that cannot be written. */
  static async openFolder(folder: string, durability: Durability = 'process'): Promise<Store> {
    makeFolder(folder);
    const letGo = holdFolder(folder);
    try {
      const path = join(folder, FILE);
      const sqlite = openFile(path);
      sqlite.exec(`pragma synchronous = ${durability === 'power' ? 'full' : 'normal'}; pragma wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
      return await migrated(new Store(sqlite, startCheckpoints(path), letGo));
    } catch (error) {
      letGo();
      throw error;
    }
  }

  /** For a tool beside a server that may be running. */
  static async openBeside(folder: string): Promise<Store> {
    makeFolder(folder);
    return migrated(new Store(openFile(join(folder, FILE)), null, () => {}));
  }

  /** Forgotten with the process. */
  static async openMemory(): Promise<Store> {
    return migrated(new Store(openFile(':memory:'), null, () => {}));
  }

  /** Throws what SQLite throws; so do all below. */
  all<O>(query: Built<O>): O[] {
    const { sql, parameters } = query.compile();
    return this.sqlite.prepare(sql).all(...(parameters as SQLInputValue[])) as O[];
  }

  first<O>(query: Built<O>): O | null {
    return this.all(query)[0] ?? null;
  }

  run(query: Built<unknown>): StatementResultingChanges {
    const { sql, parameters } = query.compile();
    return this.sqlite.prepare(sql).run(...(parameters as SQLInputValue[]));
  }

  /** For what runs many times a second; its parameters come in the order of the query. */
  prepare(query: Built<unknown>): StatementSync {
    return this.sqlite.prepare(query.compile().sql);
  }

  /** All of it, or, when it throws, nothing. Inside another one it is a part of that. */
  transact<T>(work: () => T): T {
    if (this.sqlite.isTransaction) return work();
    this.sqlite.exec('begin immediate');
    try {
      const result = work();
      this.sqlite.exec('commit');
      return result;
    } catch (error) {
      // SQLite has rolled back by itself after some faults of the disk.
      if (this.sqlite.isOpen && this.sqlite.isTransaction) this.sqlite.exec('rollback');
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.checkpoints?.stop();
    this.checkpoints = null;
    if (this.sqlite.isOpen) this.sqlite.close();
    this.letGo();
  }
}

/** Names stand in it: it is for nobody else on this machine. */
function makeFolder(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
}

function openFile(path: string): DatabaseSync {
  const sqlite = new DatabaseSync(path);
  // What is deleted is overwritten: a name that was deleted is not on the disk any more.
  sqlite.exec(`pragma journal_mode = wal; pragma foreign_keys = on; pragma secure_delete = on; pragma busy_timeout = ${BUSY_MS}`);
  return sqlite;
}

async function migrated(store: Store): Promise<Store> {
  const migrator = new Migrator({ db: store.db, provider: { getMigrations: async () => MIGRATIONS } });
  const { error } = await migrator.migrateToLatest();
  if (error === undefined) return store;
  await store.close();
  throw error;
}
