/** Walks over the page-table entries of a range (mm/pagewalk.c): what is not there costs a look at its directory entry. */
import { PTE_PFN_SHIFT, pmdAt, pteIndex, spanEnd, tableBase } from '../arch/mmu.ts';
import { PAGE_SIZE, type Addr, type Machine, type Mm } from '../types.ts';

/** Calls `see` for each entry of [start, end) that is not empty, lowest first: its place in `tables.words`, and its address. */
export function walkEntries(machine: Machine, mm: Mm, start: Addr, end: Addr, see: (at: number, addr: Addr) => void): void {
  const { words } = machine.tables;
  for (let addr = start; addr < end;) {
    const pmd = pmdAt(machine, mm.pgd, addr);
    const stop = spanEnd(machine, pmd, addr, end);
    const pde = pmd < 0 ? 0 : words[pmd]!;
    if (pde !== 0) {
      const first = tableBase(machine, pde >>> PTE_PFN_SHIFT) + pteIndex(machine, addr);
      const pages = (stop - addr) / PAGE_SIZE;
      for (let n = 0; n < pages; n++) if (words[first + n] !== 0) see(first + n, addr + n * PAGE_SIZE);
    }
    addr = stop;
  }
}
