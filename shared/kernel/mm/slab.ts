/**
 * SLAB of 2.6.32, allocation (mm/slab.c; spec §9): an object from the array cache, which is filled in batches from the array that
 * CPUs share, from partial slabs, from empty ones, and at last from a new slab. slab_free.ts has the lists and the way back.
 *
 * A slab: | colour | descriptor | object 0 | object 1 | … | what is left |. Each new slab starts its objects a cache line further in,
 * so that objects of the same number do not fight for the same lines of the CPU's cache. Descriptors of slabs with large objects
 * lie in another cache.
 */
import type { Machine, Pid } from '../types.ts';
import { freePagesBlock } from './page_alloc.ts';
import { arrayLimits, slabBreakOrder, slabLayout } from './slab_geometry.ts';
import { createSlab, createSlabList, hold, objectIndex, objectPhys, popFree, slabAt, slabOf } from './slab_objects.ts';
import { ASKER_KILLED, construct, constructAll, fixFlags, mayFill, NO_CONTENTS, slabGfp, slabPages } from './slab_pages.ts';
import { HOLDER, ON, SLAB, type Cache, type CacheWish, type Sizes, type SlabLists } from './slab_types.ts';
import { allocChecked, initSlabObject, isDebuggedSlab } from './slab_debug.ts';
import { moveSlab, REAP_SLABS_TICKS } from './slab_free.ts';

/** An array that was idle is filled with fewer at once (BATCHREFILL_LIMIT). */
const BATCHREFILL_LIMIT = 16;
const NONE = new Int32Array(0);

/** Sizes and lists of a new cache; null when no slab can hold an object. `id` spreads the times of reaping. */
export function slabCache(machine: Machine, wish: CacheWish, id: number): { sizes: Sizes; lists: SlabLists } | null {
  const { slab: keys, frames, maxOrder } = machine.config;
  const layout = slabLayout({ ...wish, word: keys.word, cacheLine: keys.cacheLine, breakOrder: slabBreakOrder(frames), maxOrder });
  if (layout === null) return null;
  const { size, align, flags, offset, inuse, order, objects, descriptorSize, leftOver } = layout;
  const { limit, batchcount, shared } = arrayLimits(size, keys.cpus);
  const colourOff = Math.max(keys.cacheLine, align);
  return {
    sizes: { flags, size, align, offset, inuse, order, objects, minOrder: order },
    lists: {
      full: createSlabList(),
      partial: createSlabList(),
      empty: createSlabList(),
      freeObjects: 0,
      freeLimit: (1 + keys.cpus) * batchcount + objects,
      freeTouched: false,
      nextReap: machine.now + REAP_SLABS_TICKS + ((id * 7) % REAP_SLABS_TICKS),
      colours: Math.floor(leftOver / colourOff),
      colourOff,
      colourNext: 0,
      descriptorSize,
      descriptorCache: -1,
      limit,
      batchcount,
      shared,
      entry: NONE,
      avail: 0,
      touched: false,
      sharedEntry: NONE,
      sharedAvail: 0,
      sharedTouched: false,
    },
  };
}

/** Physical address of an object, or why there is none (____cache_alloc). */
export function slabAlloc(machine: Machine, cache: Cache, gfp: number, pid: Pid): number {
  const lists = cache.slab!;
  if (lists.avail > 0) lists.touched = true;
  else {
    const failed = refill(machine, cache, gfp, pid);
    if (failed < 0) return failed;
  }
  lists.avail -= 1;
  const phys = lists.entry[lists.avail]!;
  if (isDebuggedSlab(cache)) {
    allocChecked(machine, cache, phys);
    if (cache.ctor && cache.flags & SLAB.poison) construct(machine, cache, phys);
  }
  return phys;
}

