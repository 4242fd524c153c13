/**
 * Page faults (mm/memory.c, arch/x86/mm/fault.c; spec §11): pages come when they are touched, the shared zero page
 * stands in for what was only read, and a page that fork left shared is copied by the first who writes it.
 */
import { isCanonical } from '../arch/address.ts';
import { PTE, PTE_PFN_SHIFT, pteAt } from '../arch/mmu.ts';
import { emit, FACT } from '../facts.ts';
import { inodeOf } from '../fs/inode.ts';
import { GFP_HIGHUSER_MOVABLE } from '../gfp.ts';
import { PAGE_SIZE, PG, type Addr, type Faults, type Machine, type Pfn, type Pid, type Task, type Vma } from '../types.ts';
import type { Why } from '../why.ts';
import { useTlb } from '../arch/tlb.ts';
import { CONTENTS_PAGES_MAX, copyContents } from './contents.ts';
import { doFileFault, FAULT_CONTENTS, FAULT_MAJOR, FAULT_SIGBUS, wpSharedFile } from './filemap_fault.ts';
import { doHugeAnonymousPage, doHugeWpPage, FAULT_FALLBACK, hugeStart, isHugeAllowed } from './huge_memory.ts';
import { pmdAlloc, pteAlloc } from './pgalloc.ts';
import { growStack } from './stack.ts';
import { freePagesBlock } from './page_alloc.ts';
import { makeRoom, noteTouch } from './replacement.ts';
import { pageAddRmap, pageRemoveRmap } from './rmap.ts';
import { PGS } from './swap.ts';
import { doSwapPage, mayReuseAnon } from './swap_fault.ts';
import { addToShm, shmOf } from './shmem.ts';
import { shmemSwapin } from './shmem_swap.ts';
import { allocPages, allocWhy, ASKER_KILLED } from './slowpath.ts';
import { findVmaIndex, VM } from './vma.ts';
import { count, VMSTAT } from './vmstat.ts';

export { allocTable, pteAlloc } from './pgalloc.ts';

export type AccessKind = 'read' | 'write' | 'exec';

/** Outcome of a fault: 0 served, NO_PAGES, FAULT_KILLED the process is gone. Further outcomes: filemap_fault.ts. */
export const FAULT_KILLED = ASKER_KILLED;

function allocUserPage(machine: Machine, pid: Pid, kind: number, addr: Addr): Pfn {
  const pfn = allocPages(machine, 0, GFP_HIGHUSER_MOVABLE, pid, kind);
  if (pfn >= 0) machine.frames.index[pfn] = Math.floor(addr / PAGE_SIZE);
  return pfn;
}

/** An entry of an area: where the format can tell, areas without the right to execute forbid it in each entry (vm_get_page_prot). */
function setPte(machine: Machine, vma: Vma, at: number, pfn: Pfn, bits: number): void {
  const { tables } = machine;
  const noExec = vma.flags & VM.exec ? 0 : tables.noExec;
  tables.words[at] = (pfn << PTE_PFN_SHIFT) | PTE.present | PTE.user | PTE.accessed | noExec | bits;
}

function doAnonymousPage(machine: Machine, task: Task, vma: Vma, addr: Addr, write: boolean, at: number): number {
  if (!write) {
    setPte(machine, vma, at, 0, PTE.special);
    return 0;
  }
  const pfn = allocUserPage(machine, task.pid, PG.anon, addr);
  if (pfn < 0) return pfn;
  vma.anon = true;
  pageAddRmap(machine, task.mm, pfn, Math.floor(addr / PAGE_SIZE));
  setPte(machine, vma, at, pfn, PTE.write | PTE.dirty);
  return 0;
}

