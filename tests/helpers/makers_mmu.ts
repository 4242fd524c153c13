/** Random calls on segments: tables that are mostly large and sane, registers loaded from them, now and then nonsense that kills. */
import type { Machine } from '#kernel/machine.ts';
import { TYPE_NAMES } from '#kernel/arch/desc.ts';
import { REGISTERS } from '#kernel/arch/segment.ts';
import { one, type Maker, type Pick } from './makers_virtual.ts';

const TYPES = Object.keys(TYPE_NAMES);
const RARELY = 12;

/** Mostly a selector that loads: of the GDT, or an entry that the process wrote. */
function someSelector(machine: Machine, pid: number, pick: Pick): number {
  if (pick(RARELY) === 0) return pick(0x10000);
  const own = [...(machine.tasks.get(pid)?.segments?.ldt.keys() ?? [])].map((entry) => entry * 8 + 7);
  return one([0x7b, 0x7b, 0x2b, ...own, ...own], pick);
}

/** [weight, maker] */
const MAKERS: readonly [number, Maker][] = [
  [
    5,
    (_m, pid, pick) => ({
      pid,
      call: 'modify_ldt',
      entry: pick(pick(8) === 0 ? 8192 : 6),
      base: pick(4) === 0 ? pick(0x7fffffff) : one([0, 0, 0, 4096, 0xfffff000], pick),
      limit: pick(6) === 0 ? pick(0x100000) : 0xfffff,
      type: pick(3) === 0 ? one(TYPES, pick) : 2,
      dpl: pick(RARELY) === 0 ? pick(4) : 3,
      granularity: pick(RARELY) > 0,
      present: pick(RARELY) > 0,
    }),
  ],
  [4, (machine, pid, pick) => ({ pid, call: 'load_segment', register: one(REGISTERS, pick), selector: someSelector(machine, pid, pick) })],
];

const WEIGHT = MAKERS.reduce((sum, [weight]) => sum + weight, 0);

export const someMmu: Maker = (machine, pid, pick) => {
  let at = pick(WEIGHT);
  for (const [weight, make] of MAKERS) {
    if (at < weight) return make(machine, pid, pick);
    at -= weight;
  }
  throw new Error('weights');
};