/** Fills the empty array; 0, or why nothing was to be had (cache_alloc_refill). */
function refill(machine: Machine, cache: Cache, gfp: number, pid: Pid): number {
  const lists = cache.slab!;
  for (;;) {
    const batch = lists.touched ? lists.batchcount : Math.min(lists.batchcount, BATCHREFILL_LIMIT);
    if (!transferShared(lists, batch)) takeFromSlabs(machine, cache, batch);
    if (lists.avail > 0) break;
    const failed = cacheGrow(machine, cache, gfp, pid);
    // The OOM killer's victim may have left objects in the array; they are no use to a caller that was the victim.
    if (failed === ASKER_KILLED || (failed < 0 && lists.avail === 0)) return failed;
    if (lists.avail > 0) break;
  }
  lists.touched = true;
  return 0;
}

/** A batch from the array that CPUs share (transfer_objects). */
function transferShared(lists: SlabLists, batch: number): boolean {
  const count = Math.min(lists.sharedAvail, batch, lists.limit - lists.avail);
  if (count === 0) return false;
  lists.entry.set(lists.sharedEntry.subarray(lists.sharedAvail - count, lists.sharedAvail), lists.avail);
  lists.sharedAvail -= count;
  lists.avail += count;
  lists.sharedTouched = true;
  return true;
}

/** Partial slabs first, then empty ones, until the batch is complete. */
function takeFromSlabs(machine: Machine, cache: Cache, batch: number): void {
  const lists = cache.slab!;
  let wanted = batch;
  while (wanted > 0) {
    let pfn = lists.partial.head;
    if (pfn < 0) {
      pfn = lists.empty.head;
      if (pfn < 0) return;
      lists.freeTouched = true;
    }
    const slab = slabOf(machine, pfn);
    for (; slab.free >= 0 && wanted > 0; wanted--) {
      lists.entry[lists.avail] = objectPhys(cache, slab, popFree(slab));
      lists.avail += 1;
      lists.freeObjects -= 1;
    }
    moveSlab(machine, cache, slab, slab.free < 0 ? ON.full : ON.partial, false);
  }
}

/** A new slab, last in the list of empty ones; 0, or why there is none (cache_grow). */
function cacheGrow(machine: Machine, cache: Cache, callers: number, pid: Pid): number {
  const lists = cache.slab!;
  const gfp = slabGfp(cache, fixFlags(machine, callers));
  const colour = lists.colourNext;
  const pfn = slabPages(machine, cache.order, gfp, pid);
  if (pfn < 0) return pfn;
  if (!mayFill(machine, cache, pfn, cache.order)) return NO_CONTENTS;
  let descriptor = -1;
  if (lists.descriptorCache >= 0) {
    descriptor = allocDescriptor(machine, lists.descriptorCache, lists.descriptorSize, callers, pid);
    if (descriptor < 0) {
      freePagesBlock(machine, pfn, cache.order);
      return descriptor;
    }
  }
  lists.colourNext = colour + 1 >= lists.colours ? 0 : colour + 1;
  const start = colour * lists.colourOff + (descriptor < 0 ? lists.descriptorSize : 0);
  const slab = createSlab(machine, cache, pfn, cache.order, cache.objects, start);
  slab.descriptor = descriptor;
  if (lists.entry.length === 0) {
    lists.entry = new Int32Array(lists.limit);
    lists.sharedEntry = new Int32Array(lists.shared * lists.batchcount);
  }
  if (isDebuggedSlab(cache))
    for (let index = 0; index < slab.objects; index++) initSlabObject(machine, cache, objectPhys(cache, slab, index));
  if ((cache.flags & SLAB.poison) === 0) constructAll(machine, cache, slab);
  moveSlab(machine, cache, slab, ON.free, true);
  lists.freeObjects += slab.objects;
  return 0;
}

/** An object for the allocator itself (alloc_slabmgmt, kmem_cache_create); or why there is none. */
export function allocDescriptor(machine: Machine, from: number, size: number, gfp: number, pid: Pid): number {
  const cache = machine.slab.caches.get(from)!;
  const phys = slabAlloc(machine, cache, gfp, pid);
  if (phys < 0) return phys;
  const slab = slabAt(machine, phys)!;
  hold(machine, cache, slab, objectIndex(cache, slab, phys), HOLDER.allocator, size);
  return phys;
}
