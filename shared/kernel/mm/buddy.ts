/**
 * The buddy allocator inside one zone (mm/page_alloc.c): free blocks of 2^order frames, each aligned to its size.
 *
 * A free block is known by its first frame (BUDDY, `order`), which is also its link in the list of its order; the
 * lists are doubly linked through `links`, so that a buddy leaves the middle of a list in one step. The
 * buddy of a block is found by one bit: pfn ^ 2^order. Every operation costs O(orders). With migratetypes each order has
 * a list a type, and the type of a free block is that of its pageblock.
 *
 * // Simplified: Linux keeps per-CPU page lists in front of the buddy; this machine has one CPU, so none.
 */
import { emit, FACT, type FactRing } from '../facts.ts';
import { MIGRATE, PG, type Frames, type Pfn, type Zone } from '../types.ts';

/** As this module's own constants they are numbers in the machine code; through an import each use would load and check them. */
const [BUDDY, HIGHATOMIC, ISOLATE] = [PG.buddy, MIGRATE.highatomic, MIGRATE.isolate];

/** The migratetype whose lists hold the free pages of a frame's pageblock. */
export function pageblockType(frames: Frames, pfn: Pfn): number {
  return frames.pageblock[pfn >> frames.pageblockOrder]!;
}

/** Links a block of `order`, headed by `pfn`, first or last into a list. */
function link(frames: Frames, zone: Zone, pfn: Pfn, order: number, list: number, toTail: boolean): void {
  const { links, flags, order: orders } = frames;
  const { lists } = zone;
  const at = list << 2;
  if (toTail === true) {
    const last = lists[at | 1]!;
    links[pfn << 1] = -1;
    links[(pfn << 1) | 1] = last;
    lists[at | 1] = pfn;
    if (last < 0) lists[at] = pfn;
    else links[last << 1] = pfn;
  } else {
    const first = lists[at]!;
    links[pfn << 1] = first;
    links[(pfn << 1) | 1] = -1;
    lists[at] = pfn;
    if (first < 0) lists[at | 1] = pfn;
    else links[(first << 1) | 1] = pfn;
  }
  flags[pfn] = BUDDY;
  orders[pfn] = order;
  lists[at | 2]! += 1;
}

/** Takes a free block out of a list; what its first frame is from now on is for the caller to mark. Its links stay: they mean something while it is free. */
function unlink(frames: Frames, zone: Zone, pfn: Pfn, list: number): void {
  const { links } = frames;
  const { lists } = zone;
  const at = list << 2;
  const after = links[pfn << 1]!;
  const before = links[(pfn << 1) | 1]!;
  if (before < 0) lists[at] = after;
  else links[before << 1] = after;
  if (after < 0) lists[at | 1] = before;
  else links[(after << 1) | 1] = before;
  lists[at | 2]! -= 1;
}

/** First free block of an order and type, −1 when there is none. */
export function firstFree({ lists, types }: Zone, order: number, type: number): Pfn {
  return lists[(order * types + type) << 2]!;
}

/** Free blocks of an order and type. */
export function freeBlocks({ lists, types }: Zone, order: number, type: number): number {
  return lists[((order * types + type) << 2) | 2]!;
}

/** Free blocks of an order, of all types (nr_free). */
export function nrFree({ lists, types }: Zone, order: number): number {
  let blocks = 0;
  for (let list = order * types; list < (order + 1) * types; list++) blocks += lists[(list << 2) | 2]!;
  return blocks;
}

/** The same for each order. */
export function nrFreeByOrder(zone: Zone): Int32Array {
  return Int32Array.from({ length: zone.maxOrder + 1 }, (_, order) => nrFree(zone, order));
}

/** Puts a block on the list of its order and type, first or last. */
export function addToFreeList(frames: Frames, zone: Zone, pfn: Pfn, order: number, type: number, toTail: boolean): void {
  link(frames, zone, pfn, order, order * zone.types + type, toTail);
}

/** Takes a free block out of the list of its order and type; its first frame is nobody's until the caller marks it. */
export function delFromFreeList(frames: Frames, zone: Zone, pfn: Pfn, order: number, type: number): void {
  unlink(frames, zone, pfn, order * zone.types + type);
  frames.flags[pfn] = 0;
}

