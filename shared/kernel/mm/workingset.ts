/**
 * Refaults (mm/workingset.c): a page that comes back soon after it was pushed out was pushed out too early. The clock
 * counts evictions and activations; its reading at a page's eviction stays behind as the page's shadow.
 */
import type { Inode } from '../fs/inode.ts';
import type { Machine, Pfn } from '../types.ts';
import { LRU, lruNoteCost, lruPages, PGS, setState } from './swap.ts';
import { count, VMSTAT } from './vmstat.ts';

/** A page of a file is pushed out: its shadow, the active bit in the lowest place (workingset_eviction). */
export function workingsetEviction(machine: Machine, wasWorkingset: boolean): number {
  machine.lru.age += 1;
  return machine.lru.age * 2 + (wasWorkingset ? 1 : 0);
}

/** Was it away for fewer pages than all active lists, and the inactive one of the other kind, hold (workingset_test_recent)? */
function isRecent(machine: Machine, shadow: number, isFile: boolean): boolean {
  const distance = machine.lru.age - Math.floor(shadow / 2);
  let size = lruPages(machine, LRU.activeFile);
  if (!isFile) size += lruPages(machine, LRU.inactiveFile);
  if (machine.swap !== null) size += lruPages(machine, LRU.activeAnon) + (isFile ? lruPages(machine, LRU.inactiveAnon) : 0);
  return distance <= size;
}

/** A page that was pushed out is back: if it was not away for long, it is active at once (workingset_refault). */
export function refault(machine: Machine, pfn: Pfn, shadow: number, isFile: boolean): void {
  count(machine, isFile ? VMSTAT.workingset_refault_file : VMSTAT.workingset_refault_anon, 1);
  if (!isRecent(machine, shadow, isFile)) return;
  machine.lru.age += 1;
  count(machine, isFile ? VMSTAT.workingset_activate_file : VMSTAT.workingset_activate_anon, 1);
  setState(machine, pfn, PGS.active, 0);
  if ((shadow & 1) === 0) return;
  setState(machine, pfn, PGS.workingset, 0);
  count(machine, isFile ? VMSTAT.workingset_restore_file : VMSTAT.workingset_restore_anon, 1);
  lruNoteCost(machine, isFile, 1, 0);
}

/** The same for a page of a file that is read again. */
export function workingsetRefault(machine: Machine, inode: Inode, index: number, pfn: Pfn): void {
  const shadow = inode.evicted.get(index);
  if (shadow === undefined) return;
  inode.evicted.delete(index);
  refault(machine, pfn, shadow, true);
}
