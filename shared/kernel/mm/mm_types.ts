/** Tables and lists beside the frames (include/linux/mm_types.h): page tables, the reverse map, the contiguous area, shared objects. */
import type { Pfn, Pid } from '../types.ts';

/** The entries of all page tables, one slot of `entries` words a table. */
export interface PageTables {
  /** 1 on toy16, 2 on i386, 4 on x86_64. */
  levels: number;
  /** Words of a slot: the entries of a table, on toy16 with its base register behind them. */
  entries: number;
  /** Bit of entries that forbids fetching instructions; 0 where the format has none. */
  noExec: number;
  words: Uint32Array;
  /** Frame of the table in a slot, -1 when the slot is free. */
  slotPfn: Int32Array;
  slots: number;
  freeSlots: number[];
}

/** The region of the contiguous memory allocator. */
export interface Cma {
  base: Pfn;
  count: number;
  /** A byte a frame: 1 while a driver has it. */
  used: Uint8Array;
  /** Runs that were given out, by their first frame; `dma`: for dma_alloc_coherent. */
  runs: Map<Pfn, { pages: number; pid: Pid; dma?: boolean }>;
}

/** Nodes of the reverse map: one a page-table entry that maps a user page. */
export interface Rmap {
  pid: Int32Array;
  vpn: Float64Array;
  /** Next node of the same frame (or of the free ones), -1 at the end. */
  next: Int32Array;
  used: number;
  free: number;
}

/** A shared anonymous object (a shmem file): its pages by page offset. */
export interface ShmObject {
  id: number;
  /** Pages; an access beyond is SIGBUS. */
  size: number;
  pages: Map<number, Pfn>;
  /** Slots of swap of the pages that were pushed out, by page offset: the object names them, no entry does. */
  swapped: Map<number, number>;
  /** Areas that map it. */
  users: number;
  /** Number of the SysV segment that it is, or −1. */
  segment: number;
  /** Pages that it counts in Committed_AS. */
  promised: number;
}
