/**
 * Shrinking slabs (mm/shrinker.c; spec §14): under pressure, and by vm.drop_caches 2, caches that called themselves
 * reclaimable give back what they can do without.
 */
import { shrinkSuper } from '../fs/dcache.ts';
import type { Machine } from '../types.ts';
import { freePages } from './mmzone.ts';
import { shrinkCache } from './slab_release.ts';
import { SLAB } from './slab_types.ts';
import { count, VMSTAT } from './vmstat.ts';

/** Pages that came back. Who holds locks of a file system (no __GFP_FS) leaves its dentries and inodes alone. */
// Simplified: Linux looks for slabs without objects when its shrinkers free the last one; here in all reclaimable caches, and afterwards.
export function shrinkSlab(machine: Machine, priority: number, mayFs: boolean): number {
  if (machine.vmstat[VMSTAT.nr_slab_reclaimable] === 0) return 0;
  const before = freePages(machine.zones);
  if (mayFs) shrinkSuper(machine, priority);
  for (const cache of machine.slab.caches.values()) {
    if ((cache.flags & SLAB.reclaimAccount) === 0 || cache.slabs === 0) continue;
    count(machine, VMSTAT.slabs_scanned, cache.total - cache.live);
    shrinkCache(machine, cache);
  }
  return freePages(machine.zones) - before;
}
