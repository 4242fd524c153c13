/**
 * What the slab allocators keep (mm/slab.h; of 2.6.32 mm/slab.c): caches, their slabs, and who holds which object. Plain values
 * only. All sizes are bytes. A slab is known by its first frame; an object by its physical address.
 */

/** Flags of a cache (include/linux/slab.h). The first six may be asked for. */
export const SLAB = {
  hwcacheAlign: 1,
  reclaimAccount: 2,
  cacheDma: 4,
  poison: 8,
  redZone: 16,
  noMerge: 32,
  /** Free objects hold poison: not where the user may look at them, as with a constructor (__OBJECT_POISON). */
  objectPoison: 64,
  /** Of kmalloc: what was asked for is known object by object (SLAB_KMALLOC). */
  kmalloc: 128,
  /** SLAB: the slab's descriptor lies in another cache (CFLGS_OFF_SLAB). */
  offSlab: 256,
} as const;

/** The names that calls may use. */
export const SLAB_FLAGS: Readonly<Record<string, number>> = {
  SLAB_HWCACHE_ALIGN: SLAB.hwcacheAlign,
  SLAB_RECLAIM_ACCOUNT: SLAB.reclaimAccount,
  SLAB_CACHE_DMA: SLAB.cacheDma,
  SLAB_POISON: SLAB.poison,
  SLAB_RED_ZONE: SLAB.redZone,
  SLAB_NO_MERGE: SLAB.noMerge,
};

/** Who holds an object, where it is not a process (≥ 0). */
export const HOLDER = {
  /** Nobody: it is free. */
  none: -1,
  /** Free but given up for lost: its slab's list of free objects was overwritten. */
  lost: -2,
  /** The allocator itself: descriptors of slabs and caches. */
  allocator: -3,
  /** Pool n keeps it in its reserve: pool − n. */
  pool: -3,
} as const;

/** Where a slab is: on which of its cache's lists. */
export const ON = { none: 0, cpu: 1, cpuPartial: 2, partial: 3, full: 4, free: 5 } as const;

/** A list of slabs, linked through `next` and `prev` by their first frames; −1 ends it. */
export interface SlabList {
  head: number;
  tail: number;
  length: number;
}

/** A run of frames cut into objects of one cache (struct slab). */
export interface Slab {
  /** Its first frame. */
  pfn: number;
  order: number;
  /** Number of its cache. */
  cache: number;
  objects: number;
  /** From its first byte to the place of object 0: colour and descriptor. */
  start: number;
  /** Objects that are not in its own chain of free ones. */
  inuse: number;
  /** First free object, −1 for none; `link` holds the next one of each. */
  free: number;
  link: Int16Array;
  /** Pid or HOLDER of each object. */
  holder: Int32Array;
  /** Bytes that were asked for, where that differs from object to object (kmalloc); else empty. */
  asked: Int32Array;
  /** One of ON. */
  on: number;
  next: number;
  prev: number;
  /** SLUB: slabs on the CPU's partial list from this one on. */
  behind: number;
  /** SLAB: physical address of the descriptor in another cache, −1 when it is inside. */
  descriptor: number;
}

/** `cpuPartialSlabs` where there is no such list: it came with 3.2. */
export const NO_CPU_PARTIAL = -1;

/** SLUB: what a cache has on its CPU and on its node (struct kmem_cache_cpu, kmem_cache_node). */
export interface SlubLists {
  /** The slab that allocations come from, −1 for none. */
  cpuSlab: number;
  /** First slab of the CPU's partial list, linked by `next` only. */
  cpuPartial: number;
  partial: SlabList;
  /** Empty slabs beyond as many on the partial list go back to the buddy. */
  minPartial: number;
  /** Slabs that the CPU's partial list may hold; 0 for caches with debugging. */
  cpuPartialSlabs: number;
  /** From an object's start to the pointer to the next free one. */
  freePointer: number;
}

