/**
 * How 2.6.32 judges pages for reclaim (mm/vmscan.c of 2.6.32; spec §14, tag [K26]): new anonymous pages are active; a mapped
 * page that was used at all becomes active again; what is scanned is decided by how much of what was looked at had to stay.
 * There are no shadows of what was pushed out (3.15), so a page that comes back is new.
 */
// Simplified: a zone had lists of its own then; here the lists are the machine's, with a count for each zone.
import type { Machine } from '../types.ts';
import { managedPages, isqrt } from './mmzone.ts';
import { LRU, lruPages, type RecentReclaim } from './swap.ts';

const SWAP_CLUSTER_MAX = 32;

/** Should active pages move over: of files, when they are more; of anonymous memory by the machine's size (inactive_file_is_low, inactive_anon_is_low). */
export function inactiveIsLow26(machine: Machine, inactiveList: number): boolean {
  const inactive = lruPages(machine, inactiveList);
  const active = lruPages(machine, inactiveList + 1);
  if (inactiveList === LRU.inactiveFile) return active > inactive;
  const gb = managedPages(machine.zones) >> (30 - 12);
  return inactive * (gb > 0 ? isqrt(10 * gb) : 1) < active;
}

/** Notes a batch that was looked at, and how much of it was in use. */
export function noteScan(recent: RecentReclaim, isFile: boolean, scanned: number, rotated: number): void {
  recent.scanned[isFile ? 1 : 0]! += scanned;
  recent.rotated[isFile ? 1 : 0]! += rotated;
}

/** Of 100 pages to scan, how many anonymous ones (get_scan_ratio): the more of them were in use lately, the fewer. Old news count half. */
export function anonPercent(machine: Machine, recent: RecentReclaim): number {
  const { scanned, rotated } = recent;
  const anon = lruPages(machine, LRU.inactiveAnon) + lruPages(machine, LRU.activeAnon);
  const file = lruPages(machine, LRU.inactiveFile) + lruPages(machine, LRU.activeFile);
  const { zones } = machine;
  const free = zones.reduce((sum, zone) => sum + zone.free, 0);
  const high = zones.reduce((sum, zone) => sum + zone.watermark.high, 0);
  if (file + free <= high) return 100;
  [anon, file].forEach((pages, kind) => {
    if (scanned[kind]! <= pages >> 2) return;
    scanned[kind]! >>= 1;
    rotated[kind]! >>= 1;
  });
  const { swappiness } = machine.config;
  const share = (weight: number, kind: number): number => Math.floor((weight * (scanned[kind]! + 1)) / (rotated[kind]! + 1));
  const ap = share(swappiness + 1, 0);
  const fp = share(201 - swappiness, 1);
  return Math.floor((100 * ap) / (ap + fp + 1));
}

/** Pages to scan of each list at this priority (shrink_zone): of short lists nothing, until a batch has come together (nr_scan_try_batch). */
export function scanCount26(machine: Machine, recent: RecentReclaim, top: number, priority: number, maySwap: boolean): number[] {
  const anon = maySwap ? anonPercent(machine, recent) : 0;
  return [0, 1, 2, 3].map((list) => {
    let scan = lruPages(machine, list, top);
    if (priority > 0 || !maySwap) scan = Math.floor(((scan >> priority) * (list < LRU.inactiveFile ? anon : 100 - anon)) / 100);
    const saved = recent.saved[list]! + scan;
    recent.saved[list] = saved >= SWAP_CLUSTER_MAX ? 0 : saved;
    return saved >= SWAP_CLUSTER_MAX ? saved : 0;
  });
}
