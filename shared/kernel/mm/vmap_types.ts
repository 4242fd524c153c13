/** State of the kernel's virtual space: its layout, areas, mappings of high memory, claimed physical addresses. */
import type { Addr, Pfn, Pid } from '../types.ts';

/** The kernel's part of the address space (arch/layout.ts), fixed at boot; addresses in bytes. */
export interface KernelLayout {
  /** Where the direct map starts. */
  pageOffset: Addr;
  /** Frames below this one have an address in the direct map (max_low_pfn), those that memory hot-plug may add among them. */
  maxLowPfn: Pfn;
  /** One past the direct map. */
  highMemory: Addr;
  vmallocStart: Addr;
  vmallocEnd: Addr;
  pkmapBase: Addr;
  fixaddrStart: Addr;
}

/** An area of the kernel's virtual space (struct vmap_area with its vm_struct). */
export interface VmapArea {
  start: Addr;
  /** Bytes, the guard page at its end included. */
  size: number;
  kind: 'vmalloc' | 'ioremap';
  /** ioremap: the physical address of its first page. */
  phys: number;
  pid: Pid;
  /** vmalloc: its frames in order. */
  frames: Pfn[];
  /** vmalloc: bytes that were asked for. */
  asked: number;
  /** Given back, its addresses not yet. */
  freed: boolean;
}

/** The space of vmalloc and ioremap (mm/vmap_area.ts). */
export interface VmapSpace {
  /** Sorted by address, lazily freed ones among them. */
  areas: VmapArea[];
  /** Pages of lazily freed areas; of all others, with their guard pages. */
  lazyPages: number;
  usedPages: number;
  /** Start of each process's areas, in order of allocation. */
  owned: Map<Pid, Set<Addr>>;
  /** No hole below `addr` is larger than `hole` bytes. */
  hint: { addr: Addr; hole: number };
}

/** The slots of kmap and kmap_atomic (mm/highmem.ts). */
export interface Highmem {
  /** By slot: 0 free, 1 unused but not flushed, n + 1 with n users; and the frame it maps, -1 when free. Empty before the first use. */
  counts: Int32Array;
  pfns: Int32Array;
  /** The slot taken last, and how many have users. */
  last: number;
  busy: number;
  slotOf: Map<Pfn, number>;
  /** How often each process has each frame mapped. */
  users: Map<Pid, Map<Pfn, number>>;
  /** Frames in the slots of kmap_atomic, the newest last. */
  atomic: Map<Pid, Pfn[]>;
}

/** Physical addresses [start, end] in bytes that somebody claimed (struct resource). */
export interface Region {
  start: number;
  end: number;
  pid: Pid;
}

export interface Iomem {
  /** Sorted by address. */
  regions: Region[];
  /** How many each process has. */
  owned: Map<Pid, number>;
}
