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

export type LibcRules = ListRules;

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

export type Heap = ListHeap;
