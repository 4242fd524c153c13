/**
 * Three moments of a round that a class should talk about: an order that failed though much was free, the free that made the
 * difference, and the kill that cost most with what led to it. Found in the chronicle, never judged by hand.
 */
import type { Chronicle, Kill, Opening, Shortage } from './chronicle.ts';

export interface Debrief {
  fragmentation: Fragmentation | null;
  freed: Freed | null;
  kill: Kill | null;
}

/** Free memory that was of no use: its pieces were too small. */
export interface Fragmentation extends Shortage {
  managed: number;
  /** At least half of the memory was free. */
  half: boolean;
}

/** Memory that came back at the right moment. */
export interface Freed extends Opening {
  /** Requests for more than was free in a row before: refused in the time before it, granted in the time after it. */
  refusedBefore: number;
  grantedAfter: number;
}

const BEFORE_TICKS = 300;
const AFTER_TICKS = 100;

export function debriefOf(chronicle: Chronicle): Debrief {
  return { fragmentation: fragmentationOf(chronicle), freed: freedOf(chronicle), kill: killOf(chronicle) };
}

/** The first with half of the memory free; where there was none, the one with most free. */
function fragmentationOf({ shortages, managed }: Chronicle): Fragmentation | null {
  const isHalf = ({ free }: Shortage): boolean => 2 * free >= managed;
  const chosen =
    shortages.find(isHalf) ?? shortages.reduce<Shortage | null>((most, one) => (one.free > (most?.free ?? -1) ? one : most), null);
  return chosen === null ? null : { ...chosen, managed, half: isHalf(chosen) };
}

/** The one that somebody had waited for and that let most requests through; of equals the largest, then the first. */
function freedOf({ openings, asks }: Chronicle): Freed | null {
  const seen = openings.map((opening): Freed => {
    const needs = asks.filter(({ order }) => order > opening.from && order <= opening.to);
    const within = (tick: number, from: number, to: number): boolean => tick > from && tick <= to;
    return {
      ...opening,
      refusedBefore: needs.filter(({ granted, tick }) => !granted && within(tick, opening.tick - BEFORE_TICKS, opening.tick)).length,
      grantedAfter: needs.filter(({ granted, tick }) => granted && within(tick, opening.tick, opening.tick + AFTER_TICKS)).length,
    };
  });
  const waited = (one: Freed): number => (one.refusedBefore > 0 ? 1 : 0);
  const best = seen
    .filter(({ grantedAfter }) => grantedAfter > 0)
    .sort((a, b) => waited(b) - waited(a) || b.grantedAfter - a.grantedAfter || b.to - a.to || a.tick - b.tick);
  return best[0] ?? null;
}

/** The one that took most points, then most memory; of equals the first. */
function killOf({ kills }: Chronicle): Kill | null {
  const order = [...kills].sort((a, b) => b.mark.lost - a.mark.lost || b.mark.badness - a.mark.badness || a.mark.tick - b.mark.tick);
  return order[0] ?? null;
}
