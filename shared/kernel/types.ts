import type { CustomMmu } from './arch/custom_mmu.ts';
import type { Segments } from './arch/segment.ts';
import type { Tlb } from './arch/tlb.ts';
import type { FactRing } from './facts.ts';
import type { EntryCounts } from './kernel/entry.ts';
import type { Thread, ThreadGroup } from './kernel/thread.ts';
import type { SmartClass } from './libc/shared_ptr.ts';
import type { Races } from './libc/races.ts';
import type { Disk, FileConfig, OpenFile } from './fs/inode.ts';
import type { Lru } from './mm/swap.ts';
import type { PageTables, Cma, Rmap, ShmObject } from './mm/mm_types.ts';
import type { Panic, OomState, OomKnobs, OvercommitKnobs, LmkKnobs, Kill } from './mm/oom_types.ts';
import type { Replacement, ReplacementConfig } from './mm/replacement.ts';
import type { Swap } from './mm/swap_state.ts';
import type { SlabConfig, SlabState } from './mm/slab_types.ts';
import type { Layout } from './mm/mmap_layout.ts';
import type { Ipc } from './ipc/shm.ts';
import type { Errno } from './errno.ts';
import type { Heap, LibcRules, UserPool } from './libc/types.ts';
import type { Highmem, Iomem, KernelLayout, VmapSpace } from './mm/vmap_types.ts';
import type { Why } from './why.ts';

export type { Errno, Why };
export type * from './answers.ts';
export type * from './mm/mm_types.ts';
export type * from './mm/oom_types.ts';

/** A page frame's number; frame n holds the physical bytes n × 4096 to n × 4096 + 4095. */
export type Pfn = number;
/** A process. Pid 0 is the kernel and root; it has no address space. */
export type Pid = number;
/** A virtual address in bytes; a user's below 2^47. Kernel addresses of x86_64 are negative: their sign is bit 63. */
export type Addr = number;

export const PAGE_SHIFT = 12;
export const PAGE_SIZE = 4096;

/** Frames' state, structure of arrays, one element a frame. */
export interface Frames {
  /** Frames that exist now. */
  count: number;
  /** Bits of PG below. */
  flags: Uint8Array;
  /** Order of the free or allocated block that this frame heads (PG.buddy or PG.head set). */
  order: Uint8Array;
  /** Pid that the frame was allocated for (0 = the kernel); meaningless while free. */
  owner: Int32Array;
  /** User page-table entries that map the frame. */
  mapcount: Int32Array;
  refcount: Int32Array;
  /** Links of the list that a frame is in (free blocks, a process's blocks, LRU): at 2 × pfn the next frame, after it the one before; -1 ends a list. Side by side, since each is rarely wanted alone. */
  links: Int32Array;
  /** Migratetype of each pageblock (mm/mmzone.ts); all 0 where mobility is off. */
  pageblock: Uint8Array;
  pageblockOrder: number;
  /** Lists of an order: 6 with migratetypes, 1 without. */
  types: number;
  /** First node of the frame's reverse map, -1 when no entry maps it. */
  rmap: Int32Array;
  /** Anonymous: the low 32 bits of the virtual page number at which it was first mapped (page->index); shared: its offset in its object. A page table: its slot in `tables`. */
  index: Int32Array;
  /** Where a user page stands with reclaim: bits of PGS in mm/swap.ts; 0 for every other frame. While PGS.lru is set, `links` hold it in its list. */
  state: Uint8Array;
  /** Of a page of a file its inode's number, of one in the swap cache its slot. */
  mapping: Int32Array;
}

