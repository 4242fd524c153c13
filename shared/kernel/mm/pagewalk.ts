/** Walks over the page-table entries of a range (mm/pagewalk.c): what is not there costs a look at its directory entry. */
import { PTE_PFN_SHIFT, pmdAt, pteIndex, spanEnd, tableBase } from '../arch/mmu.ts';
import { PAGE_SIZE, type Addr, type Machine, type Mm } from '../types.ts';
import { HPAGE_BYTES, isHuge, splitHugePmd } from './huge_split.ts';

type See = (at: number, addr: Addr) => void;

/**
 * Calls `see` for each entry of [start, end) that is not empty, lowest first: its place in `tables.words`, and its address.
 * Huge pages are cut, but for those that lie wholly in the range when `seeHuge` takes their entry of the PMD.
 */
export function walkEntries(machine: Machine, mm: Mm, start: Addr, end: Addr, see: See, seeHuge: See | null = null): void {
  const { words } = machine.tables;
  for (let addr = start; addr < end;) {
    const pmd = pmdAt(machine, mm.pgd, addr);
    const stop = spanEnd(machine, pmd, addr, end);
    const isWhole = stop - addr === HPAGE_BYTES && seeHuge !== null;
    const isCut = pmd >= 0 && isHuge(words[pmd]!) && !isWhole;
    if (isCut) splitHugePmd(machine, mm, pmd);
    const pde = pmd < 0 ? 0 : words[pmd]!;
    if (isHuge(pde)) seeHuge!(pmd, addr);
    else if (pde !== 0) {
      const first = tableBase(machine, pde >>> PTE_PFN_SHIFT) + pteIndex(machine, addr);
      const pages = (stop - addr) / PAGE_SIZE;
      for (let n = 0; n < pages; n++) if (words[first + n] !== 0) see(first + n, addr + n * PAGE_SIZE);
    }
    addr = stop;
  }
}
