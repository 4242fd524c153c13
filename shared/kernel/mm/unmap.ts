/** Taking pages and tables out of an address space: munmap, exec, exit (mm/memory.c zap_pte_range, free_pgtables). */
import { detachTable, mmuOf, PTE, PTE_PFN_SHIFT, pmdAt, pteIndex, spanEnd, tableBase } from '../arch/mmu.ts';
import { forgetAccesses } from '../libc/races.ts';
import { PAGE_SIZE, PG, type Addr, type Machine, type Mm, type Pfn } from '../types.ts';
import { HPAGE_BYTES, isHuge, splitHugePmd, zapHugePmd } from './huge_split.ts';
import { freePagesBlock } from './page_alloc.ts';
import { pageRemoveRmap } from './rmap.ts';
import { swapFree } from './swap_state.ts';
import { PGS } from './swap.ts';
import { findVmaIndex, isolateRange, pagesOf, putObject, VM } from './vma.ts';
import { count, VMSTAT } from './vmstat.ts';

/** Clears the entries of [start, end) and drops their pages. Costs what is mapped and a look at each table in the range. */
export function zapRange(machine: Machine, mm: Mm, start: Addr, end: Addr): void {
  const { frames } = machine;
  const { words } = machine.tables;
  for (let addr = start; addr < end;) {
    const pmd = pmdAt(machine, mm.pgd, addr);
    const stop = spanEnd(machine, pmd, addr, end);
    const whole = pmd >= 0 && isHuge(words[pmd]!) && stop - addr === HPAGE_BYTES;
    if (whole) freeTable(machine, mm, zapHugePmd(machine, mm, pmd, addr / PAGE_SIZE));
    else if (pmd >= 0 && isHuge(words[pmd]!)) splitHugePmd(machine, mm, pmd);
    const pde = pmd < 0 ? 0 : words[pmd]!;
    if (pde !== 0) {
      const first = tableBase(machine, pde >>> PTE_PFN_SHIFT) + pteIndex(machine, addr);
      const last = first + (stop - addr) / PAGE_SIZE;
      const vpn = addr / PAGE_SIZE - first;
      for (let at = first; at < last; at++) {
        const pte = words[at]!;
        if (pte === 0) continue;
        words[at] = 0;
        if ((pte & PTE.present) === 0) {
          mm.swapEnts -= 1;
          swapFree(machine, pte >>> PTE_PFN_SHIFT);
        } else if ((pte & PTE.special) === 0) {
          const pfn = pte >>> PTE_PFN_SHIFT;
          // What the entry knew of a page that is not ours alone, the page must know from now on.
          if (pte & PTE.dirty && frames.flags[pfn]! & PG.shmem) frames.state[pfn]! |= PGS.dirty;
          pageRemoveRmap(machine, mm, pfn, vpn + at);
        }
      }
    }
    addr = stop;
  }
}

/** Gives the frame of an empty table back. */
export function freeTable(machine: Machine, mm: Mm, pfn: Pfn): void {
  detachTable(machine.tables, machine.frames, pfn);
  freePagesBlock(machine, pfn, 0);
  mm.tables -= 1;
  count(machine, VMSTAT.nr_page_table_pages, -1);
}

/** Frees the tables under [start, end) that no area needs any more. */
export function freePgtables(machine: Machine, mm: Mm, start: Addr, end: Addr): void {
  if (machine.tables.levels > 1) freeTablesOf(machine, mm, mm.pgd, 0, start, end);
}

/** The same under one table of a level, whose entries for [start, end) are within it; from the lowest level up (free_pgd_range and its family). */
function freeTablesOf(machine: Machine, mm: Mm, table: Pfn, level: number, start: Addr, end: Addr): void {
  const { words, entries, levels } = machine.tables;
  const span = mmuOf(machine).spans[level]!;
  const base = tableBase(machine, table);
  for (let from = Math.floor(start / span) * span; from < end; from += span) {
    const at = base + ((from / span) & (entries - 1));
    const below = words[at]!;
    if (below === 0) continue;
    const pfn = below >>> PTE_PFN_SHIFT;
    if (level < levels - 2) freeTablesOf(machine, mm, pfn, level + 1, Math.max(start, from), Math.min(end, from + span));
    const next = mm.vmas[findVmaIndex(mm, from)];
    if (next && next.start < from + span) continue;
    words[at] = 0;
    freeTable(machine, mm, pfn);
  }
}

/** Everything mapped in [start, end) goes: areas, entries, pages, empty tables (do_munmap). Bounds are page aligned. */
export function unmapRange(machine: Machine, mm: Mm, start: Addr, end: Addr): void {
  const { first, last } = isolateRange(machine, mm, start, end);
  if (first === last) return;
  if (machine.races !== null) forgetAccesses(machine.races, mm, start, end);
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
  for (const vma of gone) putObject(machine, vma);
  freePgtables(machine, mm, gone[0]!.start, gone[gone.length - 1]!.end);
}

/** The whole address space and its page directory (exit_mmap). */
export function exitMmap(machine: Machine, mm: Mm): void {
  unmapRange(machine, mm, 0, mm.taskSize);
  freeTable(machine, mm, mm.pgd);
}