export const PG = {
  /** The kernel's image; the buddy never sees it. */
  reserved: 1,
  /** Head of a free block (PageBuddy). */
  buddy: 2,
  /** Head of an allocated block. */
  head: 4,
  /** A user page of private anonymous memory. */
  anon: 8,
  /** A user page of an object: shared anonymous memory (shmem), or with PGS.file in `state` a file's page cache. */
  shmem: 16,
  /** A page table. */
  table: 32,
  /** Given by alloc_pages to a process or to the kernel. */
  kernel: 64,
  /** One of a run given by cma_alloc. */
  contig: 128,
  /** Of the slab allocators: two bits that no other frame has together. */
  slab: 192,
} as const;

/** `index` of a kernel page: 0 when alloc_pages gave it, n > 0 at the head of a buffer of dma_alloc_coherent of n pages, and this of vmalloc. */
export const USE = { vmalloc: -1 } as const;

/** Migratetypes (include/linux/mmzone.h, 6.x): what a pageblock's pages may be used for, and whether they can be moved. */
export const MIGRATE = { unmovable: 0, movable: 1, reclaimable: 2, highatomic: 3, cma: 4, isolate: 5 } as const;
export const MIGRATE_TYPES = 6;

export interface Zone {
  name: 'DMA' | 'DMA32' | 'Normal' | 'HighMem';
  /** Number of that name (ZONE in mm/mmzone.ts). */
  kind: number;
  /** First frame. */
  start: Pfn;
  /** One past the last frame. */
  end: Pfn;
  /** Frames that the buddy manages: all less reserved ones. */
  managed: number;
  /** Free pages now. */
  free: number;
  /** The free lists (free_area), four words each, list order × types + migratetype: first block, last block (−1: none), number of blocks, nothing. See mm/buddy.ts. */
  lists: Int32Array;
  /** Lists of an order: 6 with migratetypes, 1 without. */
  types: number;
  /** The rules of 2.6.32 hold (config.rules). */
  k26: boolean;
  maxOrder: number;
  /** Pages of pageblocks kept for GFP_ATOMIC (nr_reserved_highatomic). */
  reservedHighatomic: number;
  /** Pages of the contiguous memory area. */
  cmaPages: number;
  /** Pages added to the marks until kswapd has run (watermark_boost). */
  boost: number;
  compact: Compaction;
  /** Pages. */
  watermark: { min: number; low: number; high: number };
  /** Pages kept from requests that could have used zone j (index = zone number). */
  lowmemReserve: number[];
}

/** [start, end) of one process, page aligned (struct vm_area_struct). */
export interface Vma {
  start: Addr;
  end: Addr;
  /** Bits of VM in mm/mmap.ts. */
  flags: number;
  /** Page offset: for anonymous memory its address >> 12 at creation, for shared memory the page within its object. */
  pgoff: number;
  /** Shared anonymous object, or 0. */
  shm: number;
  /** Inode of the file that it maps, or 0. */
  file: number;
  /** Private memory that was ever written (it has an anon_vma): fork must copy its page tables. */
  anon: boolean;
}

/** Where compaction of a zone stopped, and how long it is put off (struct zone, compact_…). */
export interface Compaction {
  /** Next frame of the migrate scanner, async and sync; next pageblock of the free scanner. */
  migratePfn: [Pfn, Pfn];
  freePfn: Pfn;
  /** Pageblocks where nothing could be isolated, by number. */
  skip: Set<number>;
  considered: number;
  deferShift: number;
  orderFailed: number;
}

export interface Mm {
  /** Whose it is. */
  pid: Pid;
  /** Frame of the page directory. */
  pgd: Pfn;
  /** Sorted by address. */
  vmas: Vma[];
  /** End of user space, and from where areas go downwards. */
  taskSize: Addr;
  mmapBase: Addr;
  /** How it was laid out, by the program that was loaded into it. */
  layout: Layout;
  startBrk: Addr;
  brk: Addr;
  /** Pages in all areas (VSS). */
  totalVm: number;
  hiwaterVm: number;
  hiwaterRss: number;
  /** Resident pages by kind. */
  rssAnon: number;
  rssShmem: number;
  rssFile: number;
  /** An area of it is locked, or was: who maps or unmaps a page asks whether its area is (VM_LOCKED). */
  hasLocked: boolean;
  /** Entries that name a slot of swap. */
  swapEnts: number;
  /** Page tables in frames, the directory among them. */
  tables: number;
  /** Those of them that wait for a huge page to be cut (mm/huge_split.ts). */
  deposits: Pfn[];
  /** Pages of private memory that it was promised; shared objects are promised once, by themselves. */
  committed: number;
}

