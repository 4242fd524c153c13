/** /proc/meminfo (fs/proc/meminfo.c): labels in 16 columns, values in kB. */
import { commitLimit } from '../../mm/commit.ts';
import { bufferPages } from '../../mm/page_cache.ts';
import { LRU, lruPages } from '../../mm/swap.ts';
import { HPAGE_PAGES } from '../../mm/huge_split.ts';
import { freePages, lowmemPages, managedPages, totalReserve } from '../../mm/mmzone.ts';
import { freeCmaPages } from '../../mm/cma_area.ts';
import { vmapPages } from '../../mm/vmap_area.ts';
import { VMSTAT } from '../../mm/vmstat.ts';
import type { Machine, Zone } from '../../types.ts';

/** Pages that a new program could have without pushing others out: free ones and what can be reclaimed, less what must stay (si_mem_available). */
function available(machine: Machine, free: number, reclaimable: number): number {
  const { zones } = machine;
  const low = zones.reduce((sum, zone) => sum + zone.watermark.low, 0);
  const files = lruPages(machine, LRU.activeFile) + lruPages(machine, LRU.inactiveFile);
  const cache = files - Math.min(files >> 1, low);
  return Math.max(0, free - totalReserve(zones) + cache + reclaimable - Math.min(reclaimable >> 1, low));
}

/** What a machine with high memory shows beside the totals. */
function highmemLines(zones: readonly Zone[]): [string, number][] {
  const low = zones.filter((zone) => zone.name !== 'HighMem');
  const high = zones.filter((zone) => zone.name === 'HighMem');
  if (high.length === 0) return [];
  return [
    ['HighTotal', managedPages(high)],
    ['HighFree', freePages(high)],
    ['LowTotal', lowmemPages(zones)],
    ['LowFree', freePages(low)],
  ];
}

/** Label and pages, in the kernel's order. */
function lines(machine: Machine): [string, number][] {
  const { zones, vmstat } = machine;
  const vmap = vmapPages(machine, 0);
  // The space ends with its last byte on x86_64, so that it prints a kB less.
  const vmapTotal = machine.config.arch === 'x86_64' ? vmap.total - 0.25 : vmap.total;
  const free = freePages(zones);
  const total = managedPages(zones);
  const anon = vmstat[VMSTAT.nr_anon_pages]!;
  const shmem = vmstat[VMSTAT.nr_shmem]!;
  const reclaimable = vmstat[VMSTAT.nr_slab_reclaimable]!;
  const unreclaimable = vmstat[VMSTAT.nr_slab_unreclaimable]!;
  const swap = machine.swap;
  const swapped = swap === null || !swap.on ? 0 : swap.slots;
  const lru = (list: number) => lruPages(machine, list);
  const buffers = bufferPages(machine);
  const highmem = highmemLines(zones);
  return [
    ['MemTotal', total],
    ['MemFree', free],
    ['MemAvailable', available(machine, free, reclaimable)],
    ['Buffers', buffers],
    ['Cached', vmstat[VMSTAT.nr_file_pages]! - buffers + shmem],
    ['SwapCached', swap?.cache.size ?? 0],
    ['Active', lru(LRU.activeAnon) + lru(LRU.activeFile)],
    ['Inactive', lru(LRU.inactiveAnon) + lru(LRU.inactiveFile)],
    ['Active(anon)', lru(LRU.activeAnon)],
    ['Inactive(anon)', lru(LRU.inactiveAnon)],
    ['Active(file)', lru(LRU.activeFile)],
    ['Inactive(file)', lru(LRU.inactiveFile)],
    ['Unevictable', lru(LRU.unevictable)],
    ['Mlocked', lru(LRU.unevictable)],
    ...highmem,
    ['SwapTotal', swapped],
    ['SwapFree', swapped === 0 ? 0 : swapped - swap!.used],
    ['Dirty', vmstat[VMSTAT.nr_dirty]!],
    ['Writeback', 0],
    ['AnonPages', anon],
    ['Mapped', vmstat[VMSTAT.nr_mapped]!],
    ['Shmem', shmem],
    ['KReclaimable', reclaimable],
    ['Slab', reclaimable + unreclaimable],
    ['SReclaimable', reclaimable],
    ['SUnreclaim', unreclaimable],
    ['KernelStack', 0],
    ['PageTables', vmstat[VMSTAT.nr_page_table_pages]!],
    ['CommitLimit', commitLimit(machine)],
    ['Committed_AS', machine.committed],
    // Since 4.4 Linux counts only frames of vmalloc as used, and prints 0 for the chunk, which was slow to find.
    ['VmallocTotal', vmapTotal],
    ['VmallocUsed', vmap.used],
    ['VmallocChunk', Math.min(vmap.largestHole, vmapTotal)],
    ...hugeLines(machine),
  ];
}

/** Lines that came after 2.6.32: with 3.14, 4.20, 2.6.38. */
const YOUNGER = ['MemAvailable', 'KReclaimable', 'AnonHugePages'];

/** The values in kB by label. */
export function meminfoKb(machine: Machine): ReadonlyMap<string, number> {
  return new Map(lines(machine).map(([label, pages]) => [label, pages * 4]));
}

/** A kernel without huge pages has no such line. */
function hugeLines(machine: Machine): [string, number][] {
  return machine.config.arch === 'x86_64' ? [['AnonHugePages', machine.huge.size * HPAGE_PAGES]] : [];
}

export function meminfo(machine: Machine): string {
  const isOld = machine.config.rules === '2.6.32';
  return [...lines(machine), ...cmaLines(machine)]
    .filter(([label]) => !isOld || !YOUNGER.includes(label))
    .map(([label, pages]) => `${`${label}:`.padEnd(16)}${String(pages * 4).padStart(8)} kB\n`)
    .join('');
}

/** The contiguous area, where there is one, and what of it is free (CONFIG_CMA). */
function cmaLines(machine: Machine): [string, number][] {
  if (machine.cma === null) return [];
  return [
    ['CmaTotal', machine.cma.count],
    ['CmaFree', freeCmaPages(machine)],
  ];
}
