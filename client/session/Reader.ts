/**
 * Plays a recording once from end to end, in slices beside the page, and keeps what a replay needs: what happened in each
 * tick, the chronicle, and saved rounds to go back to.
 */
import { createChronicle, note, type Chronicle } from '#game/chronicle.ts';
import { debriefOf, type Debrief } from '#game/debrief.ts';
import { playTick, roundHash, type Round } from '#game/round.ts';
import type { RoundEvent } from '#game/types.ts';
import type { CursorParts } from './Cursor.ts';
import { SLICE_MS } from './Cursor.ts';
import type { Keyframes } from './keyframes.ts';
import type { Recording } from './recording.ts';

export interface Story {
  chronicle: Chronicle;
  debrief: Debrief;
  /** 16 hex digits of the round after its last tick. */
  hash: string;
}

export interface Reading {
  /** After each slice: so many ticks of the recording have been read. */
  read(count: number): void;
  done(story: Story): void;
}

export class Reader {
  readonly chronicle: Chronicle;
  /** Of the recording's tick at this index. */
  readonly events: RoundEvent[][] = [];
  private readonly round: Round;
  private readonly recording: Recording;
  private readonly keyframes: Keyframes;
  private readonly parts: CursorParts;
  private readonly reading: Reading;
  private closed = false;

  constructor(recording: Recording, keyframes: Keyframes, parts: CursorParts, reading: Reading) {
    this.recording = recording;
    this.keyframes = keyframes;
    this.parts = parts;
    this.reading = reading;
    this.round = recording.begin(null);
    this.chronicle = createChronicle(this.round);
    keyframes.offer(this.round);
    parts.later(() => this.work());
  }

  close(): void {
    this.closed = true;
  }

  private work(): void {
    if (this.closed) return;
    const until = this.parts.time() + SLICE_MS;
    const { ticks } = this.recording;
    while (this.events.length < ticks.length && this.parts.time() < until) this.next();
    this.reading.read(this.events.length);
    if (this.events.length < ticks.length) return this.parts.later(() => this.work());
    this.reading.done({ chronicle: this.chronicle, debrief: debriefOf(this.chronicle), hash: roundHash(this.round) });
  }

  private next(): void {
    const tick = this.recording.ticks[this.events.length]!;
    const events = playTick(this.round, tick);
    note(this.chronicle, this.round, tick, events);
    this.events.push(events);
    this.keyframes.offer(this.round);
  }
}
