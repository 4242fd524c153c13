/** A request for pages to its end: fast path, reserves, OOM killer, or a failure with its reason (mm/page_alloc.c, spec §4, §13). */
import { emit, FACT } from '../facts.ts';
import { GFP_BIT } from '../gfp.ts';
import type { Why } from '../why.ts';
import { MIGRATE, type Machine, type Pfn, type Pid, type Zone } from '../types.ts';
import { largestFreeOrder } from './buddy.ts';
import { couldCompact, tryToCompactPages, type CompactPriority, type CompactResult } from './compaction.ts';
import { wakeKswapd } from './kswapd.ts';
import { lowmemShrink } from './lmk.ts';
import { classZone, COSTLY_ORDER, freePages, hasZone, ZONE } from './mmzone.ts';
import { outOfMemory } from './oom_kill.ts';
import { unreserveHighatomicPageblock } from './mobility.ts';
import { fastpathFlags, getPageFromFreelist, gfpMigratetype, markOf, slowpathFlags, zoneWatermarkOk } from './page_alloc.ts';
import { reclaimablePages } from './swap_state.ts';
import { canReclaim, tryToFreePages } from './vmscan.ts';
import { count, countStall, VMSTAT } from './vmstat.ts';

/** Times in a row that reclaim may free nothing, or compaction seem to succeed, before a request gives up (MAX_RECLAIM_RETRIES, MAX_COMPACT_RETRIES). */
const RETRIES_MAX = 16;
/** No pages; `allocWhy` tells why. */
export const NO_PAGES = -1;
/** The asker itself was killed; its address space is gone. */
export const ASKER_KILLED = -2;
/** Would wait until somebody frees (__GFP_NOFAIL). */
export const WOULD_SLEEP = -3;

const isOld = ({ config }: Machine): boolean => config.rules === '2.6.32';

/**
 * May the OOM killer be called for this request (__alloc_pages_may_oom)? Not for large blocks, nor for those who said that
 * they bear a failure, nor where a file system may be waiting for itself, nor for a zone below Normal, which a kill may miss.
 * 2.6.32 kills for any zone, and for those who may fail after many tries (__GFP_REPEAT then), and for large blocks that may not fail.
 */
function mayOom(machine: Machine, order: number, gfp: number): boolean {
  if ((gfp & GFP_BIT.__GFP_NORETRY) !== 0 || (gfp & GFP_BIT.__GFP_FS) === 0) return false;
  if (isOld(machine)) return order <= COSTLY_ORDER || (gfp & GFP_BIT.__GFP_NOFAIL) !== 0;
  if (order > COSTLY_ORDER || (gfp & GFP_BIT.__GFP_RETRY_MAYFAIL) !== 0) return false;
  const { zones } = machine;
  if (gfp & GFP_BIT.__GFP_DMA && hasZone(zones, ZONE.DMA)) return false;
  return (gfp & GFP_BIT.__GFP_DMA32) === 0 || !hasZone(zones, ZONE.DMA32);
}

/**
 * 2^order frames for a process (0: the kernel): the head frame, or NO_PAGES, ASKER_KILLED, WOULD_SLEEP.
 * `kind` is the flag of PG that the head gets.
 */
export function allocPages(machine: Machine, order: number, gfp: number, pid: Pid, kind: number): Pfn {
  if (order > machine.config.maxOrder) return NO_PAGES;
  // An attempt before this one, which might fail, may have cost the asker its life.
  if (machine.kills.length > 0 && pid !== 0 && !machine.tasks.has(pid)) return ASKER_KILLED;
  const fast = getPageFromFreelist(machine, order, gfp, fastpathFlags(gfp), 'low', pid, kind);
  if (fast >= 0) return fast;
  if (gfp & GFP_BIT.__GFP_KSWAPD_RECLAIM) wakeKswapd(machine, gfp, order);
  const pfn = slowpath(machine, order, gfp, pid, kind);
  if (pfn === NO_PAGES) emit(machine.facts, FACT.allocationFailed, order, freePages(machine.zones), pid);
  return pfn;
}

