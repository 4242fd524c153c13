/**
 * How 2.6.32 judges pages for reclaim (mm/vmscan.c of 2.6.32; spec §14, tag [K26]): new anonymous pages are active; a mapped
 * page that was used at all becomes active again; what is scanned is decided by how much of what was looked at had to stay.
 * There are no shadows of what was pushed out (3.15), so a page that comes back is new. Each zone has lists of its own.
 */
import type { Machine, Zone } from '../types.ts';
import { isqrt } from './mmzone.ts';
import { LRU, LRU_LISTS, type RecentReclaim } from './swap.ts';

const SWAP_CLUSTER_MAX = 32;

const pagesOf = ({ lru }: Machine, zone: number, list: number): number => lru.pages[zone * LRU_LISTS + list]!;

/** How many times more active than inactive anonymous pages a zone may have (calculate_zone_inactive_ratio): 1 GB 3, 4 GB 6. */
export function inactiveRatio({ managed }: Zone): number {
  const gb = managed >> (30 - 12);
  return gb > 0 ? isqrt(10 * gb) : 1;
}

/** Should active pages move over: of files, when they are more; of anonymous memory by the zone's size (inactive_file_is_low, inactive_anon_is_low). */
export function inactiveIsLow26(machine: Machine, zone: number, inactiveList: number): boolean {
  const inactive = pagesOf(machine, zone, inactiveList);
  const active = pagesOf(machine, zone, inactiveList + 1);
  return inactiveList === LRU.inactiveFile ? active > inactive : inactive * inactiveRatio(machine.zones[zone]!) < active;
}

/** Notes a batch that was looked at, and how much of it was in use. */
export function noteScan(recent: RecentReclaim, zone: number, isFile: boolean, scanned: number, rotated: number): void {
  recent.scanned[2 * zone + (isFile ? 1 : 0)]! += scanned;
  recent.rotated[2 * zone + (isFile ? 1 : 0)]! += rotated;
}

/** Of 100 pages to scan, how many anonymous ones (get_scan_ratio): the more of them were in use lately, the fewer. Old news count half. */
export function anonPercent(machine: Machine, zone: number): number {
  const { scanned, rotated } = machine.lru.recent!;
  const anon = pagesOf(machine, zone, LRU.inactiveAnon) + pagesOf(machine, zone, LRU.activeAnon);
  const file = pagesOf(machine, zone, LRU.inactiveFile) + pagesOf(machine, zone, LRU.activeFile);
  const { free, watermark } = machine.zones[zone]!;
  if (file + free <= watermark.high) return 100;
  const first = 2 * zone;
  [anon, file].forEach((pages, kind) => {
    if (scanned[first + kind]! <= pages >> 2) return;
    scanned[first + kind]! >>= 1;
    rotated[first + kind]! >>= 1;
  });
  const { swappiness } = machine.config;
  const share = (weight: number, kind: number): number =>
    Math.floor((weight * (scanned[first + kind]! + 1)) / (rotated[first + kind]! + 1));
  const ap = share(swappiness + 1, 0);
  const fp = share(201 - swappiness, 1);
  return Math.floor((100 * ap) / (ap + fp + 1));
}

/** Pages to scan of each list at this priority (shrink_zone): of short lists nothing, until a batch has come together (nr_scan_try_batch). */
export function scanCount26(machine: Machine, zone: number, priority: number, maySwap: boolean): number[] {
  const anon = maySwap ? anonPercent(machine, zone) : 0;
  const { saved } = machine.lru.recent!;
  return [0, 1, 2, 3].map((list) => {
    let scan = pagesOf(machine, zone, list);
    if (priority > 0 || !maySwap) scan = Math.floor(((scan >> priority) * (list < LRU.inactiveFile ? anon : 100 - anon)) / 100);
    const at = zone * LRU_LISTS + list;
    const gathered = saved[at]! + scan;
    saved[at] = gathered >= SWAP_CLUSTER_MAX ? 0 : gathered;
    return gathered >= SWAP_CLUSTER_MAX ? gathered : 0;
  });
}
