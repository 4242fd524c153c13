/**
 * SLUB, allocation (mm/slub.c; spec §10): an object from the slab of the CPU; else another slab from the CPU's partial list,
 * from the node's, or fresh from the buddy. slub_free.ts has the lists and the way back.
 */
import { GFP_BIT } from '../gfp.ts';
import type { Machine, Pid } from '../types.ts';
import { getOrder } from './slab_bytes.ts';
import { alignUp, calculateAlignment, calculateOrder, calculateOrder26, slubLayout, slubLimits, slubLimits26 } from './slab_geometry.ts';
import { addSlab, createSlab, createSlabList, delSlab, objectPhys, popFree, slabOf } from './slab_objects.ts';
import { constructAll, CORRUPT, fixFlags, mayFill, NO_CONTENTS, slabGfp, slabPages } from './slab_pages.ts';
import { NO_CPU_PARTIAL, ON, SLAB, type Cache, type CacheWish, type Sizes, type Slab, type SlubLists } from './slab_types.ts';
import { allocDebug, isDebugged, setupSlabDebug } from './slub_debug.ts';
import { deactivateSlab, putCpuPartial } from './slub_free.ts';

const RECLAIM = GFP_BIT.__GFP_DIRECT_RECLAIM | GFP_BIT.__GFP_KSWAPD_RECLAIM;

/** Alignment and size that a request for a cache comes to, before debugging adds to it: what merging compares. */
export function mergeSize(machine: Machine, wish: CacheWish): { size: number; align: number } {
  const { cacheLine, word } = machine.config.slab;
  const align = calculateAlignment(wish.flags, wish.align, wish.objectSize, cacheLine, word);
  return { size: alignUp(alignUp(wish.objectSize, word), align), align };
}

/** Sizes and lists of a new cache; null when no slab can hold an object. */
export function slubCache(machine: Machine, wish: CacheWish): { sizes: Sizes; lists: SlubLists } | null {
  const { slab, maxOrder, rules } = machine.config;
  const is26 = rules === '2.6.32';
  const { align } = mergeSize(machine, wish);
  const layout = slubLayout({ ...wish, align, word: slab.word });
  const { size, flags, offset, inuse, freePointer } = layout;
  const order = (is26 ? calculateOrder26 : calculateOrder)(size, slab.cpus, maxOrder);
  if (order < 0) return null;
  const objects = Math.floor((4096 << order) / size);
  const { minPartial, cpuPartial } = slubLimits(size);
  const isChecked = (flags & (SLAB.poison | SLAB.redZone)) !== 0;
  return {
    sizes: { flags, size, align, offset, inuse, order, objects, minOrder: getOrder(size) },
    lists: {
      cpuSlab: -1,
      cpuPartial: -1,
      partial: createSlabList(),
      minPartial: is26 ? slubLimits26(size) : minPartial,
      cpuPartialSlabs: is26 ? NO_CPU_PARTIAL : isChecked ? 0 : Math.ceil((cpuPartial * 2) / objects),
      freePointer,
    },
  };
}

/** Physical address of an object, or why there is none (slab_alloc_node). `asked` are the bytes that its holder wants. */
export function slubAlloc(machine: Machine, cache: Cache, gfp: number, pid: Pid, asked: number): number {
  if (isDebugged(cache)) return allocDebugged(machine, cache, gfp, pid, asked);
  const { cpuSlab } = cache.slub!;
  if (cpuSlab >= 0) {
    const slab = slabOf(machine, cpuSlab);
    if (slab.free >= 0) return objectPhys(cache, slab, popFree(slab));
  }
  return slowAlloc(machine, cache, gfp, pid);
}

