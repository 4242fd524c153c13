/** The memory report that SysRq-m and the OOM killer print (mm/show_mem.c). */
import type { Machine, Zone } from '../types.ts';
import { freePages } from './mmzone.ts';
import { freePagesOfType } from './mobility.ts';
import { MIGRATE } from '../types.ts';
import { VMSTAT } from './vmstat.ts';

const kb = (pages: number): string => `${pages * 4}kB`;
const LETTERS = 'UMEHCI';

function zoneLines(zone: Zone): string[] {
  const { min, low, high } = zone.watermark;
  const marks = `boost:${kb(zone.boost)} min:${kb(min + zone.boost)} low:${kb(low + zone.boost)} high:${kb(high + zone.boost)}`;
  const kept = `reserved_highatomic:${kb(zone.reservedHighatomic)}`;
  const cma = `free_cma:${kb(freePagesOfType(zone, MIGRATE.cma))}`;
  return [
    `Node 0 ${zone.name} free:${kb(zone.free)} ${marks} ${kept} present:${kb(zone.managed)} managed:${kb(zone.managed)} ${cma}`,
    `lowmem_reserve[]: ${zone.lowmemReserve.join(' ')}`,
  ];
}

/** Letters of the types that have blocks of an order, as in "3*16kB (UM)". */
function typesOf(zone: Zone, order: number): string {
  if (zone.types === 1) return '';
  let letters = '';
  for (let type = 0; type < zone.types; type++) if (zone.listLength[order * zone.types + type]! > 0) letters += LETTERS[type];
  return letters === '' ? '' : ` (${letters})`;
}

function listsLine(zone: Zone): string {
  const parts = Array.from(zone.nrFree, (blocks, order) => `${blocks}*${4 << order}kB${typesOf(zone, order)}`);
  return `Node 0 ${zone.name}: ${parts.join(' ')} = ${kb(zone.free)}`;
}

export function showMem(machine: Machine): string[] {
  const { vmstat, zones } = machine;
  const cma = zones.reduce((sum, zone) => sum + freePagesOfType(zone, MIGRATE.cma), 0);
  return [
    'Mem-Info:',
    `active_anon:0 inactive_anon:${vmstat[VMSTAT.nr_anon_pages]! + vmstat[VMSTAT.nr_shmem]!} isolated_anon:0`,
    ` slab_reclaimable:${vmstat[VMSTAT.nr_slab_reclaimable]} slab_unreclaimable:${vmstat[VMSTAT.nr_slab_unreclaimable]}`,
    ` mapped:${vmstat[VMSTAT.nr_mapped]} shmem:${vmstat[VMSTAT.nr_shmem]} pagetables:${vmstat[VMSTAT.nr_page_table_pages]}`,
    ` free:${freePages(zones)} free_pcp:0 free_cma:${cma}`,
    ...zones.flatMap(zoneLines),
    ...zones.map(listsLine),
  ];
}
