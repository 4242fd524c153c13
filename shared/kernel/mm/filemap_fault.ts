/** Faults in mappings of files (mm/memory.c do_fault, mm/filemap.c; spec §11): read, private write, shared write, and the cached pages around. */
import { PTE, PTE_PFN_SHIFT } from '../arch/mmu.ts';
import { emit, FACT } from '../facts.ts';
import { filePages, inodeOf, type Inode } from '../fs/inode.ts';
import { GFP_HIGHUSER_MOVABLE } from '../gfp.ts';
import { PAGE_SIZE, PG, type Addr, type Faults, type Machine, type Pfn, type Task, type Vma } from '../types.ts';
import { copyContents } from './contents.ts';
import { faultReadahead, readCachePage } from './filemap.ts';
import { freePagesBlock } from './page_alloc.ts';
import { markPageDirty } from './page_cache.ts';
import { pageAddRmap } from './rmap.ts';
import { allocPages } from './slowpath.ts';
import { VM } from './vma.ts';

/** Outcomes beside 0 (minor): FAULT_MAJOR waited for the disk; FAULT_SIGBUS lies behind the file's last page. */
export const FAULT_MAJOR = 1;
export const FAULT_SIGBUS = -5;
export const FAULT_CONTENTS = -4;
/** Pages that a read fault maps at once, if they are cached (fault_around_bytes, 64 KiB). */
const FAULT_AROUND_PAGES = 16;

/** Page of the file under an address of the area. */
export function fileIndex(vma: Vma, addr: Addr): number {
  return vma.pgoff + Math.floor((addr - vma.start) / PAGE_SIZE);
}

function setFilePte(machine: Machine, task: Task, vma: Vma, addr: Addr, at: number, pfn: Pfn, bits: number): void {
  const { tables } = machine;
  const noExec = vma.flags & VM.exec ? 0 : tables.noExec;
  pageAddRmap(machine, task.mm, pfn, Math.floor(addr / PAGE_SIZE));
  tables.words[at] = (pfn << PTE_PFN_SHIFT) | PTE.present | PTE.user | PTE.accessed | noExec | bits;
}

/** The page itself, read with its neighbours when it is not cached (filemap_fault). */
function faultPage(machine: Machine, task: Task, inode: Inode, index: number): Pfn {
  if (!inode.pages.has(index)) faultReadahead(machine, inode, index, task.pid);
  return readCachePage(machine, inode, index, task.pid);
}

/** Maps the cached pages of the aligned 64 KiB around an address, within its area and its page table (do_fault_around). */
function faultAround(machine: Machine, task: Task, vma: Vma, addr: Addr, at: number, inode: Inode): void {
  const { words } = machine.tables;
  const entries = machine.tables.entries;
  const slot = at % entries;
  const first = Math.max(slot - (slot % FAULT_AROUND_PAGES), slot - Math.floor((addr - vma.start) / PAGE_SIZE));
  const last = Math.min(slot - (slot % FAULT_AROUND_PAGES) + FAULT_AROUND_PAGES, slot + Math.floor((vma.end - 1 - addr) / PAGE_SIZE) + 1);
  const page = addr - (addr % PAGE_SIZE);
  const inFile = filePages(inode);
  for (let n = first; n < last; n++) {
    const near = page + (n - slot) * PAGE_SIZE;
    const index = fileIndex(vma, near);
    if (words[at + n - slot] !== 0 || index >= inFile) continue;
    const pfn = inode.pages.get(index);
    if (pfn !== undefined) setFilePte(machine, task, vma, near, at + n - slot, pfn, 0);
  }
}

function doReadFault(machine: Machine, task: Task, vma: Vma, addr: Addr, at: number, inode: Inode): number {
  const index = fileIndex(vma, addr);
  if (inode.pages.has(index)) {
    // Mapping the neighbours too came with 3.15.
    if (machine.config.replacement === null && machine.config.rules !== '2.6.32') faultAround(machine, task, vma, addr, at, inode);
    else setFilePte(machine, task, vma, addr, at, inode.pages.get(index)!, 0);
    return 0;
  }
  const pfn = faultPage(machine, task, inode, index);
  if (pfn < 0) return pfn;
  setFilePte(machine, task, vma, addr, at, pfn, 0);
  return FAULT_MAJOR;
}

/** A write to private memory that was never read: a copy from the start. The copy's frame comes first, so that nothing pushes the page out meanwhile. */
function doCowFault(machine: Machine, task: Task, vma: Vma, addr: Addr, at: number, inode: Inode, faults: Faults): number {
  const copy = allocPages(machine, 0, GFP_HIGHUSER_MOVABLE, task.pid, PG.anon);
  if (copy < 0) return copy;
  machine.frames.index[copy] = Math.floor(addr / PAGE_SIZE);
  const index = fileIndex(vma, addr);
  const wasCached = inode.pages.has(index);
  const pfn = faultPage(machine, task, inode, index);
  if (pfn < 0 || !copyContents(machine, pfn, copy)) {
    // Who was killed meanwhile held no entry for the copy: it is still ours to free.
    freePagesBlock(machine, copy, 0);
    return pfn < 0 ? pfn : FAULT_CONTENTS;
  }
  vma.anon = true;
  emit(machine.facts, FACT.pageCopied, copy, pfn, task.pid);
  machine.cost += machine.config.costs.copy_page!;
  faults.cow += 1;
  setFilePte(machine, task, vma, addr, at, copy, PTE.write | PTE.dirty);
  return wasCached ? 0 : FAULT_MAJOR;
}

function doSharedFileFault(machine: Machine, task: Task, vma: Vma, addr: Addr, at: number, inode: Inode): number {
  const index = fileIndex(vma, addr);
  const wasCached = inode.pages.has(index);
  const pfn = faultPage(machine, task, inode, index);
  if (pfn < 0) return pfn;
  markPageDirty(machine, pfn);
  setFilePte(machine, task, vma, addr, at, pfn, PTE.write | PTE.dirty);
  return wasCached ? 0 : FAULT_MAJOR;
}

/** Serves a fault on an entry that is empty, in an area that maps a file. */
export function doFileFault(machine: Machine, task: Task, vma: Vma, addr: Addr, write: boolean, at: number, faults: Faults): number {
  const inode = inodeOf(machine, vma.file);
  if (fileIndex(vma, addr) >= filePages(inode)) return FAULT_SIGBUS;
  if (!write) return doReadFault(machine, task, vma, addr, at, inode);
  if (vma.flags & VM.shared) return doSharedFileFault(machine, task, vma, addr, at, inode);
  return doCowFault(machine, task, vma, addr, at, inode, faults);
}

/** A write to a page of a shared mapping that is mapped for reading: it is dirty now (wp_page_shared, page_mkwrite). */
export function wpSharedFile(machine: Machine, at: number): void {
  const pte = machine.tables.words[at]!;
  markPageDirty(machine, pte >>> PTE_PFN_SHIFT);
  machine.tables.words[at] = (pte | PTE.write | PTE.dirty | PTE.accessed) >>> 0;
}
