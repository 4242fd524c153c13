/** Page tables as they come (include/asm-generic/pgalloc.h): a frame each, from the top down, when the first page under them is wanted. */
import { attachTable, mmuOf, PTE, PTE_PFN_SHIFT, pteAt, pteIndex, tableBase } from '../arch/mmu.ts';
import { GFP_KERNEL_ZERO } from '../gfp.ts';
import { PG, type Addr, type Machine, type Mm, type Pfn, type Pid } from '../types.ts';
import { allocPages } from './slowpath.ts';
import { count, VMSTAT } from './vmstat.ts';

/** A page for a page table, attached and empty; or a negative outcome. */
export function allocTable(machine: Machine, pid: Pid): Pfn {
  const pfn = allocPages(machine, 0, GFP_KERNEL_ZERO, pid, PG.table);
  if (pfn < 0) return pfn;
  attachTable(machine.tables, machine.frames, pfn);
  count(machine, VMSTAT.nr_page_table_pages, 1);
  return pfn;
}

/** The table that the entry at `at` names, made when the entry is empty; or a negative outcome. */
function tableUnder(machine: Machine, pid: Pid, mm: Mm, at: number): Pfn {
  const below = machine.tables.words[at]!;
  if (below !== 0) return below >>> PTE_PFN_SHIFT;
  const pfn = allocTable(machine, pid);
  if (pfn < 0) return pfn;
  mm.tables += 1;
  machine.tables.words[at] = (pfn << PTE_PFN_SHIFT) | PTE.present | PTE.write | PTE.user;
  return pfn;
}

/** Place of the entry that names the page table of `addr`, the tables above it made when missing; or a negative outcome (pmd_alloc). */
export function pmdAlloc(machine: Machine, pid: Pid, mm: Mm, addr: Addr): number {
  const { tables } = machine;
  const { spans } = mmuOf(machine);
  const place = (table: Pfn, level: number): number => tableBase(machine, table) + ((addr / spans[level]!) & (tables.entries - 1));
  let table = mm.pgd;
  for (let level = 0; level < tables.levels - 2; level++) {
    table = tableUnder(machine, pid, mm, place(table, level));
    if (table < 0) return table;
  }
  return place(table, tables.levels - 2);
}

/** Place of the entry for `addr` in `tables.words`, its table made when missing; or a negative outcome (pte_alloc). */
export function pteAlloc(machine: Machine, pid: Pid, mm: Mm, addr: Addr): number {
  const at = pteAt(machine, mm.pgd, addr);
  if (at >= 0) return at;
  const pmd = pmdAlloc(machine, pid, mm, addr);
  if (pmd < 0) return pmd;
  const table = tableUnder(machine, pid, mm, pmd);
  return table < 0 ? table : tableBase(machine, table) + pteIndex(machine, addr);
}
