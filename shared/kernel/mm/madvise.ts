/**
 * madvise: what a process knows about its use of memory (mm/madvise.c). DONTNEED gives pages back now, FREE when somebody
 * needs them, COLD makes them the first to go, WILLNEED brings back what is on a disk. HUGEPAGE and NOHUGEPAGE say where huge
 * pages are wanted or unwelcome, for what is touched from now on.
 */
import { PTE, PTE_PFN_SHIFT } from '../arch/mmu.ts';
import { filePages, inodeOf } from '../fs/inode.ts';
import { PAGE_SIZE, type Addr, type Machine, type Task, type Vma } from '../types.ts';
import type { Why } from '../why.ts';
import { failure, type Failure } from './mmap.ts';
import { readAhead } from './filemap.ts';
import { walkEntries } from './pagewalk.ts';
import { shmOf } from './shmem.ts';
import { shmemSlots } from './shmem_swap.ts';
import { PGS, setState } from './swap.ts';
import { readAheadSlot, swapSlot } from './swap_fault.ts';
import { zapRange } from './unmap.ts';
import { findVmaIndex, modifyArea, pageAlign, VM } from './vma.ts';

interface Advice {
  /** Why this area does not take the advice, or null. */
  readonly refuse: (vma: Vma) => Why | null;
  /** Does it to [start, end) within the area. */
  readonly take: (machine: Machine, task: Task, vma: Vma, start: Addr, end: Addr) => Failure | null;
  /** Is it about huge pages? A kernel without them does not know the word. */
  readonly isOfHuge?: boolean;
  /** Release that brought it, if later than 2.6.32. */
  readonly since?: string;
}

const unlessLocked = (vma: Vma): Why | null => (vma.flags & VM.locked ? { code: 'AREA_LOCKED', addr: vma.start } : null);

/** Clears bits in, and sets others in, the present entries of the range. */
function mark(machine: Machine, task: Task, start: Addr, end: Addr, clear: number, set: number): null {
  const { words } = machine.tables;
  const change = (at: number): void => {
    const pte = words[at]!;
    if ((pte & PTE.present) !== 0 && (pte & PTE.special) === 0) words[at] = ((pte & ~clear) | set) >>> 0;
  };
  walkEntries(machine, task.mm, start, end, change, change);
  return null;
}

/** Gives a part of an area other flags (madvise_update_vma). */
function advise(machine: Machine, { mm }: Task, vma: Vma, start: Addr, end: Addr, set: number, clear: number): Failure | null {
  const flags = (vma.flags & ~clear) | set;
  if (flags === vma.flags || modifyArea(machine, mm, findVmaIndex(mm, start), start, end, flags) >= 0) return null;
  return failure('ENOMEM', { code: 'TOO_MANY_AREAS', limit: machine.config.maxMapCount });
}

/** Pages that nobody else maps go to the inactive lists, as if they had not been used (madvise_cold_or_pageout_pte_range). */
function deactivate(machine: Machine, task: Task, start: Addr, end: Addr): void {
  const { words } = machine.tables;
  const { mapcount, state } = machine.frames;
  const cool = (at: number): void => {
    const pte = words[at]!;
    const pfn = pte >>> PTE_PFN_SHIFT;
    if ((pte & PTE.present) === 0 || (pte & PTE.special) !== 0 || mapcount[pfn] !== 1) return;
    if ((state[pfn]! & (PGS.lru | PGS.unevictable)) === PGS.lru) setState(machine, pfn, 0, PGS.active | PGS.referenced);
  };
  walkEntries(machine, task.mm, start, end, cool, cool);
}

/** What of the range is in swap comes into the swap cache, for as long as there is room without pushing others out. */
function readSwapAhead(machine: Machine, task: Task, vma: Vma, start: Addr, end: Addr): null {
  if (machine.swap === null) return null;
  const slots: number[] = [];
  const note = (at: number): void => {
    const slot = swapSlot(machine.tables.words[at]!);
    if (slot >= 0) slots.push(slot);
  };
  const page = (addr: Addr): number => (addr - vma.start) / PAGE_SIZE;
  if (vma.shm !== 0) slots.push(...shmemSlots(shmOf(machine, vma.shm), vma, page(start), page(end)));
  // A huge page is in memory; it stays whole.
  else walkEntries(machine, task.mm, start, end, note, () => {});
  // Reading one may push others out or end their owner: a slot that nobody holds any more is not read.
  for (const slot of slots) if (machine.swap.map[slot]! > 0 && readAheadSlot(machine, slot, task.pid) < 0) return null;
  return null;
}

