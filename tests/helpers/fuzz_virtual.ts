/** Random calls on the kernel's virtual space: areas that come and go, mappings of high memory, regions, buffers, transfers, right and wrong. */
import { createMachine, type Machine } from '#kernel/machine.ts';
import { kmapAtomicAddress } from '#kernel/arch/layout.ts';
import { PG } from '#kernel/types.ts';
import { PAGE } from './boot.ts';
import { checkMachine } from './check.ts';
import { checkVirtual } from './check_virtual.ts';
import { playStep, type Step } from './fuzz.ts';
import { picker } from './seeds.ts';

type Pick = (n: number) => number;
type Maker = (machine: Machine, pid: number, pick: Pick) => Step;

const one = <T>(list: readonly T[], pick: Pick): T => list[pick(list.length)]!;
const PHYS = [0x80000000, 0xfed00000, 0xfffff000, 0xa0000000];

/** Mostly one's own area of the kind, sometimes another's, a freed one, or an address near it. */
function someArea(machine: Machine, pid: number, kind: string, pick: Pick): number {
  const { areas } = machine.vmap;
  if (areas.length === 0) return one([0, PAGE, 0xc0000000], pick);
  const mine = areas.filter((area) => area.pid === pid && area.kind === kind);
  const area = mine.length > 0 && pick(10) > 0 ? one(mine, pick) : one(areas, pick);
  return area.start + (pick(15) === 0 ? pick(2 * PAGE) : 0);
}

/** Mostly a block of one's own, highest first, so that high memory is among them. */
function somePage(machine: Machine, pid: number, pick: Pick): number {
  const blocks = [...(machine.tasks.get(pid)?.kernelBlocks ?? [])];
  return blocks.length > 0 && pick(12) > 0 ? one(blocks, pick) : pick(machine.frames.count + 2);
}

function someMapped(machine: Machine, pid: number, pick: Pick): number {
  const mapped = [...(machine.highmem.users.get(pid)?.keys() ?? [])];
  return mapped.length > 0 && pick(12) > 0 ? one(mapped, pick) : somePage(machine, pid, pick);
}

/** A live buffer with its size, seldom with another one. */
function freeBuffer(machine: Machine, pid: number, pick: Pick): Step {
  const { frames } = machine;
  const heads = [...(machine.tasks.get(pid)?.kernelBlocks ?? [])].filter(
    (pfn) => frames.index[pfn]! > 0 && frames.flags[pfn] === (PG.head | PG.kernel),
  );
  const pfn = heads.length > 0 && pick(10) > 0 ? one(heads, pick) : pick(frames.count);
  const pages = Math.max(1, frames.index[pfn]! + (pick(12) === 0 ? 1 : 0));
  return { pid, call: 'dma_free_coherent', addr: 0xc0000000 + pfn * PAGE, size: pages * PAGE - pick(3) };
}

/** [weight, maker] */
export const VIRTUAL_MAKERS: readonly [number, Maker][] = [
  [20, (_m, pid, pick) => ({ pid, call: 'vmalloc', size: 1 + pick(one([PAGE, 8 * PAGE, 8 * PAGE, 60 * PAGE, 400 * PAGE], pick)) })],
  [14, (machine, pid, pick) => ({ pid, call: 'vfree', addr: someArea(machine, pid, 'vmalloc', pick) })],
  [
    9,
    (machine, pid, pick) => ({
      pid,
      call: 'ioremap',
      phys: (pick(20) === 0 ? pick(machine.frames.count) * PAGE : one(PHYS, pick)) + pick(PAGE),
      size: 1 + pick(one([PAGE, 10 * PAGE, 100 * PAGE], pick)),
    }),
  ],
  [7, (machine, pid, pick) => ({ pid, call: 'iounmap', addr: someArea(machine, pid, 'ioremap', pick) })],
  [4, (_m, pid, pick) => ({ pid, call: 'request_mem_region', phys: one(PHYS, pick) + pick(16) * 512, size: 1 + pick(2048) })],
  [12, (machine, pid, pick) => ({ pid, call: 'kmap', pfn: somePage(machine, pid, pick) })],
  [10, (machine, pid, pick) => ({ pid, call: 'kunmap', pfn: someMapped(machine, pid, pick) })],
  [4, (machine, pid, pick) => ({ pid, call: 'kmap_atomic', pfn: somePage(machine, pid, pick) })],
  [
    4,
    (machine, pid, pick) => ({
      pid,
      call: 'kunmap_atomic',
      addr: kmapAtomicAddress(Math.max(0, (machine.highmem.atomic.get(pid)?.length ?? 1) - 1 - (pick(10) === 0 ? 1 : 0))),
    }),
  ],
  [
    6,
    (_m, pid, pick) => ({
      pid,
      call: 'dma_alloc_coherent',
      size: 1 + pick(one([PAGE, 6 * PAGE, 40 * PAGE], pick)),
      mask: one([0xffffffff, 0xffffff, 0xfffff, 0x3ffff, 1], pick),
    }),
  ],
  [5, freeBuffer],
  [
    2,
    (_m, pid, pick) => ({
      pid,
      call: 'dma_transfer',
      channel: pick(8),
      addr: pick(1 << 21),
      count: 1 + pick(one([4, 70, 70000], pick)),
      mode: one(['single', 'block', 'demand', 'cascade'], pick),
    }),
  ],
  [1, (_m, pid, pick) => ({ pid, call: 'cat', path: one(['/proc/vmallocinfo', '/proc/iomem', '/proc/meminfo'], pick) })],
];

