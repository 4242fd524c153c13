/**
 * The buddy allocator inside one zone (mm/page_alloc.c): free blocks of 2^order frames, each aligned to its size.
 *
 * A free block is known by its first frame (PG.buddy, `order`), which is also its link in the list of its order; the
 * lists are doubly linked through `next` and `prev`, so that a buddy leaves the middle of a list in one step. The
 * buddy of a block is found by one bit: pfn ^ 2^order. Every operation costs O(orders).
 *
 * // Simplified: Linux keeps per-CPU page lists in front of the buddy; this machine has one CPU, so none.
 */
import { emit, FACT, type FactRing } from '../facts.ts';
import { PG, type Frames, type Pfn, type Zone } from '../types.ts';

/** `pfn` is the head of a block of `order`; puts it first (or last) in its list. */
export function addToFreeList(frames: Frames, zone: Zone, pfn: Pfn, order: number, toTail: boolean): void {
  const { next, prev } = frames;
  const { listHead, listTail } = zone;
  if (toTail) {
    const last = listTail[order]!;
    prev[pfn] = last;
    next[pfn] = -1;
    listTail[order] = pfn;
    if (last < 0) listHead[order] = pfn;
    else next[last] = pfn;
  } else {
    const first = listHead[order]!;
    next[pfn] = first;
    prev[pfn] = -1;
    listHead[order] = pfn;
    if (first < 0) listTail[order] = pfn;
    else prev[first] = pfn;
  }
  frames.flags[pfn] = PG.buddy;
  frames.order[pfn] = order;
  zone.nrFree[order]! += 1;
}

/** Takes a free block out of its list; its first frame is nobody's until the caller marks it. */
export function delFromFreeList(frames: Frames, zone: Zone, pfn: Pfn, order: number): void {
  const { next, prev } = frames;
  const after = next[pfn]!;
  const before = prev[pfn]!;
  if (before < 0) zone.listHead[order] = after;
  else next[before] = after;
  if (after < 0) zone.listTail[order] = before;
  else prev[after] = before;
  next[pfn] = -1;
  prev[pfn] = -1;
  frames.flags[pfn] = 0;
  zone.nrFree[order]! -= 1;
}

/** Is `pfn` the first frame of a free block of just this order, in this zone? */
function isFreeBlock(frames: Frames, zone: Zone, pfn: Pfn, order: number): boolean {
  return pfn >= zone.start && pfn < zone.end && frames.flags[pfn] === PG.buddy && frames.order[pfn] === order;
}

/** Cuts a block of order `high` down to `low`, giving back each upper half; the caller keeps the lowest piece. */
function expand(frames: Frames, zone: Zone, pfn: Pfn, low: number, high: number, facts: FactRing | null): void {
  for (let order = high - 1; order >= low; order--) {
    if (facts !== null) emit(facts, FACT.blockSplit, pfn, order + 1, 0);
    addToFreeList(frames, zone, pfn + (1 << order), order, false);
  }
}

/** The first block that is large enough, cut to size; -1 when no list has one (rmqueue_smallest). */
export function rmqueueSmallest(frames: Frames, zone: Zone, order: number, facts: FactRing | null): Pfn {
  const { listHead, maxOrder } = zone;
  for (let current = order; current <= maxOrder; current++) {
    const pfn = listHead[current]!;
    if (pfn < 0) continue;
    delFromFreeList(frames, zone, pfn, current);
    if (current > order) expand(frames, zone, pfn, order, current, facts);
    zone.free -= 1 << order;
    return pfn;
  }
  return -1;
}

/** Would the block that holds this one merge soon, were it free too? Then it goes last, to be left alone for a while. */
function buddyMergeLikely(frames: Frames, zone: Zone, pfn: Pfn, order: number): boolean {
  if (order >= zone.maxOrder - 1) return false;
  const parent = pfn & ~(1 << order);
  return isFreeBlock(frames, zone, parent ^ (1 << (order + 1)), order + 1);
}

/** Gives back a block, joining it with its buddy for as long as the buddy is free (__free_one_page). `toTail`: FPI_TO_TAIL, as at boot. */
export function freeOnePage(frames: Frames, zone: Zone, freed: Pfn, freedOrder: number, toTail: boolean, facts: FactRing | null): void {
  let pfn = freed;
  let order = freedOrder;
  frames.flags[freed] = 0;
  zone.free += 1 << order;
  while (order < zone.maxOrder) {
    const buddy = pfn ^ (1 << order);
    if (!isFreeBlock(frames, zone, buddy, order)) break;
    delFromFreeList(frames, zone, buddy, order);
    pfn &= buddy;
    order += 1;
    if (facts !== null) emit(facts, FACT.blockMerged, pfn, order, 0);
  }
  addToFreeList(frames, zone, pfn, order, toTail || buddyMergeLikely(frames, zone, pfn, order));
}

/** Gives the buddy all frames of [start, end) in the largest aligned blocks, lowest first, each to the tail (__free_pages_memory). */
export function freeRange(frames: Frames, zone: Zone, start: Pfn, end: Pfn): void {
  for (let pfn = start; pfn < end;) {
    let order = 0;
    while (order < zone.maxOrder && (pfn & (1 << order)) === 0 && pfn + (2 << order) <= end) order += 1;
    freeOnePage(frames, zone, pfn, order, true, null);
    pfn += 1 << order;
  }
  zone.managed += end - start;
}

/** The largest order of which a block is free in these zones, -1 if none. */
export function largestFreeOrder(zones: readonly Zone[]): number {
  let largest = -1;
  for (const zone of zones) {
    for (let order = zone.maxOrder; order > largest; order--) if (zone.nrFree[order]! > 0) largest = order;
  }
  return largest;
}

/** The block, free or allocated, that a frame belongs to; null for frames that the buddy never sees. O(orders). */
export function blockOf(frames: Frames, pfn: Pfn): { head: Pfn; order: number; free: boolean } | null {
  for (let order = 0; order <= 10; order++) {
    const head = pfn & ~((1 << order) - 1);
    const flags = frames.flags[head]!;
    if ((flags & (PG.buddy | PG.head)) !== 0 && frames.order[head]! >= order) {
      return { head, order: frames.order[head]!, free: (flags & PG.buddy) !== 0 };
    }
  }
  return null;
}
