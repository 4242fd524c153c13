/** Random calls on the slab allocators and pools, checked after each. */
import { ownBlocks } from './blocks.ts';
import { one, type Makers } from './chance.ts';
import { checkMachine } from './check.ts';
import { checkSlab } from './check_slab.ts';
import { amongOthers, fuzzPart, type Part } from './fuzz_part.ts';
import { GFPS, SLAB_MAKERS } from './makers_slab.ts';

const PAGES: Makers = [
  [3, (_m, pid, pick) => ({ pid, call: 'alloc_pages', order: pick(4), gfp: one(GFPS, pick) })],
  [
    3,
    (machine, pid, pick) => ({
      pid,
      call: 'free_pages',
      pfn: one([...ownBlocks(machine, pid), pick(machine.frames.count)], pick),
      order: pick(3),
    }),
  ],
  [1, (_m, pid, pick) => ({ pid, call: 'cat', path: one(['/proc/slabinfo', '/proc/meminfo', '/proc/vmstat'], pick) })],
  [1, () => ({ pid: 0, call: 'run', argv: ['slabtop', '-s', 'c'] })],
  [3, (_m, _pid, pick) => ({ tick: 1 + pick(30) })],
];

/** Our own structures after every step, the whole machine after every eighth. */
const PART: Part = {
  step: amongOthers([...SLAB_MAKERS, ...PAGES], 6, 8),
  againOneIn: 12,
  check(machine, step) {
    checkSlab(machine);
    if (step % 8 === 0) checkMachine(machine);
  },
};

export const fuzzSlab = (config: Record<string, unknown>, seed: number, count: number, seen?: Map<string, number>): string | null =>
  fuzzPart(PART, config, seed, count, seen);