/** The file's pages behind the range come into the page cache. */
function readFileAhead(machine: Machine, task: Task, vma: Vma, start: Addr, end: Addr): null {
  const inode = inodeOf(machine, vma.file);
  const last = Math.min(filePages(inode), vma.pgoff + (end - vma.start) / PAGE_SIZE);
  const first = vma.pgoff + (start - vma.start) / PAGE_SIZE;
  if (first < last) readAhead(machine, inode, first, last - first, task.pid);
  return null;
}

export const ADVICE = {
  MADV_HUGEPAGE: {
    refuse: () => null,
    take: (machine, task, vma, start, end) => advise(machine, task, vma, start, end, VM.hugepage, VM.nohugepage),
    isOfHuge: true,
    since: '2.6.38',
  },
  MADV_NOHUGEPAGE: {
    refuse: () => null,
    take: (machine, task, vma, start, end) => advise(machine, task, vma, start, end, VM.nohugepage, VM.hugepage),
    isOfHuge: true,
    since: '2.6.38',
  },
  MADV_DONTNEED: {
    refuse: unlessLocked,
    take: (machine, task, _vma, start, end) => {
      zapRange(machine, task.mm, start, end);
      return null;
    },
  },
  // Simplified: Linux leaves pages alone that a fork shares; here only reclaim does.
  MADV_FREE: {
    since: '4.5',
    refuse: (vma) => (vma.flags & VM.shared || vma.file !== 0 ? { code: 'NOT_ANONYMOUS', addr: vma.start } : null),
    take: (machine, task, _vma, start, end) => mark(machine, task, start, end, PTE.dirty | PTE.accessed, PTE.lazyfree),
  },
  MADV_COLD: {
    since: '5.4',
    refuse: unlessLocked,
    take: (machine, task, _vma, start, end) => {
      deactivate(machine, task, start, end);
      return mark(machine, task, start, end, PTE.accessed, 0);
    },
  },
  MADV_WILLNEED: {
    refuse: () => null,
    take: (machine, task, vma, start, end) =>
      vma.file === 0 ? readSwapAhead(machine, task, vma, start, end) : readFileAhead(machine, task, vma, start, end),
  },
} as const satisfies Record<string, Advice>;
export type AdviceName = keyof typeof ADVICE;

/** Holes are passed over, and reported at the end, as in the kernel (madvise_walk_vmas). */
export function doMadvise(machine: Machine, task: Task, addr: Addr, length: number, name: AdviceName): Failure | null {
  if (addr % PAGE_SIZE !== 0) return failure('EINVAL', { code: 'BAD_ARGUMENT', argument: 'addr', rule: 'a multiple of 4096' });
  const end = addr + pageAlign(length);
  if (addr < 0 && end > addr) return failure('ENOMEM', { code: 'NOT_MAPPED', addr });
  const advice: Advice = ADVICE[name];
  if (advice.since !== undefined && machine.config.rules === '2.6.32')
    return failure('EINVAL', {
      code: 'BAD_ARGUMENT',
      argument: 'advice',
      rule: `one that 2.6.32 knows: ${name} came with ${advice.since}`,
    });
  if (advice.isOfHuge && machine.config.arch !== 'x86_64') return failure('EINVAL', { code: 'NO_HUGE_PAGES', arch: machine.config.arch });
  const { mm } = task;
  let hole: Addr = -1;
  for (let from = addr; from < end;) {
    const vma = mm.vmas[findVmaIndex(mm, from)];
    if (!vma || vma.start > from) {
      if (hole < 0) hole = from;
      if (!vma || vma.start >= end) break;
      from = vma.start;
    }
    const refused = advice.refuse(vma);
    if (refused) return failure('EINVAL', refused);
    const to = Math.min(end, vma.end);
    const failed = advice.take(machine, task, vma, from, to);
    if (failed) return failed;
    from = to;
  }
  return hole < 0 ? null : failure('ENOMEM', { code: 'NOT_MAPPED', addr: hole });
}
