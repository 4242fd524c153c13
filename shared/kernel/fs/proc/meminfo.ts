/** /proc/meminfo (fs/proc/meminfo.c): labels in 16 columns, values in kB. */
import { commitLimit } from '../../mm/commit.ts';
import { freePages, lowmemPages, managedPages, totalReserve } from '../../mm/mmzone.ts';
import { vmapPages } from '../../mm/vmap_area.ts';
import { VMSTAT } from '../../mm/vmstat.ts';
import type { Machine } from '../../types.ts';

/** Pages that a new program could have without pushing others out: free ones and what can be reclaimed, less what must stay (si_mem_available). */
function available(machine: Machine, free: number, reclaimable: number): number {
  const { zones } = machine;
  const low = zones.reduce((sum, zone) => sum + zone.watermark.low, 0);
  return Math.max(0, free - totalReserve(zones) + reclaimable - Math.min(reclaimable >> 1, low));
}

/** Label and pages, in the kernel's order. */
function lines(machine: Machine): [string, number][] {
  const { zones, vmstat } = machine;
  const vmap = vmapPages(machine);
  // The space ends with its last byte on x86_64, so that it prints a kB less.
  const vmapTotal = machine.config.arch === 'i386' ? vmap.total : vmap.total - 0.25;
  const free = freePages(zones);
  const total = managedPages(zones);
  const anon = vmstat[VMSTAT.nr_anon_pages]!;
  const shmem = vmstat[VMSTAT.nr_shmem]!;
  const reclaimable = vmstat[VMSTAT.nr_slab_reclaimable]!;
  const unreclaimable = vmstat[VMSTAT.nr_slab_unreclaimable]!;
  const low = zones.filter((zone) => zone.name !== 'HighMem');
  const high = zones.filter((zone) => zone.name === 'HighMem');
  const highmem: [string, number][] =
    high.length === 0
      ? []
      : [
          ['HighTotal', managedPages(high)],
          ['HighFree', freePages(high)],
          ['LowTotal', lowmemPages(zones)],
          ['LowFree', freePages(low)],
        ];
  return [
    ['MemTotal', total],
    ['MemFree', free],
    ['MemAvailable', available(machine, free, reclaimable)],
    ['Buffers', 0],
    ['Cached', shmem],
    ['SwapCached', 0],
    ['Active', 0],
    ['Inactive', anon + shmem],
    ['Active(anon)', 0],
    ['Inactive(anon)', anon + shmem],
    ['Active(file)', 0],
    ['Inactive(file)', 0],
    ['Unevictable', 0],
    ['Mlocked', 0],
    ...highmem,
    ['SwapTotal', 0],
    ['SwapFree', 0],
    ['Dirty', 0],
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
  ];
}

export function meminfo(machine: Machine): string {
  return lines(machine)
    .map(([label, pages]) => `${`${label}:`.padEnd(16)}${String(pages * 4).padStart(8)} kB\n`)
    .join('');
}
