/** vmalloc, vfree, ioremap, iounmap, request_mem_region, kmap, kunmap, kmap_atomic, kunmap_atomic: the kernel's virtual space. */
import { address, int, positiveBytes } from '../args.ts';
import { ioremap, iounmap } from '../arch/ioremap.ts';
import { directAddress, directPhys, KM_MAX_IDX, LAST_PKMAP } from '../arch/layout.ts';
import { requestRegion } from '../kernel/resource.ts';
import { blockOf } from '../mm/buddy.ts';
import { kmap, kmapAtomic, kmapUser, kunmap, kunmapAtomic, topAtomic } from '../mm/highmem.ts';
import { freePages } from '../mm/mmzone.ts';
import { findArea } from '../mm/vmap_area.ts';
import { vfree, vmalloc, VMALLOC_KILLED } from '../mm/vmalloc.ts';
import type { VmapArea } from '../mm/vmap_types.ts';
import { PAGE_SIZE, PG, type Addr, type Answer, type Machine, type Pfn, type Pid, type Refused, type Task } from '../types.ts';
import { badArgument, granted, oomKilled, refused, refusedBy } from './answer.ts';

const SPACE_END = 0x1_0000_0000;
const pidOf = (task: Task | null): Pid => task?.pid ?? 0;
const isRoot = (machine: Machine, task: Task | null): boolean => task === null || machine.config.root.includes(task.pid);

export const vmallocArgs = { size: positiveBytes };

export function sysVmalloc(machine: Machine, task: Task | null, size: number): Answer {
  const area = vmalloc(machine, task, size);
  if (area === VMALLOC_KILLED) return oomKilled(machine);
  if ('errno' in area) return refusedBy(area);
  const { costs } = machine.config;
  machine.cost += costs.area! + costs.alloc_page! * area.frames.length;
  return granted({ addr: area.start });
}

/** The area of this kind that starts at `start`, if the caller may give it back; `addr` is what it said. */
function ownArea(machine: Machine, task: Task | null, addr: Addr, start: Addr, kind: VmapArea['kind']): VmapArea | Refused {
  const area = findArea(machine.vmap, start);
  if (area === null || area.kind !== kind) return refused('EINVAL', { code: 'NO_SUCH_AREA', addr });
  if (area.pid === pidOf(task) || isRoot(machine, task)) return area;
  return refused('EPERM', { code: 'NOT_OWNER', pfn: area.frames[0] ?? area.phys / PAGE_SIZE, owner: area.pid });
}

/** vfree, iounmap, kunmap_atomic. */
export const addrArgs = { addr: address };

/** vfree(NULL) does nothing, as kfree(NULL). */
export function sysVfree(machine: Machine, task: Task | null, addr: Addr): Answer {
  if (addr === 0) return granted();
  const area = ownArea(machine, task, addr, addr, 'vmalloc');
  if (!('kind' in area)) return area;
  const { costs } = machine.config;
  machine.cost += costs.area! + costs.free_block! * area.frames.length;
  vfree(machine, area);
  return granted();
}

/** ioremap, request_mem_region. */
export const physRangeArgs = { phys: int(0, SPACE_END - 1), size: positiveBytes };

export function sysIoremap(machine: Machine, task: Task | null, phys: number, size: number): Answer {
  if (phys + size > SPACE_END) return badArgument('size', 'such that the range ends below 4 GiB');
  const addr = ioremap(machine, pidOf(task), phys, size);
  if (typeof addr !== 'number') return refusedBy(addr);
  machine.cost += machine.config.costs.area!;
  return granted({ addr });
}

/** Any address of the first page will do: ioremap adds the offset within the page (iounmap). */
export function sysIounmap(machine: Machine, task: Task | null, addr: Addr): Answer {
  const area = ownArea(machine, task, addr, Math.floor(addr / PAGE_SIZE) * PAGE_SIZE, 'ioremap');
  if (!('kind' in area)) return area;
  iounmap(machine, area);
  machine.cost += machine.config.costs.area!;
  return granted();
}

export function sysRequestMemRegion(machine: Machine, task: Task | null, phys: number, size: number): Answer {
  if (phys + size > SPACE_END) return badArgument('size', 'such that the range ends below 4 GiB');
  const conflict = requestRegion(machine, pidOf(task), phys, phys + size - 1);
  if (conflict) return refused('ENOMEM', { code: 'REGION_BUSY', start: conflict.start, end: conflict.end, owner: conflict.pid });
  return granted();
}

/** What the caller may not map: no page, a free page, a process's page, which may move, and others' pages. */
function mayKmap(machine: Machine, task: Task | null, pfn: Pfn): Refused | null {
  const { frames } = machine;
  const block = pfn < frames.count ? blockOf(frames, pfn) : null;
  if (block === null || block.free) return refused('EINVAL', { code: 'BAD_PAGE', pfn, order: 0 });
  if ((frames.flags[block.head]! & (PG.kernel | PG.contig)) === 0) return refused('EINVAL', { code: 'NOT_KERNEL_PAGE', pfn });
  const owner = frames.owner[block.head]!;
  return owner === pidOf(task) || isRoot(machine, task) ? null : refused('EPERM', { code: 'NOT_OWNER', pfn, owner });
}

/** kmap, kunmap, kmap_atomic. */
export const pfnArgs = { pfn: int(0, 0x7fffffff) };

export function sysKmap(machine: Machine, task: Task | null, pfn: Pfn): Answer {
  const forbidden = mayKmap(machine, task, pfn);
  if (forbidden) return forbidden;
  const addr = kmap(machine, pidOf(task), pfn);
  if (addr === -1) return refused('EAGAIN', { code: 'WOULD_SLEEP', order: 0, freePages: freePages(machine.zones) });
  machine.cost += machine.config.costs.kmap!;
  return granted({ addr });
}

/** Of a page of low memory there is nothing to undo. */
export function sysKunmap(machine: Machine, task: Task | null, pfn: Pfn): Answer {
  if (pfn >= machine.frames.count) return refused('EINVAL', { code: 'BAD_PAGE', pfn, order: 0 });
  if (directAddress(machine.config.layout, pfn) !== -1) return granted();
  const user = kmapUser(machine, pidOf(task), pfn);
  if (user < 0) return refused('EINVAL', { code: 'NOT_KMAPPED', pfn, slots: LAST_PKMAP });
  if (user !== pidOf(task) && !isRoot(machine, task)) return refused('EPERM', { code: 'NOT_OWNER', pfn, owner: user });
  kunmap(machine, user, pfn);
  machine.cost += machine.config.costs.kmap!;
  return granted();
}

export function sysKmapAtomic(machine: Machine, task: Task | null, pfn: Pfn): Answer {
  const forbidden = mayKmap(machine, task, pfn);
  if (forbidden) return forbidden;
  const addr = kmapAtomic(machine, pidOf(task), pfn);
  if (addr === -1) return refused('ENOMEM', { code: 'KMAP_ATOMIC_FULL', slots: KM_MAX_IDX });
  return granted({ addr });
}

/** Last in, first out; an address of the direct map holds no slot. */
export function sysKunmapAtomic(machine: Machine, task: Task | null, addr: Addr): Answer {
  if (directPhys(machine.config.layout, addr) >= 0) return granted();
  const top = topAtomic(machine, pidOf(task));
  if (top === -1) return refused('EINVAL', { code: 'NO_SUCH_AREA', addr });
  if (addr - (addr % PAGE_SIZE) !== top) return refused('EINVAL', { code: 'KMAP_ATOMIC_ORDER', addr, top });
  kunmapAtomic(machine, pidOf(task));
  return granted();
}
