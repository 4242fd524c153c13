/**
 * What both slab allocators share (mm/slab.h): lists of slabs, from an address to its slab and object, who holds an object,
 * and the pages going back. Nothing here takes memory, so that a dying process can use it.
 */
import { emit, FACT } from '../facts.ts';
import { PG, type Frames, type Machine, type Pfn, type Pid } from '../types.ts';
import { freePagesBlock } from './page_alloc.ts';
import { pfnOf, physOf } from './slab_bytes.ts';
import { HOLDER, ON, SLAB, type Cache, type Slab, type SlabList } from './slab_types.ts';
import { count, VMSTAT } from './vmstat.ts';

export function createSlabList(): SlabList {
  return { head: -1, tail: -1, length: 0 };
}

export function slabOf(machine: Machine, pfn: Pfn): Slab {
  return machine.slab.slabs.get(pfn)!;
}

export function cacheOf(machine: Machine, slab: Slab): Cache {
  return machine.slab.caches.get(slab.cache)!;
}

/** Puts a slab first in a list (list_add), or last (list_add_tail). */
export function addSlab(machine: Machine, list: SlabList, slab: Slab, on: number, toTail: boolean): void {
  if (toTail) {
    slab.prev = list.tail;
    slab.next = -1;
    if (list.tail < 0) list.head = slab.pfn;
    else slabOf(machine, list.tail).next = slab.pfn;
    list.tail = slab.pfn;
  } else {
    slab.next = list.head;
    slab.prev = -1;
    if (list.head < 0) list.tail = slab.pfn;
    else slabOf(machine, list.head).prev = slab.pfn;
    list.head = slab.pfn;
  }
  list.length += 1;
  slab.on = on;
}

export function delSlab(machine: Machine, list: SlabList, slab: Slab): void {
  if (slab.prev < 0) list.head = slab.next;
  else slabOf(machine, slab.prev).next = slab.next;
  if (slab.next < 0) list.tail = slab.prev;
  else slabOf(machine, slab.next).prev = slab.prev;
  slab.next = -1;
  slab.prev = -1;
  list.length -= 1;
  slab.on = ON.none;
}

/** The head of the allocated block that a frame belongs to, −1 if it belongs to none (compound_head). O(orders). */
export function headOf(frames: Frames, pfn: Pfn): Pfn {
  if (pfn >= frames.count) return -1;
  for (let order = 0; order <= 10; order++) {
    const head = pfn & ~((1 << order) - 1);
    const flags = frames.flags[head]!;
    if ((flags & (PG.head | PG.buddy)) !== 0 && frames.order[head]! >= order) return flags & PG.head ? head : -1;
  }
  return -1;
}

/** The slab that a physical address lies in; undefined if none. */
export function slabAt(machine: Machine, phys: number): Slab | undefined {
  return machine.slab.slabs.get(headOf(machine.frames, pfnOf(phys)));
}

/** Which object starts just there, −1 for none. */
export function objectIndex(cache: Cache, slab: Slab, phys: number): number {
  const from = phys - physOf(slab.pfn) - slab.start - cache.offset;
  if (from < 0 || from % cache.size !== 0) return -1;
  const index = from / cache.size;
  return index < slab.objects ? index : -1;
}

/** Physical address of an object as its user has it, red zones left out. */
export function objectPhys(cache: Cache, slab: Slab, index: number): number {
  return physOf(slab.pfn) + slab.start + index * cache.size + cache.offset;
}

/** Takes the first free object of a slab; the caller has seen that there is one. */
export function popFree(slab: Slab): number {
  const index = slab.free;
  slab.free = slab.link[index]!;
  slab.inuse += 1;
  return index;
}

export function pushFree(slab: Slab, index: number): void {
  slab.link[index] = slab.free;
  slab.free = index;
  slab.inuse -= 1;
}

/** From now on `holder` (a pid or one of HOLDER) has the object, for which it asked `asked` bytes. */
export function hold(machine: Machine, cache: Cache, slab: Slab, index: number, holder: number, asked: number): void {
  slab.holder[index] = holder;
  cache.live += 1;
  if (slab.asked.length > 0) {
    slab.asked[index] = asked;
    cache.asked += asked;
  }
  if (holder <= 0) return;
  const task = machine.tasks.get(holder)!;
  task.objects.add(objectPhys(cache, slab, index));
  task.kernelBytes += cache.size;
}

