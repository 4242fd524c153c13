/** /proc/zoneinfo (mm/vmstat.c, zoneinfo_show_print): marks, sizes and protection of each zone, in pages. */
import { populated } from '../../mm/mmzone.ts';
import { freePagesOfType } from '../../mm/mobility.ts';
import { LRU, LRU_LISTS, lruPages } from '../../mm/swap.ts';
import { VMSTAT } from '../../mm/vmstat.ts';
import { zoneinfo26 } from './zoneinfo26.ts';
import { MIGRATE, type Machine, type Zone } from '../../types.ts';

const line = (label: string, value: number): string => `\n      ${label.padEnd(12)} ${value}`;

function nodeStats(machine: Machine): string {
  const { vmstat } = machine;
  const shmem = vmstat[VMSTAT.nr_shmem]!;
  return (
    '\n  per-node stats' +
    line('nr_inactive_anon', lruPages(machine, LRU.inactiveAnon)) +
    line('nr_active_anon', lruPages(machine, LRU.activeAnon)) +
    line('nr_inactive_file', lruPages(machine, LRU.inactiveFile)) +
    line('nr_active_file', lruPages(machine, LRU.activeFile)) +
    line('nr_unevictable', lruPages(machine, LRU.unevictable)) +
    line('nr_anon_pages', vmstat[VMSTAT.nr_anon_pages]!) +
    line('nr_mapped', vmstat[VMSTAT.nr_mapped]!) +
    line('nr_file_pages', vmstat[VMSTAT.nr_file_pages]! + shmem) +
    line('nr_dirty', vmstat[VMSTAT.nr_dirty]!) +
    line('nr_shmem', shmem) +
    line('nr_page_table_pages', vmstat[VMSTAT.nr_page_table_pages]!)
  );
}

function zoneText(zone: Zone, mlocked: number): string {
  const { min, low, high } = zone.watermark;
  const promo = high + (high - low);
  return (
    `\n  pages free     ${zone.free}` +
    `\n        boost    ${zone.boost}` +
    `\n        min      ${min}` +
    `\n        low      ${low}` +
    `\n        high     ${high}` +
    `\n        promo    ${promo}` +
    `\n        spanned  ${zone.managed}` +
    `\n        present  ${zone.managed}` +
    `\n        managed  ${zone.managed}` +
    `\n        cma      ${zone.cmaPages}` +
    `\n        protection: (${zone.lowmemReserve.join(', ')})` +
    line('nr_free_pages', zone.free) +
    line('nr_mlock', mlocked) +
    line('nr_free_cma', freePagesOfType(zone, MIGRATE.cma))
  );
}

export function zoneinfo(machine: Machine): string {
  if (machine.config.rules === '2.6.32') return zoneinfo26(machine);
  let text = '';
  populated(machine.zones).forEach((zone, index) => {
    text += `Node 0, zone ${zone.name.padStart(8)}`;
    if (index === 0) text += nodeStats(machine);
    const mlocked = machine.lru.pages[machine.zones.indexOf(zone) * LRU_LISTS + LRU.unevictable]!;
    text += `${zoneText(zone, mlocked)}\n  node_unreclaimable:  0\n  start_pfn:           ${zone.start}\n`;
  });
  return text;
}
