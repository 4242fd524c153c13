/**
 * Memory pools (mm/mempool.c; spec §8): a reserve of elements for those who must go on, a driver that writes pages out to get
 * memory. The reserve is the second resort, not the first: as long as the allocator has memory, elements come from there.
 */
import { GFP_BIT, GFP_KERNEL } from '../gfp.ts';
import { PG, type Machine, type Pid } from '../types.ts';
import { addBlock, delBlock } from './blocks.ts';
import { physOf, pfnOf } from './slab_bytes.ts';
import { allocObject } from './slab_common.ts';
import { cacheOf, hold, objectIndex, ownPages, release, slabAt } from './slab_objects.ts';
import { NO_PAGES, slabPages, WOULD_SLEEP } from './slab_pages.ts';
import { destroyPool, freeElement, freeObject } from './slab_release.ts';
import { HOLDER, type Mempool } from './slab_types.ts';

/** Pools that a machine may have. */
export const POOLS_MAX = 1024;

/** Elements have an address, and are as the last user left them. */
const NOT_FOR_POOL = GFP_BIT.__GFP_HIGHMEM | GFP_BIT.__GFP_DMA32 | GFP_BIT.__GFP_ZERO | GFP_BIT.__GFP_NOFAIL;
const HARD = GFP_BIT.__GFP_NOMEMALLOC | GFP_BIT.__GFP_NORETRY | GFP_BIT.__GFP_NOWARN;

/** An element from the pool's allocator for `pid`: its physical address, or why there is none. */
function newElement(machine: Machine, pool: Mempool, gfp: number, pid: Pid): number {
  if (pool.cache >= 0) {
    const cache = machine.slab.caches.get(pool.cache);
    if (cache === undefined) return NO_PAGES;
    return allocObject(machine, cache, gfp, pid, cache.objectSize);
  }
  const pfn = slabPages(machine, pool.order, gfp, pid);
  if (pfn < 0) return pfn;
  givePages(machine, pool, physOf(pfn), pid);
  return physOf(pfn);
}

/** Pages become those of a process, as alloc_pages gives them. */
function givePages(machine: Machine, pool: Mempool, phys: number, pid: Pid): void {
  const pfn = pfnOf(phys);
  machine.frames.flags[pfn] = PG.head | PG.kernel;
  ownPages(machine, pfn, pool.order, pid);
  const holder = machine.tasks.get(pid);
  if (holder) addBlock(machine.frames, holder.kernelBlocks, pfn);
}

/** Pages that a process returns are the pool's owner's; the flags of the allocators' own keep free_pages away from them. */
function takePages(machine: Machine, pool: Mempool, phys: number): void {
  const { frames, tasks } = machine;
  const pfn = pfnOf(phys);
  const holder = tasks.get(frames.owner[pfn]!);
  if (holder) delBlock(frames, holder.kernelBlocks, pfn);
  frames.flags[pfn] = PG.head | PG.slab;
  ownPages(machine, pfn, pool.order, pool.owner);
}

/** An element goes into the reserve: from its holder to the pool, and so is its charge (add_element). */
function addElement(machine: Machine, id: number, phys: number): void {
  const pool = machine.slab.pools.get(id)!;
  if (pool.cache < 0) takePages(machine, pool, phys);
  else setHolder(machine, phys, HOLDER.pool - id);
  pool.elements.push(phys);
  const owner = machine.tasks.get(pool.owner);
  if (owner) owner.kernelBytes += pool.bytes;
}

/** The newest element of the reserve goes to a process (remove_element). */
function removeElement(machine: Machine, pool: Mempool, pid: Pid): number {
  const phys = pool.elements.pop()!;
  if (pool.cache < 0) givePages(machine, pool, phys, pid);
  else setHolder(machine, phys, pid);
  const owner = machine.tasks.get(pool.owner);
  if (owner) owner.kernelBytes -= pool.bytes;
  return phys;
}

function setHolder(machine: Machine, phys: number, holder: number): void {
  const slab = slabAt(machine, phys)!;
  const cache = cacheOf(machine, slab);
  const index = objectIndex(cache, slab, phys);
  release(machine, cache, slab, index);
  hold(machine, cache, slab, index, holder, cache.objectSize);
}

/** A pool with its reserve filled, or why there is none: then what was taken is free again (mempool_create). `handle` 0: of pages. */
export function mempoolCreate(machine: Machine, pid: Pid, minNr: number, handle: number, order: number): number {
  const { slab } = machine;
  const id = slab.nextPool;
  const cache = handle > 0 ? slab.handles.get(handle)!.cache : -1;
  const bytes = cache < 0 ? 0 : slab.caches.get(cache)!.size;
  const pool: Mempool = { minNr, handle, cache, order, owner: pid, bytes, elements: [] };
  slab.nextPool += 1;
  slab.pools.set(id, pool);
  while (pool.elements.length < minNr) {
    const phys = newElement(machine, pool, GFP_KERNEL, pid);
    if (phys >= 0) {
      addElement(machine, id, phys);
      continue;
    }
    // A creator that was killed took its pool along.
    if (slab.pools.has(id)) destroyPool(machine, id);
    slab.nextPool = id;
    return phys;
  }
  return id;
}

/**
 * The allocator without waiting, then the reserve, then the allocator with all that the caller may do (mempool_alloc). Physical
 * address; NO_PAGES for those who cannot wait, WOULD_SLEEP for those who can: they never fail.
 */
export function mempoolAlloc(machine: Machine, id: number, wanted: number, pid: Pid): number {
  const pool = machine.slab.pools.get(id)!;
  const gfp = (wanted & ~NOT_FOR_POOL) | HARD;
  // Who has to wait changes nothing: what the attempts count is taken back.
  const before = pool.elements.length === 0 ? machine.vmstat.slice() : null;
  const first = newElement(machine, pool, gfp & ~(GFP_BIT.__GFP_DIRECT_RECLAIM | GFP_BIT.__GFP_IO), pid);
  if (first !== NO_PAGES) return first;
  if (pool.elements.length > 0) return removeElement(machine, pool, pid);
  if ((gfp & GFP_BIT.__GFP_DIRECT_RECLAIM) === 0) return NO_PAGES;
  const second = newElement(machine, pool, gfp, pid);
  if (second !== NO_PAGES) return second;
  machine.vmstat.set(before!);
  return WOULD_SLEEP;
}

/** An element comes back: into the reserve when that is not full, else to the allocator (mempool_free). False when debugging keeps it. */
export function mempoolFree(machine: Machine, id: number, phys: number): boolean {
  const pool = machine.slab.pools.get(id)!;
  if (pool.elements.length < pool.minNr) {
    addElement(machine, id, phys);
    return true;
  }
  if (pool.cache < 0) takePages(machine, pool, phys);
  else {
    const slab = slabAt(machine, phys)!;
    const cache = cacheOf(machine, slab);
    return freeObject(machine, cache, slab, objectIndex(cache, slab, phys));
  }
  freeElement(machine, pool, phys);
  return true;
}
