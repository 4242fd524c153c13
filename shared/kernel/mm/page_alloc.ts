/**
 * Which zone gives the pages of a request (mm/page_alloc.c): zonelists from the requested zone down, watermarks, and
 * the bookkeeping of pages that are given out or come back. What happens when nobody has any is in slowpath.ts.
 */
import { emit, FACT } from '../facts.ts';
import { GFP_BIT } from '../gfp.ts';
import { MIGRATE, PG, type Machine, type Pfn, type Pid, type Zone } from '../types.ts';
import { freeBlocks, freeOnePage } from './buddy.ts';
import { freeOnePage26, rmqueue26, zoneWatermarkOk26 } from './mobility26.ts';
import { ALLOC, ALLOC_RESERVES, freePagesOfType, reserveHighatomicPageblock, rmqueue } from './mobility.ts';
import { classZone, ZONE, zoneOf } from './mmzone.ts';
import { forgetState, KIND_FILE, lruAdd, newState26, PGS } from './swap.ts';
import { count, countAlloc, VMSTAT } from './vmstat.ts';

// Constants of its own cost a hot path nothing; those of other modules are looked up at each use.
const { __GFP_MOVABLE: GFP_MOVABLE, __GFP_RECLAIMABLE: GFP_RECLAIMABLE } = GFP_BIT;
const { unmovable: UNMOVABLE, movable: MOVABLE, reclaimable: RECLAIMABLE, cma: CMA, highatomic: HIGHATOMIC } = MIGRATE;
const [HEAD, USER_PAGE] = [PG.head, PG.anon | PG.shmem];
const [ZONE_DMA32, ZONE_NORMAL] = [ZONE.DMA32, ZONE.Normal];
const PGFREE = VMSTAT.pgfree;
const PAGE_CACHE = PGS.file;

export type Mark = 'min' | 'low' | 'high';

/** Migratetype that the flags ask for (gfp_migratetype). */
export function gfpMigratetype(gfp: number): number {
  if (gfp & GFP_MOVABLE) return MOVABLE;
  return gfp & GFP_RECLAIMABLE ? RECLAIMABLE : UNMOVABLE;
}

/** Rights of a request in the slow path (gfp_to_alloc_flags). */
export function slowpathFlags(order: number, gfp: number): number {
  let flags = gfp & GFP_BIT.__GFP_HIGH ? ALLOC.minReserve : 0;
  const mayDig = (gfp & (GFP_BIT.__GFP_DIRECT_RECLAIM | GFP_BIT.__GFP_NOMEMALLOC)) === 0;
  if (mayDig) flags |= ALLOC.nonBlock | (order > 0 && flags & ALLOC.minReserve ? ALLOC.highatomic : 0);
  return flags | fastpathFlags(gfp);
}

/** Rights that any movable request has: the contiguous area is lent to it. */
export function fastpathFlags(gfp: number): number {
  return gfp & GFP_MOVABLE ? ALLOC.cma : 0;
}

/** Is there a free block of at least this order that the request may take? */
function hasBlock(zone: Zone, order: number, flags: number): boolean {
  for (let o = order; o <= zone.maxOrder; o++) {
    if (freeBlocks(zone, o, 0) > 0) return true;
    if (zone.types === 1) continue;
    for (let type = MOVABLE; type <= RECLAIMABLE; type++) if (freeBlocks(zone, o, type) > 0) return true;
    if (flags & ALLOC.cma && freeBlocks(zone, o, CMA) > 0) return true;
    if (flags & ALLOC.highatomic && freeBlocks(zone, o, HIGHATOMIC) > 0) return true;
  }
  return false;
}

/**
 * May an order-`order` request leave this zone above its mark (__zone_watermark_ok, spec §4)? Rights (ALLOC) lower the
 * mark; pages that the request may not have do not count; those kept from higher zones raise it.
 */
export function zoneWatermarkOk(zone: Zone, order: number, mark: number, classZoneIndex: number, flags: number): boolean {
  if (zone.k26) return zoneWatermarkOk26(zone, order, oldMark(mark, flags), zone.lowmemReserve[classZoneIndex] ?? 0);
  let free = zone.free - ((1 << order) - 1);
  if (zone.reservedHighatomic > 0 && (flags & ALLOC_RESERVES) === 0) free -= freePagesOfType(zone, HIGHATOMIC);
  if (zone.cmaPages > 0 && (flags & ALLOC.cma) === 0) free -= freePagesOfType(zone, CMA);
  let min = mark;
  if (flags & ALLOC.minReserve) {
    min -= min >> 1;
    if (flags & ALLOC.nonBlock) min -= min >> 2;
  }
  if (free <= min + (zone.lowmemReserve[classZoneIndex] ?? 0)) return false;
  return order === 0 || hasBlock(zone, order, flags);
}

