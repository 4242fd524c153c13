/**
 * Grouping pages by mobility as 2.6.32 does it (mm/page_alloc.c; spec §5, tag [K26]). Every block that is freed goes first in its
 * list. A type that has run dry takes the largest block of another; where it claims a pageblock, the free blocks of that change
 * lists even if the pageblock keeps its tag. So a free block's list is not that of its pageblock: its head's `index` holds it.
 * In place of HIGHATOMIC there is RESERVE, a pageblock or two at the bottom of each zone, for whoever finds nothing else.
 */
import { emit, FACT, type FactRing } from '../facts.ts';
import { MIGRATE, PG, type Frames, type Machine, type Pfn, type Zone } from '../types.ts';
import { addToFreeList, blockOf, delFromFreeList, firstFree, nrFree, pageblockType, setPageblockType } from './buddy.ts';

/** MIGRATE_RESERVE; the number is that of HIGHATOMIC, which came in its place. */
const RESERVE = MIGRATE.highatomic;
const RESERVE_BLOCKS_MAX = 2;

/** Whom a type takes from when it has nothing left, by type. RESERVE comes last, and is nobody's to claim. */
const FALLBACKS: readonly (readonly number[])[] = [
  [MIGRATE.reclaimable, MIGRATE.movable],
  [MIGRATE.reclaimable, MIGRATE.unmovable],
  [MIGRATE.unmovable, MIGRATE.movable],
];

function addBlock(frames: Frames, zone: Zone, pfn: Pfn, order: number, type: number): void {
  addToFreeList(frames, zone, pfn, order, type, false);
  frames.index[pfn] = type;
}

/** Takes a free block from whichever list it is on. */
function delBlock(frames: Frames, zone: Zone, pfn: Pfn, order: number): void {
  delFromFreeList(frames, zone, pfn, order, frames.index[pfn]!);
  frames.index[pfn] = 0;
}

/** Gives back a block, joining it with its buddies, whatever their types; the type is that of the freed page's pageblock (__free_one_page). */
export function freeOnePage26(frames: Frames, zone: Zone, freed: Pfn, freedOrder: number, facts: FactRing | null): void {
  const { flags, order: orders } = frames;
  const type = zone.types === 1 ? 0 : pageblockType(frames, freed);
  let pfn = freed;
  let order = freedOrder;
  flags[freed] = 0;
  zone.free += 1 << order;
  for (; order < zone.maxOrder; order++) {
    const buddy = pfn ^ (1 << order);
    if (buddy < zone.start || buddy >= zone.end || flags[buddy] !== PG.buddy || orders[buddy] !== order) break;
    delBlock(frames, zone, buddy, order);
    pfn &= buddy;
    if (facts !== null) emit(facts, FACT.blockMerged, pfn, order + 1, 0);
  }
  addBlock(frames, zone, pfn, order, type);
}

/** Cuts a free block to size; what is left over goes to the lists of a type (expand). */
function cutBlock(frames: Frames, zone: Zone, pfn: Pfn, order: number, high: number, type: number, facts: FactRing | null): Pfn {
  delBlock(frames, zone, pfn, high);
  for (let current = high - 1; current >= order; current--) {
    if (facts !== null) emit(facts, FACT.blockSplit, pfn, current + 1, 0);
    addBlock(frames, zone, pfn + (1 << current), current, type);
  }
  zone.free -= 1 << order;
  return pfn;
}

function rmqueueSmallest26(frames: Frames, zone: Zone, order: number, type: number, facts: FactRing | null): Pfn {
  for (let current = order; current <= zone.maxOrder; current++) {
    const pfn = firstFree(zone, current, type);
    if (pfn >= 0) return cutBlock(frames, zone, pfn, order, current, type, facts);
  }
  return -1;
}

/** Moves the free blocks of a pageblock to the heads of a type's lists: how many pages that were; none where it reaches over the zone's end (move_freepages_block). */
function moveFreepagesBlock26(frames: Frames, zone: Zone, pfn: Pfn, type: number): number {
  const size = 1 << frames.pageblockOrder;
  const start = pfn & ~(size - 1);
  if (start + size > zone.end) return 0;
  let moved = 0;
  for (let at = start < zone.start ? pfn : start; at < start + size;) {
    if (frames.flags[at] !== PG.buddy) {
      at += 1;
      continue;
    }
    const order = frames.order[at]!;
    delBlock(frames, zone, at, order);
    addBlock(frames, zone, at, order, type);
    moved += 1 << order;
    at += 1 << order;
  }
  return moved;
}

