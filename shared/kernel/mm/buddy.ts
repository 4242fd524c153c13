/**
 * The buddy allocator inside one zone (mm/page_alloc.c): free blocks of 2^order frames, each aligned to its size.
 *
 * A free block is known by its first frame (PG.buddy, `order`), which is also its link in the list of its order; the
 * lists are doubly linked through `next` and `prev`, so that a buddy leaves the middle of a list in one step. The
 * buddy of a block is found by one bit: pfn ^ 2^order. Every operation costs O(orders). With migratetypes each order has
 * a list a type, and the type of a free block is that of its pageblock.
 *
 * // Simplified: Linux keeps per-CPU page lists in front of the buddy; this machine has one CPU, so none.
 */
import { emit, FACT, type FactRing } from '../facts.ts';
import { MIGRATE, PG, type Frames, type Pfn, type Zone } from '../types.ts';

/** The migratetype whose lists hold the free pages of a frame's pageblock. */
export function pageblockType(frames: Frames, pfn: Pfn): number {
  return frames.pageblock[pfn >> frames.pageblockOrder]!;
}

/** `pfn` is the head of a block of `order`; puts it first in its list. */
function addHead(frames: Frames, zone: Zone, pfn: Pfn, order: number, list: number): void {
  const first = zone.listHead[list]!;
  frames.next[pfn] = first;
  frames.prev[pfn] = -1;
  zone.listHead[list] = pfn;
  if (first < 0) zone.listTail[list] = pfn;
  else frames.prev[first] = pfn;
  frames.flags[pfn] = PG.buddy;
  frames.order[pfn] = order;
  zone.nrFree[order]! += 1;
  if (zone.types > 1) zone.listLength[list]! += 1;
}

/** The same, last in its list. */
function addTail(frames: Frames, zone: Zone, pfn: Pfn, order: number, list: number): void {
  const last = zone.listTail[list]!;
  frames.prev[pfn] = last;
  frames.next[pfn] = -1;
  zone.listTail[list] = pfn;
  if (last < 0) zone.listHead[list] = pfn;
  else frames.next[last] = pfn;
  frames.flags[pfn] = PG.buddy;
  frames.order[pfn] = order;
  zone.nrFree[order]! += 1;
  if (zone.types > 1) zone.listLength[list]! += 1;
}

/** Puts a block on the list of its order and type, first or last. */
export function addToFreeList(frames: Frames, zone: Zone, pfn: Pfn, order: number, type: number, toTail: boolean): void {
  if (toTail) addTail(frames, zone, pfn, order, order * zone.types + type);
  else addHead(frames, zone, pfn, order, order * zone.types + type);
}

/** Takes a free block out of its list; its first frame is nobody's until the caller marks it. Its links stay: they mean something while it is free. */
export function delFromFreeList(frames: Frames, zone: Zone, pfn: Pfn, order: number, type: number): void {
  const { next, prev } = frames;
  const list = order * zone.types + type;
  const after = next[pfn]!;
  const before = prev[pfn]!;
  if (before < 0) zone.listHead[list] = after;
  else next[before] = after;
  if (after < 0) zone.listTail[list] = before;
  else prev[after] = before;
  frames.flags[pfn] = 0;
  zone.nrFree[order]! -= 1;
  if (zone.types > 1) zone.listLength[list]! -= 1;
}

/** Cuts a block of order `high` down to `low`, giving back each upper half; the caller keeps the lowest piece. */
export function expand(frames: Frames, zone: Zone, pfn: Pfn, low: number, high: number, type: number, facts: FactRing | null): void {
  for (let order = high - 1; order >= low; order--) {
    if (facts !== null) emit(facts, FACT.blockSplit, pfn, order + 1, 0);
    addToFreeList(frames, zone, pfn + (1 << order), order, type, false);
  }
}

/** The first block of this type that is large enough, cut to size; -1 when no list has one (__rmqueue_smallest). */
export function rmqueueSmallest(frames: Frames, zone: Zone, order: number, type: number, facts: FactRing | null): Pfn {
  const { listHead, maxOrder, types } = zone;
  for (let current = order; current <= maxOrder; current++) {
    const pfn = listHead[current * types + type]!;
    if (pfn < 0) continue;
    delFromFreeList(frames, zone, pfn, current, type);
    while (current > order) {
      if (facts !== null) emit(facts, FACT.blockSplit, pfn, current, 0);
      current -= 1;
      addHead(frames, zone, pfn + (1 << current), current, current * types + type);
    }
    zone.free -= 1 << order;
    return pfn;
  }
  return -1;
}