/** What else happens meanwhile: pages come and go, processes too. */
const OTHERS: readonly [number, Maker][] = [
  [12, (_m, pid, pick) => ({ pid, call: 'alloc_pages', order: pick(3), gfp: one(['GFP_HIGHUSER', 'GFP_HIGHUSER', 'GFP_KERNEL'], pick) })],
  [8, (machine, pid, pick) => ({ pid, call: 'free_pages', pfn: somePage(machine, pid, pick), order: pick(3) })],
  [
    3,
    (_m, pid, pick) => ({
      pid,
      call: 'mmap',
      length: (1 + pick(30)) * PAGE,
      prot: 'PROT_READ|PROT_WRITE',
      flags: 'MAP_PRIVATE|MAP_ANONYMOUS|MAP_POPULATE',
    }),
  ],
  [2, () => ({ pid: 0, call: 'spawn' })],
  [1, (_m, pid) => ({ pid, call: 'exit' })],
  [1, () => ({ restore: true })],
  [1, () => ({ tick: 1 })],
];

const MAKERS = [...VIRTUAL_MAKERS, ...OTHERS];
const WEIGHT = MAKERS.reduce((sum, [weight]) => sum + weight, 0);

function randomStep(machine: Machine, pick: Pick): Step {
  const pids = [...machine.tasks.keys()];
  if (pids.length < 3) return { pid: 0, call: 'spawn' };
  if (pids.length > 7) return { pid: one(pids, pick), call: 'exit' };
  let at = pick(WEIGHT);
  for (const [weight, make] of MAKERS) {
    if (at < weight) return make(machine, pick(10) === 0 ? 0 : one(pids, pick), pick);
    at -= weight;
  }
  throw new Error('weights');
}

const check = (machine: Machine): void => {
  checkMachine(machine);
  checkVirtual(machine);
};

/** Plays these steps, checking after each; what broke, or null. */
function breaks(config: Record<string, unknown>, steps: readonly Step[]): string | null {
  let machine = createMachine(config);
  try {
    for (const step of steps) {
      machine = playStep(machine, step);
      check(machine);
    }
  } catch (error) {
    return String(error);
  }
  return null;
}

function shortest(config: Record<string, unknown>, failing: Step[]): Step[] {
  let steps = failing;
  for (let size = Math.ceil(steps.length / 2), tries = 0; size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let from = 0; from < steps.length && tries < 3000; tries++) {
      const shorter = steps.toSpliced(from, size);
      if (breaks(config, shorter) === null) from += size;
      else steps = shorter;
    }
  }
  return steps;
}

/** Plays `count` random steps; what broke, with the shortest list of calls that breaks it, or null. */
export function fuzzVirtual(config: Record<string, unknown>, seed: number, count: number): string | null {
  const pick = picker(seed);
  let machine = createMachine(config);
  const steps: Step[] = [];
  for (let n = 0; n < count; n++) {
    const step = randomStep(machine, pick);
    steps.push(step);
    try {
      machine = playStep(machine, step);
      check(machine);
    } catch (error) {
      const list = shortest(config, steps);
      return `seed ${seed}: ${String(error)}\n${[{ machine: config }, ...list].map((line) => JSON.stringify(line)).join('\n')}\n→ ${breaks(config, list)}`;
    }
  }
  return null;
}
