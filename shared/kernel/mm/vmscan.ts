/**
 * Reclaim (mm/vmscan.c; spec §14): pages that were not used lately are taken from the tails of the inactive lists,
 * files' pages dropped or left to the flusher, anonymous ones pushed out to swap. kswapd does it at ticks, from the low
 * mark to the high one (kswapd.ts); who finds nothing free does it in its own time (direct reclaim).
 */
import { PTE, PTE_PFN_SHIFT, pteAt } from '../arch/mmu.ts';
import { inodeOf } from '../fs/inode.ts';
import { GFP_BIT } from '../gfp.ts';
import { PAGE_SIZE, PG, type Machine, type Mm, type Pfn } from '../types.ts';
import { compactGap, isSuitable } from './compaction.ts';
import { HPAGE_PAGES, splitHugeAt } from './huge_split.ts';
import { expectedRefs } from './migrate.ts';
import { classZone, COSTLY_ORDER } from './mmzone.ts';
import { markOf, zoneWatermarkOk } from './page_alloc.ts';
import { removeFromPageCache, writePage } from './page_cache.ts';
import { flush } from './page_writeback.ts';
import { pageRemoveRmap, rmapWalk } from './rmap.ts';
import { dropFromShm, shmemWritepage } from './shmem.ts';
import { inactiveIsLow, isFileList, mayDeactivate, scanCount, snapshotRefaults, type ScanControl } from './scan_balance.ts';
import { shrinkSlab } from './shrinker.ts';
import { LRU, LRU_LISTS, lruAdd, lruDel, lruNoteCost, lruPages, PGS } from './swap.ts';
import { addToSwap, deleteFromSwapCache, freeSlots, swapDuplicate, writeToSwap } from './swap_state.ts';
import { VM, vmaAt } from './vma.ts';
import { count, VMSTAT } from './vmstat.ts';
import { noteScan } from './vmscan26.ts';
import { workingsetEviction } from './workingset.ts';

/** Pages of a batch, and what direct reclaim is content with. */
export const SWAP_CLUSTER_MAX = 32;
const DEF_PRIORITY = 12;
/** Pages that the flusher writes for a reclaimer that found dirty ones only. */
const FLUSH_PAGES = 1024;

/** Entries that used a page since the last look, whose bits are cleared; and was it to run it (folio_referenced)? */
interface Referenced {
  entries: number;
  exec: boolean;
  locked: boolean;
  /** A process maps it whose fork has not ended. */
  busy: boolean;
  /** Entries that MADV_FREE gave away, and nobody wrote since. */
  lazyFree: number;
}

function folioReferenced(machine: Machine, pfn: Pfn): Referenced {
  const found: Referenced = { entries: 0, exec: false, locked: false, busy: false, lazyFree: 0 };
  const { words } = machine.tables;
  rmapWalk(machine, pfn, (pid, vpn) => {
    const task = machine.tasks.get(pid);
    // A child that is being made: its tables are locked.
    if (task === undefined) {
      found.busy = true;
      return;
    }
    const { mm } = task;
    const vma = vmaAt(mm, vpn * PAGE_SIZE);
    if (vma !== null && vma.flags & VM.locked) found.locked = true;
    const at = pteAt(machine, mm.pgd, vpn * PAGE_SIZE);
    if ((words[at]! & (PTE.lazyfree | PTE.dirty)) === PTE.lazyfree) found.lazyFree += 1;
    if ((words[at]! & PTE.accessed) === 0) return;
    // A huge page has one such bit for all its pages: the last of them in the lists takes it, so that it is asked of each.
    if ((words[at]! & PTE.huge) === 0 || pfn % HPAGE_PAGES === HPAGE_PAGES - 1) words[at] = (words[at]! & ~PTE.accessed) >>> 0;
    found.entries += 1;
    if (vma !== null && vma.flags & VM.exec) found.exec = true;
  });
  return found;
}

const VERDICT = { keep: 0, activate: 1, reclaim: 2, discard: 3 } as const;

/** The second chance: once used, a page stays; used again, or by several, it becomes active (folio_check_references). */
function checkReferences(machine: Machine, pfn: Pfn): number {
  const { frames } = machine;
  const isFile = (frames.state[pfn]! & PGS.file) !== 0;
  const { entries, exec, locked, busy, lazyFree } = folioReferenced(machine, pfn);
  const wasReferenced = (frames.state[pfn]! & PGS.referenced) !== 0;
  frames.state[pfn]! &= ~PGS.referenced;
  if (busy) return VERDICT.keep;
  if (locked) return VERDICT.activate;
  // 2.6.32: used at all, and mapped, or in the swap cache (page_mapping_inuse).
  if (machine.lru.recent !== undefined) {
    const isInUse = frames.mapcount[pfn]! > 0 || (frames.state[pfn]! & PGS.swapcache) !== 0;
    return isInUse && (entries > 0 || wasReferenced) ? VERDICT.activate : VERDICT.reclaim;
  }
  const isDiscarded = lazyFree > 0 && lazyFree === frames.mapcount[pfn] && (frames.state[pfn]! & PGS.swapcache) === 0;
  if (entries === 0) return isDiscarded ? VERDICT.discard : VERDICT.reclaim;
  frames.state[pfn]! |= PGS.referenced;
  if (wasReferenced || entries > 1 || (exec && isFile)) return VERDICT.activate;
  return VERDICT.keep;
}

