/** mprotect: other rights for a range of pages, area by area, and for the entries that are there (mm/mprotect.c; spec §11). */
import { PTE, PTE_PFN_SHIFT } from '../arch/mmu.ts';
import { PAGE_SIZE, type Addr, type Machine, type Mm, type Task, type Vma } from '../types.ts';
import { mayExpandVm, isAccountable, vmEnoughMemory } from './commit.ts';
import { isExclusive, isHuge } from './huge_split.ts';
import { failure, type Failure } from './mmap.ts';
import { isReusable } from './memory.ts';
import { findVmaIndex, modifyArea, pageAlign, vmaAt, VM } from './vma.ts';
import { walkEntries } from './pagewalk.ts';

const RIGHTS = VM.read | VM.write | VM.exec;

/** Does a flag of the area forbid ever to have these rights (VM_MAYWRITE and its like)? */
function isBeyondMay(vma: Vma, rights: number): boolean {
  return (rights & VM.write) !== 0 && (vma.flags & VM.readonlyFile) !== 0;
}

/** Is what the entry maps reached by nothing else? */
function isAlone(machine: Machine, pte: number): boolean {
  const pfn = pte >>> PTE_PFN_SHIFT;
  return isHuge(pte) ? isExclusive(machine, pfn) : isReusable(machine, pfn);
}

/**
 * Entries of [start, end) after a change of rights (change_pte_range): nobody reads where nothing is allowed, and where
 * writing is, a page that is ours alone, or shared memory's, may be written without a fault.
 */
// Simplified: Linux calls a page exclusive that was never shared by a fork; we count who maps it now.
function changeProtection(machine: Machine, mm: Mm, start: Addr, end: Addr, flags: number): void {
  const { words, noExec } = machine.tables;
  // A file's pages wait for the write that makes them dirty.
  const isMemory = (flags & VM.shared) !== 0 && vmaAt(mm, start)!.file === 0;
  const isFile = (flags & VM.shared) !== 0 && !isMemory;
  const change = (at: number): void => {
    const pte = words[at]!;
    if ((pte & PTE.present) === 0) return;
    let changed = pte & ~(PTE.write | PTE.user | PTE.noExec);
    if (flags & RIGHTS) changed |= PTE.user;
    if ((flags & VM.exec) === 0) changed |= noExec;
    const isOurs = isMemory || ((pte & PTE.dirty) !== 0 && isAlone(machine, pte));
    if (flags & VM.write && (pte & PTE.special) === 0 && isOurs && !isFile) changed |= PTE.write;
    words[at] = changed >>> 0;
  };
  walkEntries(machine, mm, start, end, change, change);
}

/** May the area have these rights? A private one that becomes writable is data, and a promise (mprotect_fixup). */
function mayChange(machine: Machine, task: Task, vma: Vma, pages: number, wanted: number, isRoot: boolean): Failure | null {
  if (isBeyondMay(vma, wanted)) return failure('EACCES', { code: 'NEVER_WRITABLE', addr: vma.start });
  if ((wanted & VM.write) === 0 || vma.flags & VM.write) return null;
  const isData = (vma.flags & (VM.shared | VM.growsdown)) === 0;
  const limit = isData ? mayExpandVm(task, pages, true) : null;
  // Only what becomes data counts: a process that is over RLIMIT_AS already may still change rights.
  if (limit?.code === 'RLIMIT' && limit.resource === 'RLIMIT_DATA') return failure('ENOMEM', limit);
  if (vma.flags & VM.account || !isAccountable(vma.flags | VM.write)) return null;
  const refused = vmEnoughMemory(machine, task, pages, isRoot);
  return refused ? failure('ENOMEM', refused) : null;
}

/** The flags of an area with other rights: writable private memory is promised, memory that was never written is no longer once it is read-only. */
function protectedFlags(vma: Vma, wanted: number): number {
  let flags = (vma.flags & ~RIGHTS) | wanted;
  if (isAccountable(flags)) flags |= VM.account;
  else if ((wanted & VM.write) === 0 && vma.flags & VM.account && vma.shm === 0 && vma.file === 0 && !vma.anon) flags &= ~VM.account;
  return flags;
}

function charge(machine: Machine, task: Task, before: number, after: number, pages: number): void {
  const more = (after & VM.account ? pages : 0) - (before & VM.account ? pages : 0);
  task.mm.committed += more;
  machine.committed += more;
}

/**
 * Gives [addr, addr + length) the rights `wanted` (bits of VM). Areas before a hole, or before one that may not have
 * them, are changed even though the call fails, as in the kernel.
 */
export function doMprotect(machine: Machine, task: Task, addr: Addr, length: number, wanted: number, isRoot: boolean): Failure | null {
  if (addr % PAGE_SIZE !== 0) return failure('EINVAL', { code: 'BAD_ARGUMENT', argument: 'addr', rule: 'a multiple of 4096' });
  const end = addr + pageAlign(length);
  const { mm } = task;
  for (let from = addr; from < end;) {
    const index = findVmaIndex(mm, from);
    const vma = mm.vmas[index];
    if (!vma || vma.start > from) return failure('ENOMEM', { code: 'NOT_MAPPED', addr: from });
    const to = Math.min(end, vma.end);
    const pages = (to - from) / PAGE_SIZE;
    const before = vma.flags;
    const after = protectedFlags(vma, wanted);
    const refused = mayChange(machine, task, vma, pages, wanted, isRoot);
    if (refused) return refused;
    if (after !== before) {
      if (modifyArea(machine, mm, index, from, to, after) < 0)
        return failure('ENOMEM', { code: 'TOO_MANY_AREAS', limit: machine.config.maxMapCount });
      charge(machine, task, before, after, pages);
      changeProtection(machine, mm, from, to, after);
    }
    from = to;
  }
  return null;
}
