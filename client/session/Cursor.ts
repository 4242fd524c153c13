/**
 * A round that can be moved to any of its ticks. Forward it plays; backward it starts from the nearest saved round before. Long
 * ways are gone in slices, so that the page can draw in between, and a new aim on the way replaces the old one.
 */
import type { FactRing } from '#kernel/facts.ts';
import { playTick, restoreRound, type Round } from '#game/round.ts';
import type { RoundEvent, Tick } from '#game/types.ts';
import type { Keyframes } from './keyframes.ts';
import type { Recording } from './recording.ts';

export interface CursorParts {
  /** Milliseconds, of any origin. */
  time(): number;
  /** Goes on later, so that the page can draw in between. */
  later(work: () => void): void;
}

/** Longest stretch of playing before the page may draw. */
export const SLICE_MS = 24;

export class Cursor {
  round: Round;
  /** Ticks played at its beginning and at its end. */
  readonly first: number;
  readonly last: number;
  private readonly recording: Recording;
  private readonly keyframes: Keyframes;
  private readonly facts: FactRing;
  private readonly parts: CursorParts;
  private aim: number;
  private moving = false;
  private closed = false;

  constructor(recording: Recording, keyframes: Keyframes, facts: FactRing, parts: CursorParts) {
    this.recording = recording;
    this.keyframes = keyframes;
    this.facts = facts;
    this.parts = parts;
    this.round = recording.begin(facts);
    this.first = this.round.now;
    this.last = this.first + recording.ticks.length;
    this.aim = this.first;
  }

  /** Plays the next tick and returns what happened; null at the end, or on the way to somewhere. */
  step(): RoundEvent[] | null {
    if (this.moving || this.round.now >= this.last) return null;
    this.aim = this.round.now + 1;
    return playTick(this.round, this.tickAfter(this.round.now));
  }

  /** `arrived` is called at the newest aim, at once when it is near. `round` may be another object by then. */
  go(n: number, arrived: () => void): void {
    this.aim = Math.max(this.first, Math.min(this.last, Math.round(n)));
    if (!this.moving) this.move(arrived);
  }

  /** Where it is, or is going to. */
  get aimedAt(): number {
    return this.aim;
  }

  get isMoving(): boolean {
    return this.moving;
  }

  close(): void {
    this.closed = true;
  }

  private move(arrived: () => void): void {
    const until = this.parts.time() + SLICE_MS;
    this.round = this.nearest();
    while (this.round.now < this.aim) {
      playTick(this.round, this.tickAfter(this.round.now));
      if (this.parts.time() > until) break;
    }
    if (this.round.now === this.aim) {
      this.moving = false;
      forget(this.facts);
      return arrived();
    }
    this.moving = true;
    this.parts.later(() => {
      if (!this.closed) this.move(arrived);
    });
  }

  /** The round itself, or a saved one that is nearer to the aim. */
  private nearest(): Round {
    const { now } = this.round;
    const frame = this.keyframes.before(this.aim);
    if (now <= this.aim && (frame === null || frame.n <= now)) return this.round;
    return frame === null || frame.n < this.first ? this.recording.begin(this.facts) : restoreRound(frame.bytes, this.facts);
  }

  private tickAfter(now: number): Tick {
    return this.recording.ticks[now - this.first]!;
  }
}

/** Facts of the way would be shown as motions of this moment; a ring that ran over has none, and the map is painted anew. */
function forget(facts: FactRing): void {
  facts.kind.fill(0);
  facts.written += facts.size + 1;
}
