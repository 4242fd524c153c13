/**
 * What things cost, in whole microseconds of the emulated machine. The relations matter, not the values: one order-0
 * allocation with its fault is the unit (2), a contiguous one costs 4 and 2 a frame, a failed call 16.
 * A machine's `costs` key sets any of them.
 */
export const COSTS = {
  /** Entering and leaving the kernel. */
  syscall: 0,
  /** A minor fault with the page that it brings. */
  minor_fault: 2,
  /** Copying a page: on write, on top of the fault; between the page cache and a process. */
  copy_page: 1,
  /** Clearing 2 MiB for a huge page, on top of the fault: a tenth of what 512 faults cost. */
  clear_huge_page: 100,
  /** alloc_pages of order 0; of a higher order: contiguous + 2^order × contiguous_frame. */
  alloc_page: 2,
  contiguous: 4,
  contiguous_frame: 2,
  free_block: 1,
  /** An object from its cache, or back; its slab's pages cost as alloc_pages. */
  object: 1,
  /** Changing the list of areas: mmap, munmap, brk. */
  area: 1,
  /** fork, and for 64 page-table entries that it copies. */
  fork: 4,
  fork_ptes: 1,
  spawn: 4,
  /** A thread, on top of its stack. */
  thread: 2,
  exit: 1,
  /** A call that the kernel refused after trying. */
  failed: 16,
  /** The OOM killer's walk and kill, paid by the asker. */
  oom_kill: 40,
  /** Moving a page; looking at the free pages of a pageblock and at those to be moved. */
  migrate_page: 6,
  compact_scan: 24,
  /** kmap and kunmap of a page of high memory. */
  kmap: 1,
  /** A transfer by DMA, and each KiB of it. */
  dma: 4,
  dma_kib: 1,
  /** A request to the disk or to swap, and each page in it. */
  disk_io: 80,
  disk_page: 4,
  /** Looking at a page for reclaim, paid by who reclaims directly. */
  reclaim_scan: 1,
  look: 0,
};
