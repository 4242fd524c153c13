/** /proc/vmstat: one counter a line, in the kernel's order. Mechanisms that have not happened count 0. */
import { freePages } from '../../mm/mmzone.ts';
import { VMSTAT, type Counter } from '../../mm/vmstat.ts';
import type { Machine } from '../../types.ts';

const counter =
  (name: Counter) =>
  (machine: Machine): number =>
    machine.vmstat[VMSTAT[name]]!;
const zero = (): number => 0;

const LINES: readonly (readonly [string, (machine: Machine) => number])[] = [
  ['nr_free_pages', (machine) => freePages(machine.zones)],
  ['nr_inactive_anon', (machine) => counter('nr_anon_pages')(machine) + counter('nr_shmem')(machine)],
  ['nr_active_anon', zero],
  ['nr_slab_reclaimable', counter('nr_slab_reclaimable')],
  ['nr_slab_unreclaimable', counter('nr_slab_unreclaimable')],
  ['nr_anon_pages', counter('nr_anon_pages')],
  ['nr_mapped', counter('nr_mapped')],
  ['nr_file_pages', counter('nr_shmem')],
  ['nr_shmem', counter('nr_shmem')],
  ['nr_page_table_pages', counter('nr_page_table_pages')],
  ['pswpin', zero],
  ['pswpout', zero],
  ['pgalloc_dma', counter('pgalloc_dma')],
  ['pgalloc_dma32', counter('pgalloc_dma32')],
  ['pgalloc_normal', counter('pgalloc_normal')],
  ['pgalloc_high', counter('pgalloc_high')],
  ['allocstall_dma', counter('allocstall_dma')],
  ['allocstall_dma32', counter('allocstall_dma32')],
  ['allocstall_normal', counter('allocstall_normal')],
  ['allocstall_high', counter('allocstall_high')],
  ['pgfree', counter('pgfree')],
  ['pgfault', counter('pgfault')],
  ['pgmajfault', counter('pgmajfault')],
  ['pgreuse', counter('pgreuse')],
  ['pgsteal_kswapd', zero],
  ['pgsteal_direct', zero],
  ['pgscan_kswapd', zero],
  ['pgscan_direct', zero],
  ['pageoutrun', counter('pageoutrun')],
  ['oom_kill', counter('oom_kill')],
  ['pgmigrate_success', counter('pgmigrate_success')],
  ['pgmigrate_fail', counter('pgmigrate_fail')],
  ['compact_migrate_scanned', counter('compact_migrate_scanned')],
  ['compact_free_scanned', counter('compact_free_scanned')],
  ['compact_isolated', counter('compact_isolated')],
  ['compact_stall', counter('compact_stall')],
  ['compact_fail', counter('compact_fail')],
  ['compact_success', counter('compact_success')],
  ['cma_alloc_success', counter('cma_alloc_success')],
  ['cma_alloc_fail', counter('cma_alloc_fail')],
];

export function vmstat(machine: Machine): string {
  return LINES.map(([name, value]) => `${name} ${value(machine)}\n`).join('');
}
