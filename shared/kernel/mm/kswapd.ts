/**
 * kswapd and kcompactd (mm/vmscan.c, mm/compaction.c; spec §14): woken by who found the low mark crossed or no block of an order,
 * they work at ticks. kswapd frees pages up to the high marks; when it goes to sleep, kcompactd makes a block of the order out of them.
 */
import { GFP_KERNEL } from '../gfp.ts';
import type { Machine } from '../types.ts';
import { kcompactd } from './compaction.ts';
import { classZone } from './mmzone.ts';
import { markOf, zoneWatermarkOk } from './page_alloc.ts';
import { shrinkSlab } from './shrinker.ts';
import { snapshotRefaults } from './scan_balance.ts';
import { canReclaim, shrinkLists, startScan, SWAP_CLUSTER_MAX } from './vmscan.ts';
import { count, VMSTAT } from './vmstat.ts';

/** Times that kswapd may free nothing before it stays asleep (MAX_RECLAIM_RETRIES). */
const RETRIES_MAX = 16;

/** Somebody found the low mark crossed, or no block of this order above it; kswapd runs at the next tick (wakeup_kswapd). */
export function wakeKswapd(machine: Machine, gfp: number, order: number): void {
  if (!canReclaim(machine)) return;
  const { lru } = machine;
  lru.kswapdWoken = true;
  lru.kswapdTop = Math.max(lru.kswapdTop, classZone(machine.zones, gfp));
  lru.kswapdOrder = Math.max(lru.kswapdOrder, order);
}

/** Is every zone up to `top` above its high mark, and has one of them a block of the order there (pgdat_balanced; spec §14)? */
// Simplified: 6.x is content with one zone for order 0, too.
function isBalanced(machine: Machine, top: number, order: number): boolean {
  let hasBlock = order === 0;
  for (let i = 0; i <= top; i++) {
    const zone = machine.zones[i]!;
    if (zone.managed === 0) continue;
    if (!zoneWatermarkOk(zone, 0, markOf(zone, 'high'), top, 0)) return false;
    hasBlock ||= zoneWatermarkOk(zone, order, markOf(zone, 'high'), top, 0);
  }
  return hasBlock;
}

/**
 * Frees pages until the zones are balanced, or nothing is to be had. For an order it frees twice its pages and then looks at
 * order 0 only: more would not help, what is free has to be moved together (balance_pgdat, kswapd_shrink_node). What it freed.
 */
function balance(machine: Machine, top: number, wanted: number): number {
  count(machine, VMSTAT.pageoutrun, 1);
  const target = machine.zones.slice(0, top + 1).reduce((sum, zone) => sum + Math.max(zone.watermark.high, SWAP_CLUSTER_MAX), 0);
  const sc = startScan(machine, top, true, target, GFP_KERNEL);
  let order = wanted;
  let total = 0;
  for (; sc.priority >= 1 && !isBalanced(machine, top, order);) {
    sc.reclaimed = 0;
    shrinkLists(sc);
    sc.reclaimed += shrinkSlab(machine, sc.priority, true);
    total += sc.reclaimed;
    if (total >= 2 << order) order = 0;
    if (sc.reclaimed < target) sc.priority -= 1;
  }
  snapshotRefaults(machine);
  return total;
}

/** kswapd's part of a tick. What it costs, nobody pays. */
// Simplified: kcompactd is no thread of its own; it runs when kswapd goes to sleep, even when kswapd freed less than twice the order's
// pages. A machine without disk and swap has neither of them.
export function kswapdTick(machine: Machine): void {
  const { lru, cost } = machine;
  if (!lru.kswapdWoken) return;
  const top = Math.max(0, lru.kswapdTop);
  const order = lru.kswapdOrder;
  lru.kswapdWoken = false;
  lru.kswapdTop = -1;
  lru.kswapdOrder = 0;
  const isHopeless = lru.kswapdFailures >= RETRIES_MAX;
  if (!isHopeless && !isBalanced(machine, top, order)) {
    lru.kswapdFailures = balance(machine, top, order) === 0 ? lru.kswapdFailures + 1 : 0;
    if (!isBalanced(machine, top, 0)) {
      lru.kswapdWoken = true;
      lru.kswapdTop = top;
      lru.kswapdOrder = order;
    }
  }
  if (order > 0 && !lru.kswapdWoken) kcompactd(machine, order, top);
  machine.cost = cost;
}
