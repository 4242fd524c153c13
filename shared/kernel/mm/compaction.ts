/**
 * Memory compaction (mm/compaction.c, spec §6): one scanner climbs from the bottom of a zone and takes movable pages,
 * another descends from its top and collects free ones; pages move up until the two meet or a block of the wanted
 * order is there. Free memory is the same before and after; only its shape changes.
 */
import { emit, FACT } from '../facts.ts';
import { GFP_BIT } from '../gfp.ts';
import { MIGRATE, PG, type Machine, type Pfn, type Zone } from '../types.ts';
import { delFromFreeList, freeBlocks, freeOnePage, nrFree, nrFreeByOrder, pageblockType } from './buddy.ts';
import { fragmentationIndex } from './indices.ts';
import { HPAGE_PAGES } from './huge_split.ts';
import { isMigratable, migratePage } from './migrate.ts';
import { ALLOC, fallbackIsClaimable } from './mobility.ts';
import { classZone, COSTLY_ORDER } from './mmzone.ts';
import { gfpMigratetype, markOf, zoneWatermarkOk } from './page_alloc.ts';
import { reclaimablePages } from './swap_state.ts';
import { count, VMSTAT } from './vmstat.ts';

/** How hard it tries: only where it is likely to help; anywhere; from the start and though it was put off (enum compact_priority). */
export type CompactPriority = 'async' | 'light' | 'full';
export type CompactResult = 'skipped' | 'deferred' | 'partial' | 'complete' | 'success';

const CLUSTER_MAX = 32;
const EXTFRAG_THRESHOLD = 500;
const DEFER_SHIFT_MAX = 6;

/** What one run works with (struct compact_control). `order` −1: the whole zone, for vm.compact_memory. */
interface Control {
  readonly machine: Machine;
  readonly zone: Zone;
  readonly order: number;
  readonly type: number;
  readonly sync: boolean;
  migratePfn: Pfn;
  freePfn: Pfn;
  /** Isolated free pages, to be used from `nextFree` on. */
  freePages: Pfn[];
  nextFree: number;
}

/** Pages that a run works with (compact_gap). */
export const compactGap = (order: number): number => 2 << order;

/** Is there enough free memory for compaction to work with, were `more` pages free, and is it worth it (compaction_suitable)? */
export function isSuitable(zone: Zone, order: number, classIndex: number, more = 0): boolean {
  const mark = markOf(zone, order > COSTLY_ORDER ? 'low' : 'min') + compactGap(order) - more;
  if (!zoneWatermarkOk(zone, 0, mark, classIndex, ALLOC.cma)) return false;
  if (order <= COSTLY_ORDER) return true;
  const index = fragmentationIndex(nrFreeByOrder(zone), order);
  return index < 0 || index > EXTFRAG_THRESHOLD;
}

/** Async runs take pages only from pageblocks that help the request; patient ones from any (suitable_migration_source). */
function isSource(cc: Control, block: Pfn): boolean {
  if (cc.sync) return true;
  const type = pageblockType(cc.machine.frames, block);
  return cc.type === MIGRATE.movable ? type === MIGRATE.movable || type === MIGRATE.cma : type === cc.type;
}

/** Pages may move into movable pageblocks that are not one large free block already (suitable_migration_target). */
function isTarget(cc: Control, block: Pfn): boolean {
  const { frames } = cc.machine;
  if (frames.flags[block] === PG.buddy && frames.order[block]! >= frames.pageblockOrder) return false;
  if (frames.types === 1) return true;
  const type = pageblockType(frames, block);
  return type === MIGRATE.movable || type === MIGRATE.cma;
}

/** Takes every free page of a pageblock out of the buddy, lowest first (isolate_freepages_block). */
function isolateFreeBlock(cc: Control, start: Pfn, end: Pfn): void {
  const { frames } = cc.machine;
  count(cc.machine, VMSTAT.compact_free_scanned, end - start);
  cc.machine.cost += cc.machine.config.costs.compact_scan!;
  for (let pfn = start; pfn < end;) {
    if (frames.flags[pfn] !== PG.buddy) {
      pfn += 1;
      continue;
    }
    const order = frames.order[pfn]!;
    delFromFreeList(frames, cc.zone, pfn, order, pageblockType(frames, pfn));
    cc.zone.free -= 1 << order;
    for (let i = 0; i < 1 << order; i++) cc.freePages.push(pfn + i);
    pfn += 1 << order;
  }
}

/** Descends until there are free pages for so many moves, or the scanners would meet (isolate_freepages). */
function isolateFreepages(cc: Control, wanted: number): void {
  const { frames } = cc.machine;
  const size = 1 << frames.pageblockOrder;
  while (cc.freePages.length - cc.nextFree < wanted) {
    const block = (cc.freePfn - 1) & ~(size - 1);
    if (block < cc.zone.start || block <= (cc.migratePfn & ~(size - 1))) return;
    if (isTarget(cc, block)) isolateFreeBlock(cc, block, Math.min(block + size, cc.freePfn));
    cc.freePfn = block;
  }
}