/** The CPU's slab is full, or there is none (___slab_alloc). It is full no more if the OOM killer's victim had objects in it. */
function slowAlloc(machine: Machine, cache: Cache, gfp: number, pid: Pid): number {
  const lists = cache.slub!;
  let slab: Slab | number | null = takeCpuPartial(machine, cache) ?? getPartial(machine, cache);
  if (slab === null) {
    slab = newSlab(machine, cache, gfp, pid);
    if (typeof slab === 'number') return slab;
  }
  deactivateSlab(machine, cache);
  slab.on = ON.cpu;
  lists.cpuSlab = slab.pfn;
  return objectPhys(cache, slab, popFree(slab));
}

/** The newest slab of the CPU's partial list. */
function takeCpuPartial(machine: Machine, cache: Cache): Slab | null {
  const lists = cache.slub!;
  if (lists.cpuPartial < 0) return null;
  const slab = slabOf(machine, lists.cpuPartial);
  lists.cpuPartial = slab.next;
  slab.next = -1;
  slab.behind = 0;
  return slab;
}

/** The first slab of the node's partial list; the CPU's partial list gets more than half of what it may hold from there too (get_partial_node). */
function getPartial(machine: Machine, cache: Cache): Slab | null {
  const { partial, cpuPartialSlabs } = cache.slub!;
  if (partial.head < 0) return null;
  const first = slabOf(machine, partial.head);
  delSlab(machine, partial, first);
  for (let taken = 0; partial.head >= 0 && taken <= cpuPartialSlabs >> 1; taken++) {
    const slab = slabOf(machine, partial.head);
    delSlab(machine, partial, slab);
    putCpuPartial(machine, cache, slab, false);
  }
  return first;
}

/** A slab from the buddy: of the best order if that is easily had, else of the smallest that holds an object (allocate_slab). */
function newSlab(machine: Machine, cache: Cache, callers: number, pid: Pid): Slab | number {
  const gfp = slabGfp(cache, fixFlags(machine, callers));
  let { order } = cache;
  let pfn = -1;
  if (order > cache.minOrder) {
    const mild = (gfp | GFP_BIT.__GFP_NOWARN | GFP_BIT.__GFP_NORETRY) & ~GFP_BIT.__GFP_NOFAIL;
    const canWait = (gfp & GFP_BIT.__GFP_DIRECT_RECLAIM) !== 0;
    pfn = slabPages(machine, order, canWait ? (mild | GFP_BIT.__GFP_NOMEMALLOC) & ~RECLAIM : mild, pid);
  }
  if (pfn < 0) {
    order = cache.minOrder;
    pfn = slabPages(machine, order, gfp, pid);
  }
  if (pfn < 0) return pfn;
  if (!mayFill(machine, cache, pfn, order)) return NO_CONTENTS;
  const slab = createSlab(machine, cache, pfn, order, Math.floor((4096 << order) / cache.size), 0);
  if (isDebugged(cache)) setupSlabDebug(machine, cache, slab);
  constructAll(machine, cache, slab);
  return slab;
}

/** With debugging each object comes straight from the node's partial list, after a look at it (alloc_single_from_partial). */
function allocDebugged(machine: Machine, cache: Cache, gfp: number, pid: Pid, asked: number): number {
  const { partial } = cache.slub!;
  for (let pfn = partial.head; pfn >= 0; pfn = partial.head) {
    const slab = slabOf(machine, pfn);
    const phys = takeChecked(machine, cache, slab, asked);
    if (slab.free < 0) delSlab(machine, partial, slab);
    if (phys !== CORRUPT) return phys;
  }
  const slab = newSlab(machine, cache, gfp, pid);
  if (typeof slab === 'number') return slab;
  const phys = takeChecked(machine, cache, slab, asked);
  if (slab.free >= 0) addSlab(machine, partial, slab, ON.partial, false);
  return phys;
}

/** The first object of a slab, or CORRUPT when it was written to while free: then the slab has no free ones any more. */
function takeChecked(machine: Machine, cache: Cache, slab: Slab, asked: number): number {
  const index = popFree(slab);
  return allocDebug(machine, cache, slab, index, asked) ? objectPhys(cache, slab, index) : CORRUPT;
}
