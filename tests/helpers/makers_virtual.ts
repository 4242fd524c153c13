/** Random calls on the kernel's virtual space: areas that come and go, mappings of high memory, regions, buffers, transfers, right and wrong. */
import type { Machine } from '#kernel/machine.ts';
import { kmapAtomicAddress } from '#kernel/arch/layout.ts';
import { PG } from '#kernel/types.ts';
import { one, someOf, type Makers, type Pick } from './chance.ts';
import { ownBlocks } from './blocks.ts';
import { PAGE } from './check_base.ts';
import type { Step } from './fuzz.ts';

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
export function somePage(machine: Machine, pid: number, pick: Pick): number {
  const blocks = ownBlocks(machine, pid);
  return blocks.length > 0 && pick(12) > 0 ? one(blocks, pick) : pick(machine.frames.count + 2);
}

function someMapped(machine: Machine, pid: number, pick: Pick): number {
  const mapped = [...(machine.highmem.users.get(pid)?.keys() ?? [])];
  return mapped.length > 0 && pick(12) > 0 ? one(mapped, pick) : somePage(machine, pid, pick);
}

/** A live buffer with its size, seldom with another one. */
function freeBuffer(machine: Machine, pid: number, pick: Pick): Step {
  const { frames } = machine;
  const heads = ownBlocks(machine, pid).filter((pfn) => frames.index[pfn]! > 0 && frames.flags[pfn] === (PG.head | PG.kernel));
  const pfn = heads.length > 0 && pick(10) > 0 ? one(heads, pick) : pick(frames.count);
  const pages = Math.max(1, frames.index[pfn]! + (pick(12) === 0 ? 1 : 0));
  return { pid, call: 'dma_free_coherent', addr: machine.config.layout.pageOffset + pfn * PAGE, size: pages * PAGE - pick(3) };
}

export const VIRTUAL_MAKERS: Makers = [
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

/** One of them. */
export const someVirtual = someOf(VIRTUAL_MAKERS);