/** With the MIN mark and all rights; then, for those who may wait, reserves and the OOM killer (__alloc_pages_slowpath). */
function slowpath(machine: Machine, order: number, gfp: number, pid: Pid, kind: number): Pfn {
  const flags = slowpathFlags(order, gfp);
  const retry = (): Pfn => getPageFromFreelist(machine, order, gfp, flags, 'min', pid, kind);
  let pfn = retry();
  if (pfn >= 0 || (gfp & GFP_BIT.__GFP_DIRECT_RECLAIM) === 0) return pfn;
  countStall(machine, stalledZone(machine, gfp), 1);
  pfn = shrinkLowmem(machine, order, gfp, pid, retry);
  if (pfn !== NO_PAGES) return pfn;
  pfn = isOld(machine) ? reclaimAndRetry26(machine, order, gfp, retry) : reclaimAndCompact(machine, order, gfp, retry);
  if (pfn >= 0) return pfn;
  while (unreserveHighatomicPageblock(machine, classZone(machine.zones, gfp), gfpMigratetype(gfp), true)) {
    pfn = retry();
    if (pfn >= 0) return pfn;
  }
  while (mayOom(machine, order, gfp)) {
    pfn = getPageFromFreelist(machine, order, gfp, 0, 'high', pid, kind);
    if (pfn >= 0) return pfn;
    if (!outOfMemory(machine, pid, order, gfp)) break;
    if (pid !== 0 && !machine.tasks.has(pid)) return ASKER_KILLED;
    pfn = retry();
    if (pfn >= 0) return pfn;
  }
  return gfp & GFP_BIT.__GFP_NOFAIL || waitsForever(machine, order, gfp) ? wouldSleep(machine, gfp) : NO_PAGES;
}

/** Small requests of 2.6.32 that neither fail nor kill wait until somebody frees (should_alloc_retry). */
function waitsForever(machine: Machine, order: number, gfp: number): boolean {
  return isOld(machine) && order <= COSTLY_ORDER && (gfp & (GFP_BIT.__GFP_NORETRY | GFP_BIT.__GFP_FS)) === 0;
}

interface Turns {
  /** In a row that freed nothing. */
  vain: number;
  /** In which compaction seemed to succeed. */
  successes: number;
  priority: CompactPriority;
  result: CompactResult;
}

/**
 * Large blocks, and those that do not mend by themselves, have memory compacted first; then reclaim and compaction take turns
 * for as long as either may help (__alloc_pages_slowpath from `retry` on; spec §4).
 */
function reclaimAndCompact(machine: Machine, order: number, gfp: number, retry: () => Pfn): Pfn {
  const isCostly = order > COSTLY_ORDER;
  const isShy = (gfp & GFP_BIT.__GFP_NORETRY) !== 0;
  const turns: Turns = { vain: 0, successes: 0, priority: 'async', result: 'skipped' };
  if (order > 0 && (isCostly || gfpMigratetype(gfp) !== MIGRATE.movable)) {
    const pfn = directCompact(machine, order, gfp, turns, retry);
    if (pfn >= 0 || (isCostly && isShy && (turns.result === 'skipped' || turns.result === 'deferred'))) return pfn;
  }
  // Who has another plan for a large block would rather not wait for a thorough run.
  if (!isCostly || !isShy) turns.priority = 'light';
  for (;;) {
    const freed = tryToFreePages(machine, order, gfp);
    let pfn = freed > 0 ? retry() : NO_PAGES;
    if (pfn < 0) pfn = directCompact(machine, order, gfp, turns, retry);
    if (pfn >= 0 || isShy || (isCostly && (gfp & GFP_BIT.__GFP_RETRY_MAYFAIL) === 0) || !canReclaim(machine)) return pfn;
    turns.vain = freed > 0 && !isCostly ? 0 : turns.vain + 1;
    if (turns.vain <= RETRIES_MAX && couldReclaimEnough(machine, order, gfp)) continue;
    if (order === 0 || freed === 0 || !shouldCompactAgain(machine, order, gfp, turns)) return NO_PAGES;
  }
}

/** Compaction lacked free pages that reclaim could bring, or was in vain so far but may be more thorough (should_compact_retry). */
function shouldCompactAgain(machine: Machine, order: number, gfp: number, turns: Turns): boolean {
  if (turns.result === 'skipped') return couldCompact(machine, order, gfp);
  if (turns.result === 'success') {
    turns.successes += 1;
    if (turns.successes <= (order > COSTLY_ORDER ? RETRIES_MAX / 4 : RETRIES_MAX)) return true;
  }
  if (order > COSTLY_ORDER || turns.priority === 'full') return false;
  turns.priority = 'full';
  turns.successes = 0;
  return true;
}

