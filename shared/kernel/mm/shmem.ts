/** Shared anonymous memory: an object of its own that areas map, as a file that was never named (mm/shmem.c). */
import { PG, type Machine, type Pfn, type ShmObject } from '../types.ts';
import { freePagesBlock } from './page_alloc.ts';
import { PGS } from './swap.ts';
import { addToSwap, swapDuplicate, swapFree } from './swap_state.ts';
import { count, VMSTAT } from './vmstat.ts';

/** An object of `size` pages, none of them there yet; each area that maps it counts as a user. `promised` pages count in Committed_AS for as long as it lives (shmem_acct_size). */
// Simplified: with MAP_NORESERVE nothing is promised; Linux counts such an object's pages as they come.
export function createShm(machine: Machine, size: number, promised: number): ShmObject {
  const object: ShmObject = { id: machine.nextShm++, size, pages: new Map(), swapped: new Map(), users: 0, promised, segment: -1 };
  machine.shm.set(object.id, object);
  machine.committed += promised;
  return object;
}

export function shmOf(machine: Machine, id: number): ShmObject {
  const object = machine.shm.get(id);
  if (!object) throw new Error(`shared object ${id} is gone while an area maps it`);
  return object;
}

/** A page of an object at `offset`, from now on. */
export function addToShm(machine: Machine, object: ShmObject, offset: number, pfn: Pfn): void {
  object.pages.set(offset, pfn);
  machine.shmPages.set(pfn, object.id);
  machine.frames.index[pfn] = offset;
  count(machine, VMSTAT.nr_shmem, 1);
}

/** The page is its object's no longer; the object's reference to it goes by the caller (shmem_delete_from_page_cache). */
function takeFromShm(machine: Machine, pfn: Pfn): ShmObject {
  const object = shmOf(machine, machine.shmPages.get(pfn)!);
  object.pages.delete(machine.frames.index[pfn]!);
  machine.shmPages.delete(pfn);
  count(machine, VMSTAT.nr_shmem, -1);
  return object;
}

/** A page that nobody maps leaves its object, which keeps a slot of swap in its place; to be written as any page of the swap cache. False when the area is full (shmem_writepage). */
export function shmemWritepage(machine: Machine, pfn: Pfn): boolean {
  if (!addToSwap(machine, pfn)) return false;
  const { frames } = machine;
  const slot = frames.mapping[pfn]!;
  takeFromShm(machine, pfn).swapped.set(frames.index[pfn]!, slot);
  swapDuplicate(machine, slot);
  frames.flags[pfn] = PG.head | PG.anon;
  frames.refcount[pfn]! -= 1;
  return true;
}

/** A page that nobody maps and nobody ever wrote goes: it reads 0 when it comes back, as it did. */
export function dropFromShm(machine: Machine, pfn: Pfn): void {
  const { frames } = machine;
  takeFromShm(machine, pfn);
  frames.refcount[pfn]! -= 1;
  if (frames.refcount[pfn] === 0) freePagesBlock(machine, pfn, 0);
}

/** The page of a slot, from the swap cache, is its object's again, and dirty: its slot is free (shmem_swapin_folio). */
export function returnToShm(machine: Machine, object: ShmObject, offset: number, slot: number, pfn: Pfn): void {
  const { frames } = machine;
  object.swapped.delete(offset);
  frames.flags[pfn] = PG.head | PG.shmem;
  frames.refcount[pfn]! += 1;
  // The last that named the slot: the page leaves the swap cache with it.
  swapFree(machine, slot);
  frames.state[pfn]! |= PGS.dirty;
  addToShm(machine, object, offset, pfn);
}

/** The object's page has moved to another frame. */
export function moveInShm(machine: Machine, from: Pfn, to: Pfn): void {
  const id = machine.shmPages.get(from)!;
  machine.shmPages.delete(from);
  machine.shmPages.set(to, id);
  shmOf(machine, id).pages.set(machine.frames.index[to]!, to);
}

/** An area less (all its entries are gone already); with the last one the object goes, unless it is a segment that nobody removed. */
export function putShm(machine: Machine, id: number): void {
  const object = shmOf(machine, id);
  object.users -= 1;
  if (object.users > 0) return;
  const segment = machine.ipc.segments.get(object.segment);
  if (segment === undefined || segment.isMarked) freeShm(machine, object);
}

/** The end of an object that no area maps, and of the segment that it was. */
export function freeShm(machine: Machine, object: ShmObject): void {
  for (const pfn of object.pages.values()) {
    count(machine, VMSTAT.nr_shmem, -1);
    machine.shmPages.delete(pfn);
    machine.frames.refcount[pfn]! -= 1;
    if (machine.frames.refcount[pfn] === 0) freePagesBlock(machine, pfn, 0);
    // A pin keeps the page after its object: it is nobody's then, until the pin goes.
    else machine.frames.flags[pfn] = PG.head | PG.anon;
  }
  for (const slot of object.swapped.values()) swapFree(machine, slot);
  object.pages.clear();
  object.swapped.clear();
  machine.committed -= object.promised;
  machine.shm.delete(object.id);
  if (object.segment < 0) return;
  machine.ipc.segments.delete(object.segment);
  machine.ipc.pages -= object.size;
}