/** The first block of another type, the largest first; of large ones, and for reclaimable pages always, the whole pageblock (__rmqueue_fallback). */
function rmqueueFallback26(frames: Frames, zone: Zone, order: number, startType: number, facts: FactRing | null): Pfn {
  for (let current = zone.maxOrder; current >= order; current--) {
    for (const type of FALLBACKS[startType]!) {
      const pfn = firstFree(zone, current, type);
      if (pfn < 0) continue;
      const claims = current >= frames.pageblockOrder >> 1 || startType === MIGRATE.reclaimable;
      if (claims && moveFreepagesBlock26(frames, zone, pfn, startType) >= 1 << (frames.pageblockOrder - 1)) {
        setPageblockType(frames, pfn, 0, startType);
      }
      if (current >= frames.pageblockOrder) setPageblockType(frames, pfn, current, startType);
      return cutBlock(frames, zone, pfn, order, current, claims ? startType : type, facts);
    }
  }
  return -1;
}

/** A block for a type: its own lists, another type's, the reserve (__rmqueue). */
export function rmqueue26(machine: Machine, zone: Zone, order: number, type: number): Pfn {
  const { frames, facts } = machine;
  if (zone.types === 1) return rmqueueSmallest26(frames, zone, order, 0, facts);
  let pfn = rmqueueSmallest26(frames, zone, order, type, facts);
  if (pfn < 0) pfn = rmqueueFallback26(frames, zone, order, type, facts);
  return pfn >= 0 ? pfn : rmqueueSmallest26(frames, zone, order, RESERVE, facts);
}

/** Cuts a free block that is larger than the pageblock at `start` until the pageblock is a block of its own. */
function cutAround(frames: Frames, zone: Zone, start: Pfn): void {
  for (;;) {
    const block = start < zone.start ? null : blockOf(frames, start);
    if (block === null || !block.free || block.order <= frames.pageblockOrder) return;
    const type = frames.index[block.head]!;
    const half = block.order - 1;
    delBlock(frames, zone, block.head, block.order);
    addBlock(frames, zone, block.head + (1 << half), half, type);
    addBlock(frames, zone, block.head, half, type);
  }
}

/** Keeps the first one or two movable pageblocks of a zone, by its min mark, and takes back what is kept beyond (setup_zone_migrate_reserve). */
// Simplified: a larger free block is cut first. 2.6.32 moves it whole, which on a machine of few, small pageblocks would keep all.
export function setupMigrateReserve(frames: Frames, zone: Zone): void {
  if (zone.types === 1) return;
  const size = 1 << frames.pageblockOrder;
  let blocks = Math.min(RESERVE_BLOCKS_MAX, Math.ceil(zone.watermark.min / size));
  for (let pfn = zone.start; pfn < zone.end; pfn += size) {
    if (frames.flags[pfn] === PG.reserved) continue;
    const type = pageblockType(frames, pfn);
    if (type === RESERVE && blocks > 0) blocks -= 1;
    else if (type === RESERVE || (type === MIGRATE.movable && blocks > 0)) {
      const isKept = type !== RESERVE;
      if (isKept) cutAround(frames, zone, pfn & ~(size - 1));
      setPageblockType(frames, pfn, 0, isKept ? RESERVE : MIGRATE.movable);
      moveFreepagesBlock26(frames, zone, pfn, isKept ? RESERVE : MIGRATE.movable);
      if (isKept) blocks -= 1;
    }
  }
}

/** Free pages stay above the mark, and so do, order by order, those in blocks that are large enough, above half of it each time (zone_watermark_ok). */
export function zoneWatermarkOk26(zone: Zone, order: number, min: number, reserve: number): boolean {
  let free = zone.free - (1 << order) + 1;
  let mark = min;
  if (free <= mark + reserve) return false;
  for (let o = 0; o < order; o++) {
    free -= nrFree(zone, o) << o;
    mark >>= 1;
    if (free <= mark) return false;
  }
  return true;
}