/** In 2.6.32 for as long as it frees anything; for large blocks once, or with __GFP_REPEAT until as many pages were freed (should_alloc_retry). */
function reclaimAndRetry26(machine: Machine, order: number, gfp: number, retry: () => Pfn): Pfn {
  if (!canReclaim(machine)) return NO_PAGES;
  for (let reclaimed = 0; ;) {
    const freed = tryToFreePages(machine, order, gfp);
    const pfn = retry();
    if (pfn >= 0) return pfn;
    reclaimed += freed;
    if (freed === 0 || (gfp & GFP_BIT.__GFP_NORETRY) !== 0) return NO_PAGES;
    if (order <= COSTLY_ORDER || (gfp & GFP_BIT.__GFP_NOFAIL) !== 0) continue;
    if ((gfp & GFP_BIT.__GFP_RETRY_MAYFAIL) === 0 || reclaimed >= 1 << order) return NO_PAGES;
  }
}

/** Would a zone pass its mark if all that reclaim may get at were free, and has it a block of the order? */
function couldReclaimEnough(machine: Machine, order: number, gfp: number): boolean {
  const top = classZone(machine.zones, gfp);
  const flags = slowpathFlags(order, gfp);
  for (let i = top; i >= 0; i--) {
    const zone = machine.zones[i]!;
    const mark = markOf(zone, 'min') - reclaimablePages(machine, i);
    if (zoneWatermarkOk(zone, order, mark, top, flags)) return true;
  }
  return false;
}

/** Android's killer as a shrinker of direct reclaim: process by process, for those who may fail one only. */
function shrinkLowmem(machine: Machine, order: number, gfp: number, pid: Pid, retry: () => Pfn): Pfn {
  const maySettle = order > COSTLY_ORDER || (gfp & GFP_BIT.__GFP_NORETRY) !== 0;
  while (lowmemShrink(machine, pid) > 0) {
    if (pid !== 0 && !machine.tasks.has(pid)) return ASKER_KILLED;
    const pfn = retry();
    if (pfn >= 0 || maySettle) return pfn;
  }
  return NO_PAGES;
}

/** Compacts for the request and tries again (__alloc_pages_direct_compact). */
function directCompact(machine: Machine, order: number, gfp: number, turns: Turns, retry: () => Pfn): Pfn {
  turns.result = order === 0 ? 'skipped' : tryToCompactPages(machine, order, gfp, turns.priority);
  if (turns.result === 'skipped' || turns.result === 'deferred') return NO_PAGES;
  count(machine, VMSTAT.compact_stall, 1);
  const pfn = retry();
  count(machine, pfn >= 0 ? VMSTAT.compact_success : VMSTAT.compact_fail, 1);
  return pfn;
}

/** The asker waits and changes nothing: what the attempt counted is taken back. */
function wouldSleep(machine: Machine, gfp: number): number {
  countStall(machine, stalledZone(machine, gfp), -1);
  return WOULD_SLEEP;
}

function stalledZone(machine: Machine, gfp: number): Zone {
  return machine.zones[Math.max(0, classZone(machine.zones, gfp))]!;
}

/** Why a request got NO_PAGES, in the numbers of this moment. */
export function allocWhy(machine: Machine, order: number, gfp: number): Why {
  const { zones, config } = machine;
  if (order > config.maxOrder) return { code: 'ORDER_TOO_LARGE', order, maxOrder: config.maxOrder };
  const classIndex = classZone(zones, gfp);
  const allowed = zones.slice(0, classIndex + 1);
  const free = freePages(allowed);
  const needed = 1 << order;
  const largestOrder = largestFreeOrder(allowed);
  const enough = allowed.some((zone) => zoneWatermarkOk(zone, 0, zone.watermark.min + needed - 1, classIndex, slowpathFlags(0, gfp)));
  if (enough && largestOrder < order) {
    return { code: 'FRAGMENTED', order, needed, freePages: free, largestOrder, largestRun: largestOrder < 0 ? 0 : 1 << largestOrder };
  }
  if (mayOom(machine, order, gfp)) return { code: 'NO_VICTIM', order, freePages: free };
  const mark = allowed.reduce((sum, zone) => sum + zone.watermark.min, 0);
  return { code: 'LOW_MEMORY', order, needed, freePages: free, mark };
}
