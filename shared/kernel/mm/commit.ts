/** Promises of memory and their limits (mm/util.c, __vm_enough_memory; spec §13), and the resource limits on areas. */
import { PAGE_SIZE, type Machine, type Task } from '../types.ts';
import type { Why } from '../why.ts';
import { freePages, managedPages, totalReserve } from './mmzone.ts';
import { swapTotal } from './swap_state.ts';
import { VMSTAT } from './vmstat.ts';
import { VM } from './vma.ts';

export const RLIM_INFINITY = Number.MAX_SAFE_INTEGER;
export const RESOURCES = ['RLIMIT_STACK', 'RLIMIT_DATA', 'RLIMIT_AS', 'RLIMIT_MEMLOCK', 'RLIMIT_NPROC'] as const;

export function defaultRlimits(): Task['rlimits'] {
  const unlimited = () => ({ cur: RLIM_INFINITY, max: RLIM_INFINITY });
  return {
    RLIMIT_STACK: { cur: 8 << 20, max: RLIM_INFINITY },
    RLIMIT_DATA: unlimited(),
    RLIMIT_AS: unlimited(),
    RLIMIT_MEMLOCK: { cur: 8 << 20, max: 8 << 20 },
    RLIMIT_NPROC: unlimited(),
  };
}

/** Pages that mode 2 may promise: a share of RAM, or so many kB, and all of swap (vm_commit_limit). */
// Simplified: no page is set aside as a huge page at boot, so none is left out of RAM here.
export function commitLimit(machine: Machine): number {
  const { ratio, kbytes } = machine.config.overcommit;
  const allowed = kbytes > 0 ? kbytes >> 2 : Math.floor((managedPages(machine.zones) * ratio) / 100);
  return allowed + swapTotal(machine);
}

/** What mode 2 keeps for root (8 MiB) and for recovery (128 MiB), or a 32nd of memory where that is less (init_admin_reserve, init_user_reserve). */
function reservePages(machine: Machine, kbytes: number, kbytesMax: number): number {
  return (kbytes >= 0 ? kbytes : Math.min((managedPages(machine.zones) * 4) >> 5, kbytesMax)) >> 2;
}

/** Does an area with these flags count as a promise (accountable_mapping)? Private writable memory does; shared memory is promised once, by its object. */
export function isAccountable(flags: number): boolean {
  return (flags & (VM.noreserve | VM.shared | VM.write)) === VM.write;
}

/** May `pages` more be promised to this process (__vm_enough_memory)? */
// Simplified: Linux also writes a refusal into its log; here the answer says it.
export function vmEnoughMemory(machine: Machine, task: Task, pages: number, isRoot: boolean): Why | null {
  const { mode } = machine.config.overcommit;
  if (mode === 1) return null;
  const isOld = machine.config.rules === '2.6.32';
  if (mode === 0) {
    const limit = isOld ? guessOf2632(machine, isRoot) - 1 : managedPages(machine.zones) + swapTotal(machine);
    return pages > limit ? { code: 'OVERCOMMIT', mode, wanted: pages, limit: Math.max(0, limit) } : null;
  }
  const limit = isOld ? strictLimitOf2632(machine, task, isRoot) : strictLimit(machine, task, isRoot);
  const wanted = machine.committed + pages;
  return wanted > limit ? { code: 'OVERCOMMIT', mode, wanted, limit: Math.max(0, limit) } : null;
}

/** Mode 2: something is kept so that root can log in, and that a user can stop a process that has grown too large. */
function strictLimit(machine: Machine, task: Task, isRoot: boolean): number {
  const { adminReserveKbytes, userReserveKbytes } = machine.config.overcommit;
  const forRoot = isRoot ? 0 : reservePages(machine, adminReserveKbytes, 8 << 10);
  return commitLimit(machine) - forRoot - Math.min(task.mm.totalVm >> 5, reservePages(machine, userReserveKbytes, 128 << 10));
}

/** Mode 2 before 3.10: a 32nd of the share of RAM for root, and a 32nd of what the process has. */
function strictLimitOf2632(machine: Machine, task: Task, isRoot: boolean): number {
  const swap = swapTotal(machine);
  const share = commitLimit(machine) - swap;
  return share - (isRoot ? 0 : share >> 5) + swap - (task.mm.totalVm >> 5);
}

/**
 * Mode 0 before 5.2: a guess at what could be had at once. Files, free swap and slabs that give way, and only if these are
 * not enough also free pages above the reserves; of both a 32nd is root's. A request must stay below that.
 */
function guessOf2632(machine: Machine, isRoot: boolean): number {
  const { swap, vmstat, zones } = machine;
  const lessRoots = (pages: number): number => (isRoot ? pages : pages - (pages >> 5));
  const freeSwap = swap !== null && swap.on ? swap.slots - swap.used : 0;
  const giving = vmstat[VMSTAT.nr_file_pages]! + vmstat[VMSTAT.nr_shmem]! + freeSwap + vmstat[VMSTAT.nr_slab_reclaimable]!;
  const free = Math.max(0, freePages(zones) - totalReserve(zones));
  return lessRoots(giving) + lessRoots(free);
}

/** May the address space grow by `pages` (may_expand_vm)? `data`: private writable memory, which RLIMIT_DATA bounds. */
export function mayExpandVm(task: Task, pages: number, data: boolean): Why | null {
  const { mm, rlimits } = task;
  const total = (mm.totalVm + pages) * PAGE_SIZE;
  const as = rlimits.RLIMIT_AS!.cur;
  if (total > as) return { code: 'RLIMIT', resource: 'RLIMIT_AS', limit: as, wanted: total };
  const limit = rlimits.RLIMIT_DATA!.cur;
  if (!data || limit === RLIM_INFINITY) return null;
  const wanted = (dataPages(task) + pages) * PAGE_SIZE;
  return wanted > limit ? { code: 'RLIMIT', resource: 'RLIMIT_DATA', limit, wanted } : null;
}

/** Private writable pages, stacks excepted (mm->data_vm). */
export function dataPages(task: Task): number {
  let pages = 0;
  for (const vma of task.mm.vmas) {
    if ((vma.flags & (VM.write | VM.shared | VM.growsdown)) === VM.write) pages += (vma.end - vma.start) / PAGE_SIZE;
  }
  return pages;
}

/** Counts pages that an area adds (or, negative, takes away). */
export function accountPages(machine: Machine, task: Task, pages: number, accountable: boolean): void {
  const { mm } = task;
  mm.totalVm += pages;
  if (mm.totalVm > mm.hiwaterVm) mm.hiwaterVm = mm.totalVm;
  if (!accountable) return;
  mm.committed += pages;
  machine.committed += pages;
}
