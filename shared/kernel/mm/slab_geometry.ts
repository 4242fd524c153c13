/**
 * How large an object is with all that it needs around it, and how many go into a slab of which order. Arithmetic only: of SLUB
 * (mm/slub.c of 6.x and of 2.6.32) and of SLAB (mm/slab.c of 2.6.32). All sizes are bytes.
 */
import { PAGE_SIZE } from '../types.ts';
import { getOrder } from './slab_bytes.ts';
import { SLAB } from './slab_types.ts';

const SLUB_MAX_ORDER = 3;
/** Objects of a slab are counted in 15 bits. */
const MAX_OBJS_PER_PAGE = 32767;

/** `size` rounded up to a multiple of `to`, a power of two. */
export function alignUp(size: number, to: number): number {
  return Math.ceil(size / to) * to;
}

/** Number of the highest bit, counted from 1; 0 for 0 (fls). */
export function fls(n: number): number {
  return 32 - Math.clz32(n);
}

/** With SLAB_HWCACHE_ALIGN a cache line, or as much of one as a small object needs; the caller's wish when larger (calculate_alignment). */
export function calculateAlignment(flags: number, align: number, size: number, cacheLine: number, word: number): number {
  let wanted = word;
  if (flags & SLAB.hwcacheAlign) {
    wanted = cacheLine;
    while (size <= wanted / 2) wanted /= 2;
  }
  return alignUp(Math.max(align, wanted), word);
}

/** Objects that a slab should hold at least, by number of CPUs. */
export function minObjects(cpus: number): number {
  return 4 * (fls(cpus) + 1);
}

/** The smallest order that wastes no more than the fraction, or one too many (calc_slab_order). */
function calcSlabOrder(size: number, minOrder: number, maxOrder: number, fraction: number): number {
  let order = minOrder;
  while (order <= maxOrder && (PAGE_SIZE << order) % size > Math.floor((PAGE_SIZE << order) / fraction)) order += 1;
  return order;
}

/** Order of a SLUB slab; −1 when no slab can hold the object (calculate_order, 6.x). */
export function calculateOrder(size: number, cpus: number, maxOrder: number): number {
  const top = Math.min(SLUB_MAX_ORDER, maxOrder);
  const wanted = Math.min(minObjects(cpus), Math.max(1, Math.floor((PAGE_SIZE << top) / size)));
  const low = getOrder(wanted * size);
  if (Math.floor((PAGE_SIZE << low) / size) > MAX_OBJS_PER_PAGE) return getOrder(size * MAX_OBJS_PER_PAGE) - 1;
  for (let fraction = 16; fraction > 1; fraction >>= 1) {
    const order = calcSlabOrder(size, low, top, fraction);
    if (order <= top) return order;
  }
  const order = getOrder(size);
  return order <= maxOrder ? order : -1;
}

/** The same in 2.6.32: fewer objects are tried before more waste is. */
export function calculateOrder26(size: number, cpus: number, maxOrder: number): number {
  const top = Math.min(SLUB_MAX_ORDER, maxOrder);
  let wanted = Math.min(minObjects(cpus), Math.floor((PAGE_SIZE << top) / size));
  for (; wanted > 1; wanted--) {
    for (let fraction = 16; fraction >= 4; fraction >>= 1) {
      const order = calcSlabOrder(size, getOrder(wanted * size), top, fraction);
      if (order <= top) return order;
    }
  }
  const order = getOrder(size);
  return order <= maxOrder ? order : -1;
}

/** Slabs that 2.6.32 keeps though empty when a CPU lets go of them; it keeps none at the CPU (kmem_cache_open). */
export function slubLimits26(size: number): number {
  return Math.min(Math.max(fls(size) - 1, 5), 10);
}

/** min_partial and cpu_partial: slabs that are kept though empty, and free objects that the CPU may keep (set_min_partial, set_cpu_partial). */
export function slubLimits(size: number): { minPartial: number; cpuPartial: number } {
  const minPartial = Math.min(Math.max((fls(size) - 1) >> 1, 5), 10);
  return { minPartial, cpuPartial: size >= PAGE_SIZE ? 6 : size >= 1024 ? 24 : size >= 256 ? 52 : 120 };
}

export interface Wish {
  objectSize: number;
  /** Already by calculateAlignment. */
  align: number;
  flags: number;
  ctor: boolean;
  word: number;
}

export interface ObjectLayout {
  size: number;
  /** Left red zone. */
  offset: number;
  inuse: number;
  freePointer: number;
  flags: number;
}

/** The place of one object: itself, red zones, the pointer to the next free one where it may not lie inside (calculate_sizes). */
export function slubLayout({ objectSize, align, flags: asked, ctor, word }: Wish): ObjectLayout {
  const isPoisoned = (asked & SLAB.poison) !== 0;
  const hasRedZone = (asked & SLAB.redZone) !== 0;
  let size = alignUp(objectSize, word);
  if (hasRedZone && size === objectSize) size += word;
  const inuse = size;
  let freePointer = Math.floor(objectSize / 2 / word) * word;
  if (isPoisoned || ctor || (hasRedZone && (objectSize < word || asked & SLAB.kmalloc))) {
    freePointer = size;
    size += word;
  }
  const offset = hasRedZone ? alignUp(word, align) : 0;
  if (hasRedZone) size += word + offset;
  return { size: alignUp(size, align), offset, inuse, freePointer, flags: isPoisoned && !ctor ? asked | SLAB.objectPoison : asked };
}

