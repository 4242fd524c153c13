/** vm.drop_caches (fs/drop_caches.c; spec §14): 1 drops clean pages of files that nobody maps, 2 shrinks slabs, 3 does both. Dirty pages stay: fsync first. */
import { shrinkSuper } from '../fs/dcache.ts';
import { PGS } from './swap.ts';
import type { Machine } from '../types.ts';
import { removeFromPageCache } from './page_cache.ts';
import { shrinkSlab } from './shrinker.ts';
import { count, VMSTAT } from './vmstat.ts';

/** Every clean page that is only in the cache (invalidate_mapping_pages). */
function dropPagecache(machine: Machine): void {
  const { frames, disk } = machine;
  for (const inode of disk?.inodes.values() ?? []) {
    for (const pfn of inode.pages.values()) {
      if ((frames.state[pfn]! & PGS.dirty) === 0 && frames.refcount[pfn] === 1) removeFromPageCache(machine, pfn);
    }
  }
}

/** Values as the kernel takes them: bit 0 pages, bit 1 slabs; 4 only silences the log. */
export function dropCaches(machine: Machine, value: number): void {
  if (value & 1) {
    dropPagecache(machine);
    count(machine, VMSTAT.drop_pagecache, 1);
  }
  if ((value & 2) === 0) return;
  // Again for as long as it frees much: what goes may let others go (drop_slab).
  for (let shift = 0; shrinkSuper(machine, 0) >> shift > 1; shift++);
  shrinkSlab(machine, 0, true);
  count(machine, VMSTAT.drop_slab, 1);
}
