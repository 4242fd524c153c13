/** Flags of areas, and the area over an address (mm/mmap.c, find_vma): what even the reverse map may ask. */
import type { Addr, Mm, Vma } from '../types.ts';

export const VM = {
  read: 1,
  write: 2,
  exec: 4,
  shared: 8,
  growsdown: 0x100,
  /** A stack of 2.6.32: one page stays free below it. */
  onePageGap: 0x10,
  locked: 0x2000,
  account: 0x100000,
  noreserve: 0x200000,
  /** Shared memory of a file that was opened for reading only: mprotect may not add the right to write (no VM_MAYWRITE). */
  readonlyFile: 0x20,
  /** Huge pages are wanted here, or must not come (MADV_HUGEPAGE, MADV_NOHUGEPAGE). */
  hugepage: 0x20000000,
  nohugepage: 0x40000000,
} as const;

/** Number of the first area that ends above the address; `vmas.length` when there is none (find_vma). */
export function findVmaIndex(mm: Mm, addr: Addr): number {
  const { vmas } = mm;
  let low = 0;
  let high = vmas.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (vmas[middle]!.end > addr) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** The area that holds the address. */
export function vmaAt(mm: Mm, addr: Addr): Vma | null {
  const vma = mm.vmas[findVmaIndex(mm, addr)];
  return vma && vma.start <= addr ? vma : null;
}
