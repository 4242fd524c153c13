/** malloc, calloc, realloc and free between red zones (shadow.ts): glibc's own below, a quarantine above. */
import type { Addr, Machine, Refused, Task } from '../types.ts';
import { memOf } from './chunks.ts';
import { glibcFree } from './free.ts';
import { glibcMalloc } from './malloc.ts';
import { addBlock, createShadow, dropBlock, QUARANTINE_MAX, redZone, stop } from './shadow.ts';
import type { GlibcHeap, Shadow } from './types.ts';
import { copy, zero } from './user.ts';

export function shadowOf(heap: GlibcHeap): Shadow {
  heap.shadow ??= createShadow();
  return heap.shadow;
}

export function guardedMalloc(machine: Machine, task: Task, heap: GlibcHeap, bytes: number, isZeroed = false): Addr | Refused {
  const shadow = shadowOf(heap);
  const slot = glibcMalloc(machine, task, heap, bytes + 2 * redZone(bytes));
  if (typeof slot !== 'number') return slot;
  const addr = memOf(heap, slot) + redZone(bytes);
  const stopped = isZeroed && bytes > 0 ? zero(machine, task, addr, bytes) : null;
  if (stopped !== null) {
    if (stopped.signal === undefined) glibcFree(machine, task, heap, memOf(heap, slot));
    return stopped;
  }
  shadow.calls += 1;
  addBlock(shadow, addr, bytes, isZeroed);
  return addr;
}

/** What is wrong with a pointer that free or realloc was given. */
function pointerBug(machine: Machine, task: Task, shadow: Shadow, addr: Addr): Refused | null {
  const block = shadow.blocks.get(addr);
  if (block === undefined) return stop(machine, task, { code: 'WILD_FREE', addr });
  if (block.freed > 0) return stop(machine, task, { code: 'FREED_TWICE', addr, size: block.size, born: block.born, freed: block.freed });
  return null;
}

/** The block waits; those who waited longest are really freed. */
export function guardedFree(machine: Machine, task: Task, heap: GlibcHeap, addr: Addr): Refused | null {
  const shadow = shadowOf(heap);
  const bug = pointerBug(machine, task, shadow, addr);
  if (bug !== null) return bug;
  const block = shadow.blocks.get(addr)!;
  shadow.calls += 1;
  block.freed = shadow.calls;
  shadow.quarantine.push(addr);
  shadow.quarantined += block.size;
  while (shadow.quarantined > QUARANTINE_MAX && shadow.quarantine.length > 0) {
    const oldest = shadow.quarantine.shift()!;
    const { size } = shadow.blocks.get(oldest)!;
    shadow.quarantined -= size;
    dropBlock(shadow, oldest);
    const died = glibcFree(machine, task, heap, oldest - redZone(size));
    if (died !== null) return died;
  }
  return null;
}

/** Always another block, so that old pointers are found. */
export function guardedRealloc(machine: Machine, task: Task, heap: GlibcHeap, addr: Addr, bytes: number): Addr | Refused {
  const bug = pointerBug(machine, task, shadowOf(heap), addr);
  if (bug !== null) return bug;
  const fresh = guardedMalloc(machine, task, heap, bytes);
  if (typeof fresh !== 'number') return fresh;
  const shadow = shadowOf(heap);
  const old = shadow.blocks.get(addr)!;
  const kept = Math.min(old.size, bytes);
  const stopped = kept > 0 ? copy(machine, task, fresh, addr, kept) : null;
  if (stopped !== null) return stopped;
  const target = shadow.blocks.get(fresh)!;
  for (let i = 0; i < old.written.length && old.written[i]! < kept; i += 2)
    target.written.push(old.written[i]!, Math.min(kept, old.written[i + 1]!));
  return guardedFree(machine, task, heap, addr) ?? fresh;
}
