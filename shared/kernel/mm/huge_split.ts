/**
 * Huge pages as they are mapped, copied, cut and taken away (mm/huge_memory.c): one entry of the PMD in place of a page
 * table of 512. The 512 frames stay ordinary user pages, each with its counts, its place in the reverse map and in the
 * lists of reclaim; only their mapping is one. So whoever needs a part of it cuts the entry first, and goes on as ever.
 *
 * Cutting cannot fail: the page table that it takes was put aside when the huge page came (pgtable_trans_huge_deposit).
 * A huge page therefore saves faults and places in the TLB, but not its page table.
 */
// Simplified: Linux cuts mapping and page apart, and the page itself only when memory is short; here they are one.
import { PTE, PTE_PFN_SHIFT, pmdAt, tableBase } from '../arch/mmu.ts';
import { emit, FACT } from '../facts.ts';
import type { Addr, Machine, Mm, Pfn } from '../types.ts';
import { pageAddRmap, pageRemoveRmap } from './rmap.ts';
import { PGS } from './swap.ts';
import { count, VMSTAT } from './vmstat.ts';

/** What one entry of the PMD spans on x86_64: 2 MiB, a block of order 9. */
export const HPAGE_ORDER = 9;
export const HPAGE_PAGES = 1 << HPAGE_ORDER;
export const HPAGE_BYTES = HPAGE_PAGES * 4096;

export const isHuge = (pde: number): boolean => (pde & PTE.huge) !== 0;

/** One more entry maps a huge page as a whole; `machine.huge` counts these entries by the page's first frame. */
export function addHuge(machine: Machine, mm: Mm, head: Pfn, vpn: number): void {
  machine.huge.set(head, (machine.huge.get(head) ?? 0) + 1);
  for (let i = 0; i < HPAGE_PAGES; i++) pageAddRmap(machine, mm, head + i, vpn + i);
}

/** One less; true when it was the last. */
function dropHuge(machine: Machine, head: Pfn): boolean {
  const left = machine.huge.get(head)! - 1;
  if (left > 0) machine.huge.set(head, left);
  else machine.huge.delete(head);
  return left === 0;
}

/** Is each of the frames mapped once, and in no slot of swap? Then a write needs no copy. */
export function isExclusive(machine: Machine, head: Pfn): boolean {
  const { mapcount, state } = machine.frames;
  for (let pfn = head; pfn < head + HPAGE_PAGES; pfn++) if (mapcount[pfn] !== 1 || (state[pfn]! & PGS.swapcache) !== 0) return false;
  return true;
}

/** The huge entry at `pmd` becomes a page table with the same rights in each of its entries (__split_huge_pmd). */
export function splitHugePmd(machine: Machine, mm: Mm, pmd: number): void {
  const { words } = machine.tables;
  const pde = words[pmd]!;
  const head = pde >>> PTE_PFN_SHIFT;
  const table = mm.deposits.pop()!;
  const base = tableBase(machine, table);
  const bits = pde & 0xfff & ~PTE.huge;
  for (let i = 0; i < HPAGE_PAGES; i++) words[base + i] = ((head + i) << PTE_PFN_SHIFT) | bits;
  words[pmd] = (table << PTE_PFN_SHIFT) | PTE.present | PTE.write | PTE.user;
  count(machine, VMSTAT.thp_split_pmd, 1);
  if (dropHuge(machine, head)) count(machine, VMSTAT.thp_split_page, 1);
  emit(machine.facts, FACT.hugePageSplit, head, HPAGE_ORDER, mm.pid);
}

/** Cuts the huge page over an address, if there is one: from now on each page of it has an entry of its own. */
export function splitHugeAt(machine: Machine, mm: Mm, addr: Addr): void {
  if (mm.deposits.length === 0) return;
  const pmd = pmdAt(machine, mm.pgd, addr);
  if (pmd >= 0 && isHuge(machine.tables.words[pmd]!)) splitHugePmd(machine, mm, pmd);
}

/** Takes a whole huge page out of an address space; the table that was put aside for it is the caller's to free (zap_huge_pmd). */
export function zapHugePmd(machine: Machine, mm: Mm, pmd: number, vpn: number): Pfn {
  const { words } = machine.tables;
  const head = words[pmd]! >>> PTE_PFN_SHIFT;
  words[pmd] = 0;
  dropHuge(machine, head);
  for (let i = 0; i < HPAGE_PAGES; i++) pageRemoveRmap(machine, mm, head + i, vpn + i);
  return mm.deposits.pop()!;
}
