/**
 * Passes: each lets one more device into the place of somebody who is in the room, once and soon. A pass is known to its bearer
 * and, as a digest, to this list; it opens that one place and nothing else of the device that asked for it.
 */
import { PASS_SECONDS } from '#protocol/limits.ts';
import { digestOf, randomSecret, type Digest } from '../secrets.ts';

interface Pass {
  /** Id of the member whose place it opens. */
  member: string;
  /** Milliseconds of `performance.now()`. */
  until: number;
}

export class Passes {
  private readonly open = new Map<Digest, Pass>();

  /** A new pass; an earlier one to the same place is void. */
  give(member: string, now: number): string {
    // Of each place there is one at most, so that the list is no longer than the roster and those who left it.
    for (const [digest, pass] of this.open) if (pass.member === member || pass.until <= now) this.open.delete(digest);
    const text = randomSecret();
    this.open.set(digestOf(text), { member, until: now + PASS_SECONDS * 1000 });
    return text;
  }

  /** The id of the member whose place it opens, and void from then on; null where it opens none. */
  take(text: string, now: number): string | null {
    const digest = digestOf(text);
    const pass = this.open.get(digest);
    this.open.delete(digest);
    return pass !== undefined && now < pass.until ? pass.member : null;
  }
}