/** Cuts a block of order `high` down to `low`, giving back each upper half; the caller keeps the lowest piece. */
export function expand(frames: Frames, zone: Zone, pfn: Pfn, low: number, high: number, type: number, facts: FactRing | null): void {
  const { types } = zone;
  for (let order = high - 1, list = order * types + type; order >= low; order--, list -= types) {
    if (facts !== null) emit(facts, FACT.blockSplit, pfn, order + 1, 0);
    link(frames, zone, pfn | (1 << order), order, list, false);
  }
}

/** The first block of this type that is large enough, cut to size, its first frame still to be marked by the caller; -1 when no list has one (__rmqueue_smallest). */
export function rmqueueSmallest(frames: Frames, zone: Zone, order: number, type: number, facts: FactRing | null): Pfn {
  const { lists, maxOrder, types } = zone;
  for (let current = order, list = order * types + type; current <= maxOrder; current++, list += types) {
    const pfn = lists[list << 2]!;
    if (pfn < 0) continue;
    unlink(frames, zone, pfn, list);
    if (current > order) expand(frames, zone, pfn, order, current, type, facts);
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
  zone.free += 1 << order;
  while (order < maxOrder) {
    const buddy = pfn ^ (1 << order);
    if (buddy < start || buddy >= end || flags[buddy] !== BUDDY || orders[buddy] !== order) break;
    unlink(frames, zone, buddy, order);
    flags[pfn | buddy] = 0; // of two heads the upper one is none any more
    pfn &= buddy;
    order += 1;
    if (facts !== null) emit(facts, FACT.blockMerged, pfn, order, 0);
  }
  link(frames, zone, pfn, order, order, toTail === true || mergeLikely(frames, zone, pfn, order));
}

/** Is the buddy of the block that would hold this one and its own buddy free? */
function mergeLikely({ flags, order: orders }: Frames, { start, end, maxOrder }: Zone, pfn: Pfn, order: number): boolean {
  if (order >= maxOrder - 1) return false;
  const other = (pfn & ~(1 << order)) ^ (2 << order);
  return other >= start && other < end && flags[other] === BUDDY && orders[other] === order + 1;
}

/** The same where orders have a list a type: a block's type is that of its pageblock. */
function freeTyped(frames: Frames, zone: Zone, freed: Pfn, freedOrder: number, toTail: boolean, facts: FactRing | null): void {
  const { flags, order: orders } = frames;
  const { start, end, maxOrder, types } = zone;
  const type = pageblockType(frames, freed);
  let pfn = freed;
  let order = freedOrder;
  if (type !== ISOLATE) zone.free += 1 << order;
  while (order < maxOrder) {
    const buddy = pfn ^ (1 << order);
    if (buddy < start || buddy >= end || flags[buddy] !== BUDDY || orders[buddy] !== order) break;
    const buddyType = pageblockType(frames, buddy);
    if (buddyType !== type && !mayJoin(type, buddyType)) break;
    unlink(frames, zone, buddy, order * types + buddyType);
    flags[pfn | buddy] = 0;
    if (buddyType !== type) setPageblockType(frames, buddy, order, type);
    pfn &= buddy;
    order += 1;
    if (facts !== null) emit(facts, FACT.blockMerged, pfn, order, 0);
  }
  link(frames, zone, pfn, order, order * types + type, toTail === true || mergeLikely(frames, zone, pfn, order));
}

/** Pageblocks of the ordinary types may join into a larger block; reserved, lent and isolated ones keep to themselves (migratetype_is_mergeable). */
function mayJoin(type: number, buddyType: number): boolean {
  return type < HIGHATOMIC && buddyType < HIGHATOMIC;
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
    for (let order = zone.maxOrder; order > largest; order--) if (nrFree(zone, order) > 0) largest = order;
  }
  return largest;
}

/** The block, free or allocated, that a frame belongs to; null for frames that the buddy never sees. O(orders). */
export function blockOf(frames: Frames, pfn: Pfn): { head: Pfn; order: number; free: boolean } | null {
  for (let order = 0; order <= 10; order++) {
    const head = pfn & ~((1 << order) - 1);
    const flags = frames.flags[head]!;
    if ((flags & (BUDDY | PG.head)) !== 0 && frames.order[head]! >= order) {
      return { head, order: frames.order[head]!, free: (flags & BUDDY) !== 0 };
    }
  }
  return null;
}