/**
 * Gives back a block, joining it with its buddy for as long as the buddy is free (__free_one_page). It goes first in its
 * list; or last, to be left alone for a while, when the block that holds it would merge soon, were it free too
 * (buddy_merge_likely). `toTail`: FPI_TO_TAIL, as at boot. That a frame heads a free block of
 * just this order, in this zone, is tested in two places: as a function it costs a sixth of the whole.
 */
export function freeOnePage(frames: Frames, zone: Zone, freed: Pfn, freedOrder: number, toTail: boolean, facts: FactRing | null): void {
  if (zone.types > 1) {
    freeTyped(frames, zone, freed, freedOrder, toTail, facts);
    return;
  }
  const { flags, order: orders } = frames;
  const { start, end, maxOrder } = zone;
  let pfn = freed;
  let order = freedOrder;
  flags[freed] = 0;
  zone.free += 1 << order;
  while (order < maxOrder) {
    const buddy = pfn ^ (1 << order);
    if (buddy < start || buddy >= end || flags[buddy] !== PG.buddy || orders[buddy] !== order) break;
    delFromFreeList(frames, zone, buddy, order, 0);
    pfn &= buddy;
    order += 1;
    if (facts !== null) emit(facts, FACT.blockMerged, pfn, order, 0);
  }
  let last = toTail;
  if (!last && order < maxOrder - 1) {
    const other = (pfn & ~(1 << order)) ^ (2 << order);
    last = other >= start && other < end && flags[other] === PG.buddy && orders[other] === order + 1;
  }
  if (last) addTail(frames, zone, pfn, order, order);
  else addHead(frames, zone, pfn, order, order);
}

/** The same where orders have a list a type: a block's type is that of its pageblock. */
function freeTyped(frames: Frames, zone: Zone, freed: Pfn, freedOrder: number, toTail: boolean, facts: FactRing | null): void {
  const { flags, order: orders } = frames;
  const { start, end, maxOrder, types } = zone;
  const type = pageblockType(frames, freed);
  let pfn = freed;
  let order = freedOrder;
  flags[freed] = 0;
  if (type !== MIGRATE.isolate) zone.free += 1 << order;
  while (order < maxOrder) {
    const buddy = pfn ^ (1 << order);
    if (buddy < start || buddy >= end || flags[buddy] !== PG.buddy || orders[buddy] !== order) break;
    const buddyType = pageblockType(frames, buddy);
    if (buddyType !== type && !mayJoin(type, buddyType)) break;
    delFromFreeList(frames, zone, buddy, order, buddyType);
    if (buddyType !== type) setPageblockType(frames, buddy, order, type);
    pfn &= buddy;
    order += 1;
    if (facts !== null) emit(facts, FACT.blockMerged, pfn, order, 0);
  }
  let last = toTail;
  if (!last && order < maxOrder - 1) {
    const other = (pfn & ~(1 << order)) ^ (2 << order);
    last = other >= start && other < end && flags[other] === PG.buddy && orders[other] === order + 1;
  }
  if (last) addTail(frames, zone, pfn, order, order * types + type);
  else addHead(frames, zone, pfn, order, order * types + type);
}

/** Pageblocks of the ordinary types may join into a larger block; reserved, lent and isolated ones keep to themselves (migratetype_is_mergeable). */
function mayJoin(type: number, buddyType: number): boolean {
  return type < MIGRATE.highatomic && buddyType < MIGRATE.highatomic;
}

/** Tags all pageblocks of a block of `order` (at least one). */
export function setPageblockType(frames: Frames, pfn: Pfn, order: number, type: number): void {
  const first = pfn >> frames.pageblockOrder;
  const blocks = order > frames.pageblockOrder ? 1 << (order - frames.pageblockOrder) : 1;
  frames.pageblock.fill(type, first, first + blocks);
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
