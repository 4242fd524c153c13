/**
 * Why a call was refused: a closed list. Each code carries the numbers of that moment, has a sentence in every
 * language (assets/lang) and a page in the codex. All counts are in page frames unless the name says otherwise.
 */
export interface WhyNumbers {
  /** The request itself is malformed: `argument` says where, `rule` what it must be. */
  BAD_ARGUMENT: { argument: string; rule: string };
  UNKNOWN_CALL: { call: string };
  NO_SUCH_PROCESS: { pid: number };
  /** Only pid 0 or a root process may. */
  NOT_ROOT: { call: string };
  NOT_OWNER: { pfn: number; owner: number };
  /** Signals go to oneself and one's children only. */
  NOT_RELATED: { pid: number };
  /** free_pages of a wrong order, or of a frame that heads no block. */
  BAD_PAGE: { pfn: number; order: number };
  /** Free pages are short: none of the allowed zones stays above its mark. `needed` frames were asked. */
  LOW_MEMORY: { order: number; needed: number; freePages: number; mark: number };
  /** Enough is free, but no run is long enough. */
  FRAGMENTED: { order: number; needed: number; freePages: number; largestOrder: number; largestRun: number };
  /** The order is above the largest that the buddy keeps. */
  ORDER_TOO_LARGE: { order: number; maxOrder: number };
  /** It would wait until somebody else acts; nothing changed, try again. A writer waits with `dirty` pages above the `limit`. */
  WOULD_SLEEP: { order: number; freePages: number; dirty?: number; limit?: number };
  /** Pid 0 has no address space. */
  NO_ADDRESS_SPACE_OF_ITS_OWN: { call: string };
  /** No process is left that may be killed. */
  NO_VICTIM: { order: number; freePages: number };
  /** The OOM killer chose the caller itself. */
  OOM_KILLED: { badness: number; order: number; freePages: number };
  /** Its swapoff took the last page: who does that is chosen before all others. */
  OOM_ORIGIN: { freePages: number };
  /** The kernel stopped for good (vm.panic_on_oom). */
  PANIC: { message: string };
  /** The low memory killer chose the caller: its adjustment is at least `minAdj`, and free memory is below the bound. */
  LMK_KILLED: { adj: number; minAdj: number; freePages: number; minfree: number };
  KILLED: { by: number; sig: number };
  /** No area holds the address (SEGV_MAPERR). */
  NOT_MAPPED: { addr: number };
  /** The area forbids the access (SEGV_ACCERR). */
  NOT_ALLOWED: { addr: number; access: string };
  /** The area reaches beyond the end of what it maps (BUS_ADRERR). */
  BEYOND_OBJECT: { addr: number };
  /** The address belongs to the kernel. */
  KERNEL_ADDRESS: { addr: number };
  /** The machine has no transparent huge pages: they need entries of 64 bits. */
  NO_HUGE_PAGES: { arch: string };
  /** x86_64: bits 63 to 47 of the address are not alike, so it is none: a general protection fault. */
  NOT_CANONICAL: { addr: number };
  /** No hole of the address space is long enough. */
  NO_ADDRESS_SPACE: { length: number };
  ADDRESS_TAKEN: { addr: number; length: number };
  /** A resource limit (setrlimit). */
  RLIMIT: { resource: string; limit: number; wanted: number };
  /** The promise to commit was refused (vm.overcommit_memory). */
  OVERCOMMIT: { mode: number; wanted: number; limit: number };
  /** execve: the file has no TEXT. */
  NOT_A_PROGRAM: { path: string };
  /** shmget: bytes that a segment may have. */
  SEGMENT_SIZE: { bytes: number; low: number; high: number };
  /** shmget: pages of all segments (shmall). */
  SHM_FULL: { wanted: number; limit: number };
  TOO_MANY_SEGMENTS: { limit: number };
  NO_SUCH_KEY: { key: number };
  /** IPC_EXCL: the key has a segment. */
  KEY_TAKEN: { key: number; shmid: number };
  /** Bytes of the segment that the key has. */
  SEGMENT_SMALLER: { shmid: number; bytes: number; wanted: number };
  NO_SUCH_SEGMENT: { shmid: number };
  /** shmdt: no segment was attached there. */
  NOT_ATTACHED: { addr: number };
  NOT_SEGMENT_OWNER: { shmid: number; owner: number };
  /** mremap: the area that holds the address ends before the range does. */
  NOT_ONE_AREA: { addr: number; end: number };
  /** mprotect: what the area maps was attached or opened for reading only. */
  NEVER_WRITABLE: { addr: number };
  /** madvise: locked pages stay. */
  AREA_LOCKED: { addr: number };
  /** MADV_FREE: shared memory or a file is nobody's to give away. */
  NOT_ANONYMOUS: { addr: number };
  TOO_MANY_AREAS: { limit: number };
  TOO_MANY_PROCESSES: { limit: number };
  NO_SUCH_FILE: { path: string };
  /** cma_alloc: no part of the region is long enough, or there is no region. */
  CMA_FULL: { needed: number; largestRun: number; regionPages: number };
  /** cma_alloc: a page in the way does not move: pinned, or the kernel's. */
  CMA_BUSY: { needed: number; pfn: number; owner: number };
  /** unpin_user_pages of a page that the caller has not pinned. */
  NOT_PINNED: { addr: number };
  /** Too late: the buddy has the memory since the first other call. */
  NOT_AT_BOOT: { call: string };
  /** vmalloc of more pages than there are. */
  VMALLOC_TOO_LARGE: { needed: number; total: number };
  /** The space for vmalloc is full: `freeSpace` pages of addresses are left, guard pages counted. */
  VMALLOC_FULL: { needed: number; freeSpace: number; largestHole: number; freePages: number };
  /** Enough addresses are free, but no hole is long enough. */
  VMALLOC_FRAGMENTED: { needed: number; freeSpace: number; largestHole: number; freePages: number };
  /** Nothing of that kind starts at the address. */
  NO_SUCH_AREA: { addr: number };
  /** ioremap of memory that the kernel manages. */
  IS_RAM: { pfn: number; owner: number };
  /** Bytes `start` to `end` of physical addresses are somebody's. */
  REGION_BUSY: { start: number; end: number; owner: number };
  /** The page is a process's, not one that alloc_pages gave. */
  NOT_KERNEL_PAGE: { pfn: number };
  NOT_KMAPPED: { pfn: number; slots: number };
  /** kunmap_atomic of another address than the newest. */
  KMAP_ATOMIC_ORDER: { addr: number; top: number };
  KMAP_ATOMIC_FULL: { slots: number };
  /** No frame that is free lies where the device reaches; `pfn` was the lowest to be had. */
  DMA_MASK: { mask: number; pfn: number };
  /** dma_free_coherent: the buffer has `pages` pages. */
  DMA_SIZE: { addr: number; needed: number; pages: number };
  /** The channel that joins the two controllers carries no device. */
  DMA_CHANNEL: { channel: number };
  /** Bytes: the controller drives 24 address lines. */
  DMA_OUT_OF_REACH: { addr: number; count: number; limit: number };
  DMA_ALIGNMENT: { addr: number; count: number; align: number };
  /** Bytes: the controller counts within 64 KiB (by words: 128 KiB) and does not carry over. */
  DMA_BOUNDARY: { addr: number; count: number; boundary: number };
  /** Bytes: no RAM answers at that physical address. */
  NO_MEMORY_THERE: { phys: number; memory: number };
  /** kfree and its like: no object in use starts at the address. */
  NOT_AN_OBJECT: { addr: number };
  /** The object is free already. */
  DOUBLE_FREE: { addr: number };
  /** The object is of cache `of`. */
  WRONG_CACHE: { addr: number; cache: string; of: string };
  /** Debugging found bytes before or behind the object overwritten; they are put right, and the object is not freed. */
  OBJECT_OVERWRITTEN: { addr: number };
  /** The address is not one of the direct map. */
  NOT_IN_DIRECT_MAP: { addr: number };
  /** Bytes: the kernel has no lasting address for that memory. */
  NO_KERNEL_ADDRESS: { phys: number };
  NO_SUCH_CACHE: { cache: number };
  NO_SUCH_POOL: { pool: number };
  NOT_CACHE_OWNER: { cache: number; owner: number };
  NOT_POOL_OWNER: { pool: number; owner: number };
  /** kmem_cache_destroy: so many objects are in use. */
  CACHE_BUSY: { cache: number; objects: number };
  /** mempool_destroy: so many elements are lent out. */
  POOL_BUSY: { pool: number; elements: number };
  /** SLAB allows no two caches of one name. */
  CACHE_EXISTS: { name: string };
  TOO_MANY_CACHES: { limit: number };
  TOO_MANY_POOLS: { limit: number };
  /** malloc: bytes that are free in the heap, and its largest free block. */
  HEAP_FULL: { size: number; free: number; largest: number; searched: number };
  /** malloc: enough bytes are free, but no free block is long enough. */
  HEAP_FRAGMENTED: { size: number; free: number; largest: number; searched: number };
  /** malloc: somebody lowered the break below the heap's end. */
  BREAK_MOVED: { brk: number; end: number };
  /** glibc found its control blocks or a pointer wrong and ended the process; `text` is what it wrote. */
  LIBC_ABORT: { text: string; addr: number };
  /** mallopt answered 0: the value is out of bounds. */
  MALLOPT_REFUSED: { param: string; value: number };
  /** The sanitizer's bugs. An access reaches beyond its block; `offset` is where, from the block's start. `born`, `freed`: heap calls. */
  HEAP_OVERFLOW: { addr: number; block: number; size: number; offset: number; born: number };
  USE_AFTER_FREE: { addr: number; block: number; size: number; born: number; freed: number };
  /** A read of bytes that nobody wrote since malloc. */
  UNINITIALISED: { addr: number; block: number; size: number; offset: number; born: number };
  /** An address within the heap, but in no block. */
  WILD_POINTER: { addr: number };
  WILD_FREE: { addr: number };
  FREED_TWICE: { addr: number; size: number; born: number; freed: number };
  /** Two accesses without anything that orders them: the one of the call in hand, by thread `tid`, and an older one. `step`, `otherStep` count the detector's events. */
  DATA_RACE: { addr: number; access: string; tid: number; step: number; other: number; otherAccess: string; otherStep: number };
  /** The last owner went, and the control block's first word names no class: the destructor's call goes nowhere. */
  NOT_A_CONTROL_BLOCK: { addr: number; found: number };
  /** Kinds of objects that a process may make with make_shared. */
  TOO_MANY_CLASSES: { limit: number };
  /** pthread_join: the thread has not ended yet; try again. */
  THREAD_RUNS: { tid: number };
  /** pthread_mutex_lock: another has it; try again. */
  MUTEX_HELD: { addr: number; owner: number };
  /** pthread_mutex_unlock by who does not hold it; `owner` 0: nobody does. */
  NOT_MUTEX_OWNER: { addr: number; owner: number; tid: number };
  /** free and realloc: no block that malloc gave out starts at the address. */
  NOT_A_BLOCK: { addr: number };
  /** pool_alloc: all blocks of a pool of user space are in use; bytes. */
  POOL_EMPTY: { pool: number; count: number; size: number };
  /** pool_free: no block of the pool starts at the address. */
  NOT_IN_POOL: { pool: number; addr: number };
  /** pool_alloc: the free block at `addr` was written to: what stands there leads to no free block. */
  POOL_DAMAGED: { pool: number; addr: number; found: number };
  /** All 16 MiB for the contents of pages are used. */
  CONTENTS_FULL: { limit: number };
  /** copy_to_user, copy_from_user: at `addr` the process has nothing of the kind; so many bytes were not copied. */
  BAD_USER_ADDRESS: { addr: number; left: number };
  /** translate: the page fault that the access would be; `addr` is what CR2 would hold. */
  PAGE_FAULT: { addr: number; errorCode: number };
  /** A null selector: loaded into CS or SS, or used. */
  SEGMENT_NULL: { register: string; errorCode: number };
  /** The byte `addr` of the segment lies outside: above its limit, or at or below that of one that expands downwards. */
  SEGMENT_LIMIT: { register: string; addr: number; limit: number; errorCode: number };
  /** The descriptor does not allow that: writing code, reading what may only be executed, data in CS. */
  SEGMENT_TYPE: { register: string; access: string; errorCode: number };
  SEGMENT_PRIVILEGE: { selector: number; cpl: number; rpl: number; dpl: number; errorCode: number };
  /** Bytes: the descriptor table ends at `limit`. */
  SELECTOR_BEYOND_TABLE: { selector: number; limit: number; errorCode: number };
  SEGMENT_NOT_PRESENT: { selector: number; errorCode: number };
  /** No file is open under that descriptor. */
  NOT_OPEN: { fd: number };
  TOO_MANY_OPEN: { limit: number };
  /** The file was not opened for that (reading, writing). */
  NOT_OPENED_FOR: { fd: number; access: string };
  /** Bytes: a file can become so large. */
  FILE_TOO_LARGE: { wanted: number; limit: number };
  /** Bytes: the mapping goes on, but the file does not (SIGBUS). */
  BEYOND_FILE: { addr: number; bytes: number };
  /** No area of swap is in use. */
  NO_SWAP: { slots: number };
  SWAP_IS_ON: { slots: number };
  /** What is in swap does not fit into memory. */
  SWAP_IN_USE: { used: number; freePages: number };
  /** The machine cannot grow (further). */
  NO_ROOM_FOR_MEMORY: { frames: number; maxFrames: number };
}
export type WhyCode = keyof WhyNumbers;
export type Why = { [C in WhyCode]: { code: C } & WhyNumbers[C] }[WhyCode];
