/**
 * Grouping pages by mobility (mm/page_alloc.c, spec §5): each pageblock serves one migratetype, so that pages which
 * cannot be moved do not end up everywhere. A type that has run dry takes from another, the largest block first, and
 * claims the whole pageblock where it can; a few blocks are kept for requests that cannot wait.
 */
import { emit, FACT } from '../facts.ts';
import { MIGRATE, PG, type Frames, type Machine, type Pfn, type Zone } from '../types.ts';
import {
  addToFreeList,
  delFromFreeList,
  expand,
  firstFree,
  freeBlocks,
  pageblockType,
  rmqueueSmallest,
  setPageblockType,
} from './buddy.ts';

/** Rights of a request in a zone (mm/internal.h). */
export const ALLOC = { nonBlock: 1, minReserve: 2, highatomic: 4, cma: 8, nofragment: 16 } as const;
export const ALLOC_RESERVES = ALLOC.nonBlock | ALLOC.minReserve | ALLOC.highatomic;

/** Whom a type takes from when it has nothing left, by type. */
const FALLBACKS: readonly (readonly number[])[] = [
  [MIGRATE.reclaimable, MIGRATE.movable],
  [MIGRATE.reclaimable, MIGRATE.unmovable],
  [MIGRATE.unmovable, MIGRATE.movable],
];
const BOOST_FACTOR = 15000;

/** Free pages on the lists of one type. O(orders). */
export function freePagesOfType(zone: Zone, type: number): number {
  if (zone.types === 1) return 0;
  let pages = 0;
  for (let order = 0; order <= zone.maxOrder; order++) pages += freeBlocks(zone, order, type) << order;
  return pages;
}

/** Is the frame the only one of a user page that could be moved elsewhere? Its type of page says so; pins are asked separately. */
export function isMovablePage(frames: Frames, pfn: Pfn): boolean {
  return (frames.flags[pfn]! & (PG.anon | PG.shmem)) !== 0;
}

/** May a request of this type take over the pageblock of a block of this order (can_steal_fallback)? */
function canSteal(frames: Frames, order: number, startType: number): boolean {
  return order >= frames.pageblockOrder >> 1 || startType !== MIGRATE.movable;
}

function suitableFallback(zone: Zone, order: number, startType: number): number {
  for (const type of FALLBACKS[startType]!) if (firstFree(zone, order, type) >= 0) return type;
  return -1;
}

/** Raises the marks for a while: the zone is mixing types, and reclaim should make room (boost_watermark). */
function boostWatermark(zone: Zone, pageblockPages: number): void {
  if (pageblockPages * 4 > zone.managed) return;
  const max = Math.floor((zone.watermark.high * BOOST_FACTOR) / 10000);
  if (max > 0) zone.boost = Math.min(zone.boost + pageblockPages, Math.max(pageblockPages, max));
}

/** First frame of the pageblock, and where it ends; null when it reaches over the zone's bounds. */
function pageblockRange(frames: Frames, zone: Zone, pfn: Pfn): { start: Pfn; end: Pfn } | null {
  const size = 1 << frames.pageblockOrder;
  const start = pfn & ~(size - 1);
  return start < zone.start || start + size > zone.end ? null : { start, end: start + size };
}

/** Free and movable pages of a pageblock (prep_move_freepages_block). */
function countBlock(frames: Frames, start: Pfn, end: Pfn): { free: number; movable: number } {
  let free = 0;
  let movable = 0;
  for (let pfn = start; pfn < end;) {
    if (frames.flags[pfn] === PG.buddy) {
      free += 1 << frames.order[pfn]!;
      pfn += 1 << frames.order[pfn]!;
      continue;
    }
    if (isMovablePage(frames, pfn)) movable += 1;
    pfn += 1;
  }
  return { free, movable };
}