/** What was not needed goes back; the free scanner starts again above it next time (release_freepages). */
function releaseFreepages(cc: Control): void {
  const { machine, zone } = cc;
  for (let i = cc.nextFree; i < cc.freePages.length; i++) {
    const pfn = cc.freePages[i]!;
    freeOnePage(machine.frames, zone, pfn, 0, false, machine.facts);
    emit(machine.facts, FACT.pagesReturned, pfn, 0, 0);
    const top = Math.min(zone.end, (pfn | ((1 << machine.frames.pageblockOrder) - 1)) + 1);
    if (top > zone.compact.freePfn) zone.compact.freePfn = top;
  }
}

/** Up to 32 movable pages of one pageblock, from the migrate scanner on (isolate_migratepages_block). */
function isolateMigratepages(cc: Control, blockEnd: Pfn): Pfn[] {
  const { frames } = cc.machine;
  const taken: Pfn[] = [];
  while (cc.migratePfn < blockEnd && taken.length < CLUSTER_MAX) {
    const pfn = cc.migratePfn;
    if (frames.flags[pfn] === PG.buddy) {
      cc.migratePfn += 1 << frames.order[pfn]!;
      continue;
    }
    // A huge page is as good as the block that it would make (isolate_migratepages_block).
    if (cc.machine.huge.size > 0 && cc.machine.huge.has(pfn)) {
      cc.migratePfn += HPAGE_PAGES;
      continue;
    }
    cc.migratePfn += 1;
    count(cc.machine, VMSTAT.compact_migrate_scanned, 1);
    if (isMigratable(frames, pfn)) taken.push(pfn);
  }
  count(cc.machine, VMSTAT.compact_isolated, taken.length);
  return taken;
}

/** Moves a batch; false when the free scanner has nothing left. */
function migrateBatch(cc: Control, pages: readonly Pfn[]): boolean {
  const { machine, zone } = cc;
  for (const pfn of pages) {
    if (cc.nextFree === cc.freePages.length) isolateFreepages(cc, CLUSTER_MAX);
    const to = cc.freePages[cc.nextFree];
    if (to === undefined) return false;
    cc.nextFree += 1;
    machine.frames.flags[to] = PG.head;
    migratePage(machine, pfn, to);
    if (zone.end <= to) throw new RangeError('a page moved out of its zone');
  }
  return true;
}

function scannersMet(cc: Control): boolean {
  const shift = cc.machine.frames.pageblockOrder;
  return (cc.freePfn - 1) >> shift <= cc.migratePfn >> shift;
}

/** Is a block of the wanted order there, or one that could be claimed without mixing types (compact_finished)? */
function isDone(cc: Control): boolean {
  const { zone, order, type } = cc;
  if (order < 0) return false;
  for (let o = order; o <= zone.maxOrder; o++) {
    if (zone.types === 1) {
      if (nrFree(zone, o) > 0) return true;
      continue;
    }
    if (freeBlocks(zone, o, type) > 0) return true;
    if (type === MIGRATE.movable && freeBlocks(zone, o, MIGRATE.cma) > 0) return true;
    if (fallbackIsClaimable(cc.machine.frames, zone, o, type)) return true;
  }
  return false;
}

function startControl(machine: Machine, zone: Zone, order: number, type: number, sync: boolean): Control {
  const { compact } = zone;
  const whole = order < 0;
  const cached = compact.migratePfn[sync ? 1 : 0];
  const fresh = whole || cached >= compact.freePfn;
  if (fresh) resetScanners(zone);
  return {
    machine,
    zone,
    order,
    type,
    sync,
    migratePfn: fresh ? zone.start : cached,
    freePfn: compact.freePfn,
    freePages: [],
    nextFree: 0,
  };
}

function resetScanners(zone: Zone): void {
  zone.compact.migratePfn = [zone.start, zone.start];
  zone.compact.freePfn = zone.end;
  zone.compact.skip.clear();
}

/** Works through one pageblock; false when there is nowhere left to move pages to. */
function compactBlock(cc: Control, blockEnd: Pfn): boolean {
  const { compact } = cc.zone;
  const block = cc.migratePfn >> cc.machine.frames.pageblockOrder;
  if ((cc.order >= 0 && !cc.sync && compact.skip.has(block)) || !isSource(cc, cc.migratePfn)) {
    cc.migratePfn = blockEnd;
    return true;
  }
  cc.machine.cost += cc.machine.config.costs.compact_scan!;
  let isolated = 0;
  while (cc.migratePfn < blockEnd) {
    const pages = isolateMigratepages(cc, blockEnd);
    isolated += pages.length;
    if (!migrateBatch(cc, pages)) return false;
  }
  if (isolated === 0) compact.skip.add(block);
  return true;
}

