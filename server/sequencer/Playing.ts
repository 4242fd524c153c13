/**
 * One round being played: the queue of inputs, the ticks that were made of it, and the server's own Round, whose result
 * is the truth. It knows no clients and no names.
 */
import { promisify } from 'node:util';
import { deflateRaw } from 'node:zlib';
import { createRound, playTick, restoreRound, roundHash, saveRound, type Round } from '#game/round.ts';
import type { Input, RoundEvent, Scenario, Seat } from '#game/types.ts';
import { DIGEST_EVERY_TICKS, TICK_INPUTS_MAX } from '#protocol/limits.ts';
import type { DigestMessage } from '#protocol/messages.ts';
import { encodeSnap } from '#protocol/snap.ts';
import { decodeTick, encodeTick } from '#protocol/tick.ts';
import { randomUint32 } from '../secrets.ts';

const deflate = promisify(deflateRaw);
/** A snapshot at most so many ticks old serves another late joiner, with the ticks since. */
const SNAP_FRESH_TICKS = 50;
/** A snapshot is taken at least so often: it bounds what `rebuild` has to play. */
const SNAP_EVERY_TICKS = 300;

export interface Snapshot {
  n: number;
  /** The message `snap`. */
  message: Uint8Array;
}

interface Saved {
  n: number;
  bytes: Uint8Array;
  message: Promise<Snapshot>;
}

/** What a round that goes on has behind it. */
export interface Past {
  round: Round;
  ticks: readonly Uint8Array[];
  seats: Iterable<Seat>;
}

export interface Closed {
  n: number;
  /** The message `tick`. */
  bytes: Uint8Array;
  events: RoundEvent[];
  over: boolean;
}

export class Playing {
  readonly scenario: Scenario;
  readonly seed: number;
  /** For so many seats the machine was made. */
  readonly seatsPlanned: number;
  round: Round;
  /** Bytes of tick n at index n − 1. */
  readonly ticks: Uint8Array[];
  /** Seats that have a process, or will have one in the next tick. */
  readonly seats = new Set<Seat>();
  private queued: Input[] = [];
  /** The inputs of the tick that is being closed. */
  private closing: Input[] = [];
  private saved: Saved;
  /** The newest hash that clients were to compare with. */
  digest: DigestMessage | null;
  /** Is told of each snapshot that was taken. */
  onSnapshot: (snapshot: Promise<Snapshot>) => void = () => {};

  /** Throws what `createRound` throws for a scenario that cannot be played. `past`: it is not new, but goes on (past.ts). */
  constructor(scenario: Scenario, seed: number, seats: number, past: Past | null = null) {
    this.scenario = scenario;
    this.seed = seed;
    this.seatsPlanned = seats;
    this.round = past?.round ?? createRound(scenario, seed, seats);
    this.ticks = [...(past?.ticks ?? [])];
    for (const seat of past?.seats ?? []) this.seats.add(seat);
    this.digest = past === null ? null : this.digestDue();
    this.saved = this.save();
  }

  /** The input stands in the next tick, after those that were queued before it. */
  queue(input: Input): void {
    this.queued.push(input);
    if (input.type === 'join') this.seats.add(input.seat);
    if (input.type === 'leave') this.seats.delete(input.seat);
  }

  /** Plays the next tick. When it throws, the tick does not exist, and `rebuild` has to follow. */
  close(): Closed {
    this.closing = this.queued.slice(0, TICK_INPUTS_MAX);
    this.queued = this.queued.slice(TICK_INPUTS_MAX);
    const n = this.ticks.length + 1;
    const bytes = encodeTick({ n, entropy: randomUint32(), inputs: this.closing });
    // Played as everybody else will play it: from the bytes.
    const events = playTick(this.round, decodeTick(bytes));
    const digest = this.digestDue();
    this.ticks.push(bytes);
    if (digest !== null) this.digest = digest;
    // It exists: should sending it fail, nothing of it stands in the next one too.
    this.closing = [];
    return { n, bytes, events, over: this.round.over };
  }

  private digestDue(): DigestMessage | null {
    const { now, over } = this.round;
    return (now % DIGEST_EVERY_TICKS === 0 && now > 0) || over ? { n: now, hash: roundHash(this.round) } : null;
  }

  /** Takes a snapshot when it is time for one. */
  keepSnapshot(): void {
    if (this.ticks.length - this.saved.n >= SNAP_EVERY_TICKS) this.saved = this.save();
  }

  /**
   * The round as it was before the tick that failed, made anew from the newest snapshot and the ticks since. What players
   * did in the failed tick is gone; who came and left, and what the host did, stands in the next one.
   */
  rebuild(): void {
    const round = restoreRound(this.saved.bytes);
    for (let n = this.saved.n + 1; n <= this.ticks.length; n++) playTick(round, decodeTick(this.ticks[n - 1]!));
    this.round = round;
    this.queued.unshift(...this.closing.filter((input) => input.type !== 'act'));
    this.closing = [];
  }

  /** A snapshot that is not older than 50 ticks; compressing runs beside the event loop. */
  recentSnapshot(): Promise<Snapshot> {
    if (this.ticks.length - this.saved.n > SNAP_FRESH_TICKS) this.saved = this.save();
    return this.saved.message;
  }

  /** A snapshot of now. */
  freshSnapshot(): Promise<Snapshot> {
    if (this.ticks.length !== this.saved.n) this.saved = this.save();
    return this.saved.message;
  }

  private save(): Saved {
    const n = this.ticks.length;
    const bytes = saveRound(this.round);
    const message = deflate(bytes).then((deflated) => ({ n, message: encodeSnap({ n, deflated }) }));
    this.onSnapshot(message);
    return { n, bytes, message };
  }
}
