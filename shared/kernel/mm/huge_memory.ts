/**
 * Transparent huge pages (mm/huge_memory.c): at the first touch of an aligned 2 MiB of private anonymous memory a block
 * of order 9 is mapped by one entry, where one is free and the area may have it. Areas that asked by madvise have memory
 * compacted for them; the others take what there is (defrag=madvise).
 */
// Simplified: no huge zero page (use_zero_page=0), so reading takes a huge page too; and no khugepaged, so what came in small pages stays in small pages.
import { PTE, PTE_PFN_SHIFT } from '../arch/mmu.ts';
import { emit, FACT } from '../facts.ts';
import { GFP_BIT, GFP_HIGHUSER_MOVABLE } from '../gfp.ts';
import { PG, type Addr, type Machine, type Mm, type Pfn, type Task, type Vma } from '../types.ts';
import { addHuge, HPAGE_BYTES, HPAGE_ORDER, HPAGE_PAGES, isExclusive, isHuge, splitHugePmd } from './huge_split.ts';
import { freePagesBlock, fastpathFlags, getPageFromFreelist, prepUserPage } from './page_alloc.ts';
import { allocTable, pmdAlloc } from './pgalloc.ts';
import { allocPages, ASKER_KILLED } from './slowpath.ts';
import { freeTable } from './unmap.ts';
import { VM } from './vma.ts';
import { count, VMSTAT } from './vmstat.ts';

/** /sys/kernel/mm/transparent_hugepage/enabled: the words in the file's order, so that vm.thp_enabled is a place in it. */
export const THP_ENABLED = ['always', 'madvise', 'never'] as const;

/** Not served by a huge page: small ones will do. */
export const FAULT_FALLBACK = -9;

const GFP_TRANSHUGE_LIGHT =
  ((GFP_HIGHUSER_MOVABLE | GFP_BIT.__GFP_COMP | GFP_BIT.__GFP_NOMEMALLOC | GFP_BIT.__GFP_NOWARN) &
    ~(GFP_BIT.__GFP_DIRECT_RECLAIM | GFP_BIT.__GFP_KSWAPD_RECLAIM)) >>>
  0;

/** May the area have huge pages at all (thp_vma_allowable_order)? */
export function isHugeAllowed(machine: Machine, vma: Vma): boolean {
  const { thpEnabled, arch, maxOrder, replacement } = machine.config;
  if (arch !== 'x86_64' || maxOrder < HPAGE_ORDER || thpEnabled === 2 || replacement !== null) return false;
  if (vma.file !== 0 || vma.flags & (VM.shared | VM.nohugepage)) return false;
  return thpEnabled === 0 || (vma.flags & VM.hugepage) !== 0;
}

/** First address of the 2 MiB around `addr`; −1 where they reach over the area's ends (thp_vma_suitable_order). */
export function hugeStart(vma: Vma, addr: Addr): Addr {
  const start = Math.floor(addr / HPAGE_BYTES) * HPAGE_BYTES;
  return start >= vma.start && start + HPAGE_BYTES <= vma.end ? start : -1;
}

/** Is there an aligned 2 MiB in the area? */
export function hasHugeRange(vma: Vma): boolean {
  return Math.ceil(vma.start / HPAGE_BYTES) * HPAGE_BYTES + HPAGE_BYTES <= vma.end;
}

/** A block of order 9; only who asked for huge pages has memory compacted and reclaimed for it (vma_thp_gfp_mask). */
function allocHuge(machine: Machine, task: Task, vma: Vma): Pfn {
  const light = getPageFromFreelist(machine, HPAGE_ORDER, GFP_TRANSHUGE_LIGHT, fastpathFlags(GFP_TRANSHUGE_LIGHT), 'low', task.pid, 0);
  if (light >= 0 || (vma.flags & VM.hugepage) === 0) return light;
  return allocPages(machine, HPAGE_ORDER, GFP_TRANSHUGE_LIGHT | GFP_BIT.__GFP_DIRECT_RECLAIM, task.pid, 0);
}

/**
 * Maps a huge page over `start`, whose entry of the PMD is empty, at place `pmd`: 0; or FAULT_FALLBACK, or a negative
 * outcome when there was no page for the table that is put aside (do_huge_pmd_anonymous_page).
 */
export function doHugeAnonymousPage(machine: Machine, task: Task, vma: Vma, start: Addr, pmd: number): number {
  const head = allocHuge(machine, task, vma);
  if (head === ASKER_KILLED) return head;
  if (head < 0) {
    count(machine, VMSTAT.thp_fault_fallback, 1);
    return FAULT_FALLBACK;
  }
  const table = allocTable(machine, task.pid);
  if (table < 0) {
    freePagesBlock(machine, head, HPAGE_ORDER);
    return table;
  }
  const { mm } = task;
  mm.tables += 1;
  mm.deposits.push(table);
  const vpn = start / 4096;
  for (let i = 0; i < HPAGE_PAGES; i++) prepUserPage(machine, head + i, task.pid, PG.anon, vpn + i);
  vma.anon = true;
  addHuge(machine, mm, head, vpn);
  const { tables } = machine;
  const rights = (vma.flags & VM.write ? PTE.write : 0) | (vma.flags & VM.exec ? 0 : tables.noExec);
  tables.words[pmd] = (head << PTE_PFN_SHIFT) | PTE.present | PTE.user | PTE.accessed | PTE.dirty | PTE.huge | rights;
  machine.cost += machine.config.costs.clear_huge_page!;
  count(machine, VMSTAT.thp_fault_alloc, 1);
  emit(machine.facts, FACT.hugePageMapped, head, HPAGE_ORDER, task.pid);
  return 0;
}

/** A write to a huge page that fork shared: ours alone again, or it is cut, and the fault goes on with one small page (do_huge_pmd_wp_page). */
export function doHugeWpPage(machine: Machine, task: Task, pmd: number): number {
  const { words } = machine.tables;
  const pde = words[pmd]!;
  if (isExclusive(machine, pde >>> PTE_PFN_SHIFT)) {
    words[pmd] = pde | PTE.write | PTE.dirty | PTE.accessed;
    return 0;
  }
  splitHugePmd(machine, task.mm, pmd);
  return FAULT_FALLBACK;
}

/** The child's entry for a huge page of its parent: shared until one of them writes; 0, FAULT_FALLBACK when reclaim has cut it meanwhile, or another negative outcome (copy_huge_pmd). */
export function copyHugePmd(machine: Machine, parent: Task, child: Mm, addr: Addr, from: number): number {
  const to = pmdAlloc(machine, parent.pid, child, addr);
  if (to < 0) return to;
  const table = allocTable(machine, parent.pid);
  if (table < 0) return table;
  child.tables += 1;
  const { words } = machine.tables;
  if (!isHuge(words[from]!)) {
    freeTable(machine, child, table);
    return FAULT_FALLBACK;
  }
  child.deposits.push(table);
  const pde = words[from]! & ~PTE.write;
  words[from] = pde;
  words[to] = pde & ~PTE.accessed;
  addHuge(machine, child, pde >>> PTE_PFN_SHIFT, addr / 4096);
  return 0;
}
