/** Virtual memory areas (struct vm_area_struct): find, merge, split, and holes between them (mm/vma.c). */
import { fget, fput } from '../fs/inode.ts';
import { PAGE_SIZE, type Addr, type Machine, type Mm, type Vma } from '../types.ts';
import { HPAGE_BYTES, splitHugeAt } from './huge_split.ts';
import { putShm, shmOf } from './shmem.ts';
import { findVmaIndex, VM } from './vma_find.ts';

export { findVmaIndex, vmaAt, VM } from './vma_find.ts';

/** stack_guard_gap, since 4.12. */
export const STACK_GUARD_GAP = 256 * PAGE_SIZE;
export const MMAP_MIN_ADDR = 65536;
/** The lowest address that an area may have (vm.mmap_min_addr): all but the NULL page where user space is not larger than that. */
export const minAddr = (mm: Mm): Addr => (mm.taskSize > MMAP_MIN_ADDR ? MMAP_MIN_ADDR : PAGE_SIZE);
/** Bytes that stay free below a stack; on toy16 one page, as it was before 4.12 (the lowest of the area then, which none of ours counts). */
export const guardGap = (stack: Vma): number => (stack.end > MMAP_MIN_ADDR && !(stack.flags & VM.onePageGap) ? STACK_GUARD_GAP : PAGE_SIZE);
/** Areas that a process may have (vm.max_map_count). */
export const DEFAULT_MAX_MAP_COUNT = 65530;

export const pageAlign = (bytes: number): number => Math.ceil(bytes / PAGE_SIZE) * PAGE_SIZE;
export const pagesOf = (vma: Vma): number => (vma.end - vma.start) / PAGE_SIZE;

/** Where the hole below an area ends: stacks keep their guard gap (vm_start_gap). */
export function startGap(vma: Vma): Addr {
  return vma.flags & VM.growsdown ? Math.max(0, vma.start - guardGap(vma)) : vma.start;
}

/** Adjacent, alike, and one object's pages in a row (can_vma_merge_after). */
// Simplified: Linux also keeps areas apart that were written separately (different anon_vma) before they became neighbours.
function canMerge(left: Vma, right: Vma): boolean {
  return (
    left.end === right.start &&
    left.flags === right.flags &&
    left.shm === right.shm &&
    left.file === right.file &&
    left.pgoff + pagesOf(left) === right.pgoff
  );
}

/** What the area maps has one more that maps it. */
export function holdObject(machine: Machine, vma: Vma): void {
  if (vma.shm !== 0) shmOf(machine, vma.shm).users += 1;
  else if (vma.file !== 0) fget(machine, vma.file);
}

/** One less. */
export function putObject(machine: Machine, vma: Vma): void {
  if (vma.shm !== 0) putShm(machine, vma.shm);
  else if (vma.file !== 0) fput(machine, vma.file);
}

/** Merges the area with its right neighbour if it can be; the object, if any, has a user less. */
function mergeRight(machine: Machine, mm: Mm, index: number): boolean {
  const left = mm.vmas[index];
  const right = mm.vmas[index + 1];
  if (!left || !right || !canMerge(left, right)) return false;
  left.end = right.end;
  left.anon ||= right.anon;
  mm.vmas.splice(index + 1, 1);
  putObject(machine, left);
  return true;
}

/** Puts an area where nothing is mapped, joined with its neighbours where they are alike (vma_merge). Returns the area that holds it now. */
export function insertVma(machine: Machine, mm: Mm, vma: Vma): Vma {
  const index = findVmaIndex(mm, vma.start);
  mm.vmas.splice(index, 0, vma);
  holdObject(machine, vma);
  return mm.vmas[mergeAround(machine, mm, index)]!;
}

