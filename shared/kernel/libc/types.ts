/** What a machine's libc is (the key `libc`), and the heaps of its processes. A heap belongs to its task: fork copies it, exec and exit drop it. */
import type { Addr } from '../types.ts';

export type Fit = 'first' | 'best' | 'worst' | 'next';
export type ListOrder = 'address' | 'size+' | 'size-' | 'front' | 'back';

/** The allocator for lessons: one free list, its fit and its order. */
export interface ListRules {
  allocator: 'list';
  fit: Fit;
  order: ListOrder;
  coalesce: boolean;
  /** Bytes of the control block before each payload. */
  header: number;
  /** Requests are rounded up to a multiple of this before the header is added; 1 for none. */
  align: number;
  /** `base` 0: the start of the process's heap; `size` 0: as large as sbrk lets it grow. */
  heap: { base: Addr; size: number };
}

export interface GlibcRules {
  allocator: 'glibc';
  /** Red zones, a quarantine, and a record of what was written: the first memory bug ends the process. */
  sanitize: boolean;
}

export type LibcRules = ListRules | GlibcRules;

/** A heap with one free list, the entries in list order. */
export interface ListHeap {
  kind: 'list';
  /** Free blocks: start and bytes, the first `count` elements. */
  addr: Float64Array;
  size: Float64Array;
  count: number;
  /** Blocks given out: start → bytes, header included. */
  blocks: Map<Addr, number>;
  /** Where the next search by "next" starts. */
  rover: Addr;
  /** End of what the heap got from the kernel. */
  end: Addr;
  /** Bytes got from the kernel in all. */
  total: number;
  /** Its addresses are pages of the process, not only numbers. */
  backed: boolean;
}

/** What a chunk is. */
export const CHUNK = {
  /** A slot that names no chunk. */
  none: 0,
  /** Given out by malloc. */
  used: 1,
  /** In the tcache, in a fast bin: free for the program, in use for their neighbours. */
  tcache: 2,
  fast: 3,
  /** On the unsorted list; in a small or large bin. */
  unsorted: 4,
  binned: 5,
  /** The rest at the end of the heap. */
  top: 6,
  /** A mapping of its own. */
  mmapped: 7,
  /** What stays behind where the heap could not go on in a straight line. */
  fence: 8,
} as const;

/** All chunks of a heap, structure of arrays, one element a slot. Links are slots, -1 for none. */
export interface Chunks {
  addr: Float64Array;
  size: Float64Array;
  state: Uint8Array;
  /** Neighbours in memory. */
  prev: Int32Array;
  next: Int32Array;
  /** Neighbours in a bin; next only in tcache and fast bins. */
  fd: Int32Array;
  bk: Int32Array;
  /** Neighbours of other size in a large bin (fd_nextsize, bk_nextsize). */
  fdSize: Int32Array;
  bkSize: Int32Array;
  used: number;
  /** First of the slots that are free again, linked by `next`. */
  free: number;
}

/** Parameters that mallopt sets (struct malloc_par). */
export interface MallocPar {
  mmapThreshold: number;
  trimThreshold: number;
  topPad: number;
  mmapMax: number;
  /** The thresholds still follow what is freed. */
  dynamic: boolean;
  /** Largest chunk of a fast bin. */
  maxFast: number;
}

/** A block as its program knows it. */
export interface ShadowBlock {
  size: number;
  /** The heap calls that made it and that freed it; 0: it lives. */
  born: number;
  freed: number;
  /** Stretches that were written, from and to, ascending. */
  written: number[];
}

/** What the sanitizer knows of a heap. */
export interface Shadow {
  /** Blocks that live and blocks in quarantine, by address; and their addresses, ascending. */
  blocks: Map<Addr, ShadowBlock>;
  sorted: Addr[];
  /** Freed blocks, oldest first, and their bytes. */
  quarantine: Addr[];
  quarantined: number;
  /** Calls of malloc's family so far. */
  calls: number;
}

/** The main arena of glibc's malloc with its tcache. */
export interface GlibcHeap {
  kind: 'glibc';
  /** SIZE_SZ: 4 on i386, 8 on x86_64. */
  word: 4 | 8;
  chunks: Chunks;
  /** Chunk at an address. */
  at: Map<Addr, number>;
  /** First chunk that starts in a page. */
  starts: Map<number, number>;
  /** Addresses of the mmapped chunks, ascending. */
  mmaps: Addr[];
  top: number;
  /** The tcache's own chunk was allocated. */
  tcacheReady: boolean;
  /** That chunk, -1 while there is none. */
  tcacheSlot: number;
  tcacheHead: Int32Array;
  tcacheCount: Uint8Array;
  /** Fast bins by size / 16. */
  fast: Int32Array;
  haveFast: boolean;
  /** Bins 1 (unsorted), 2 to 63 (small), 64 to 126 (large). */
  head: Int32Array;
  tail: Int32Array;
  /** Bins that may hold something. */
  binmap: Int32Array;
  /** Address of what the last split of a small request left over. */
  lastRemainder: Addr;
  par: MallocPar;
  /** Where the first break was. */
  sbrkBase: Addr;
  /** Where the piece of memory that ends with the top begins; and the pieces that were left behind a fence. */
  base: Addr;
  fenced: { start: Addr; end: Addr }[];
  systemMem: number;
  maxSystemMem: number;
  /** More memory follows the top. */
  contiguous: boolean;
  /** Size fields that the program overwrote: slot → the word that stands there now. */
  damage: Map<number, number>;
  /** With libc.sanitize, from the first block on. */
  shadow: Shadow | null;
}

export type Heap = ListHeap | GlibcHeap;

/** A fixed-block pool of a process (libc/pool.ts). */
export interface UserPool {
  /** First block. */
  chunk: Addr;
  /** Bytes of a block, and how many there are. */
  size: number;
  count: number;
  /** Blocks from this number on were never given out. */
  fresh: number;
  /** The block that was given back last, 0 for none; its first word leads to the one before. */
  head: Addr;
  /** Blocks in use, by number. */
  taken: Set<number>;
}
