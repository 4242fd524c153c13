/** Promises of memory and their limits (mm/util.c, __vm_enough_memory; spec §13), and the resource limits on areas. */
import { PAGE_SIZE, type Machine, type Task } from '../types.ts';
import type { Why } from '../why.ts';
import { managedPages } from './mmzone.ts';
import { swapTotal } from './swap_state.ts';
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

/** Pages that mode 2 may promise. */
export function commitLimit(machine: Machine): number {
  return Math.floor((managedPages(machine.zones) * machine.config.overcommit.ratio) / 100) + swapTotal(machine);
}

/** What mode 2 keeps for root and for recovery: a 32nd of memory, at most 8 and 128 MiB (init_admin_reserve, init_user_reserve). */
function reservePages(machine: Machine, bytesMax: number): number {
  return Math.min(managedPages(machine.zones) >> 5, bytesMax / PAGE_SIZE);
}

/** Does an area with these flags count as a promise (accountable_mapping)? Private writable memory does; shared memory is promised once, by its object. */
export function isAccountable(flags: number): boolean {
  return (flags & (VM.noreserve | VM.shared | VM.write)) === VM.write;
}

/** May `pages` more be promised to this process? */
export function vmEnoughMemory(machine: Machine, task: Task, pages: number, isRoot: boolean): Why | null {
  const { mode } = machine.config.overcommit;
  if (mode === 1) return null;
  if (mode === 0) {
    const limit = managedPages(machine.zones) + swapTotal(machine);
    return pages > limit ? { code: 'OVERCOMMIT', mode, wanted: pages, limit } : null;
  }
  let limit = commitLimit(machine);
  if (!isRoot) limit -= reservePages(machine, 8 << 20);
  limit -= Math.min(task.mm.totalVm >> 5, reservePages(machine, 128 << 20));
  return machine.committed + pages > limit ? { code: 'OVERCOMMIT', mode, wanted: machine.committed + pages, limit } : null;
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
