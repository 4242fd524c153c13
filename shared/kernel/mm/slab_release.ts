/**
 * Objects, caches and pools going back (mm/slab_common.c): kfree, kmem_cache_destroy, and all that a dead process held. Nothing
 * here takes memory.
 */
import { printk } from '../kernel/printk.ts';
import type { Machine, Pfn, Pid, Task } from '../types.ts';
import { freePagesBlock } from './page_alloc.ts';
import { pfnOf } from './slab_bytes.ts';
import { slabError } from './slab_debug.ts';
import { freeDescriptor, slabFree, slabShrink } from './slab_free.ts';
import { cacheOf, destroySlab, freeLarge, objectIndex, release, slabAt, unchargePages } from './slab_objects.ts';
import { HOLDER, type Cache, type Mempool, type Slab } from './slab_types.ts';
import { slubFree, slubShrink, slubShutdown } from './slub_free.ts';

/** An object comes back; false when debugging found it damaged and keeps it with its holder. */
export function freeObject(machine: Machine, cache: Cache, slab: Slab, index: number): boolean {
  if (cache.slub === null) slabFree(machine, cache, slab, index);
  else if (!slubFree(machine, cache, slab, index)) return false;
  release(machine, cache, slab, index);
  machine.cost += machine.config.costs.object!;
  if (cache.leaked && cache.live === 0) forgetCache(machine, cache);
  return true;
}

/** The same for one whose holder is gone: what debugging found was put right the first time. */
export function dropObject(machine: Machine, phys: number): void {
  const slab = slabAt(machine, phys)!;
  const cache = cacheOf(machine, slab);
  const index = objectIndex(cache, slab, phys);
  if (freeObject(machine, cache, slab, index) || freeObject(machine, cache, slab, index)) return;
  release(machine, cache, slab, index);
  slab.holder[index] = HOLDER.lost;
}

export function shrinkCache(machine: Machine, cache: Cache): void {
  if (cache.slub === null) slabShrink(machine, cache);
  else slubShrink(machine, cache);
}

/** No slab of a cache that was destroyed while in use serves anybody any more. */
// Simplified: Linux never gives back what such a cache keeps.
function forgetCache(machine: Machine, cache: Cache): void {
  shrinkCache(machine, cache);
  for (const slab of machine.slab.slabs.values()) if (slab.cache === cache.id) destroySlab(machine, cache, slab);
  machine.slab.caches.delete(cache.id);
  if (cache.descriptor >= 0) freeDescriptor(machine, cache.descriptor);
}

function unchain(machine: Machine, cache: Cache): void {
  const { chain } = machine.slab;
  const at = chain.indexOf(cache.id);
  if (at >= 0) chain.splice(at, 1);
}

/** Nobody can name the cache any more, but objects of it are in use: it is off the list and lives as long as they do. */
export function leakCache(machine: Machine, cache: Cache): void {
  unchain(machine, cache);
  cache.leaked = true;
  if (cache.live === 0) forgetCache(machine, cache);
}

/** kmem_cache_destroy; false, with the kernel's report, when objects are still in use. */
export function destroyHandle(machine: Machine, id: number, caller: string): boolean {
  const { handles, caches, chain } = machine.slab;
  const handle = handles.get(id)!;
  const cache = caches.get(handle.cache)!;
  handles.delete(id);
  cache.refcount -= 1;
  if (cache.refcount > 0) return true;
  unchain(machine, cache);
  if (cache.slub === null ? slabShrink(machine, cache) : slubShutdown(machine, cache)) {
    caches.delete(cache.id);
    if (cache.descriptor >= 0) freeDescriptor(machine, cache.descriptor);
    return true;
  }
  if (cache.slub === null) {
    // SLAB goes on with the cache, which is then the newest of the chain.
    slabError(machine, cache, 'kmem_cache_destroy', "Can't free all objects");
    chain.unshift(cache.id);
    cache.refcount = 1;
    handles.set(id, handle);
    return false;
  }
  printk(machine, '------------[ cut here ]------------');
  printk(machine, `kmem_cache_destroy ${cache.name}: Slab cache still has objects when called from ${caller}`);
  leakCache(machine, cache);
  return false;
}

/** An element that nobody holds goes to the allocator that it came from. */
export function freeElement(machine: Machine, pool: Mempool, phys: number): void {
  if (pool.cache >= 0) return dropObject(machine, phys);
  unchargePages(machine, pfnOf(phys), pool.order);
  freePagesBlock(machine, pfnOf(phys), pool.order);
}

/** The reserve of a pool goes back; what others still hold of it stays theirs (mempool_destroy). */
export function destroyPool(machine: Machine, id: number): void {
  const pool = machine.slab.pools.get(id)!;
  machine.slab.pools.delete(id);
  for (let i = pool.elements.length - 1; i >= 0; i--) freeElement(machine, pool, pool.elements[i]!);
  const owner = machine.tasks.get(pool.owner);
  if (owner) owner.kernelBytes -= pool.elements.length * pool.bytes;
}

/** All that a dying process has of the slab allocators; a cache of its making that others use becomes the kernel's. */
export function releaseSlabsOf(machine: Machine, task: Task): void {
  const { handles, pools, large, caches } = machine.slab;
  for (const phys of task.objects) {
    const pfn: Pfn = pfnOf(phys);
    if (large.has(pfn)) freeLarge(machine, pfn);
    else dropObject(machine, phys);
  }
  if (handles.size + pools.size === 0) return;
  for (const [id, pool] of pools) if (pool.owner === task.pid) destroyPool(machine, id);
  for (const [id, handle] of handles) {
    if (handle.owner !== task.pid) continue;
    const cache = caches.get(handle.cache)!;
    const isUsed = cache.refcount === 1 && cache.live > 0;
    if (isUsed || !destroyHandle(machine, id, nameOf(task.pid))) handle.owner = 0;
  }
}

/** Who made a call, in reports. */
export const nameOf = (pid: Pid): string => (pid === 0 ? 'kernel' : `proc${pid}`);
