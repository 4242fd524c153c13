/** Random calls on the kernel's virtual space, checked after each. */
import { one, type Makers } from './chance.ts';
import { checkMachine } from './check.ts';
import { checkVirtual } from './check_virtual.ts';
import { amongOthers, fuzzPart, type Part } from './fuzz_part.ts';
import { somePage, VIRTUAL_MAKERS } from './makers_virtual.ts';

const PAGES: Makers = [
  [12, (_m, pid, pick) => ({ pid, call: 'alloc_pages', order: pick(3), gfp: one(['GFP_HIGHUSER', 'GFP_HIGHUSER', 'GFP_KERNEL'], pick) })],
  [8, (machine, pid, pick) => ({ pid, call: 'free_pages', pfn: somePage(machine, pid, pick), order: pick(3) })],
  [1, () => ({ tick: 1 })],
];

const PART: Part = {
  step: amongOthers([...VIRTUAL_MAKERS, ...PAGES], 7, 10),
  againOneIn: 0,
  check(machine) {
    checkMachine(machine);
    checkVirtual(machine);
  },
};

export const fuzzVirtual = (config: Record<string, unknown>, seed: number, count: number): string | null =>
  fuzzPart(PART, config, seed, count);