/** Takes every entry off a page: empty ones for a file's and an object's, swap entries for one with a slot (try_to_unmap). */
export function tryToUnmap(machine: Machine, pfn: Pfn): void {
  const { frames, rmap, tables } = machine;
  const slot = frames.state[pfn]! & PGS.swapcache ? frames.mapping[pfn]! : -1;
  while (frames.rmap[pfn]! >= 0) {
    const node = frames.rmap[pfn]!;
    const { mm }: { mm: Mm } = machine.tasks.get(rmap.pid[node]!)!;
    const vpn = rmap.vpn[node]!;
    splitHugeAt(machine, mm, vpn * PAGE_SIZE);
    const at = pteAt(machine, mm.pgd, vpn * PAGE_SIZE);
    if (tables.words[at]! & PTE.dirty && (slot >= 0 || frames.flags[pfn]! & PG.shmem)) frames.state[pfn]! |= PGS.dirty;
    tables.words[at] = slot < 0 ? 0 : ((slot << PTE_PFN_SHIFT) | PTE.swap) >>> 0;
    if (slot >= 0) {
      swapDuplicate(machine, slot);
      mm.swapEnts += 1;
    }
    pageRemoveRmap(machine, mm, pfn, vpn);
  }
}

/** A clean page that nobody maps goes, and leaves its shadow behind (__remove_mapping). */
function removeMapping(machine: Machine, pfn: Pfn): void {
  const { frames } = machine;
  if ((frames.state[pfn]! & (PGS.file | PGS.swapcache)) === 0) return dropFromShm(machine, pfn);
  const shadow = machine.lru.recent === undefined ? workingsetEviction(machine, (frames.state[pfn]! & PGS.workingset) !== 0) : -1;
  if (frames.state[pfn]! & PGS.file) {
    if (shadow >= 0) inodeOf(machine, frames.mapping[pfn]!).evicted.set(frames.index[pfn]!, shadow);
    removeFromPageCache(machine, pfn);
    return;
  }
  const slot = frames.mapping[pfn]!;
  if (shadow >= 0 && machine.swap!.map[slot]! > 0) machine.swap!.evicted.set(slot, shadow);
  deleteFromSwapCache(machine, pfn);
}

/** What becomes of one isolated page (shrink_folio_list). VERDICT.reclaim: it is free. */
function shrinkPage(sc: ScanControl, pfn: Pfn): number {
  const { machine } = sc;
  const { frames } = machine;
  const isFile = (frames.state[pfn]! & PGS.file) !== 0;
  const isAnon = (frames.flags[pfn]! & PG.anon) !== 0;
  if (frames.order[pfn] !== 0) return VERDICT.keep;
  // Pinned, or not mapped yet.
  if (frames.refcount[pfn]! > expectedRefs(frames, pfn)) return VERDICT.keep;
  const verdict = checkReferences(machine, pfn);
  if (verdict === VERDICT.discard) {
    // Its last entry frees it.
    tryToUnmap(machine, pfn);
    return VERDICT.reclaim;
  }
  if (verdict !== VERDICT.reclaim) return verdict;
  if (isAnon && (frames.state[pfn]! & PGS.swapcache) === 0) {
    if (!sc.maySwap) return VERDICT.keep;
    if (!addToSwap(machine, pfn)) return VERDICT.activate;
  }
  tryToUnmap(machine, pfn);
  if (frames.state[pfn]! & PGS.dirty && isFile) {
    // Pages of files are the flusher's to write; 2.6.32 writes them on its way (pageout), where file systems may be entered.
    if (machine.lru.recent === undefined) return VERDICT.activate;
    if (!sc.mayFs) return VERDICT.keep;
    writePage(machine, inodeOf(machine, frames.mapping[pfn]!), frames.index[pfn]!);
  } else if (frames.state[pfn]! & PGS.dirty) {
    if (!sc.maySwap || (!isAnon && !sc.mayFs)) return VERDICT.keep;
    if (!isAnon && !shmemWritepage(machine, pfn)) return VERDICT.activate;
    writeToSwap(machine, pfn);
  }
  removeMapping(machine, pfn);
  return VERDICT.reclaim;
}

