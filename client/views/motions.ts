/**
 * Which facts of a tick are shown as motion: a cut through a block that was split, a line that vanishes where two joined, a frame that
 * closes around what one was given, a process' last blocks. Few at once, largest first; the rest are flashes of the cells (texels.ts).
 */
import { FACT, readFacts } from '#kernel/facts.ts';
import type { FactRing } from '#kernel/facts.ts';
import type { Pfn, Pid } from '#kernel/types.ts';

export interface Motion {
  type: 'cut' | 'join' | 'given';
  pfn: Pfn;
  order: number;
}

export interface Death {
  pid: Pid;
  /** Blocks that it held, [pfn, order]. */
  blocks: [Pfn, number][];
}

export interface Shown {
  motions: Motion[];
  deaths: Death[];
}

/** Motions a tick, at most. */
export const MOTIONS_MAX = 10;

export function motionsOf(ring: FactRing, mark: number, isMine: (pid: Pid) => boolean): Shown {
  const motions: Motion[] = [];
  const deaths = new Map<Pid, Death>();
  readFacts(ring, mark, (kind, a, b, c) => {
    if (kind === FACT.blockSplit) motions.push({ type: 'cut', pfn: a, order: b });
    else if (kind === FACT.blockMerged) motions.push({ type: 'join', pfn: a, order: b });
    else if (kind === FACT.pagesAllocated && isMine(c)) motions.push({ type: 'given', pfn: a, order: b });
    else if (kind === FACT.oomKilled) deaths.set(a, { pid: a, blocks: [] });
    else if (kind === FACT.pagesFreed) deaths.get(c)?.blocks.push([a, b]);
  });
  // Larger blocks first; of equal ones the later, since it is what the map shows now.
  const ranked = motions.map((motion, n) => ({ motion, n })).toSorted((p, q) => q.motion.order - p.motion.order || q.n - p.n);
  return { motions: ranked.slice(0, MOTIONS_MAX).map(({ motion }) => motion), deaths: [...deaths.values()] };
}
