/** How reclaim divides its work between anonymous pages and those of files, and between what was used lately and what was not (mm/vmscan.c; spec §14). */
import type { Machine } from '../types.ts';
import { isqrt } from './mmzone.ts';
import { LRU, lruPages } from './swap.ts';
import { freeSlots } from './swap_state.ts';
import { inactiveIsLow26, scanCount26 } from './vmscan26.ts';
import { VMSTAT } from './vmstat.ts';

/** What one run of reclaim works with (struct scan_control). */
export interface ScanControl {
  readonly machine: Machine;
  /** Number of the highest zone that the pages may be of. */
  readonly top: number;
  readonly isKswapd: boolean;
  readonly maySwap: boolean;
  /** May it write what belongs to a file system, as shared memory does? */
  readonly mayFs: boolean;
  priority: number;
  target: number;
  reclaimed: number;
  /** Were active pages passed over because enough others are inactive, and is that over (skipped_deactivate, force_deactivate)? */
  hasSkipped: boolean;
  mustDeactivate: boolean;
  /** Whose lists are looked at: the zone's in 2.6.32, −1 where they are the machine's. */
  zone: number;
}

export const isFileList = (list: number): boolean => list === LRU.inactiveFile || list === LRU.activeFile;

/** Should active pages move over: 1 GB keeps a third inactive, 10 GB a tenth (inactive_is_low)? */
export function inactiveIsLow(machine: Machine, inactiveList: number, zone = -1): boolean {
  if (zone >= 0) return inactiveIsLow26(machine, zone, inactiveList);
  const inactive = lruPages(machine, inactiveList);
  const active = lruPages(machine, inactiveList + 1);
  const gb = (inactive + active) >> (30 - 12);
  const ratio = gb > 0 ? isqrt(10 * gb) : 1;
  return inactive * ratio < active;
}

/** Pages to scan of each list at this priority (get_scan_count; spec §14). */
export function scanCount(sc: ScanControl): number[] {
  const { machine, top, priority } = sc;
  if (sc.zone >= 0) return scanCount26(machine, sc.zone, priority, sc.maySwap && freeSlots(machine) > 0);
  const size = (list: number) => lruPages(machine, list, top) >> priority;
  const only = (anon: boolean) => [0, 1, 2, 3].map((list) => (isFileList(list) === anon ? 0 : size(list)));
  if (!sc.maySwap || freeSlots(machine) === 0) return only(false);
  const { swappiness } = machine.config;
  if (swappiness === 0 && !isFileTiny(machine)) return only(false);
  if (priority === 0 && swappiness > 0) return [0, 1, 2, 3].map(size);
  if (isFileTiny(machine)) return only(true);
  if (mayTrimCache(sc)) return only(false);
  const { anonCost, fileCost } = machine.lru;
  const total = 2 * (anonCost + fileCost) + anonCost + fileCost;
  const sum = anonCost + fileCost;
  const anon = Math.floor((swappiness * (total + 1)) / (sum + anonCost + 1));
  const file = Math.floor(((200 - swappiness) * (total + 1)) / (sum + fileCost + 1));
  const all = anon + file;
  return [0, 1, 2, 3].map((list) => Math.floor((size(list) * (isFileList(list) ? file : anon)) / all));
}

const refaultsOf = ({ vmstat }: Machine, inactiveList: number): number =>
  vmstat[inactiveList === LRU.inactiveFile ? VMSTAT.workingset_activate_file : VMSTAT.workingset_activate_anon]!;

/** Do active pages of this kind move over: too few are inactive, or pages that were pushed out since the last run are back already (may_deactivate)? */
export function mayDeactivate({ machine, zone, mustDeactivate }: ScanControl, inactiveList: number): boolean {
  if (mustDeactivate || inactiveIsLow(machine, inactiveList, zone)) return true;
  return zone < 0 && refaultsOf(machine, inactiveList) !== machine.lru.refaults[inactiveList >> 1];
}

/** Is there so much of files that was used once only that anonymous pages may stay (cache_trim_mode of prepare_scan_control)? */
// Simplified: kswapd does not try again without this when it was in vain (no_cache_trim_mode).
function mayTrimCache(sc: ScanControl): boolean {
  return lruPages(sc.machine, LRU.inactiveFile) >> sc.priority > 0 && !mayDeactivate(sc, LRU.inactiveFile);
}

/** At the end of a run: what was back until now (snapshot_refaults). */
export function snapshotRefaults(machine: Machine): void {
  const { refaults } = machine.lru;
  refaults[0] = refaultsOf(machine, LRU.inactiveAnon);
  refaults[1] = refaultsOf(machine, LRU.inactiveFile);
}

/** Would a zone lie under its high mark even if all pages of files were free, with anonymous ones to take (prepare_scan_control)? */
function isFileTiny(machine: Machine): boolean {
  const { zones } = machine;
  let [high, free] = [0, 0];
  for (const zone of zones) {
    high += zone.watermark.high;
    free += zone.free;
  }
  const file = lruPages(machine, LRU.activeFile) + lruPages(machine, LRU.inactiveFile);
  const anon = lruPages(machine, LRU.inactiveAnon);
  return file + free <= high && !inactiveIsLow(machine, LRU.inactiveAnon) && anon > 0;
}