/** Up to `wanted` pages from the tail of a list; those of higher zones go to its head (isolate_lru_folios). */
function isolatePages(sc: ScanControl, list: number, wanted: number): Pfn[] {
  const { machine } = sc;
  const { lru, zones } = machine;
  const end = zones[sc.top]!.end;
  const taken: Pfn[] = [];
  const at = sc.zone < 0 ? list : sc.zone * LRU_LISTS + list;
  const most = sc.zone >= 0 || sc.top === zones.length - 1 ? wanted : allOf(machine, list);
  for (let left = most; left > 0 && taken.length < wanted; left--) {
    const pfn = lru.tail[at]!;
    if (pfn < 0) break;
    lruDel(machine, pfn);
    if (pfn < end) taken.push(pfn);
    else lruAdd(machine, pfn);
  }
  return taken;
}

const allOf = (machine: Machine, list: number): number => lruPages(machine, list);

function countScan(sc: ScanControl, scanned: number, freed: number, isFile: boolean): void {
  const { machine } = sc;
  count(machine, sc.isKswapd ? VMSTAT.pgscan_kswapd : VMSTAT.pgscan_direct, scanned);
  count(machine, sc.isKswapd ? VMSTAT.pgsteal_kswapd : VMSTAT.pgsteal_direct, freed);
  count(machine, isFile ? VMSTAT.pgscan_file : VMSTAT.pgscan_anon, scanned);
  count(machine, isFile ? VMSTAT.pgsteal_file : VMSTAT.pgsteal_anon, freed);
  machine.cost += scanned * machine.config.costs.reclaim_scan!;
}

/** A batch from an inactive list: freed, kept at its head, or made active (shrink_inactive_list). */
function shrinkInactiveList(sc: ScanControl, list: number, wanted: number): void {
  const { machine } = sc;
  const { frames, vmstat } = machine;
  const pages = isolatePages(sc, list, wanted);
  const [written, saved] = [vmstat[VMSTAT.pswpout]!, vmstat[VMSTAT.nr_written]!];
  let [freed, dirty, activated] = [0, 0, 0];
  for (const pfn of pages) {
    const verdict = shrinkPage(sc, pfn);
    if (verdict === VERDICT.reclaim) {
      freed += 1;
      continue;
    }
    if (verdict === VERDICT.activate) {
      if ((frames.state[pfn]! & (PGS.file | PGS.dirty)) === (PGS.file | PGS.dirty)) dirty += 1;
      frames.state[pfn]! |= PGS.active;
      activated += 1;
      machine.lru.age += 1;
      count(machine, VMSTAT.pgactivate, 1);
    }
    lruAdd(machine, pfn);
  }
  const swapped = vmstat[VMSTAT.pswpout]! - written;
  if (swapped > 0 || vmstat[VMSTAT.nr_written]! > saved) machine.cost += machine.config.costs.disk_io!;
  // Nothing but dirty pages: the flusher writes, and whoever needs memory waits for it.
  if (dirty > 0 && dirty === pages.length) flush(machine, FLUSH_PAGES, machine.now);
  countScan(sc, pages.length, freed, isFileList(list));
  if (machine.lru.recent !== undefined) noteScan(machine.lru.recent, sc.zone, isFileList(list), pages.length, activated);
  else lruNoteCost(machine, isFileList(list), swapped, pages.length - freed);
  sc.reclaimed += freed;
}

/** A batch from an active list goes to the head of the inactive one; what runs code and was used stays (shrink_active_list). */
function shrinkActiveList(sc: ScanControl, list: number, wanted: number): void {
  const { machine } = sc;
  const { frames } = machine;
  const pages = isolatePages(sc, list, wanted);
  let [rotated, used] = [0, 0];
  for (const pfn of pages) {
    const { entries, exec } = folioReferenced(machine, pfn);
    if (entries > 0) used += 1;
    if (entries > 0 && exec && isFileList(list)) {
      rotated += 1;
      lruAdd(machine, pfn);
      continue;
    }
    frames.state[pfn] = (frames.state[pfn]! & ~PGS.active) | PGS.workingset;
    lruAdd(machine, pfn);
  }
  count(machine, VMSTAT.pgrefill, pages.length);
  count(machine, VMSTAT.pgdeactivate, pages.length - rotated);
  machine.cost += pages.length * machine.config.costs.reclaim_scan!;
  if (machine.lru.recent !== undefined) noteScan(machine.lru.recent, sc.zone, isFileList(list), pages.length, used);
  else if (rotated > 0) lruNoteCost(machine, isFileList(list), 0, rotated);
}