function doSharedFault(machine: Machine, task: Task, vma: Vma, addr: Addr, write: boolean, at: number): number {
  const object = shmOf(machine, vma.shm);
  const offset = vma.pgoff + Math.floor((addr - vma.start) / PAGE_SIZE);
  let pfn = object.pages.get(offset);
  let outcome = 0;
  if (pfn === undefined) {
    if (offset >= object.size) return FAULT_SIGBUS;
    if (object.swapped.has(offset)) {
      const found = shmemSwapin(machine, object, offset, task.pid);
      pfn = found.pfn;
      if (found.major) outcome = FAULT_MAJOR;
    } else pfn = allocUserPage(machine, task.pid, PG.shmem, addr);
    if (pfn < 0) return pfn;
    if (!object.pages.has(offset)) addToShm(machine, object, offset, pfn);
  }
  if (write) machine.frames.state[pfn]! |= PGS.dirty;
  pageAddRmap(machine, task.mm, pfn, Math.floor(addr / PAGE_SIZE));
  setPte(machine, vma, at, pfn, (vma.flags & VM.write ? PTE.write : 0) | (write ? PTE.dirty : 0));
  return outcome;
}

/** An anonymous page that no other process can reach, by a mapping or by its slot of swap (wp_can_reuse_anon_folio). */
export function isReusable(machine: Machine, pfn: Pfn): boolean {
  return (
    machine.frames.mapcount[pfn] === 1 && (machine.frames.flags[pfn]! & PG.anon) !== 0 && (machine.frames.state[pfn]! & PGS.swapcache) === 0
  );
}

/** A frame for a copy of `old`; a reference keeps that one where it is while reclaim looks for room (folio_get in do_wp_page). */
function allocCopy(machine: Machine, pid: Pid, addr: Addr, old: Pfn): Pfn {
  if (old < 0) return allocUserPage(machine, pid, PG.anon, addr);
  const { refcount } = machine.frames;
  refcount[old]! += 1;
  const pfn = allocUserPage(machine, pid, PG.anon, addr);
  refcount[old]! -= 1;
  if (refcount[old] === 0) freePagesBlock(machine, old, 0);
  return pfn;
}

/** A write to a present entry without the right to write: the page is ours alone, or it is copied (do_wp_page). */
function doWpPage(machine: Machine, task: Task, vma: Vma, addr: Addr, at: number, faults: Faults): number {
  const pte = machine.tables.words[at]!;
  const old = pte >>> PTE_PFN_SHIFT;
  if (vma.file !== 0 && vma.flags & VM.shared) {
    wpSharedFile(machine, at);
    return 0;
  }
  if ((pte & PTE.special) === 0 && mayReuseAnon(machine, old)) {
    machine.tables.words[at] = pte | PTE.write | PTE.dirty | PTE.accessed;
    count(machine, VMSTAT.pgreuse, 1);
    return 0;
  }
  const pfn = allocCopy(machine, task.pid, addr, pte & PTE.special ? -1 : old);
  if (pfn < 0) return pfn;
  vma.anon = true;
  if ((pte & PTE.special) === 0) {
    if (!copyContents(machine, old, pfn)) {
      freePagesBlock(machine, pfn, 0);
      return FAULT_CONTENTS;
    }
    emit(machine.facts, FACT.pageCopied, pfn, old, task.pid);
    machine.cost += machine.config.costs.copy_page!;
    pageRemoveRmap(machine, task.mm, old, Math.floor(addr / PAGE_SIZE));
    faults.cow += 1;
  }
  pageAddRmap(machine, task.mm, pfn, Math.floor(addr / PAGE_SIZE));
  setPte(machine, vma, at, pfn, PTE.write | PTE.dirty);
  return 0;
}

/** What an entry needs, by what it is (handle_pte_fault). */
function serve(machine: Machine, task: Task, vma: Vma, addr: Addr, write: boolean, at: number, faults: Faults): number {
  if ((machine.tables.words[at]! & PTE.present) !== 0) return doWpPage(machine, task, vma, addr, at, faults);
  if (machine.tables.words[at] !== 0) {
    const outcome = doSwapPage(machine, task, vma, addr, write, at);
    if (outcome < 0 || !write || (machine.tables.words[at]! & PTE.write) !== 0) return outcome;
    const copied = doWpPage(machine, task, vma, addr, at, faults);
    return copied < 0 ? copied : outcome;
  }
  if (vma.file !== 0) return doFileFault(machine, task, vma, addr, write, at, faults);
  return vma.flags & VM.shared ? doSharedFault(machine, task, vma, addr, write, at) : doAnonymousPage(machine, task, vma, addr, write, at);
}