// SLAB of 2.6.32.

/** struct slab and kmem_bufctl_t, by the bytes of a word. */
const descriptorHead = (word: number): number => (word === 8 ? 48 : 28);
const BUFCTL = 4;
const REDZONE = 8;

export interface SlabLayout extends ObjectLayout {
  align: number;
  order: number;
  objects: number;
  /** Bytes of a slab's descriptor, with its chain of free objects. */
  descriptorSize: number;
  leftOver: number;
}

interface Fit {
  objects: number;
  leftOver: number;
}

/** How many objects fit, and what is left over (cache_estimate). */
function cacheEstimate(order: number, size: number, align: number, isOffSlab: boolean, word: number): Fit {
  const bytes = PAGE_SIZE << order;
  if (isOffSlab) return { objects: Math.floor(bytes / size), leftOver: bytes % size };
  const descriptor = (objects: number) => alignUp(descriptorHead(word) + objects * BUFCTL, align);
  let objects = Math.max(0, Math.floor((bytes - descriptorHead(word)) / (size + BUFCTL)));
  if (objects > 0 && descriptor(objects) + objects * size > bytes) objects -= 1;
  return { objects, leftOver: bytes - objects * size - descriptor(objects) };
}

/** Order and objects of a slab; null when no slab can hold one (calculate_slab_order). */
function calculateSlabOrder(
  size: number,
  align: number,
  flags: number,
  breakOrder: number,
  maxOrder: number,
  word: number,
): (Fit & { order: number }) | null {
  const isOffSlab = (flags & SLAB.offSlab) !== 0;
  let best: (Fit & { order: number }) | null = null;
  for (let order = 0; order <= maxOrder; order++) {
    const fit = cacheEstimate(order, size, align, isOffSlab, word);
    if (fit.objects === 0) continue;
    if (isOffSlab && fit.objects > Math.floor((size - descriptorHead(word)) / BUFCTL)) break;
    best = { ...fit, order };
    if (flags & SLAB.reclaimAccount || order >= breakOrder || fit.leftOver * 8 <= PAGE_SIZE << order) break;
  }
  return best;
}

/** Is memory large enough to use slabs of two pages (slab_break_gfp_order): more than 32 MiB? */
export function slabBreakOrder(frames: number): number {
  return frames > 8192 ? 1 : 0;
}

export interface SlabWish extends Wish {
  cacheLine: number;
  breakOrder: number;
  maxOrder: number;
}

/** A cache of SLAB (kmem_cache_create); null when no slab can hold an object. `align` is the caller's, 0 for none. */
export function slabLayout(wish: SlabWish): SlabLayout | null {
  const { word, cacheLine } = wish;
  let { flags } = wish;
  let size = alignUp(wish.objectSize, word);
  let align = flags & SLAB.hwcacheAlign ? calculateAlignment(flags, 0, size, cacheLine, word) : word;
  if (flags & SLAB.redZone) {
    align = REDZONE;
    size = alignUp(size, REDZONE);
  }
  align = Math.max(align, wish.align);
  if (align > REDZONE) flags &= ~SLAB.redZone;
  const inuse = size;
  const offset = flags & SLAB.redZone ? REDZONE : 0;
  size += 2 * offset;
  if (size >= PAGE_SIZE >> 3) flags |= SLAB.offSlab;
  size = alignUp(size, align);
  const fit = calculateSlabOrder(size, align, flags, wish.breakOrder, wish.maxOrder, word);
  if (fit === null) return null;
  let descriptorSize = alignUp(descriptorHead(word) + fit.objects * BUFCTL, align);
  let { leftOver } = fit;
  if (flags & SLAB.offSlab && leftOver >= descriptorSize) {
    flags &= ~SLAB.offSlab;
    leftOver -= descriptorSize;
  }
  if (flags & SLAB.offSlab) descriptorSize = descriptorHead(word) + fit.objects * BUFCTL;
  return { size, align, offset, inuse, freePointer: -1, flags, order: fit.order, objects: fit.objects, descriptorSize, leftOver };
}

/** Free objects that a CPU may keep at hand (enable_cpucache), and batches in the array that CPUs share. */
export function arrayLimits(size: number, cpus: number): { limit: number; batchcount: number; shared: number } {
  const limit = size > 131072 ? 1 : size > PAGE_SIZE ? 8 : size > 1024 ? 24 : size > 256 ? 54 : 120;
  return { limit, batchcount: (limit + 1) >> 1, shared: size <= PAGE_SIZE && cpus > 1 ? 8 : 0 };
}