/** How far a request of 2.6.32 may go below a mark: half of it, and a quarter of the rest for who cannot wait (ALLOC_HIGH, ALLOC_HARDER). */
function oldMark(mark: number, flags: number): number {
  const min = flags & ALLOC.minReserve ? mark - (mark >> 1) : mark;
  return flags & ALLOC.nonBlock ? min - (min >> 2) : min;
}

/** The mark as it stands: boosted while a zone mixes types. */
export function markOf(zone: Zone, mark: Mark): number {
  const { watermark, boost } = zone;
  return (mark === 'low' ? watermark.low : mark === 'min' ? watermark.min : watermark.high) + boost;
}

/** Where the preferred zone is Normal above DMA32, rather the zone below than a mixed pageblock (alloc_flags_nofragment). */
function nofragment(zones: readonly Zone[], classIndex: number): number {
  return classIndex > 0 && zones[classIndex]!.kind === ZONE_NORMAL && zones[classIndex - 1]!.kind === ZONE_DMA32 ? ALLOC.nofragment : 0;
}

/** Takes a block from the first zone of the zonelist that stays above its mark; -1 when none does (get_page_from_freelist). */
export function getPageFromFreelist(machine: Machine, order: number, gfp: number, flags: number, mark: Mark, pid: Pid, kind: number): Pfn {
  const classIndex = classZone(machine.zones, gfp);
  const gentle = flags | nofragment(machine.zones, classIndex);
  const pfn = walkZonelist(machine, order, gfp, gentle, mark, pid, kind, classIndex);
  return pfn >= 0 || gentle === flags ? pfn : walkZonelist(machine, order, gfp, flags, mark, pid, kind, classIndex);
}

function walkZonelist(
  machine: Machine,
  order: number,
  gfp: number,
  flags: number,
  mark: Mark,
  pid: Pid,
  kind: number,
  classIndex: number,
): Pfn {
  for (let i = classIndex; i >= 0; i--) {
    const zone = machine.zones[i]!;
    if (!zoneWatermarkOk(zone, order, markOf(zone, mark), classIndex, flags)) continue;
    const type = gfpMigratetype(gfp);
    const pfn = zone.k26 ? rmqueue26(machine, zone, order, type) : rmqueue(machine, zone, order, type, flags);
    if (pfn < 0) continue;
    prepNewPage(machine, zone, pfn, order, pid, kind);
    if (flags & ALLOC.highatomic && !zone.k26) reserveHighatomicPageblock(machine, zone, pfn, order);
    return pfn;
  }
  return -1;
}

/** Marks a block that has just left the buddy as somebody's (prep_new_page). */
export function prepNewPage(machine: Machine, zone: Zone, pfn: Pfn, order: number, pid: Pid, kind: number): void {
  const { frames } = machine;
  frames.flags[pfn] = HEAD | kind;
  frames.order[pfn] = order;
  frames.owner[pfn] = pid;
  frames.refcount[pfn] = 1;
  frames.index[pfn] = 0; // of a free block of 2.6.32 it says which list
  if (kind & USER_PAGE) {
    frames.state[pfn] = zone.k26 ? newState26(machine, pfn, kind) : kind & KIND_FILE ? PAGE_CACHE : 0;
    lruAdd(machine, pfn);
  }
  countAlloc(machine, zone, 1 << order);
  if (machine.facts !== null) emit(machine.facts, FACT.pagesAllocated, pfn, order, pid);
}

/** Makes one page of a block that its asker cuts up a user page of its own (split_page). */
export function prepUserPage(machine: Machine, pfn: Pfn, pid: Pid, kind: number, index: number): void {
  const { frames } = machine;
  frames.flags[pfn] = HEAD | kind;
  frames.order[pfn] = 0;
  frames.owner[pfn] = pid;
  frames.mapcount[pfn] = 0;
  frames.refcount[pfn] = 1;
  frames.index[pfn] = index;
  frames.state[pfn] = 0;
  lruAdd(machine, pfn);
}

/** Gives a block back to the buddy and forgets what its pages held; the caller has checked that it may. */
export function freePagesBlock(machine: Machine, pfn: Pfn, order: number): void {
  const { frames, contents } = machine;
  if (contents.size > 0) for (let i = 0; i < 1 << order; i++) contents.delete(pfn + i);
  if (machine.facts !== null) emit(machine.facts, FACT.pagesFreed, pfn, order, frames.owner[pfn]!);
  if (frames.state[pfn] !== 0) forgetState(machine, pfn);
  frames.refcount[pfn] = 0;
  frames.owner[pfn] = 0;
  if (frames.index[pfn] !== 0) frames.index[pfn] = 0;
  const zone = zoneOf(machine.zones, pfn);
  if (zone.k26) freeOnePage26(frames, zone, pfn, order, machine.facts);
  else freeOnePage(frames, zone, pfn, order, false, machine.facts);
  count(machine, PGFREE, 1 << order);
}
