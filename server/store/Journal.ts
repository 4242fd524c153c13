/**
 * The log of all rounds that are on: every tick is written before it is sent. The ticks of all rooms of a beat are one row and
 * one transaction. Every half minute those of a round are gathered into a chunk of its own, and rows of which all is gathered go.
 * A tick that cannot be written stops nothing: its round goes on unlogged, and what is missing is tried again once a second.
 */
import type { StatementSync } from 'node:sqlite';
import { BeatWriter } from './beats.ts';
import { gatherLeftovers, insertChunk } from './rounds.ts';
import type { Store } from './Store.ts';

const RETRY_MS = 1000;
/** Ticks of a round that are written in one go, after a disk was full. */
const TICKS_AT_ONCE = 2000;
/** Ticks of a round that make a chunk. */
const CHUNK_TICKS = 300;
/** A chunk is made of fewer when they have waited for so many beats (a paused round). */
const WAIT_BEATS = 3000;
/** Rows that go in one go. */
const PRUNE_ROWS = 500;

/** A round's log on its way to the disk. */
export interface Trace {
  /** Key of the round; null while the round itself could not be written. */
  readonly round: number | null;
  /** Tick n at index n − 1; only ever grows. */
  readonly ticks: readonly Uint8Array[];
  /** So many of them are on the disk. */
  written: number;
  /** All are written (again). */
  onWritten(): void;
  onFailed(error: unknown): void;
}

interface Standing {
  /** Ticks in chunks. */
  gathered: number;
  /** The row of the first tick that is in none; null when all are. */
  since: number | null;
  /** After a fault: not before, ms. */
  tryAt: number;
}

export class Journal {
  private readonly store: Store;
  private readonly insert: StatementSync;
  private readonly waiting = new Set<Trace>();
  private readonly standings = new Map<Trace, Standing>();
  /** Number of the newest row, and of the newest that is gone. */
  private last: number;
  private pruned: number;

  /** What a server that was killed left behind is gathered first. Throws what SQLite throws. */
  constructor(store: Store) {
    this.store = store;
    this.insert = store.prepare(store.db.insertInto('beats').values({ seq: 0, bytes: new Uint8Array() }));
    this.last = gatherLeftovers(store);
    this.pruned = this.last;
  }

  /** There are ticks to write with the coming commit. */
  add(trace: Trace): void {
    this.waiting.add(trace);
    if (!this.standings.has(trace)) this.standings.set(trace, { gathered: trace.written, since: null, tryAt: 0 });
  }

  /** Nothing more comes of this one. */
  remove(trace: Trace): void {
    this.waiting.delete(trace);
    this.gather(trace);
    this.standings.delete(trace);
  }

  /** Never throws. */
  commit(): void {
    if (this.waiting.size === 0) return;
    const now = performance.now();
    const due = [...this.waiting].filter((trace) => trace.round !== null && this.standings.get(trace)!.tryAt <= now);
    this.waiting.clear();
    if (due.length === 0) return;
    const upTo = due.map(({ ticks, written }) => Math.min(ticks.length, written + TICKS_AT_ONCE));
    // A number is used once: what failed may be on the disk all the same.
    this.last += 1;
    try {
      this.insert.run(this.last, beatOf(due, upTo));
    } catch (error) {
      for (const trace of due) this.fail(trace, error);
      return;
    }
    for (const [index, trace] of due.entries()) this.settle(trace, upTo[index]!);
    if (this.last - this.pruned >= PRUNE_ROWS) this.prune();
  }

  private settle(trace: Trace, written: number): void {
    const standing = this.standings.get(trace)!;
    trace.written = written;
    standing.since ??= this.last;
    if (trace.written === trace.ticks.length) trace.onWritten();
    if (trace.written - standing.gathered >= CHUNK_TICKS) this.gather(trace);
  }

  /** Into a chunk. Should that fail, the rows stay, and nothing is lost. */
  private gather(trace: Trace): void {
    const standing = this.standings.get(trace);
    if (standing === undefined || trace.round === null || standing.gathered === trace.written) return;
    try {
      insertChunk(this.store, trace.round, standing.gathered + 1, trace.ticks.slice(standing.gathered, trace.written));
      standing.gathered = trace.written;
      standing.since = null;
    } catch (error) {
      this.fail(trace, error);
    }
  }

  private fail(trace: Trace, error: unknown): void {
    this.standings.get(trace)!.tryAt = performance.now() + RETRY_MS;
    trace.onFailed(error);
  }

  /** Rows of which every tick is in a chunk. */
  private prune(): void {
    for (const [trace, { since }] of this.standings) if (since !== null && since < this.last - WAIT_BEATS) this.gather(trace);
    const needed = [...this.standings.values()].flatMap(({ since }) => since ?? []);
    const before = Math.min(this.last + 1, ...needed);
    try {
      if (before > this.pruned + 1) this.store.run(this.store.db.deleteFrom('beats').where('seq', '<', before));
      this.pruned = before - 1;
    } catch {
      // They stay until the next time.
    }
  }
}

function beatOf(traces: readonly Trace[], upTo: readonly number[]): Uint8Array {
  const to = new BeatWriter();
  for (const [index, { round, ticks, written }] of traces.entries())
    for (let n = written + 1; n <= upTo[index]!; n++) to.add(round!, n, ticks[n - 1]!);
  return to.done();
}