/** Moves the free blocks of a pageblock to the tails of another type's lists and tags it; how many pages (move_freepages_block). */
export function moveFreepagesBlock(frames: Frames, zone: Zone, start: Pfn, end: Pfn, type: number): number {
  const old = pageblockType(frames, start);
  let moved = 0;
  for (let pfn = start; pfn < end;) {
    if (frames.flags[pfn] !== PG.buddy) {
      pfn += 1;
      continue;
    }
    const order = frames.order[pfn]!;
    delFromFreeList(frames, zone, pfn, order, old);
    addToFreeList(frames, zone, pfn, order, type, true);
    moved += 1 << order;
    pfn += 1 << order;
  }
  setPageblockType(frames, start, frames.pageblockOrder, type);
  return moved;
}

/** Tells the screen of pageblocks that changed their type. */
function retagged({ facts, frames }: Machine, pfn: Pfn, order: number, old: number, type: number): void {
  if (facts === null) return;
  const size = 1 << frames.pageblockOrder;
  for (let start = pfn & ~(size - 1); start < pfn + (1 << order); start += size) emit(facts, FACT.pageblockRetagged, start, type, old);
}

function takeWhole(machine: Machine, zone: Zone, pfn: Pfn, order: number, current: number, type: number): Pfn {
  delFromFreeList(machine.frames, zone, pfn, current, type);
  expand(machine.frames, zone, pfn, order, current, type, machine.facts);
  zone.free -= 1 << order;
  return pfn;
}

/** Takes a block of another type; the pageblock with it when most of it is free or alike (steal_suitable_fallback). */
function stealSuitableFallback(
  machine: Machine,
  zone: Zone,
  order: number,
  current: number,
  type: number,
  startType: number,
  whole: boolean,
): Pfn {
  const { frames } = machine;
  const pfn = firstFree(zone, current, type);
  if (current >= frames.pageblockOrder) {
    delFromFreeList(frames, zone, pfn, current, type);
    setPageblockType(frames, pfn, current, startType);
    retagged(machine, pfn, current, type, startType);
    expand(frames, zone, pfn, order, current, startType, machine.facts);
    zone.free -= 1 << order;
    return pfn;
  }
  boostWatermark(zone, 1 << frames.pageblockOrder);
  const range = whole ? pageblockRange(frames, zone, pfn) : null;
  if (range === null) return takeWhole(machine, zone, pfn, order, current, type);
  const { free, movable } = countBlock(frames, range.start, range.end);
  const size = range.end - range.start;
  const alike = startType === MIGRATE.movable ? movable : type === MIGRATE.movable ? size - free - movable : 0;
  if (free + alike < size >> 1) return takeWhole(machine, zone, pfn, order, current, type);
  moveFreepagesBlock(frames, zone, range.start, range.end, startType);
  retagged(machine, range.start, 0, type, startType);
  return rmqueueSmallest(frames, zone, order, startType, machine.facts);
}

/** A block of another type: the largest first; for movable pages, which do no harm, the smallest (__rmqueue_fallback). */
function rmqueueFallback(machine: Machine, zone: Zone, order: number, startType: number, flags: number): Pfn {
  const { frames } = machine;
  const least = flags & ALLOC.nofragment ? Math.max(order, frames.pageblockOrder) : order;
  for (let current = zone.maxOrder; current >= least; current--) {
    const type = suitableFallback(zone, current, startType);
    if (type < 0) continue;
    const whole = canSteal(frames, current, startType);
    if (whole || current === order) return stealSuitableFallback(machine, zone, order, current, type, startType, whole);
    return smallestFallback(machine, zone, order, startType);
  }
  return -1;
}

function smallestFallback(machine: Machine, zone: Zone, order: number, startType: number): Pfn {
  for (let current = order; current <= zone.maxOrder; current++) {
    const type = suitableFallback(zone, current, startType);
    if (type >= 0)
      return stealSuitableFallback(machine, zone, order, current, type, startType, canSteal(machine.frames, current, startType));
  }
  return -1;
}

