/** Pages of shared memory that come back from swap, for whoever maps them (mm/shmem.c shmem_swapin_folio, shmem_unuse; spec §14). */
import type { Machine, Pfn, Pid, ShmObject, Vma } from '../types.ts';
import { returnToShm } from './shmem.ts';
import { NO_PAGES } from './slowpath.ts';
import { swapIn } from './swap_fault.ts';

/** The page at an offset whose slot the object names, the object's again; or a negative outcome. `major`: it was read. */
export function shmemSwapin(machine: Machine, object: ShmObject, offset: number, pid: Pid): { pfn: Pfn; major: boolean } {
  const slot = object.swapped.get(offset)!;
  const found = swapIn(machine, slot, pid);
  if (found.pfn < 0) return found;
  // The object ended while we looked for a frame, and the slot is another's.
  if (object.swapped.get(offset) !== slot) return { pfn: NO_PAGES, major: false };
  returnToShm(machine, object, offset, slot, found.pfn);
  return found;
}

/** Brings all of an object back; 0, or the outcome that stopped it (shmem_unuse_inode). */
export function shmemUnuse(machine: Machine, object: ShmObject, pid: Pid): number {
  for (const offset of object.swapped.keys()) {
    const { pfn } = shmemSwapin(machine, object, offset, pid);
    // Whoever was killed for it may have been the last that had the object: there is nothing left to bring.
    if (pfn < 0 && machine.shm.has(object.id)) return pfn;
  }
  return 0;
}

/** Slots of the object's pages under an area's [first, last), in the order in which they went (shmem_partial_swap_usage counts them). */
export function shmemSlots(object: ShmObject, vma: Vma, first = 0, last = Infinity): number[] {
  const slots: number[] = [];
  for (const [offset, slot] of object.swapped) {
    if (offset >= vma.pgoff + first && offset < vma.pgoff + last) slots.push(slot);
  }
  return slots;
}
