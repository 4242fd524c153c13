/** Shared anonymous memory: an object of its own that areas map, as a file that was never named (mm/shmem.c). */
import type { Machine, ShmObject } from '../types.ts';
import { freePagesBlock } from './page_alloc.ts';
import { count, VMSTAT } from './vmstat.ts';

/** An object without pages; each area that maps it counts as a user. `promised` pages count in Committed_AS for as long as it lives (shmem_acct_size). */
// Simplified: with MAP_NORESERVE nothing is promised; Linux counts such an object's pages as they come.
export function createShm(machine: Machine, promised: number): ShmObject {
  const object: ShmObject = { id: machine.nextShm++, pages: new Map(), users: 0, promised };
  machine.shm.set(object.id, object);
  machine.committed += promised;
  return object;
}

export function shmOf(machine: Machine, id: number): ShmObject {
  const object = machine.shm.get(id);
  if (!object) throw new Error(`shared object ${id} is gone while an area maps it`);
  return object;
}

/** An area less (all its entries are gone already); the last one frees the object's pages. */
export function putShm(machine: Machine, id: number): void {
  const object = shmOf(machine, id);
  object.users -= 1;
  if (object.users > 0) return;
  for (const pfn of object.pages.values()) {
    count(machine, VMSTAT.nr_shmem, -1);
    freePagesBlock(machine, pfn, 0);
  }
  machine.committed -= object.promised;
  machine.shm.delete(id);
}
