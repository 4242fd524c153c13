/** /proc/zoneinfo of 2.6.32 (mm/vmstat.c, zoneinfo_show_print): all counters by zone, for the lists of pages were the zone's then. */
import { cacheOf } from '../../mm/slab_objects.ts';
import { SLAB } from '../../mm/slab_types.ts';
import { LRU, LRU_LISTS, PGS } from '../../mm/swap.ts';
import { inactiveRatio } from '../../mm/vmscan26.ts';
import { zoneOf } from '../../mm/mmzone.ts';
import { PG, type Machine, type Zone } from '../../types.ts';

/** In the order of enum zone_stat_item. What this kernel never has (pages that are being written, bounced, isolated) counts 0. */
const NAMES = [
  'nr_free_pages',
  'nr_inactive_anon',
  'nr_active_anon',
  'nr_inactive_file',
  'nr_active_file',
  'nr_unevictable',
  'nr_mlock',
  'nr_anon_pages',
  'nr_mapped',
  'nr_file_pages',
  'nr_dirty',
  'nr_writeback',
  'nr_slab_reclaimable',
  'nr_slab_unreclaimable',
  'nr_page_table_pages',
  'nr_kernel_stack',
  'nr_unstable',
  'nr_bounce',
  'nr_vmscan_write',
  'nr_writeback_temp',
  'nr_isolated_anon',
  'nr_isolated_file',
  'nr_shmem',
] as const;
type Name = (typeof NAMES)[number];
export type ZoneCounts = Record<Name, number>;

/** What one frame of a process or a file counts as. */
function countFrame({ frames }: Machine, pfn: number, counts: ZoneCounts): void {
  const flags = frames.flags[pfn]!;
  const state = frames.state[pfn]!;
  const mapped = frames.mapcount[pfn]! > 0 ? 1 : 0;
  if (flags & PG.table) counts.nr_page_table_pages += 1;
  if (flags & PG.anon) {
    counts.nr_anon_pages += mapped;
    if (state & PGS.swapcache) counts.nr_file_pages += 1;
  } else if (flags & PG.shmem) {
    counts.nr_mapped += mapped;
    counts.nr_file_pages += 1;
    if ((state & PGS.file) === 0) counts.nr_shmem += 1;
    else if (state & PGS.dirty) counts.nr_dirty += 1;
  }
}

/** The counters of each zone. O(frames). */
// Simplified: 2.6.32 counts as it goes, in each zone; here who looks counts. nr_vmscan_write is not known by zone and stays 0.
export function zoneCounts(machine: Machine): ZoneCounts[] {
  const { zones, lru, slab } = machine;
  const all = zones.map((zone, place) => {
    const counts = Object.fromEntries(NAMES.map((name) => [name, 0])) as ZoneCounts;
    counts.nr_free_pages = zone.free;
    const pages = (list: number): number => lru.pages[place * LRU_LISTS + list]!;
    counts.nr_inactive_anon = pages(LRU.inactiveAnon);
    counts.nr_active_anon = pages(LRU.activeAnon);
    counts.nr_inactive_file = pages(LRU.inactiveFile);
    counts.nr_active_file = pages(LRU.activeFile);
    counts.nr_unevictable = pages(LRU.unevictable);
    counts.nr_mlock = counts.nr_unevictable;
    for (let pfn = zone.start; pfn < zone.end; pfn++) countFrame(machine, pfn, counts);
    return counts;
  });
  const countsAt = (pfn: number): ZoneCounts => all[zones.indexOf(zoneOf(zones, pfn))]!;
  for (const each of slab.slabs.values()) {
    const isGiving = (cacheOf(machine, each).flags & SLAB.reclaimAccount) !== 0;
    countsAt(each.pfn)[isGiving ? 'nr_slab_reclaimable' : 'nr_slab_unreclaimable'] += 1 << each.order;
  }
  for (const [pfn, { order }] of slab.large) countsAt(pfn).nr_slab_unreclaimable += 1 << order;
  return all;
}

/** Pages that a CPU of that kernel took and gave back at once: about a quarter of a thousandth of the zone, one less than a power of two (zone_batchsize). */
export function batchOf(zone: Zone): number {
  const quarter = Math.max(1, Math.min(Math.floor(zone.managed / 1024), 128) >> 2);
  return (1 << (31 - Math.clz32(quarter + (quarter >> 1)))) - 1;
}

/** One CPU, so no line for its statistics' threshold. */
// Simplified: no per-CPU page lists, so `count` is 0; `scanned` is not kept, and no zone is ever given up.
function zoneText(zone: Zone, counts: ZoneCounts): string {
  const { min, low, high } = zone.watermark;
  const batch = batchOf(zone);
  // The last zone is Movable, which has no pages of its own here.
  const protection = [...zone.lowmemReserve, zone.lowmemReserve.at(-1) ?? 0];
  const lines = [
    `Node 0, zone ${zone.name.padStart(8)}`,
    `  pages free     ${zone.free}`,
    ...Object.entries({ min, low, high, scanned: 0, spanned: zone.managed, present: zone.managed }).map(
      ([label, value]) => `        ${label.padEnd(8)} ${value}`,
    ),
    ...NAMES.map((name) => `    ${name.padEnd(12)} ${counts[name]}`),
    `        protection: (${protection.join(', ')})`,
    '  pagesets',
    '    cpu: 0',
    '              count: 0',
    `              high:  ${6 * batch}`,
    `              batch: ${Math.max(1, batch)}`,
    '  all_unreclaimable: 0',
    '  prev_priority:     12',
    `  start_pfn:         ${zone.start}`,
    `  inactive_ratio:    ${inactiveRatio(zone)}`,
  ];
  return lines.map((line) => `${line}\n`).join('');
}

export function zoneinfo26(machine: Machine): string {
  const counts = zoneCounts(machine);
  return machine.zones.map((zone, place) => (zone.managed > 0 ? zoneText(zone, counts[place]!) : '')).join('');
}
