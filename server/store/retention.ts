/** Nothing is kept for ever: rounds and rooms go after so many days, or at once when somebody asks. A little at a time, beside the ticks. */
import type { Logger } from '../log.ts';
import { forgetRound } from './rounds.ts';
import type { Store } from './Store.ts';

export const RETENTION_DAYS = 30;
const DAY_MS = 24 * 60 * 60_000;
const SWEEP_MS = 60 * 60_000;
/** Between two steps of a sweep. */
const STEP_MS = 100;

export class Retention {
  private readonly store: Store;
  private readonly log: Logger;
  private readonly days: number;
  private timer: NodeJS.Timeout;

  constructor(store: Store, log: Logger, days: number) {
    this.store = store;
    this.log = log;
    this.days = days;
    this.timer = this.later(0);
  }

  /** What was marked to go (`forgetRoom`) goes now. */
  sweep(): void {
    clearTimeout(this.timer);
    this.timer = this.later(0);
  }

  stop(): void {
    clearTimeout(this.timer);
  }

  private later(ms: number): NodeJS.Timeout {
    const timer = setTimeout(() => {
      this.timer = this.later(this.step() ? STEP_MS : SWEEP_MS);
    }, ms);
    timer.unref();
    return timer;
  }

  /** Whether there may be more to do. */
  private step(): boolean {
    try {
      return forgetStep(this.store, Date.now() - this.days * DAY_MS);
    } catch (error) {
      this.log.error({ err: error }, 'what is too old could not be deleted');
      return false;
    }
  }
}

/** Deletes some of what is older than a time, in ms since 1970. False when nothing of it was left. */
export function forgetStep(store: Store, before: number): boolean {
  const round = dueRound(store, before);
  if (round !== null) {
    forgetRound(store, round);
    return true;
  }
  return store.run(store.db.deleteFrom('rooms').where('touched', '<', before)).changes > 0;
}

/** A round that ended so long ago, or whose room was left so long ago; not the one that a room in use is in. */
function dueRound(store: Store, before: number): number | null {
  const query = store.db
    .selectFrom('rounds')
    .leftJoin('rooms', 'rooms.key', 'rounds.room')
    .select('rounds.key')
    .where((by) =>
      by.or([
        by('rooms.touched', '<', before),
        by.and([by('rounds.ended', '<', before), by.or([by('rooms.round', 'is', null), by('rooms.round', '!=', by.ref('rounds.key'))])]),
      ]),
    );
  return store.first(query.limit(1))?.key ?? null;
}

/** Nobody can enter the room from now on, its people are forgotten, and the next sweep takes the rest. */
export function forgetRoom(store: Store, key: number): void {
  store.transact(() => {
    store.run(store.db.deleteFrom('people').where('room', '=', key));
    store.run(store.db.updateTable('rooms').set({ closed: 'ROOM_CLOSED', round: null, touched: 0, saved: '{}' }).where('key', '=', key));
  });
}