/** Cuts the area in two at a page boundary strictly inside it (split_vma). */
export function splitVma(machine: Machine, mm: Mm, index: number, addr: Addr): void {
  const left = mm.vmas[index]!;
  if (addr % HPAGE_BYTES !== 0) splitHugeAt(machine, mm, addr);
  const right: Vma = { ...left, start: addr, pgoff: left.pgoff + (addr - left.start) / PAGE_SIZE };
  left.end = addr;
  mm.vmas.splice(index + 1, 0, right);
  holdObject(machine, right);
}

/**
 * Gives the part [start, end) of an area other flags: the part joins a neighbour that is like it now, or is cut out
 * (vma_modify_flags). Returns the number of the area that holds it; -1, and nothing done, when a process may have no more areas.
 */
export function modifyArea(machine: Machine, mm: Mm, index: number, start: Addr, end: Addr, flags: number): number {
  const vma = mm.vmas[index]!;
  const part: Vma = { ...vma, start, end, flags, pgoff: vma.pgoff + (start - vma.start) / PAGE_SIZE };
  const before = mm.vmas[index - 1];
  const after = mm.vmas[index + 1];
  const joins = (before !== undefined && canMerge(before, part)) || (after !== undefined && canMerge(part, after));
  const cuts = (start > vma.start ? 1 : 0) + (end < vma.end ? 1 : 0) - (joins ? 1 : 0);
  if (cuts > 0 && mm.vmas.length + cuts > machine.config.maxMapCount) return -1;
  const { first } = isolateRange(machine, mm, start, end);
  mm.vmas[first]!.flags = flags;
  return mergeAround(machine, mm, first);
}

/** Joins area `index` with its neighbours where they are alike; the number of the area that holds it now. */
export function mergeAround(machine: Machine, mm: Mm, index: number): number {
  mergeRight(machine, mm, index);
  return mergeRight(machine, mm, index - 1) ? index - 1 : index;
}

/** Splits at both ends of [start, end) so that whole areas lie inside; returns the numbers of the first and one past the last. */
export function isolateRange(machine: Machine, mm: Mm, start: Addr, end: Addr): { first: number; last: number } {
  let first = findVmaIndex(mm, start);
  const opening = mm.vmas[first];
  if (opening && opening.start < start) {
    splitVma(machine, mm, first, start);
    first += 1;
  }
  let last = first;
  while (last < mm.vmas.length && mm.vmas[last]!.start < end) {
    if (mm.vmas[last]!.end > end) splitVma(machine, mm, last, end);
    last += 1;
  }
  return { first, last };
}

/** The highest hole below the mmap base that fits, else the lowest above the bottom-up base; -1 if neither (vm_unmapped_area). */
export function unmappedArea(mm: Mm, length: number): Addr {
  const { vmas, mmapBase, taskSize, layout } = mm;
  let ceiling = mmapBase;
  for (let i = layout.isLegacy ? -1 : findVmaIndex(mm, mmapBase - 1); i >= 0; i--) {
    const above = vmas[i];
    if (above && above.start < mmapBase) ceiling = Math.min(ceiling, startGap(above));
    const floor = Math.max(i > 0 ? vmas[i - 1]!.end : 0, minAddr(mm));
    if (ceiling - length >= floor) return ceiling - length;
  }
  // TASK_UNMAPPED_BASE: a third of user space.
  let floor = pageAlign(taskSize / 3);
  for (let i = findVmaIndex(mm, floor); i <= vmas.length; i++) {
    const next = vmas[i];
    const end = next ? startGap(next) : taskSize;
    if (floor + length <= end) return floor;
    if (next) floor = Math.max(floor, next.end);
  }
  return -1;
}

/** Is nothing mapped in [start, end), guard gaps respected? */
export function isHole(mm: Mm, start: Addr, end: Addr): boolean {
  const next = mm.vmas[findVmaIndex(mm, start)];
  return !next || end <= startGap(next);
}

/** An anonymous area; its page offset is its address, as the kernel's is. */
export function anonymousVma(start: Addr, end: Addr, flags: number): Vma {
  return { start, end, flags, pgoff: start / PAGE_SIZE, shm: 0, file: 0, anon: false };
}
