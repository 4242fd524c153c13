/** /proc/meminfo (fs/proc/meminfo.c): labels in 16 columns, values in kB. */
import { I386 } from '../../arch/mmu.ts';
import { commitLimit } from '../../mm/commit.ts';
import { freePages, lowmemPages, managedPages, totalReserve } from '../../mm/mmzone.ts';
import { VMSTAT } from '../../mm/vmstat.ts';
import type { Machine } from '../../types.ts';

const MIB = 1 << 20;
/** Where the kernel's dynamic mappings end on i386: two pages below pkmap (spec §3). */
const VMALLOC_END = 0xff7fe000;

/** Bytes between 8 MiB above the direct map and pkmap. */
function vmallocTotal(machine: Machine): number {
  let directMap = 0;
  for (const zone of machine.zones) if (zone.name !== 'HighMem') directMap = zone.end * 4096;
  const bound = I386.taskSize === machine.config.pageOffset ? 896 * MIB : 1920 * MIB;
  return VMALLOC_END - (machine.config.pageOffset + Math.min(directMap, bound) + 8 * MIB);
}

/** Label and pages, in the kernel's order. */
function lines(machine: Machine): [string, number][] {
  const { zones, vmstat } = machine;
  const free = freePages(zones);
  const total = managedPages(zones);
  const anon = vmstat[VMSTAT.nr_anon_pages]!;
  const shmem = vmstat[VMSTAT.nr_shmem]!;
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
    ['MemAvailable', Math.max(0, free - totalReserve(zones))],
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
    ['KReclaimable', 0],
    ['Slab', 0],
    ['SReclaimable', 0],
    ['SUnreclaim', 0],
    ['KernelStack', 0],
    ['PageTables', vmstat[VMSTAT.nr_page_table_pages]!],
    ['CommitLimit', commitLimit(machine)],
    ['Committed_AS', machine.committed],
    ['VmallocTotal', vmallocTotal(machine) / 4096],
    ['VmallocUsed', 0],
    ['VmallocChunk', 0],
  ];
}

export function meminfo(machine: Machine): string {
  return lines(machine)
    .map(([label, pages]) => `${`${label}:`.padEnd(16)}${String(pages * 4).padStart(8)} kB\n`)
    .join('');
}
