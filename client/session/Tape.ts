/**
 * The ticks of the round that is on, as this page has played them, with the state that they begin at. A page that came at the
 * start has the whole round; one that came later begins at its first snapshot.
 */
import { saveRound, type Round } from '#game/round.ts';
import type { Tick } from '#game/types.ts';

export interface Taped {
  /** `saveRound` before the first of the ticks. */
  saved: Uint8Array;
  /** Ticks that had been played by then. */
  begins: number;
  ticks: Tick[];
}

export class Tape {
  /** The round as it was before the first of the ticks. */
  private saved: Uint8Array | null = null;
  private seed = 0;
  private begins = 0;
  private ticks: Tick[] = [];

  /** A round is there, new or again. What the tape has of it already stays, unless there is a gap or it was told otherwise. */
  load(round: Round): void {
    const end = this.begins + this.ticks.length;
    if (this.saved !== null && round.seed === this.seed && round.now >= this.begins && round.now <= end) {
      this.ticks.length = round.now - this.begins;
      return;
    }
    this.saved = saveRound(round);
    this.seed = round.seed;
    this.begins = round.now;
    this.ticks = [];
  }

  add(tick: Tick): void {
    if (this.saved !== null && tick.n === this.begins + this.ticks.length + 1) this.ticks.push(tick);
  }

  clear(): void {
    this.saved = null;
    this.ticks = [];
  }

  /** A copy of what is there; null while no round was. */
  read(): Taped | null {
    return this.saved === null ? null : { saved: this.saved, begins: this.begins, ticks: [...this.ticks] };
  }
}