/** A huge page for an area that may have them, or a small one cut out of a huge one; FAULT_FALLBACK where small pages must do (__handle_mm_fault). */
function tryHuge(machine: Machine, task: Task, vma: Vma, addr: Addr): number {
  const start = hugeStart(vma, addr);
  if (start < 0) return FAULT_FALLBACK;
  const pmd = pmdAlloc(machine, task.pid, task.mm, addr);
  if (pmd < 0) return pmd;
  const pde = machine.tables.words[pmd]!;
  if (pde === 0) return isHugeAllowed(machine, vma) ? doHugeAnonymousPage(machine, task, vma, start, pmd) : FAULT_FALLBACK;
  return pde & PTE.huge ? doHugeWpPage(machine, task, pmd) : FAULT_FALLBACK;
}

/** Serves one fault in an area that allows the access (handle_mm_fault). */
function handleMmFault(machine: Machine, task: Task, vma: Vma, addr: Addr, write: boolean, faults: Faults): number {
  const huge = machine.tables.levels <= 2 || vma.flags & VM.shared ? FAULT_FALLBACK : tryHuge(machine, task, vma, addr);
  if (huge !== FAULT_FALLBACK) {
    machine.cost += machine.config.costs.minor_fault!;
    return served(machine, task, faults, huge);
  }
  const at = pteAlloc(machine, task.pid, task.mm, addr);
  if (at < 0) return at;
  machine.cost += machine.config.costs.minor_fault!;
  return served(machine, task, faults, serve(machine, task, vma, addr, write, at, faults));
}

/** Counts a fault that was served, as minor or major; a negative outcome is none. */
function served(machine: Machine, task: Task, faults: Faults, outcome: number): number {
  if (outcome < 0) return outcome;
  if (outcome === FAULT_MAJOR) {
    faults.major += 1;
    task.majFlt += 1;
    count(machine, VMSTAT.pgmajfault, 1);
  } else {
    faults.minor += 1;
    task.minFlt += 1;
  }
  count(machine, VMSTAT.pgfault, 1);
  return 0;
}

/** Rights of an area that allow an access. */
export const NEEDS: Readonly<Record<AccessKind, number>> = { read: VM.read | VM.write | VM.exec, write: VM.write, exec: VM.exec };

/** Addresses that no process may have: the kernel's, and on x86_64 those that are none, which a general protection fault tells (#GP). */
function beyondUser(addr: Addr): Why {
  return isCanonical(addr) ? { code: 'KERNEL_ADDRESS', addr } : { code: 'NOT_CANONICAL', addr };
}

/** The area that may be accessed so, or why the access is a segmentation fault. */
function accessibleVma(machine: Machine, task: Task, addr: Addr, access: AccessKind): Vma | Why {
  if (addr >= task.mm.taskSize || addr < 0) return beyondUser(addr);
  const index = findVmaIndex(task.mm, addr);
  const vma = task.mm.vmas[index];
  if (!vma || (vma.start > addr && !growStack(machine, task, index, addr))) return { code: 'NOT_MAPPED', addr };
  return (vma.flags & NEEDS[access]) === 0 ? { code: 'NOT_ALLOWED', addr, access } : vma;
}

export interface AccessOutcome {
  why: Why | null;
  /** The process took a signal: it is for the caller to end it (SIGSEGV, SIGBUS), or it is gone already (SIGKILL). */
  signal: 'SIGSEGV' | 'SIGBUS' | 'SIGKILL' | null;
}

const SERVED: AccessOutcome = { why: null, signal: null };

function beyondObject(machine: Machine, vma: Vma, addr: Addr): Why {
  return vma.file === 0 ? { code: 'BEYOND_OBJECT', addr } : { code: 'BEYOND_FILE', addr, bytes: inodeOf(machine, vma.file).bytes };
}

