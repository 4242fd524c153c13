/**
 * Which zone gives the pages of a request (mm/page_alloc.c): zonelists from the requested zone down, watermarks, and
 * the bookkeeping of pages that are given out or come back. What happens when nobody has any is in slowpath.ts.
 */
import { emit, FACT } from '../facts.ts';
import { GFP_BIT } from '../gfp.ts';
import { PG, type Machine, type Pfn, type Pid, type Zone } from '../types.ts';
import { freeOnePage, rmqueueSmallest } from './buddy.ts';
import { classZone, zoneOf } from './mmzone.ts';
import { count, countAlloc, VMSTAT } from './vmstat.ts';

export type Mark = 'min' | 'low' | 'high';

/**
 * May an order-`order` request leave this zone above its mark (__zone_watermark_ok, spec §4)? The rights
 * that `gfp` gives lower the mark: only the slow path hands them in, with the MIN mark. The pages that are kept from higher
 * zones raise any.
 */
export function zoneWatermarkOk(zone: Zone, order: number, mark: number, classZoneIndex: number, gfp: number): boolean {
  let min = mark;
  if (gfp & GFP_BIT.__GFP_HIGH) {
    min -= min >> 1;
    if ((gfp & GFP_BIT.__GFP_DIRECT_RECLAIM) === 0) min -= min >> 2;
  }
  const free = zone.free - ((1 << order) - 1);
  if (free <= min + (zone.lowmemReserve[classZoneIndex] ?? 0)) return false;
  if (order === 0) return true;
  for (let o = order; o <= zone.maxOrder; o++) if (zone.nrFree[o]! > 0) return true;
  return false;
}

/** Takes a block from the first zone of the zonelist that stays above its mark; -1 when none does (get_page_from_freelist). */
export function getPageFromFreelist(machine: Machine, order: number, gfp: number, mark: Mark, pid: Pid, kind: number): Pfn {
  const { zones, frames } = machine;
  const classIndex = classZone(zones, gfp);
  for (let i = classIndex; i >= 0; i--) {
    const zone = zones[i]!;
    if (!zoneWatermarkOk(zone, order, zone.watermark[mark], classIndex, mark === 'min' ? gfp : 0)) continue;
    const pfn = rmqueueSmallest(frames, zone, order, machine.facts);
    if (pfn < 0) continue;
    frames.flags[pfn] = PG.head | kind;
    frames.order[pfn] = order;
    frames.owner[pfn] = pid;
    frames.mapcount[pfn] = 0;
    frames.refcount[pfn] = 1;
    frames.index[pfn] = 0;
    countAlloc(machine, zone, 1 << order);
    if (machine.facts !== null) emit(machine.facts, FACT.pagesAllocated, pfn, order, pid);
    return pfn;
  }
  return -1;
}

/** Gives a block back to the buddy and forgets what its pages held; the caller has checked that it may. */
export function freePagesBlock(machine: Machine, pfn: Pfn, order: number): void {
  const { frames, contents } = machine;
  if (contents.size > 0) for (let i = 0; i < 1 << order; i++) contents.delete(pfn + i);
  if (machine.facts !== null) emit(machine.facts, FACT.pagesFreed, pfn, order, frames.owner[pfn]!);
  frames.refcount[pfn] = 0;
  frames.owner[pfn] = 0;
  frames.index[pfn] = 0;
  freeOnePage(frames, zoneOf(machine.zones, pfn), pfn, order, false, machine.facts);
  count(machine, VMSTAT.pgfree, 1 << order);
}