/** Compacts one zone until the order is there, the scanners meet, or there is nothing to move to (compact_zone). */
function compactZone(machine: Machine, zone: Zone, order: number, type: number, sync: boolean): CompactResult {
  const cc = startControl(machine, zone, order, type, sync);
  const size = 1 << machine.frames.pageblockOrder;
  let result: CompactResult | null = isDone(cc) ? 'success' : null;
  const fromStart = cc.migratePfn === zone.start;
  while (result === null) {
    if (scannersMet(cc)) {
      result = fromStart ? 'complete' : 'partial';
      break;
    }
    const blockEnd = Math.min((cc.migratePfn & ~(size - 1)) + size, zone.end);
    if (!compactBlock(cc, blockEnd)) result = fromStart ? 'complete' : 'partial';
    else if (isDone(cc)) result = 'success';
  }
  zone.compact.freePfn = cc.freePfn;
  releaseFreepages(cc);
  if (result === 'success') {
    zone.compact.migratePfn[sync ? 1 : 0] = cc.migratePfn;
    if (sync) zone.compact.migratePfn[0] = Math.max(zone.compact.migratePfn[0], cc.migratePfn);
  } else resetScanners(zone);
  return result;
}

/** After failures compaction is put off: of 2^shift attempts only the last runs (compaction_deferred). */
function isDeferred(zone: Zone, order: number): boolean {
  const { compact } = zone;
  if (order < compact.orderFailed) return false;
  compact.considered += 1;
  return compact.considered < 1 << compact.deferShift;
}

function defer(zone: Zone, order: number): void {
  const { compact } = zone;
  compact.considered = 0;
  compact.deferShift = Math.min(compact.deferShift + 1, DEFER_SHIFT_MAX);
  if (order < compact.orderFailed) compact.orderFailed = order;
}

function deferReset(zone: Zone, order: number): void {
  const { compact } = zone;
  compact.considered = 0;
  compact.deferShift = 0;
  if (order >= compact.orderFailed) compact.orderFailed = order + 1;
}

/** Could compaction work in a zone of the request if some of what reclaim may get at were free (compaction_zonelist_suitable)? */
export function couldCompact(machine: Machine, order: number, gfp: number): boolean {
  const classIndex = classZone(machine.zones, gfp);
  for (let i = classIndex; i >= 0; i--)
    if (isSuitable(machine.zones[i]!, order, classIndex, Math.floor(reclaimablePages(machine, i) / order))) return true;
  return false;
}

/** Compacts the zones of a request from the highest down until one has a block (try_to_compact_pages). */
export function tryToCompactPages(machine: Machine, order: number, gfp: number, priority: CompactPriority): CompactResult {
  const sync = priority !== 'async';
  if ((gfp & GFP_BIT.__GFP_IO) === 0 || machine.config.rules === '2.6.32') return 'skipped';
  const classIndex = classZone(machine.zones, gfp);
  let result: CompactResult = 'skipped';
  for (let i = classIndex; i >= 0; i--) {
    const zone = machine.zones[i]!;
    if (priority !== 'full' && isDeferred(zone, order)) {
      result = 'deferred';
      continue;
    }
    if (!isSuitable(zone, order, classIndex)) continue;
    if (priority === 'full') resetScanners(zone);
    result = compactZone(machine, zone, order, machine.frames.types === 1 ? 0 : gfpMigratetype(gfp), sync);
    if (result === 'success') {
      deferReset(zone, order);
      break;
    }
    if (sync) defer(zone, order);
  }
  return result;
}

/** The daemon's turn, for an order that somebody asked for in vain: each zone that lacks a block of it and could have one (kcompactd_do_work). */
export function kcompactd(machine: Machine, order: number, top: number): void {
  if (machine.config.rules === '2.6.32') return;
  const { vmstat, zones } = machine;
  const [migrated, free] = [vmstat[VMSTAT.compact_migrate_scanned]!, vmstat[VMSTAT.compact_free_scanned]!];
  let isAwake = false;
  for (const zone of zones.slice(0, top + 1)) {
    const isServed = zoneWatermarkOk(zone, order, markOf(zone, 'min'), top, 0);
    if (isServed || zone.managed === 0 || !isSuitable(zone, order, top)) continue;
    if (!isAwake) count(machine, VMSTAT.compact_daemon_wake, 1);
    isAwake = true;
    if (isDeferred(zone, order)) continue;
    // It asks for no type: GFP_KERNEL's, as unmovable as can be.
    if (compactZone(machine, zone, order, MIGRATE.unmovable, true) === 'success') deferReset(zone, order);
    else defer(zone, order);
  }
  count(machine, VMSTAT.compact_daemon_migrate_scanned, vmstat[VMSTAT.compact_migrate_scanned]! - migrated);
  count(machine, VMSTAT.compact_daemon_free_scanned, vmstat[VMSTAT.compact_free_scanned]! - free);
}

/** vm.compact_memory: every zone as a whole. */
export function compactMemory(machine: Machine): void {
  for (const zone of machine.zones) compactZone(machine, zone, -1, MIGRATE.movable, true);
}
