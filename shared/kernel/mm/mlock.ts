/** mlock, munlock: pages that are brought in and stay in memory, on the unevictable list, up to RLIMIT_MEMLOCK (mm/mlock.c). Compaction may move them (vm.compact_unevictable_allowed = 1). */
import { PTE, PTE_PFN_SHIFT } from '../arch/mmu.ts';
import { PAGE_SIZE, type Addr, type Machine, type Mm, type Pfn, type Task } from '../types.ts';
import { HPAGE_PAGES } from './huge_split.ts';
import { failure, lockedPages, type Failure } from './mmap.ts';
import { walkEntries } from './pagewalk.ts';
import { mlockPage, munlockPage } from './rmap.ts';
import { findVmaIndex, modifyArea, VM } from './vma.ts';

/** Pages of [start, end) that are locked already (count_mm_mlocked_page_nr). */
function lockedWithin(task: Task, start: Addr, end: Addr): number {
  const { vmas } = task.mm;
  let pages = 0;
  for (let i = findVmaIndex(task.mm, start); i < vmas.length && vmas[i]!.start < end; i++) {
    const { flags, start: from, end: to } = vmas[i]!;
    if (flags & VM.locked) pages += (Math.min(to, end) - Math.max(from, start)) / PAGE_SIZE;
  }
  return pages;
}

function mayLock(task: Task, start: Addr, end: Addr, isRoot: boolean): Failure | null {
  const limit = task.rlimits.RLIMIT_MEMLOCK!.cur;
  if (isRoot) return null;
  const pages = (end - start) / PAGE_SIZE + lockedPages(task) - lockedWithin(task, start, end);
  const wanted = pages * PAGE_SIZE;
  if (limit === 0) return failure('EPERM', { code: 'RLIMIT', resource: 'RLIMIT_MEMLOCK', limit, wanted });
  return wanted > limit ? failure('ENOMEM', { code: 'RLIMIT', resource: 'RLIMIT_MEMLOCK', limit, wanted }) : null;
}

/** The pages that are there already change their lists (mlock_vma_pages_range); a huge page with all of its own. */
function moveToLists(machine: Machine, mm: Mm, start: Addr, end: Addr, move: (machine: Machine, pfn: Pfn) => void): void {
  const { words } = machine.tables;
  const see = (at: number): void => {
    if ((words[at]! & (PTE.present | PTE.special)) === PTE.present) move(machine, words[at]! >>> PTE_PFN_SHIFT);
  };
  const seeHuge = (pmd: number): void => {
    for (let i = 0; i < HPAGE_PAGES; i++) move(machine, (words[pmd]! >>> PTE_PFN_SHIFT) + i);
  };
  walkEntries(machine, mm, start, end, see, seeHuge);
}

/** Areas of [start, end) carry the flag, or no longer do; those before a hole do though the call fails (apply_vma_lock_flags). */
function applyLock(machine: Machine, task: Task, start: Addr, end: Addr, locked: number): Failure | null {
  const { mm } = task;
  for (let from = start; from < end;) {
    const index = findVmaIndex(mm, from);
    const vma = mm.vmas[index];
    if (!vma || vma.start > from) return failure('ENOMEM', { code: 'NOT_MAPPED', addr: from });
    const to = Math.min(end, vma.end);
    const flags = (vma.flags & ~VM.locked) | locked;
    if (flags !== vma.flags) {
      if (modifyArea(machine, mm, index, from, to, flags) < 0)
        return failure('ENOMEM', { code: 'TOO_MANY_AREAS', limit: machine.config.maxMapCount });
      if (locked !== 0) mm.hasLocked = true;
      moveToLists(machine, mm, from, to, locked === 0 ? munlockPage : mlockPage);
    }
    from = to;
  }
  return null;
}

const pageStart = (addr: Addr): Addr => Math.floor(addr / PAGE_SIZE) * PAGE_SIZE;

/** The pages that hold any byte of [addr, addr + length). */
export function pagesAround(addr: Addr, length: number): { start: Addr; end: Addr } {
  return { start: pageStart(addr), end: pageStart(addr + length + PAGE_SIZE - 1) };
}

/** Marks the areas; bringing the pages in is the caller's next step. */
export function doMlock(machine: Machine, task: Task, addr: Addr, length: number, isRoot: boolean): Failure | null {
  const { start, end } = pagesAround(addr, length);
  if (start < 0) return failure('ENOMEM', { code: 'NOT_MAPPED', addr });
  return mayLock(task, start, end, isRoot) ?? applyLock(machine, task, start, end, VM.locked);
}

export function doMunlock(machine: Machine, task: Task, addr: Addr, length: number): Failure | null {
  const { start, end } = pagesAround(addr, length);
  if (start < 0) return failure('ENOMEM', { code: 'NOT_MAPPED', addr });
  return applyLock(machine, task, start, end, 0);
}
