/**
 * Names and inodes that are kept for the next one who asks (fs/dcache.c, fs/inode.c, fs/super.c): each file that was looked up has a dentry and
 * an inode in slabs. While nobody has the file open or mapped they may go, the dentries first; then the inodes, those without pages in the cache.
 * Nothing here takes memory.
 */
// Simplified: directories have neither, and a dentry that was used again gets no second round.
import type { Machine } from '../types.ts';
import { dropObject } from '../mm/slab_release.ts';
import { count, VMSTAT } from '../mm/vmstat.ts';
import { inodeAddLru, inodeOf, type Inode } from './inode.ts';

/** Objects that a shrinker is asked for at once (SHRINK_BATCH), and what it costs to make one again (DEFAULT_SEEKS). */
const SHRINK_BATCH = 128;
const SEEKS = 2;

/** The dentry goes, and with it the last user of the inode (__dentry_kill, iput). */
export function killDentry(machine: Machine, inode: Inode): void {
  machine.disk!.dcache.unusedDentries.delete(inode.ino);
  dropObject(machine, inode.dentry);
  inode.dentry = -1;
  inodeAddLru(machine, inode);
}

/** The inode in memory goes; what the cache remembered of its pages goes with it (evict). */
export function evictInode(machine: Machine, inode: Inode): void {
  machine.disk!.dcache.unusedInodes.delete(inode.ino);
  dropObject(machine, inode.object);
  inode.object = -1;
  inode.evicted.clear();
}

/** Frees of both kinds in proportion, and one of each at least, the longest unused first; how many (super_cache_scan). */
function scanSuper(machine: Machine, wanted: number): number {
  const { unusedDentries, unusedInodes } = machine.disk!.dcache;
  const [dentries, inodes] = [unusedDentries.size, unusedInodes.size];
  const share = (part: number): number => Math.floor((wanted * part) / (dentries + inodes)) + 1;
  let freed = 0;
  for (const [unused, most, free] of [
    [unusedDentries, share(dentries), killDentry],
    [unusedInodes, share(inodes), evictInode],
  ] as const) {
    let left = most;
    for (const ino of unused) {
      if (left === 0) break;
      left -= 1;
      freed += 1;
      free(machine, inodeOf(machine, ino));
    }
  }
  return freed;
}

/** The disk's shrinker: more, the more is there and the harder it gets; what is too little for a batch waits for the next time. How many objects it freed (do_shrink_slab; spec §14). */
export function shrinkSuper(machine: Machine, priority: number): number {
  if (machine.disk === null) return 0;
  const { dcache } = machine.disk;
  const freeable = dcache.unusedDentries.size + dcache.unusedInodes.size;
  if (freeable === 0) return 0;
  const delta = Math.floor(((freeable >> priority) * 4) / SEEKS);
  let left = Math.min((dcache.deferred >> priority) + delta, 2 * freeable);
  let [scanned, freed] = [0, 0];
  while (left >= SHRINK_BATCH || left >= freeable) {
    const batch = Math.min(SHRINK_BATCH, left);
    if (dcache.unusedDentries.size + dcache.unusedInodes.size === 0) break;
    freed += scanSuper(machine, batch);
    scanned += batch;
    left -= batch;
  }
  dcache.deferred = Math.min(Math.max(dcache.deferred + delta - scanned, 0), 2 * freeable);
  count(machine, VMSTAT.slabs_scanned, scanned);
  return freed;
}