/** SLAB: array cache, lists and colours of a cache (struct array_cache, kmem_list3). */
export interface SlabLists {
  full: SlabList;
  partial: SlabList;
  empty: SlabList;
  /** Free objects in slabs; those in arrays do not count. */
  freeObjects: number;
  freeLimit: number;
  /** An empty slab was used since the last reaping. */
  freeTouched: boolean;
  /** Tick of the next reaping of empty slabs. */
  nextReap: number;
  colours: number;
  colourOff: number;
  colourNext: number;
  /** Bytes of a slab's descriptor, and the cache that it comes from (−1: it lies in the slab). */
  descriptorSize: number;
  descriptorCache: number;
  limit: number;
  batchcount: number;
  /** Batches that the shared array holds; 0 with one CPU. */
  shared: number;
  /** Free objects at hand, the last one first out: physical addresses. */
  entry: Int32Array;
  avail: number;
  touched: boolean;
  sharedEntry: Int32Array;
  sharedAvail: number;
  sharedTouched: boolean;
}

/** A cache of objects of one size (struct kmem_cache). */
export interface Cache {
  /** Number, never reused. Calls use handles instead. */
  id: number;
  name: string;
  flags: number;
  /** What the user of an object may use. */
  objectSize: number;
  /** From one object to the next. */
  size: number;
  align: number;
  /** From an object's place to the object: the red zone on its left. */
  offset: number;
  /** The object and the red zone on its right. */
  inuse: number;
  order: number;
  /** Objects of a slab of that order. */
  objects: number;
  /** The smallest order that holds an object: what does under pressure. */
  minOrder: number;
  ctor: boolean;
  /** Handles of it: more than one when caches were merged. */
  refcount: number;
  /** Destroyed with objects still in use: no longer on the list. */
  leaked: boolean;
  /** SLAB: physical address of its descriptor in cache_cache; −1 for caches from boot. */
  descriptor: number;
  slabs: number;
  /** Objects in all its slabs. */
  total: number;
  /** Pages in all its slabs. */
  pages: number;
  /** Objects that somebody holds; and the bytes asked for, where that differs from object to object (kmalloc). */
  live: number;
  asked: number;
  /** One of the two. */
  slub: SlubLists | null;
  slab: SlabLists | null;
}

/** What is asked of a new cache. */
export interface CacheWish {
  objectSize: number;
  /** A power of two, or 0. */
  align: number;
  flags: number;
  ctor: boolean;
}

/** What an allocator makes of it. */
export type Sizes = Pick<Cache, 'flags' | 'size' | 'align' | 'offset' | 'inuse' | 'order' | 'objects' | 'minOrder'>;

/** A cache as its creator knows it (the pointer that kmem_cache_create returns). */
export interface CacheHandle {
  cache: number;
  name: string;
  owner: number;
}

/** A kmalloc beyond the largest class: pages of its own, whose frame knows whose they are. */
export interface LargeBlock {
  order: number;
  asked: number;
}

/** A reserve for those who may not fail (struct mempool). */
export interface Mempool {
  minNr: number;
  /** The cache that elements come from as its creator knows it, 0 for pages; and its number, −1 for pages. */
  handle: number;
  cache: number;
  /** Order of the pages, where they are pages. */
  order: number;
  owner: number;
  /** What an object in reserve counts for; pages count as pages. */
  bytes: number;
  /** Elements in reserve, the last one first out: physical addresses. */
  elements: number[];
}

export interface SlabState {
  caches: Map<number, Cache>;
  /** Numbers of the caches that /proc/slabinfo lists, newest first (slab_caches, cache_chain). */
  chain: number[];
  nextCache: number;
  handles: Map<number, CacheHandle>;
  nextHandle: number;
  /** Numbers of kmalloc's caches by family and class, 0 where there is none. */
  kmalloc: number[][];
  /** Slabs by their first frame. */
  slabs: Map<number, Slab>;
  large: Map<number, LargeBlock>;
  pools: Map<number, Mempool>;
  nextPool: number;
  /** Errors that debugging found and things that it put right; a kernel with any is tainted. */
  errors: number;
}

/** `slab` of a machine's configuration. */
export interface SlabConfig {
  allocator: 'slub' | 'slab';
  /** Bytes of a word and of a pointer: 4, or 8 on x86_64. */
  word: 4 | 8;
  /** Only sizes and limits follow it. */
  cpus: number;
  /** Bytes of a cache line. */
  cacheLine: number;
  debug: boolean;
}