/** A block for a type: its own lists, the contiguous area lent to movable pages, another type's (__rmqueue). */
export function rmqueue(machine: Machine, zone: Zone, order: number, type: number, flags: number): Pfn {
  const { frames, facts } = machine;
  if (zone.types === 1) return rmqueueSmallest(frames, zone, order, 0, facts);
  if (flags & ALLOC.highatomic) {
    const pfn = rmqueueSmallest(frames, zone, order, MIGRATE.highatomic, facts);
    if (pfn >= 0) return pfn;
  }
  if (flags & ALLOC.cma && zone.cmaPages > 0 && freePagesOfType(zone, MIGRATE.cma) > zone.free / 2) {
    const pfn = rmqueueSmallest(frames, zone, order, MIGRATE.cma, facts);
    if (pfn >= 0) return pfn;
  }
  let pfn = rmqueueSmallest(frames, zone, order, type, facts);
  if (pfn < 0 && flags & ALLOC.cma) pfn = rmqueueSmallest(frames, zone, order, MIGRATE.cma, facts);
  if (pfn < 0) pfn = rmqueueFallback(machine, zone, order, type, flags);
  if (pfn < 0 && flags & ALLOC.nonBlock) pfn = rmqueueSmallest(frames, zone, order, MIGRATE.highatomic, facts);
  return pfn;
}

/** After a high-order request that could not wait: keeps its pageblock for such requests, up to 1 % of the zone (reserve_highatomic_pageblock). */
export function reserveHighatomicPageblock(machine: Machine, zone: Zone, pfn: Pfn, order: number): void {
  const { frames } = machine;
  const size = 1 << frames.pageblockOrder;
  const percent = Math.floor(zone.managed / 100);
  if (zone.types === 1 || percent < size || zone.reservedHighatomic >= Math.ceil(percent / size) * size) return;
  const old = pageblockType(frames, pfn);
  if (old >= MIGRATE.highatomic) return;
  if (order >= frames.pageblockOrder) {
    setPageblockType(frames, pfn, order, MIGRATE.highatomic);
    retagged(machine, pfn, order, old, MIGRATE.highatomic);
    zone.reservedHighatomic += 1 << order;
    return;
  }
  const range = pageblockRange(frames, zone, pfn);
  if (range === null) return;
  moveFreepagesBlock(frames, zone, range.start, range.end, MIGRATE.highatomic);
  retagged(machine, range.start, 0, old, MIGRATE.highatomic);
  zone.reservedHighatomic += size;
}

/**
 * Gives one reserved pageblock with free pages back to ordinary use, from the zone with this number down; keeps the last one of a
 * zone unless forced (unreserve_highatomic_pageblock).
 */
export function unreserveHighatomicPageblock(machine: Machine, classIndex: number, type: number, force: boolean): boolean {
  const { frames, zones } = machine;
  const size = 1 << frames.pageblockOrder;
  for (let i = classIndex; i >= 0; i--) {
    const zone = zones[i]!;
    if (zone.types === 1 || zone.reservedHighatomic === 0 || (!force && zone.reservedHighatomic <= size)) continue;
    for (let order = 0; order <= zone.maxOrder; order++) {
      const pfn = firstFree(zone, order, MIGRATE.highatomic);
      if (pfn < 0) continue;
      unreserveBlock(frames, zone, pfn, order, type);
      retagged(machine, pfn, order, MIGRATE.highatomic, type);
      return true;
    }
  }
  return false;
}

function unreserveBlock(frames: Frames, zone: Zone, pfn: Pfn, order: number, type: number): void {
  const size = 1 << frames.pageblockOrder;
  if (order > frames.pageblockOrder) {
    delFromFreeList(frames, zone, pfn, order, MIGRATE.highatomic);
    setPageblockType(frames, pfn, order, type);
    addToFreeList(frames, zone, pfn, order, type, true);
    zone.reservedHighatomic -= Math.min(zone.reservedHighatomic, 1 << order);
    return;
  }
  const start = pfn & ~(size - 1);
  moveFreepagesBlock(frames, zone, start, Math.min(start + size, zone.end), type);
  zone.reservedHighatomic -= Math.min(zone.reservedHighatomic, size);
}

/** Could a request of this type claim a whole pageblock through a free block of this order? Then compaction need not go on. */
export function fallbackIsClaimable(frames: Frames, zone: Zone, order: number, type: number): boolean {
  return suitableFallback(zone, order, type) >= 0 && canSteal(frames, order, type);
}
