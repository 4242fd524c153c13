/**
 * One timer for all rooms of the process. It beats every 20 ms; five beats make a tick of 100 ms, and each room has one
 * of the five slots. A beat closes the tick of every room in its slot, writes them all in one commit, then sends them.
 */
import type { Logger } from '../log.ts';

export const SLOTS = 5;
export const BEAT_MS = 20;
/** Beats that are made up for after the process was held up; what is older is dropped, and the rounds are late. */
const BEATS_BEHIND_MAX = 25;
const LATENESS_KEPT = 4096;

export interface Ticking {
  /** Closes a tick: plays what was queued. */
  closeTick(): void;
  /** Sends what closeTick made. */
  sendTick(): void;
  /** closeTick or sendTick threw. Must not throw. */
  tickFailed(error: unknown): void;
}

export class Sequencer {
  private readonly slots: Set<Ticking>[] = Array.from({ length: SLOTS }, () => new Set());
  private readonly beatMs: number;
  private readonly log: Logger;
  private readonly commit: () => void;
  private timer: NodeJS.Timeout | null = null;
  private isHeld = false;
  private beat = 0;
  private due = 0;
  /** How late beats with a room in them began, ms; the newest overwrite the oldest. */
  private readonly lateness = new Float64Array(LATENESS_KEPT);
  private beats = 0;
  /** Is told how late each beat with a room in it began, ms. */
  onBeat: (lateMs: number) => void = () => {};

  /** `beatMs` other than 20 makes game time run faster or slower; tests use it. `commit` writes what was closed, and must not throw. */
  constructor(log: Logger, beatMs = BEAT_MS, commit: () => void = () => {}) {
    this.log = log;
    this.beatMs = beatMs;
    this.commit = commit;
  }

  add(room: Ticking): void {
    if (this.slots.some((slot) => slot.has(room))) return;
    const emptiest = this.slots.reduce((best, slot) => (slot.size < best.size ? slot : best));
    emptiest.add(room);
    if (this.timer === null && !this.isHeld) this.begin();
  }

  remove(room: Ticking): void {
    for (const slot of this.slots) slot.delete(room);
  }

  /** No room ticks until `go`: the server restores rooms, and nobody can reach them yet. */
  hold(): void {
    this.isHeld = true;
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
  }

  go(): void {
    this.isHeld = false;
    if (this.timer === null) this.begin();
  }

  stop(): void {
    for (const slot of this.slots) slot.clear();
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
  }

  /** Milliseconds by which beats were late, at a share of them (0.5 the median). */
  latenessAt(share: number): number {
    const kept = this.lateness.slice(0, Math.min(this.beats, LATENESS_KEPT)).sort();
    return kept[Math.min(kept.length - 1, Math.floor(kept.length * share))] ?? 0;
  }

  private begin(): void {
    this.due = performance.now() + this.beatMs;
    this.arm();
  }

  private arm(): void {
    this.timer = setTimeout(() => this.wake(), Math.max(0, this.due - performance.now()));
  }

  private wake(): void {
    if (this.slots.every((slot) => slot.size === 0)) {
      this.timer = null;
      return;
    }
    const now = performance.now();
    if (now - this.due > BEATS_BEHIND_MAX * this.beatMs) {
      this.log.warn({ lateMs: Math.round(now - this.due) }, 'ticks dropped: the process was held up');
      this.due = now;
    }
    for (; this.due <= performance.now(); this.due += this.beatMs) this.runSlot(this.beat++ % SLOTS);
    this.arm();
  }

  private runSlot(index: number): void {
    const rooms = [...this.slots[index]!];
    if (rooms.length === 0) return;
    const lateMs = performance.now() - this.due;
    this.lateness[this.beats++ % LATENESS_KEPT] = lateMs;
    this.onBeat(lateMs);
    const closed = rooms.filter((room) => guarded(room, () => room.closeTick()));
    this.commit();
    for (const room of closed) guarded(room, () => room.sendTick());
  }
}

/** What throws in one room is that room's alone. */
function guarded(room: Ticking, work: () => void): boolean {
  try {
    work();
    return true;
  } catch (error) {
    room.tickFailed(error);
    return false;
  }
}
