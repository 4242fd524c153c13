/** Taking pages and tables out of an address space: munmap, exec, exit (mm/memory.c zap_pte_range, free_pgtables). */
import { detachTable, I386, PTE, PTE_PFN_SHIFT, tableBase } from '../arch/mmu.ts';
import { PAGE_SIZE, type Addr, type Machine, type Mm, type Pfn } from '../types.ts';
import { freePagesBlock } from './page_alloc.ts';
import { pageRemoveRmap } from './rmap.ts';
import { putShm } from './shmem.ts';
import { findVmaIndex, isolateRange, pagesOf, VM } from './vma.ts';
import { count, VMSTAT } from './vmstat.ts';

const TABLE_SPAN = 1 << 22;

/** Clears the entries of [start, end) and drops their pages. Costs what is mapped and a look at each table in the range. */
export function zapRange(machine: Machine, mm: Mm, start: Addr, end: Addr): void {
  const { words } = machine.tables;
  const directory = tableBase(machine, mm.pgd);
  let addr = start;
  while (addr < end) {
    const pde = words[directory + (addr >>> 22)]!;
    const stop = Math.min(end, (Math.floor(addr / TABLE_SPAN) + 1) * TABLE_SPAN);
    if (pde !== 0) {
      const base = tableBase(machine, pde >>> PTE_PFN_SHIFT);
      const last = base + (((stop - 1) >>> 12) & 0x3ff);
      const vpn = Math.floor(addr / PAGE_SIZE) - ((addr >>> 12) & 0x3ff) - base;
      for (let at = base + ((addr >>> 12) & 0x3ff); at <= last; at++) {
        const pte = words[at]!;
        if (pte === 0) continue;
        words[at] = 0;
        if ((pte & PTE.special) === 0) pageRemoveRmap(machine, mm, pte >>> PTE_PFN_SHIFT, vpn + at);
      }
    }
    addr = stop;
  }
}

function freeTable(machine: Machine, mm: Mm, pfn: Pfn): void {
  detachTable(machine.tables, machine.frames, pfn);
  freePagesBlock(machine, pfn, 0);
  mm.tables -= 1;
  count(machine, VMSTAT.nr_page_table_pages, -1);
}

/** Frees the tables under [start, end) that no area needs any more. */
export function freePgtables(machine: Machine, mm: Mm, start: Addr, end: Addr): void {
  const { words } = machine.tables;
  const directory = tableBase(machine, mm.pgd);
  for (let entry = start >>> 22; entry <= (end - 1) >>> 22; entry++) {
    const pde = words[directory + entry]!;
    if (pde === 0) continue;
    const from = entry * TABLE_SPAN;
    const next = mm.vmas[findVmaIndex(mm, from)];
    if (next && next.start < from + TABLE_SPAN) continue;
    words[directory + entry] = 0;
    freeTable(machine, mm, pde >>> PTE_PFN_SHIFT);
  }
}

/** Everything mapped in [start, end) goes: areas, entries, pages, empty tables (do_munmap). Bounds are page aligned. */
export function unmapRange(machine: Machine, mm: Mm, start: Addr, end: Addr): void {
  const { first, last } = isolateRange(machine, mm, start, end);
  if (first === last) return;
  const gone = mm.vmas.slice(first, last);
  for (const vma of gone) {
    zapRange(machine, mm, vma.start, vma.end);
    const pages = pagesOf(vma);
    mm.totalVm -= pages;
    if (vma.flags & VM.account) {
      mm.committed -= pages;
      machine.committed -= pages;
    }
  }
  mm.vmas.splice(first, last - first);
  for (const vma of gone) if (vma.shm !== 0) putShm(machine, vma.shm);
  freePgtables(machine, mm, gone[0]!.start, gone[gone.length - 1]!.end);
}

/** The whole address space and its page directory (exit_mmap). */
export function exitMmap(machine: Machine, mm: Mm): void {
  unmapRange(machine, mm, 0, I386.taskSize);
  freeTable(machine, mm, mm.pgd);
}
