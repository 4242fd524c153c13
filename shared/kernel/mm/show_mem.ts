/** The memory report that SysRq-m and the OOM killer print (mm/show_mem.c). */
import { freeBlocks, nrFreeByOrder } from './buddy.ts';
import type { Machine, Zone } from '../types.ts';
import { freePages, managedPages } from './mmzone.ts';
import { freePagesOfType } from './mobility.ts';
import { MIGRATE } from '../types.ts';
import { LRU, LRU_LISTS, lruPages } from './swap.ts';
import { swapTotal } from './swap_state.ts';
import { VMSTAT, type Counter } from './vmstat.ts';

const kb = (pages: number): string => `${pages * 4}kB`;
const LETTERS = 'UMEHCI';

/** The four lists and what reclaim may not touch, in the kernel's words; `pages` counts one list. */
function lruFields(pages: (list: number) => number): string {
  const names: readonly (readonly [string, number])[] = [
    ['active_anon', LRU.activeAnon],
    ['inactive_anon', LRU.inactiveAnon],
    ['active_file', LRU.activeFile],
    ['inactive_file', LRU.inactiveFile],
    ['unevictable', LRU.unevictable],
  ];
  return names.map(([name, list]) => `${name}:${kb(pages(list))}`).join(' ');
}

function zoneLines(machine: Machine, zone: Zone, index: number): string[] {
  const { min, low, high } = zone.watermark;
  const marks = `boost:${kb(zone.boost)} min:${kb(min + zone.boost)} low:${kb(low + zone.boost)} high:${kb(high + zone.boost)}`;
  const kept = `reserved_highatomic:${zone.reservedHighatomic * 4}KB`;
  const lists = lruFields((list) => machine.lru.pages[index * LRU_LISTS + list]!);
  const cma = `free_cma:${kb(freePagesOfType(zone, MIGRATE.cma))}`;
  const sizes = `present:${kb(zone.end - zone.start)} managed:${kb(zone.managed)} mlocked:${kb(machine.lru.pages[index * LRU_LISTS + LRU.unevictable]!)} bounce:0kB free_pcp:0kB local_pcp:0kB`;
  return [
    `Node 0 ${zone.name} free:${kb(zone.free)} ${marks} ${kept} ${lists} ${sizes} ${cma}`,
    `lowmem_reserve[]: ${zone.lowmemReserve.join(' ')}`,
  ];
}

/** Letters of the types that have blocks of an order, as in "3*16kB (UM)". */
function typesOf(zone: Zone, order: number): string {
  if (zone.types === 1) return '';
  let letters = '';
  for (let type = 0; type < zone.types; type++) if (freeBlocks(zone, order, type) > 0) letters += LETTERS[type];
  return letters === '' ? '' : ` (${letters})`;
}

function listsLine(zone: Zone): string {
  const parts = Array.from(nrFreeByOrder(zone), (blocks, order) => `${blocks}*${4 << order}kB${typesOf(zone, order)}`);
  return `Node 0 ${zone.name}: ${parts.join(' ')} = ${kb(zone.free)}`;
}

/** Sizes of the whole machine, under the zones. */
function totalLines(machine: Machine): string[] {
  const { vmstat, zones, swap } = machine;
  const total = swapTotal(machine);
  const present = zones.reduce((sum, zone) => sum + zone.end - zone.start, 0);
  const high = zones.reduce((sum, zone) => sum + (zone.name === 'HighMem' ? zone.end - zone.start : 0), 0);
  return [
    `${vmstat[VMSTAT.nr_file_pages]! + vmstat[VMSTAT.nr_shmem]! + (swap?.cache.size ?? 0)} total pagecache pages`,
    `${swap?.cache.size ?? 0} pages in swap cache`,
    `Free swap  = ${kb(total === 0 ? 0 : total - swap!.used)}`,
    `Total swap = ${kb(total)}`,
    `${present} pages RAM`,
    `${high} pages HighMem/MovableOnly`,
    `${present - managedPages(zones)} pages reserved`,
    ...(machine.cma === null ? [] : [`${machine.cma.count} pages cma reserved`]),
  ];
}

/** Pages on the lists, of the kernel and free; then zone by zone their marks and blocks; then the sums (__show_mem). */
export function showMem(machine: Machine): string[] {
  const { vmstat, zones } = machine;
  const cma = zones.reduce((sum, zone) => sum + freePagesOfType(zone, MIGRATE.cma), 0);
  const on = (list: number): number => lruPages(machine, list);
  const value = (name: Counter): number => vmstat[VMSTAT[name]]!;
  const [mapped, shmem, tables, dirty] = [value('nr_mapped'), value('nr_shmem'), value('nr_page_table_pages'), value('nr_dirty')];
  return [
    'Mem-Info:',
    `active_anon:${on(LRU.activeAnon)} inactive_anon:${on(LRU.inactiveAnon)} isolated_anon:0`,
    ` active_file:${on(LRU.activeFile)} inactive_file:${on(LRU.inactiveFile)} isolated_file:0`,
    ` unevictable:${on(LRU.unevictable)} dirty:${dirty} writeback:0`,
    ` slab_reclaimable:${value('nr_slab_reclaimable')} slab_unreclaimable:${value('nr_slab_unreclaimable')}`,
    ` mapped:${mapped} shmem:${shmem} pagetables:${tables}`,
    ` free:${freePages(zones)} free_pcp:0 free_cma:${cma}`,
    `Node 0 ${lruFields(on)} isolated(anon):0kB isolated(file):0kB mapped:${kb(mapped)} dirty:${kb(dirty)} writeback:0kB ` +
      `shmem:${kb(shmem)} kernel_stack:0kB pagetables:${kb(tables)}`,
    ...zones.flatMap((zone, index) => zoneLines(machine, zone, index)),
    ...zones.map(listsLine),
    ...totalLines(machine),
  ];
}