/** Blocks of a process, by their heads; −1 where there is none (mm/blocks.ts). */
export interface BlockList {
  first: Pfn;
  last: Pfn;
}

export interface Task {
  pid: Pid;
  ppid: Pid;
  comm: string;
  mm: Mm;
  oomScoreAdj: number;
  /** What it may not be lowered under without being root. */
  oomScoreAdjMin: number;
  /** The old scale, −17 to 15: what was written to it, or what the other is worth on it. */
  oomAdj: number;
  /** Tick in which it was born. */
  startTime: number;
  /** What its calls that were granted have cost so far, µs: its CPU time. (A refused call leaves no trace.) */
  cpuUs: number;
  minFlt: number;
  majFlt: number;
  /** Pages of kernel memory that this process owns (alloc_pages). */
  kernelPages: number;
  /** Heads of the kernel blocks that it owns, in order of allocation. */
  kernelBlocks: BlockList;
  /** Bytes of kernel objects that it owns (kmalloc, caches, reserves of pools), and the physical addresses of these, in order. */
  kernelBytes: number;
  objects: Set<number>;
  /** Limits by name; RLIM_INFINITY is 2^53 − 1. `max` bounds what the process itself may set. */
  rlimits: Record<string, { cur: number; max: number }>;
  /** Children that live. */
  children: number;
  /** Frames that it pinned, by the number of the virtual page (pin_user_pages). */
  pins: Map<number, Pfn[]>;
  /** First frames of its runs from cma_alloc. */
  cmaRuns: Set<Pfn>;
  /** Segment registers and local descriptor table; null while they are flat. */
  segments: Segments | null;
  /** What its malloc holds, from the first call on. */
  heap: Heap | null;
  /** Its pools of blocks of one size, by number. */
  pools: Map<number, UserPool>;
  /** Open files by descriptor. */
  files: Map<number, OpenFile>;
  /** Classes whose objects its shared_ptrs own (libc/shared_ptr.ts). */
  classes: readonly SmartClass[];
  /** The accumulator of its first thread. */
  eax: number;
  /** Its other threads; null while it has none. */
  threads: ThreadGroup | null;
}

