/** Bringing pages back from swap (mm/memory.c do_swap_page, mm/swap_state.c, mm/swapfile.c; spec §14): with the slots around, one request for all. */
import { PTE, PTE_PFN_SHIFT, pmdAt, pteIndex, spanEnd, tableBase } from '../arch/mmu.ts';
import { GFP_BIT, GFP_HIGHUSER_MOVABLE } from '../gfp.ts';
import { PAGE_SIZE, PG, type Addr, type Machine, type Pfn, type Pid, type Task, type Vma } from '../types.ts';
import { FAULT_MAJOR } from './filemap_fault.ts';
import { freePagesBlock } from './page_alloc.ts';
import { isHuge } from './huge_split.ts';
import { pageAddRmap } from './rmap.ts';
import { allocPages, NO_PAGES } from './slowpath.ts';
import { markPageAccessed, PGS, setState } from './swap.ts';
import { deleteFromSwapCache, freeSwapOf, readFromSwap, swapFree, vmSwapFull } from './swap_state.ts';
import { VM } from './vma.ts';
import { refault } from './workingset.ts';

const READAHEAD_GFP = GFP_HIGHUSER_MOVABLE | GFP_BIT.__GFP_NORETRY | GFP_BIT.__GFP_NOWARN;

/** Slot of swap that an entry names; -1 for one that is empty or present. */
export function swapSlot(pte: number): number {
  return (pte & PTE.present) === 0 && (pte & PTE.swap) !== 0 ? pte >>> PTE_PFN_SHIFT : -1;
}

/** Reads one slot into a new page; the page or a negative outcome. */
function readSlot(machine: Machine, slot: number, pid: Pid, gfp: number): Pfn {
  const pfn = allocPages(machine, 0, gfp, pid, PG.anon);
  if (pfn < 0) return pfn;
  const swap = machine.swap!;
  // Whoever named the slot was killed while we looked for a frame; it may even be another page's by now.
  if (swap.map[slot] === 0 || swap.cache.has(slot)) {
    freePagesBlock(machine, pfn, 0);
    return NO_PAGES;
  }
  readFromSwap(machine, pfn, slot);
  // In 2.6.32 too what comes from swap starts inactive (lru_cache_add_anon).
  if (machine.lru.recent !== undefined) setState(machine, pfn, 0, PGS.active);
  const shadow = swap.evicted.get(slot);
  if (shadow !== undefined) {
    swap.evicted.delete(slot);
    refault(machine, pfn, shadow, false);
  }
  return pfn;
}

/** The other slots of the aligned cluster that are in use and not in memory (swapin_readahead, swap_cluster_readahead). */
function readCluster(machine: Machine, slot: number, pid: Pid): void {
  const swap = machine.swap!;
  const size = machine.config.replacement === null ? swap.readahead : 1;
  const first = slot - (slot % size);
  for (let near = first; near < Math.min(first + size, swap.slots); near++) {
    if (near === slot || swap.map[near] === 0 || swap.cache.has(near)) continue;
    if (readSlot(machine, near, pid, READAHEAD_GFP) < 0) return;
  }
}

/** The page of a slot: from the swap cache, or read. `major` tells which. */
export function swapIn(machine: Machine, slot: number, pid: Pid): { pfn: Pfn; major: boolean } {
  const cached = machine.swap!.cache.get(slot);
  if (cached !== undefined) return { pfn: cached, major: false };
  readCluster(machine, slot, pid);
  machine.cost += machine.config.costs.disk_io!;
  return { pfn: readSlot(machine, slot, pid, GFP_HIGHUSER_MOVABLE), major: true };
}

/** Reads a slot into the swap cache before anybody asks for it; 0, or a negative outcome (read_swap_cache_async). */
export function readAheadSlot(machine: Machine, slot: number, pid: Pid): number {
  if (machine.swap!.cache.has(slot)) return 0;
  machine.cost += machine.config.costs.disk_io!;
  return Math.min(0, readSlot(machine, slot, pid, READAHEAD_GFP));
}

/** Maps the page of a swap entry again. A write to a page that is the process's alone may write at once; for others the caller copies (outcome as of faults). */
export function doSwapPage(machine: Machine, task: Task, vma: Vma, addr: Addr, write: boolean, at: number): number {
  const { frames, tables } = machine;
  const swap = machine.swap!;
  const slot = swapSlot(tables.words[at]!);
  const { pfn, major } = swapIn(machine, slot, task.pid);
  if (pfn < 0) return pfn;
  pageAddRmap(machine, task.mm, pfn, Math.floor(addr / PAGE_SIZE));
  task.mm.swapEnts -= 1;
  markPageAccessed(machine, pfn);
  const noExec = vma.flags & VM.exec ? 0 : tables.noExec;
  // An area of PROT_NONE, which swapoff may meet, has entries that are not the user's.
  const user = vma.flags & (VM.read | VM.write | VM.exec) ? PTE.user : 0;
  let bits = PTE.present | user | PTE.accessed | noExec;
  const isAlone = frames.mapcount[pfn] === 1 && swap.map[slot] === 1;
  const isFull = vmSwapFull(swap);
  swapFree(machine, slot);
  if (isAlone && (write || isFull) && swap.cache.get(slot) === pfn) deleteFromSwapCache(machine, pfn);
  if (isAlone && write) bits |= PTE.write | PTE.dirty;
  tables.words[at] = ((pfn << PTE_PFN_SHIFT) | bits) >>> 0;
  return major ? FAULT_MAJOR : 0;
}

/** Does nobody else reach this anonymous page, by a mapping or by its slot? It leaves the swap cache then (wp_can_reuse_anon_folio). */
export function mayReuseAnon(machine: Machine, pfn: Pfn): boolean {
  const { frames } = machine;
  if ((frames.flags[pfn]! & PG.anon) === 0 || frames.mapcount[pfn] !== 1) return false;
  return (
    machine.swap === null ||
    !machine.swap.cache.has(frames.mapping[pfn]!) ||
    machine.swap.cache.get(frames.mapping[pfn]!) !== pfn ||
    freeSwapOf(machine, pfn)
  );
}

/** Brings every page of a process back from swap; 0, or the outcome that stopped it (unuse_mm). */
export function unuseMm(machine: Machine, task: Task): number {
  const { mm } = task;
  for (const vma of mm.vmas) {
    for (let addr = vma.start; addr < vma.end && mm.swapEnts > 0;) {
      const pmd = pmdAt(machine, mm.pgd, addr);
      const stop = spanEnd(machine, pmd, addr, vma.end);
      // A huge page is in memory, and names no page table.
      const pde = pmd < 0 || isHuge(machine.tables.words[pmd]!) ? 0 : machine.tables.words[pmd]!;
      const first = pde === 0 ? 0 : tableBase(machine, pde >>> PTE_PFN_SHIFT) + pteIndex(machine, addr);
      for (let n = 0; pde !== 0 && n < (stop - addr) / PAGE_SIZE; n++) {
        if (swapSlot(machine.tables.words[first + n]!) < 0) continue;
        const outcome = doSwapPage(machine, task, vma, addr + n * PAGE_SIZE, false, first + n);
        if (outcome < 0) return outcome;
      }
      addr = stop;
    }
  }
  return 0;
}