/** Nobody has the object any more; the allocator may take it back. */
export function release(machine: Machine, cache: Cache, slab: Slab, index: number): void {
  const holder = slab.holder[index]!;
  if (holder > 0) {
    const task = machine.tasks.get(holder)!;
    task.objects.delete(objectPhys(cache, slab, index));
    task.kernelBytes -= cache.size;
  }
  slab.holder[index] = HOLDER.none;
  cache.live -= 1;
  if (slab.asked.length > 0) cache.asked -= slab.asked[index]!;
}

/** Bytes that were asked for an object that somebody holds. */
export function askedFor(cache: Cache, slab: Slab, index: number): number {
  return slab.asked.length > 0 ? slab.asked[index]! : cache.objectSize;
}

/** A slab of frames that have just left the buddy: its objects are free, in the order of their addresses. */
export function createSlab(machine: Machine, cache: Cache, pfn: Pfn, order: number, objects: number, start: number): Slab {
  const link = new Int16Array(objects);
  for (let i = 0; i < objects; i++) link[i] = i + 1 < objects ? i + 1 : -1;
  const slab: Slab = {
    pfn,
    order,
    cache: cache.id,
    objects,
    start,
    inuse: 0,
    free: 0,
    link,
    holder: new Int32Array(objects).fill(HOLDER.none),
    asked: new Int32Array(cache.flags & SLAB.kmalloc ? objects : 0),
    on: ON.none,
    next: -1,
    prev: -1,
    behind: 0,
    descriptor: -1,
  };
  machine.slab.slabs.set(pfn, slab);
  cache.slabs += 1;
  cache.total += objects;
  cache.pages += 1 << order;
  countSlabPages(machine, cache.flags, 1 << order);
  if (machine.facts !== null) emit(machine.facts, FACT.slabCreated, pfn, order, cache.id);
  return slab;
}

/** The frames of an empty slab, which is on no list, go back to the buddy. */
export function destroySlab(machine: Machine, cache: Cache, slab: Slab): void {
  const { pfn, order } = slab;
  machine.slab.slabs.delete(pfn);
  cache.slabs -= 1;
  cache.total -= slab.objects;
  cache.pages -= 1 << order;
  countSlabPages(machine, cache.flags, -(1 << order));
  if (machine.facts !== null) emit(machine.facts, FACT.slabDestroyed, pfn, order, cache.id);
  freePagesBlock(machine, pfn, order);
}

export function countSlabPages(machine: Machine, flags: number, pages: number): void {
  count(machine, flags & SLAB.reclaimAccount ? VMSTAT.nr_slab_reclaimable : VMSTAT.nr_slab_unreclaimable, pages);
}

/** A block counts no longer for its owner. */
export function unchargePages(machine: Machine, pfn: Pfn, order: number): void {
  const owner = machine.tasks.get(machine.frames.owner[pfn]!);
  if (owner) owner.kernelPages -= 1 << order;
}

/** A block is `owner`'s from now on (0: the kernel's), and counts for it (chargeKernel). */
export function ownPages(machine: Machine, pfn: Pfn, order: number, owner: Pid): void {
  const { frames, tasks } = machine;
  unchargePages(machine, pfn, order);
  frames.owner[pfn] = owner;
  const after = tasks.get(owner);
  if (after) after.kernelPages += 1 << order;
}

/** Pages of its own for a request beyond the largest class (___kmalloc_large_node): they count as slab. */
export function holdLarge(machine: Machine, pfn: Pfn, order: number, holder: Pid, asked: number): void {
  machine.slab.large.set(pfn, { order, asked });
  countSlabPages(machine, 0, 1 << order);
  ownPages(machine, pfn, order, holder);
  machine.tasks.get(holder)?.objects.add(physOf(pfn));
}

export function freeLarge(machine: Machine, pfn: Pfn): void {
  const { order } = machine.slab.large.get(pfn)!;
  machine.tasks.get(machine.frames.owner[pfn]!)?.objects.delete(physOf(pfn));
  unchargePages(machine, pfn, order);
  machine.slab.large.delete(pfn);
  countSlabPages(machine, 0, -(1 << order));
  freePagesBlock(machine, pfn, order);
}
