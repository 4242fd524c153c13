/**
 * SLAB of 2.6.32 (mm/slab.c; spec §9): lists of full, partial and empty slabs, objects coming back, and slabs going.
 *
 * An object that comes back lands in the array cache, where the next allocation finds it, still warm. Only when the array is full
 * do the oldest of it return to their slabs; only then can a slab become empty. Empty slabs are kept up to a limit and reaped
 * every few seconds when nobody used them.
 */
import type { Machine } from '../types.ts';
import { addSlab, cacheOf, delSlab, destroySlab, objectIndex, objectPhys, pushFree, release, slabAt, slabOf } from './slab_objects.ts';
import { freeChecked, isDebuggedSlab } from './slab_debug.ts';
import { ON, type Cache, type Slab, type SlabList, type SlabLists } from './slab_types.ts';

/** Ticks between reapings of arrays (REAPTIMEOUT_CPUC) and of a cache's empty slabs (REAPTIMEOUT_LIST3): 2 s and 4 s. */
const REAP_ARRAYS_TICKS = 20;
export const REAP_SLABS_TICKS = 40;
/** The first reaping comes a second after boot. */
const REAP_FIRST_TICK = 10;

/** The list that a slab is on. */
function listOf(lists: SlabLists, slab: Slab): SlabList {
  return slab.on === ON.full ? lists.full : slab.on === ON.partial ? lists.partial : lists.empty;
}

/** Moves a slab to where its number of free objects says: partial first or last, full, empty. */
export function moveSlab(machine: Machine, cache: Cache, slab: Slab, on: number, toTail: boolean): void {
  const lists = cache.slab!;
  if (slab.on !== ON.none) delSlab(machine, listOf(lists, slab), slab);
  addSlab(machine, on === ON.full ? lists.full : on === ON.partial ? lists.partial : lists.empty, slab, on, toTail);
}

/** The frames of an empty slab go back, and its descriptor to the cache that it came from (slab_destroy). */
function slabDestroy(machine: Machine, cache: Cache, slab: Slab): void {
  const lists = cache.slab!;
  delSlab(machine, listOf(lists, slab), slab);
  lists.freeObjects -= slab.objects;
  const { descriptor } = slab;
  destroySlab(machine, cache, slab);
  if (descriptor >= 0) freeDescriptor(machine, descriptor);
}

/** The descriptor of a slab or of a cache goes back. */
export function freeDescriptor(machine: Machine, phys: number): void {
  const slab = slabAt(machine, phys)!;
  const cache = cacheOf(machine, slab);
  const index = objectIndex(cache, slab, phys);
  release(machine, cache, slab, index);
  slabFree(machine, cache, slab, index);
}

/** The first `count` objects of an array return to their slabs (free_block). */
function freeBlock(machine: Machine, cache: Cache, entry: Int32Array, count: number): void {
  const lists = cache.slab!;
  for (let i = 0; i < count; i++) {
    const slab = slabAt(machine, entry[i]!)!;
    pushFree(slab, objectIndex(cache, slab, entry[i]!));
    lists.freeObjects += 1;
    if (slab.inuse > 0) moveSlab(machine, cache, slab, ON.partial, true);
    else {
      moveSlab(machine, cache, slab, ON.free, false);
      if (lists.freeObjects > lists.freeLimit) slabDestroy(machine, cache, slab);
    }
  }
}

/** The array is full: a batch of the oldest goes to the array that CPUs share, or home (cache_flusharray). */
function flushArray(machine: Machine, cache: Cache): void {
  const lists = cache.slab!;
  let batch = lists.batchcount;
  const room = lists.sharedEntry.length - lists.sharedAvail;
  if (room > 0) {
    batch = Math.min(batch, room);
    lists.sharedEntry.set(lists.entry.subarray(0, batch), lists.sharedAvail);
    lists.sharedAvail += batch;
  } else freeBlock(machine, cache, lists.entry, batch);
  lists.avail -= batch;
  lists.entry.copyWithin(0, batch, batch + lists.avail);
}

/** An object that nobody holds any more (__cache_free). */
export function slabFree(machine: Machine, cache: Cache, slab: Slab, index: number): void {
  const lists = cache.slab!;
  const phys = objectPhys(cache, slab, index);
  if (isDebuggedSlab(cache)) freeChecked(machine, cache, phys);
  if (lists.avail >= lists.limit) flushArray(machine, cache);
  lists.entry[lists.avail] = phys;
  lists.avail += 1;
}

/** A fifth of an array that nobody used since the last time goes home (drain_array). */
function drainArray(machine: Machine, cache: Cache, shared: boolean): void {
  const lists = cache.slab!;
  const avail = shared ? lists.sharedAvail : lists.avail;
  const wasTouched = shared ? lists.sharedTouched : lists.touched;
  if (avail === 0) return;
  if (wasTouched) {
    if (shared) lists.sharedTouched = false;
    else lists.touched = false;
    return;
  }
  const entry = shared ? lists.sharedEntry : lists.entry;
  const fifth = Math.floor(((shared ? entry.length : lists.limit) + 4) / 5);
  const count = fifth > avail ? (avail + 1) >> 1 : fifth;
  freeBlock(machine, cache, entry, count);
  entry.copyWithin(0, count, avail);
  if (shared) lists.sharedAvail -= count;
  else lists.avail -= count;
}

/** Gives back up to `count` empty slabs, the oldest first (drain_freelist). */
function drainFreelist(machine: Machine, cache: Cache, count: number): void {
  const { empty } = cache.slab!;
  for (let n = 0; n < count && empty.tail >= 0; n++) slabDestroy(machine, cache, slabOf(machine, empty.tail));
}

/** Arrays and empty slabs that nobody needed lately, cache by cache (cache_reap). */
export function cacheReap(machine: Machine): void {
  for (const id of machine.slab.chain) {
    const cache = machine.slab.caches.get(id)!;
    const lists = cache.slab!;
    drainArray(machine, cache, false);
    if (lists.nextReap > machine.now) continue;
    lists.nextReap = machine.now + REAP_SLABS_TICKS;
    drainArray(machine, cache, true);
    if (lists.freeTouched) lists.freeTouched = false;
    else drainFreelist(machine, cache, Math.floor((lists.freeLimit + 5 * cache.objects - 1) / (5 * cache.objects)));
  }
}

/** The timer of cache_reap: the work of one tick. */
export function slabTick(machine: Machine): void {
  if (machine.config.slab.allocator === 'slab' && machine.now % REAP_ARRAYS_TICKS === REAP_FIRST_TICK) cacheReap(machine);
}

/** Empties both arrays and gives back all empty slabs; true when none is left in use (__cache_shrink). */
export function slabShrink(machine: Machine, cache: Cache): boolean {
  const lists = cache.slab!;
  freeBlock(machine, cache, lists.entry, lists.avail);
  lists.avail = 0;
  freeBlock(machine, cache, lists.sharedEntry, lists.sharedAvail);
  lists.sharedAvail = 0;
  drainFreelist(machine, cache, lists.empty.length);
  return lists.full.length === 0 && lists.partial.length === 0;
}
