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
  /** It would wait until somebody else acts; nothing changed, try again. */
  WOULD_SLEEP: { order: number; freePages: number };
  /** Pid 0 has no address space. */
  NO_ADDRESS_SPACE_OF_ITS_OWN: { call: string };
  /** No process is left that may be killed. */
  NO_VICTIM: { order: number; freePages: number };
  /** The OOM killer chose the caller itself. */
  OOM_KILLED: { badness: number; order: number; freePages: number };
  KILLED: { by: number; sig: number };
  /** No area holds the address (SEGV_MAPERR). */
  NOT_MAPPED: { addr: number };
  /** The area forbids the access (SEGV_ACCERR). */
  NOT_ALLOWED: { addr: number; access: string };
  /** The address belongs to the kernel. */
  KERNEL_ADDRESS: { addr: number };
  /** No hole of the address space is long enough. */
  NO_ADDRESS_SPACE: { length: number };
  ADDRESS_TAKEN: { addr: number; length: number };
  /** A resource limit (setrlimit). */
  RLIMIT: { resource: string; limit: number; wanted: number };
  /** The promise to commit was refused (vm.overcommit_memory). */
  OVERCOMMIT: { mode: number; wanted: number; limit: number };
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
  UNKNOWN_SYSCTL: { name: string };
  /** All 16 MiB for the contents of pages are used. */
  CONTENTS_FULL: { limit: number };
  /** The machine cannot grow (further). */
  NO_ROOM_FOR_MEMORY: { frames: number; maxFrames: number };
}
export type WhyCode = keyof WhyNumbers;
export type Why = { [C in WhyCode]: { code: C } & WhyNumbers[C] }[WhyCode];
