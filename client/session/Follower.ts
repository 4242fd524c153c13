/**
 * Follows a round from what the server sends: snapshots, ticks and digests, in the order of their arrival. It knows no
 * socket: it is given messages and it says when it needs a new snapshot.
 *
 * The representation is one line of waiting messages. A snapshot supersedes all that waits before it; ticks that are
 * already inside it are skipped; a tick beyond the next one, or a hash that differs, needs a new snapshot.
 */
import type { Round } from '#game/round.ts';
import type { RoundEvent, Tick } from '#game/types.ts';

export interface FollowerParts {
  /** Raw inflate and restore. */
  restore(deflated: Uint8Array): Promise<Round>;
  play(round: Round, tick: Tick): RoundEvent[];
  hash(round: Round): string;
  /** Called after each tick. */
  played(round: Round, tick: Tick, events: RoundEvent[]): void;
  /** A new round object is there (after a snapshot). */
  restored(round: Round): void;
  /** After each burst of work: how many messages still wait. */
  worked(waiting: number): void;
  /** The stream has a gap or a difference: ask the server for a snapshot. Called once until one arrives. */
  needSnap(reason: 'gap' | 'hash' | 'broken' | 'behind'): void;
  /** Milliseconds, of any origin. */
  time(): number;
  /** Goes on later, so that the page can draw in between. */
  later(work: () => void): void;
}

type Waiting =
  | { kind: 'snap'; n: number; deflated: Uint8Array }
  | { kind: 'tick'; tick: Tick }
  | { kind: 'digest'; n: number; hash: string };

/** A page that plays its ticks so much later than it once did is behind: a snapshot is the shorter way. */
const BEHIND_MS_MAX = 5000;
const TICK_MS = 100;
/** Longest stretch of playing before the page may draw. */
const SLICE_MS = 24;

export class Follower {
  round: Round | null = null;
  private readonly parts: FollowerParts;
  private line: Waiting[] = [];
  private busy = false;
  private asked = false;
  /** The least that the own clock was ahead of the ticks since the last snapshot, ms; it has no meaning but in comparison. */
  private least = Infinity;
  /** Rises when all that waits became void; work that was under way then stops. */
  private era = 0;

  constructor(parts: FollowerParts) {
    this.parts = parts;
  }

  snap(n: number, deflated: Uint8Array): void {
    this.line = [{ kind: 'snap', n, deflated }];
    this.asked = false;
    this.work();
  }

  tick(tick: Tick): void {
    this.line.push({ kind: 'tick', tick });
    this.work();
  }

  digest(n: number, hash: string): void {
    this.line.push({ kind: 'digest', n, hash });
    this.work();
  }

  /** The round stood still and goes on: that it did is no delay. */
  goOn(): void {
    this.least = Infinity;
  }

  /** Nothing is played until a snapshot comes. */
  get waitsForSnap(): boolean {
    return this.asked;
  }

  /** The round is over and gone. */
  clear(): void {
    this.line = [];
    this.round = null;
    this.asked = false;
    this.era++;
    this.busy = false;
  }

  private work(): void {
    if (this.busy) return;
    const until = this.parts.time() + SLICE_MS;
    while (this.line.length > 0) {
      const next = this.line[0]!;
      if (next.kind === 'snap') return this.load(next.n, next.deflated);
      this.line.shift();
      if (next.kind === 'tick') this.step(next.tick);
      else this.compare(next.n, next.hash);
      if (this.line.length > 0 && this.parts.time() > until) return this.pause();
    }
    this.parts.worked(0);
  }

  private pause(): void {
    this.parts.worked(this.line.length);
    this.busy = true;
    const era = this.era;
    this.parts.later(() => {
      if (era !== this.era) return;
      this.busy = false;
      this.work();
    });
  }

  private load(n: number, deflated: Uint8Array): void {
    this.line.shift();
    this.least = Infinity;
    this.busy = true;
    const era = this.era;
    this.parts.restore(deflated).then(
      (round) => {
        if (era !== this.era) return;
        this.busy = false;
        if (round.now === n) {
          this.round = round;
          this.parts.restored(round);
        } else this.lost('broken');
        this.work();
      },
      () => {
        if (era !== this.era) return;
        this.busy = false;
        this.lost('broken');
        this.work();
      },
    );
  }

  private step(tick: Tick): void {
    const round = this.round;
    if (round === null || this.asked) return;
    if (tick.n <= round.now) return;
    if (tick.n > round.now + 1) return this.lost('gap');
    const events = this.parts.play(round, tick);
    this.parts.played(round, tick, events);
    const ahead = this.parts.time() - tick.n * TICK_MS;
    this.least = Math.min(this.least, ahead);
    if (ahead - this.least > BEHIND_MS_MAX) this.lost('behind');
  }

  private compare(n: number, hash: string): void {
    // A digest of a tick that the snapshot already holds, or from before a gap, says nothing about this round.
    if (this.round === null || this.asked || this.round.now !== n) return;
    if (this.parts.hash(this.round) !== hash) this.lost('hash');
  }

  private lost(reason: 'gap' | 'hash' | 'broken' | 'behind'): void {
    if (this.asked) return;
    this.asked = true;
    this.parts.needSnap(reason);
  }
}
