/**
 * The log of all rounds that are on: every tick is written before it is sent. The ticks of all rooms of a beat go into one
 * transaction. A tick that cannot be written stops nothing: its round goes on unlogged, and what is missing is tried again
 * once a second.
 */
import type { StatementSync } from 'node:sqlite';
import { TICKS_AT_ONCE } from './rounds.ts';
import type { Store } from './Store.ts';

const RETRY_MS = 1000;

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

export class Journal {
  private readonly store: Store;
  private readonly insert: StatementSync;
  private readonly waiting = new Set<Trace>();
  /** Traces that failed, and when they are tried again. */
  private readonly failed = new Map<Trace, number>();

  constructor(store: Store) {
    this.store = store;
    this.insert = store.prepare(store.db.insertInto('ticks').values({ round: 0, n: 0, bytes: new Uint8Array() }));
  }

  /** There are ticks to write with the coming commit. */
  add(trace: Trace): void {
    this.waiting.add(trace);
  }

  remove(trace: Trace): void {
    this.waiting.delete(trace);
    this.failed.delete(trace);
  }

  /** Never throws. */
  commit(): void {
    if (this.waiting.size === 0) return;
    const now = performance.now();
    const due = [...this.waiting].filter((trace) => trace.round !== null && (this.failed.get(trace) ?? 0) <= now);
    this.waiting.clear();
    if (due.length === 0 || this.write(due) === null) return;
    // Alone, so that one that cannot be written does not take the others with it.
    for (const trace of due) {
      const error = this.write([trace]);
      if (error === null) continue;
      this.failed.set(trace, now + RETRY_MS);
      trace.onFailed(error);
    }
  }

  /** Null, or what went wrong: then nothing was written. */
  private write(traces: readonly Trace[]): unknown {
    const upTo = traces.map(({ ticks, written }) => Math.min(ticks.length, written + TICKS_AT_ONCE));
    try {
      this.store.transact(() => {
        for (const [index, { round, ticks, written }] of traces.entries())
          for (let n = written + 1; n <= upTo[index]!; n++) this.insert.run(round, n, ticks[n - 1]!);
      });
    } catch (error) {
      return error ?? new Error('the log could not be written');
    }
    for (const [index, trace] of traces.entries()) {
      trace.written = upTo[index]!;
      this.failed.delete(trace);
      if (trace.written === trace.ticks.length) trace.onWritten();
    }
    return null;
  }
}
