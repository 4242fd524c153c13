/** Saved rounds at some distance from each other: to go back in time one plays from the nearest before. */
import { saveRound, type Round } from '#game/round.ts';

/** Ticks between two of them, while there is room. */
export const EVERY_TICKS = 300;
/** Bytes of all together; above it every other one goes, and the rest come half as often. */
const BYTES_MAX = 48 * 2 ** 20;

export class Keyframes {
  private every = EVERY_TICKS;
  private frames: { n: number; bytes: Uint8Array }[] = [];
  private size = 0;
  private readonly bytesMax: number;

  constructor(bytesMax = BYTES_MAX) {
    this.bytesMax = bytesMax;
  }

  /** Keeps the round as it is now, when it is time for it and it comes after all that are kept. */
  offer(round: Round): void {
    const last = this.frames.at(-1);
    if (last !== undefined && round.now < last.n + this.every) return;
    const bytes = saveRound(round);
    this.frames.push({ n: round.now, bytes });
    this.size += bytes.length;
    while (this.size > this.bytesMax && this.frames.length > 2) this.thin();
  }

  /** The last one at or before a tick; null when the first is later. */
  before(n: number): { n: number; bytes: Uint8Array } | null {
    return this.frames.findLast((frame) => frame.n <= n) ?? null;
  }

  get count(): number {
    return this.frames.length;
  }

  private thin(): void {
    this.every *= 2;
    this.frames = this.frames.filter((_, at) => at % 2 === 0);
    this.size = this.frames.reduce((sum, { bytes }) => sum + bytes.length, 0);
  }
}
