/** Random calls on segments: tables that are mostly large and sane, registers loaded from them, now and then nonsense that kills. */
import type { Machine } from '#kernel/machine.ts';
import { TYPE_NAMES } from '#kernel/arch/desc.ts';
import { REGISTERS } from '#kernel/arch/segment.ts';
import { one, someOf, type Makers, type Pick } from './chance.ts';

const TYPES = Object.keys(TYPE_NAMES);
const RARELY = 12;

/** Mostly a selector that loads: of the GDT, or an entry that the process wrote. */
function someSelector(machine: Machine, pid: number, pick: Pick): number {
  if (pick(RARELY) === 0) return pick(0x10000);
  const own = [...(machine.tasks.get(pid)?.segments?.ldt.keys() ?? [])].map((entry) => entry * 8 + 7);
  return one([0x7b, 0x7b, machine.tables.levels === 4 ? 0x2b : 0x7b, ...own, ...own], pick);
}

/** An address of the process, of the kernel, or anywhere. */
function somewhere(machine: Machine, pid: number, pick: Pick): number | string {
  const wide = machine.tables.levels === 4;
  const vmas = machine.tasks.get(pid)?.mm.vmas ?? [];
  if (vmas.length > 0 && pick(4) > 0) {
    const vma = one(vmas, pick);
    return vma.start + pick(Math.min(vma.end - vma.start, 0x7fffffff));
  }
  const area = machine.vmap.areas[pick(machine.vmap.areas.length + 1)];
  const kernel = wide ? ['0xffff888000001234', '0xffffffffff7fe000', '0x800000000000'] : [0xc0001234, 0xffffe000, 0xffbfe000, 0xff800000];
  return area === undefined || wide ? one([0, 0x7fffffff, ...kernel], pick) : area.start + pick(area.size);
}

const MAKERS: Makers = [
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
  [
    5,
    (machine, pid, pick) => ({
      pid: pick(6) * pid === 0 ? 0 : pid,
      call: 'translate',
      addr: somewhere(machine, pid, pick),
      access: one(['read', 'write', 'exec'], pick),
      ...(pick(3) === 0 ? { ring: pick(2) * 3 } : {}),
      ...(pick(5) === 0 ? { segment: one(REGISTERS, pick) } : {}),
    }),
  ],
  [
    4,
    (machine, pid, pick) => ({
      pid,
      call: one(['copy_to_user', 'copy_from_user'], pick),
      addr: somewhere(machine, pid, pick),
      length: pick(one([8, 3 * 4096], pick)),
    }),
  ],
  [4, (machine, pid, pick) => ({ pid, call: 'load_segment', register: one(REGISTERS, pick), selector: someSelector(machine, pid, pick) })],
];

/** One of them. */
export const someMmu = someOf(MAKERS);