function refusal(machine: Machine, outcome: number): AccessOutcome {
  if (outcome === FAULT_KILLED) return { why: killedWhy(machine), signal: 'SIGKILL' };
  if (outcome === FAULT_CONTENTS) return { why: { code: 'CONTENTS_FULL', limit: CONTENTS_PAGES_MAX }, signal: null };
  return { why: allocWhy(machine, 0, GFP_HIGHUSER_MOVABLE), signal: null };
}

/** Why the caller itself died in its call. */
export function killedWhy(machine: Machine): Why {
  const kill = machine.kills[machine.kills.length - 1];
  if (kill?.lmk !== undefined) return { code: 'LMK_KILLED', ...kill.lmk, freePages: kill.freePages };
  if (kill?.isOrigin) return { code: 'OOM_ORIGIN', freePages: kill.freePages };
  return { code: 'OOM_KILLED', badness: kill?.badness ?? 0, order: kill?.order ?? 0, freePages: kill?.freePages ?? 0 };
}

/** Makes the page under `addr` present and fit for the access, with a fault if need be. */
function touchPage(machine: Machine, task: Task, addr: Addr, access: AccessKind, faults: Faults): AccessOutcome {
  const write = access === 'write';
  const at = addr < task.mm.taskSize ? pteAt(machine, task.mm.pgd, addr) : -1;
  const pte = at < 0 ? 0 : machine.tables.words[at]!;
  // Only the rights in the entry count here, as for the CPU; an area of PROT_NONE has entries that are not the user's.
  const rights = write ? PTE.present | PTE.user | PTE.write : PTE.present | PTE.user;
  if ((pte & rights) === rights && access !== 'exec') {
    const used = pte | PTE.accessed | (write ? PTE.dirty : 0);
    if (used >>> 0 !== pte) machine.tables.words[at] = used;
    return SERVED;
  }
  const vma = accessibleVma(machine, task, addr, access);
  if ('code' in vma) return { why: vma, signal: 'SIGSEGV' };
  if ((pte & PTE.present) !== 0 && !write) return SERVED;
  const outcome = handleMmFault(machine, task, vma, addr, write, faults);
  if (outcome === FAULT_SIGBUS) return { why: beyondObject(machine, vma, addr), signal: 'SIGBUS' };
  return outcome === 0 ? SERVED : refusal(machine, outcome);
}

/** The same on a machine whose pages go by a course's policy. */
function touchByPolicy(machine: Machine, task: Task, addr: Addr, access: AccessKind, faults: Faults): AccessOutcome {
  const at = addr < task.mm.taskSize ? pteAt(machine, task.mm.pgd, addr) : -1;
  if (at < 0 || (machine.tables.words[at]! & PTE.present) === 0) makeRoom(machine, task);
  const outcome = touchPage(machine, task, addr, access, faults);
  if (outcome.why === null) noteTouch(machine, task, addr);
  return outcome;
}

/**
 * Accesses [addr, addr + length) page by page, lowest first; `see` gets each page once it is there. Stops at the first
 * page that cannot be had; what was touched before stays touched.
 */
export function accessRange(
  machine: Machine,
  task: Task,
  addr: Addr,
  length: number,
  access: AccessKind,
  faults: Faults,
  see: ((from: Addr, to: Addr) => Why | null) | null = null,
): AccessOutcome {
  const end = addr + length;
  if (end === addr && length > 0) return { why: beyondUser(addr), signal: 'SIGSEGV' };
  for (let from = addr; from < end;) {
    const boundary = (Math.floor(from / PAGE_SIZE) + 1) * PAGE_SIZE;
    const to = boundary < end ? boundary : end;
    const outcome =
      machine.replacement === null ? touchPage(machine, task, from, access, faults) : touchByPolicy(machine, task, from, access, faults);
    if (outcome.why !== null) return outcome;
    if (machine.tlb !== null) useTlb(machine, machine.tlb, task.mm, from, access, 3);
    const why = see === null ? null : see(from, to);
    if (why !== null) return { why, signal: null };
    from = to;
  }
  return SERVED;
}