export interface Machine {
  readonly config: MachineConfig;
  /** Ticks of 100 ms since boot. */
  now: number;
  /** State of the generator (rng.ts). */
  rng: number;
  readonly frames: Frames;
  readonly zones: Zone[];
  readonly tasks: Map<Pid, Task>;
  /** Threads beside the first of their process, by their own number (kernel/thread.ts). */
  readonly threads: Map<Pid, Thread>;
  /** What the detector of data races saw; null on a machine without one. */
  readonly races: Races | null;
  nextPid: Pid;
  /** Pid 1 comes when it is first named, once. */
  initBorn: boolean;
  /** Counters of /proc/vmstat, by VMSTAT's index (mm/vmstat.ts). */
  readonly vmstat: Float64Array;
  /** The kernel's log, oldest first, bounded. */
  readonly kmsg: string[];
  /** Lines ever logged. */
  kmsgLines: number;
  readonly facts: FactRing | null;
  // The rest is private to the kernel's files.
  readonly tables: PageTables;
  readonly rmap: Rmap;
  /** Huge pages by their first frame: how many entries map each as a whole. */
  readonly huge: Map<Pfn, number>;
  cma: Cma | null;
  /** Frames that boot holds at the bottom. */
  bootPages: number;
  readonly vmap: VmapSpace;
  readonly highmem: Highmem;
  readonly iomem: Iomem;
  readonly shm: Map<number, ShmObject>;
  /** Object of each page of shared memory. */
  readonly shmPages: Map<Pfn, number>;
  nextShm: number;
  /** SysV shared memory (ipc/shm.ts). */
  readonly ipc: Ipc;
  /** Bytes of frames that hold something other than zeros, by pfn. */
  readonly contents: Map<Pfn, Uint8Array>;
  /** Caches, slabs, pools (mm/slab_types.ts). */
  readonly slab: SlabState;
  /** Files and their page cache; null on a machine without a disk. */
  readonly disk: Disk | null;
  /** User pages by how recently they were used. */
  readonly lru: Lru;
  /** The area for pages that are pushed out; null on a machine without one. */
  readonly swap: Swap | null;
  /** Which pages each process keeps, where a course's policy decides; else null. */
  readonly replacement: Replacement | null;
  /** Committed_AS: pages promised to all processes and shared objects. */
  committed: number;
  /** Entries into the kernel; saved, not hashed. */
  readonly entry: EntryCounts;
  /** Null until the machine's key or the first `translate` asks for it. */
  tlb: Tlb | null;
  /** What the OOM killer remembers. */
  readonly oom: OomState;
  /** The kernel's last words; null while it runs. */
  panic: Panic | null;
  // Scratch of the call in hand: neither hashed nor saved.
  /** What it has cost so far, µs. */
  cost: number;
  /** Whom the OOM killer took in it, oldest first. */
  kills: Kill[];
}

/** A machine as calls.md, "The machine's configuration", has it; every default filled in. */
export interface MachineConfig {
  frames: number;
  maxFrames: number;
  zones: { dma: number; dma32: number; normal: number; highmem: number };
  reserved: number;
  arch: 'toy16' | 'i386' | 'x86_64';
  /** Tables in a memory of their own, for `translate` only (of toy16: for pid 0, the notes' example); null on a machine that translates by its processes' tables. */
  custom: CustomMmu | null;
  /** Null: 64 entries without ASID, from the first `translate` on. */
  tlb: { entries: number; asid: boolean } | null;
  pageOffset: number;
  /** What follows from `pageOffset`, `zones`, `mem` and `vmalloc`. */
  layout: KernelLayout;
  maxOrder: number;
  pageblockOrder: number;
  mobility: boolean;
  /** Frames for the contiguous memory allocator, 0 for none. */
  cma: number;
  /** Frames that the kernel manages; what lies above belongs to a driver. */
  mem: number;
  /** -1: by formula. */
  minFreeKbytes: number;
  slab: SlabConfig;
  libc: LibcRules;
  /** Data races are told in the answer, or end the process; null: nobody looks. */
  races: 'report' | 'halt' | null;
  disk: FileConfig[];
  /** Slots of a page each, and pages of a swap-in cluster. */
  swap: { slots: number; readahead: number } | null;
  /** Knobs of reclaim and writeback, as sysctl names them under vm. */
  swappiness: number;
  dirtyRatio: number;
  dirtyBackgroundRatio: number;
  /** Hundredths of a second. */
  dirtyExpireCentisecs: number;
  dirtyWritebackCentisecs: number;
  /** Who goes when a process has as many pages as it may; null: as Linux does it. */
  replacement: ReplacementConfig | null;
  overcommit: OvercommitKnobs;
  oom: OomKnobs;
  lmk: LmkKnobs;
  /** Who gets huge pages: a place in THP_ENABLED (mm/huge_memory.ts). */
  thpEnabled: 0 | 1 | 2;
  /** Whose rules hold where kernels differ (spec, tag [K26]). */
  rules: '6.x' | '2.6.32';
  /** Areas that a process may have (vm.max_map_count). */
  maxMapCount: number;
  chargeKernel: boolean;
  root: Pid[];
  costs: Record<string, number>;
  seed: number;
}
