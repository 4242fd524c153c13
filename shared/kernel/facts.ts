/**
 * Facts: what just happened inside the machine, for whoever draws it. The ring belongs to the caller of
 * `createMachine`; the kernel writes it and reads nothing back, so it is no part of the state.
 */
export const FACT = {
  pagesAllocated: 1, // a = pfn, b = order, c = pid
  pagesFreed: 2, // a = pfn, b = order, c = pid of the owner
  blockSplit: 3, // a = pfn of the block that was cut, b = its order before the cut
  blockMerged: 4, // a = pfn of the new block, b = its order
  pageMapped: 5, // a = pfn, b = virtual page number, c = pid
  pageCopied: 6, // a = new pfn, b = old pfn, c = pid (copy on write)
  allocationFailed: 7, // a = order, b = free pages in all zones, c = pid
  oomKilled: 8, // a = victim's pid, b = asker's pid, c = badness of the victim
  processStarted: 9, // a = pid, b = parent's pid
  processExited: 10, // a = pid, b = signal number or 0
  pageMigrated: 11, // a = old pfn, b = new pfn, c = pid that it was allocated for
  areaMapped: 12, // a = page number of the kernel address, b = pages without the guard page, c = pid (vmalloc, ioremap)
  areaFreed: 13, // the same
  areasPurged: 14, // a = areas whose addresses are free again, b = their pages
  pageKmapped: 15, // a = pfn, b = slot of kmap, c = pid
  pageKunmapped: 16, // the same
  dmaMoved: 17, // a = first pfn, b = channel, c = bytes
  hugePageMapped: 18, // a = first pfn, b = order, c = pid
  hugePageSplit: 19, // the same: its pages are mapped one by one from now on
  userAreaMapped: 44, // a = page number of the address (its low 32 bits), b = pages, c = pid (mmap, mremap, shmat, execve)
  userAreaUnmapped: 45, // the same, of the pages that had been mapped (munmap, mremap, MAP_FIXED over another area)
  breakMoved: 46, // a = page number of the new end of the heap, b = pages that came (negative: that went), c = pid
  stackGrown: 47, // a = page number of its new lower end, b = pages that came, c = pid
  slabCreated: 24, // a = first pfn, b = order, c = number of the cache
  slabDestroyed: 25, // the same
  kernelPanicked: 40, // a = tick
  oomReaped: 41, // a = pid of the victim
  lmkKilled: 42, // a = victim's pid, b = asker's pid (0: kswapd), c = adjustment of the victim
  pagesReturned: 26, // a = pfn, b = order; free pages that compaction or isolation had looked at
  pageblockRetagged: 30, // a = first pfn of a pageblock, b = its new migratetype, c = the old one (a steal, a reserve for GFP_ATOMIC)
} as const;
export type FactKind = (typeof FACT)[keyof typeof FACT];

export interface FactRing {
  /** A power of two. */
  readonly size: number;
  /** How many facts were ever written; the newest is at `(written - 1) & (size - 1)`. */
  written: number;
  readonly kind: Uint8Array;
  readonly a: Int32Array;
  readonly b: Int32Array;
  readonly c: Int32Array;
}

export function createFacts(size = 4096): FactRing {
  if (size < 1 || (size & (size - 1)) !== 0) throw new RangeError(`a fact ring's size is a power of two, not ${size}`);
  return {
    size,
    written: 0,
    kind: new Uint8Array(size),
    a: new Int32Array(size),
    b: new Int32Array(size),
    c: new Int32Array(size),
  };
}

export function emit(ring: FactRing | null, kind: FactKind, a: number, b: number, c: number): void {
  if (ring === null) return;
  const at = ring.written & (ring.size - 1);
  ring.kind[at] = kind;
  ring.a[at] = a;
  ring.b[at] = b;
  ring.c[at] = c;
  ring.written += 1;
}

/** Calls `see` for each fact written since `since`, oldest first; returns the new mark. Facts that the ring no longer holds are skipped. */
export function readFacts(ring: FactRing, since: number, see: (kind: FactKind, a: number, b: number, c: number) => void): number {
  for (let n = Math.max(since, ring.written - ring.size); n < ring.written; n++) {
    const at = n & (ring.size - 1);
    see(ring.kind[at] as FactKind, ring.a[at]!, ring.b[at]!, ring.c[at]!);
  }
  return ring.written;
}