/** One pass over the lists; of 2.6.32 over those of each zone, as it walks the zones (shrink_zones, balance_pgdat). */
export function shrinkLists(sc: ScanControl): void {
  if (sc.machine.lru.recent === undefined) return shrinkLruvec(sc);
  for (let n = 0; n <= sc.top; n++) {
    sc.zone = sc.isKswapd ? n : sc.top - n;
    const zone = sc.machine.zones[sc.zone]!;
    // kswapd leaves alone a zone that has way too many pages free already.
    if (!sc.isKswapd || !zoneWatermarkOk(zone, 0, 8 * zone.watermark.high, sc.top, 0)) shrinkLruvec(sc);
  }
}

/** A batch of each list in turn until there is enough (shrink_lruvec; shrink_zone). */
// Simplified: with enough freed Linux goes on in the proportion of the lists; here the pass ends.
function shrinkLruvec(sc: ScanControl): void {
  const left = scanCount(sc);
  while (left[LRU.inactiveAnon]! > 0 || left[LRU.activeFile]! > 0 || left[LRU.inactiveFile]! > 0) {
    for (let list = 0; list < left.length; list++) {
      const batch = Math.min(left[list]!, SWAP_CLUSTER_MAX);
      if (batch === 0) continue;
      left[list]! -= batch;
      if (list === LRU.inactiveAnon || list === LRU.inactiveFile) shrinkInactiveList(sc, list, batch);
      else if (mayDeactivate(sc, list - 1)) shrinkActiveList(sc, list, batch);
      // shrink_list of 2.6.32 has no third way.
      else if (sc.zone >= 0) shrinkInactiveList(sc, list - 1, batch);
      else sc.hasSkipped = true;
    }
    if (sc.reclaimed >= sc.target) break;
  }
  if (sc.maySwap && freeSlots(sc.machine) > 0 && inactiveIsLow(sc.machine, LRU.inactiveAnon, sc.zone))
    shrinkActiveList(sc, LRU.activeAnon, SWAP_CLUSTER_MAX);
}

/** Is there anything on this machine that reclaim could work on? */
export function canReclaim(machine: Machine): boolean {
  return machine.disk !== null || machine.swap !== null;
}

export function startScan(machine: Machine, top: number, isKswapd: boolean, target: number, gfp: number): ScanControl {
  const maySwap = (gfp & GFP_BIT.__GFP_IO) !== 0 && machine.swap !== null;
  const mayFs = (gfp & GFP_BIT.__GFP_FS) !== 0;
  return {
    machine,
    top,
    isKswapd,
    maySwap,
    mayFs,
    priority: DEF_PRIORITY,
    target,
    reclaimed: 0,
    hasSkipped: false,
    mustDeactivate: false,
    zone: -1,
  };
}

/** For a block that compaction will make: are there too few free pages for it yet, and more to be had (should_continue_reclaim)? */
function needsMoreForCompaction({ machine, top, priority, maySwap }: ScanControl, order: number, freed: number): boolean {
  const isMeant = order > COSTLY_ORDER || (order > 0 && priority < DEF_PRIORITY - 2);
  if (!isMeant || freed === 0 || machine.config.rules === '2.6.32') return false;
  for (let i = 0; i <= top; i++) {
    const zone = machine.zones[i]!;
    if (zoneWatermarkOk(zone, order, markOf(zone, 'min'), top, 0) || isSuitable(zone, order, top)) return false;
  }
  const inactive = lruPages(machine, LRU.inactiveFile) + (maySwap && freeSlots(machine) > 0 ? lruPages(machine, LRU.inactiveAnon) : 0);
  return inactive > compactGap(order);
}

/** Direct reclaim for a request; how many pages it freed (try_to_free_pages). */
export function tryToFreePages(machine: Machine, order: number, gfp: number): number {
  if (!canReclaim(machine)) return 0;
  return reclaimWith(startScan(machine, classZone(machine.zones, gfp), false, SWAP_CLUSTER_MAX, gfp), order);
}

/** Harder and harder until 32 pages are free (do_try_to_free_pages). */
function reclaimWith(sc: ScanControl, order: number): number {
  const { machine } = sc;
  sc.priority = DEF_PRIORITY;
  for (; sc.priority >= 0 && sc.reclaimed < sc.target; sc.priority--) {
    let before = 0;
    do {
      before = sc.reclaimed;
      shrinkLists(sc);
      sc.reclaimed += shrinkSlab(machine, sc.priority, sc.mayFs);
    } while (needsMoreForCompaction(sc, order, sc.reclaimed - before));
  }
  snapshotRefaults(machine);
  // What was passed over for the sake of the inactive pages is not, now that these were not enough.
  if (sc.reclaimed === 0 && sc.hasSkipped && !sc.mustDeactivate) {
    sc.mustDeactivate = true;
    return reclaimWith(sc, order);
  }
  if (sc.reclaimed > 0) machine.lru.kswapdFailures = 0;
  return sc.reclaimed;
}
