/** /proc/vmstat: one counter a line, in the kernel's order. Mechanisms that have not happened count 0. */
import { freePages } from '../../mm/mmzone.ts';
import { LRU, lruPages } from '../../mm/swap.ts';
import { VMSTAT, type Counter } from '../../mm/vmstat.ts';
import type { Machine } from '../../types.ts';

const counter =
  (name: Counter) =>
  (machine: Machine): number =>
    machine.vmstat[VMSTAT[name]]!;
const zero = (): number => 0;
const swapCached = (machine: Machine): number => machine.swap?.cache.size ?? 0;

const LINES: readonly (readonly [string, (machine: Machine) => number])[] = [
  ['nr_free_pages', (machine) => freePages(machine.zones)],
  // Nothing but mlock makes a page unevictable here.
  ['nr_mlock', (machine) => lruPages(machine, LRU.unevictable)],
  ['nr_inactive_anon', (machine) => lruPages(machine, LRU.inactiveAnon)],
  ['nr_active_anon', (machine) => lruPages(machine, LRU.activeAnon)],
  ['nr_inactive_file', (machine) => lruPages(machine, LRU.inactiveFile)],
  ['nr_active_file', (machine) => lruPages(machine, LRU.activeFile)],
  ['nr_unevictable', (machine) => lruPages(machine, LRU.unevictable)],
  ['nr_slab_reclaimable', counter('nr_slab_reclaimable')],
  ['nr_slab_unreclaimable', counter('nr_slab_unreclaimable')],
  ['workingset_refault_anon', counter('workingset_refault_anon')],
  ['workingset_refault_file', counter('workingset_refault_file')],
  ['workingset_activate_anon', counter('workingset_activate_anon')],
  ['workingset_activate_file', counter('workingset_activate_file')],
  ['workingset_restore_anon', counter('workingset_restore_anon')],
  ['workingset_restore_file', counter('workingset_restore_file')],
  ['nr_anon_pages', counter('nr_anon_pages')],
  ['nr_mapped', counter('nr_mapped')],
  ['nr_file_pages', (machine) => counter('nr_file_pages')(machine) + counter('nr_shmem')(machine) + swapCached(machine)],
  ['nr_dirty', counter('nr_dirty')],
  ['nr_writeback', zero],
  ['nr_shmem', counter('nr_shmem')],
  ['nr_dirtied', counter('nr_dirtied')],
  ['nr_written', counter('nr_written')],
  ['nr_anon_transparent_hugepages', (machine) => machine.huge.size],
  ['nr_page_table_pages', counter('nr_page_table_pages')],
  ['nr_swapcached', swapCached],
  ['pgpgin', counter('pgpgin')],
  ['pgpgout', counter('pgpgout')],
  ['pswpin', counter('pswpin')],
  ['pswpout', counter('pswpout')],
  ['pgalloc_dma', counter('pgalloc_dma')],
  ['pgalloc_dma32', counter('pgalloc_dma32')],
  ['pgalloc_normal', counter('pgalloc_normal')],
  ['pgalloc_high', counter('pgalloc_high')],
  ['allocstall_dma', counter('allocstall_dma')],
  ['allocstall_dma32', counter('allocstall_dma32')],
  ['allocstall_normal', counter('allocstall_normal')],
  ['allocstall_high', counter('allocstall_high')],
  ['pgfree', counter('pgfree')],
  ['pgactivate', counter('pgactivate')],
  ['pgdeactivate', counter('pgdeactivate')],
  ['pgfault', counter('pgfault')],
  ['pgmajfault', counter('pgmajfault')],
  ['pgrefill', counter('pgrefill')],
  ['pgreuse', counter('pgreuse')],
  ['pgsteal_kswapd', counter('pgsteal_kswapd')],
  ['pgsteal_direct', counter('pgsteal_direct')],
  ['pgscan_kswapd', counter('pgscan_kswapd')],
  ['pgscan_direct', counter('pgscan_direct')],
  ['pgscan_anon', counter('pgscan_anon')],
  ['pgscan_file', counter('pgscan_file')],
  ['pgsteal_anon', counter('pgsteal_anon')],
  ['pgsteal_file', counter('pgsteal_file')],
  ['slabs_scanned', counter('slabs_scanned')],
  ['pageoutrun', counter('pageoutrun')],
  ['pgrotated', counter('pgrotated')],
  ['drop_pagecache', counter('drop_pagecache')],
  ['drop_slab', counter('drop_slab')],
  ['oom_kill', counter('oom_kill')],
  ['pgmigrate_success', counter('pgmigrate_success')],
  ['pgmigrate_fail', counter('pgmigrate_fail')],
  ['compact_migrate_scanned', counter('compact_migrate_scanned')],
  ['compact_free_scanned', counter('compact_free_scanned')],
  ['compact_isolated', counter('compact_isolated')],
  ['compact_stall', counter('compact_stall')],
  ['compact_fail', counter('compact_fail')],
  ['compact_success', counter('compact_success')],
  ['compact_daemon_wake', counter('compact_daemon_wake')],
  ['compact_daemon_migrate_scanned', counter('compact_daemon_migrate_scanned')],
  ['compact_daemon_free_scanned', counter('compact_daemon_free_scanned')],
  ['cma_alloc_success', counter('cma_alloc_success')],
  ['cma_alloc_fail', counter('cma_alloc_fail')],
  ['unevictable_pgs_culled', counter('unevictable_pgs_culled')],
  ['unevictable_pgs_scanned', zero],
  ['unevictable_pgs_rescued', counter('unevictable_pgs_rescued')],
  ['unevictable_pgs_mlocked', counter('unevictable_pgs_mlocked')],
  ['unevictable_pgs_munlocked', counter('unevictable_pgs_munlocked')],
  ['unevictable_pgs_cleared', zero],
  ['unevictable_pgs_stranded', zero],
  ['thp_fault_alloc', counter('thp_fault_alloc')],
  ['thp_fault_fallback', counter('thp_fault_fallback')],
  ['thp_split_page', counter('thp_split_page')],
  ['thp_split_pmd', counter('thp_split_pmd')],
  ['nr_tlb_local_flush_all', counter('nr_tlb_local_flush_all')],
  ['nr_tlb_local_flush_one', counter('nr_tlb_local_flush_one')],
];

/** Lines of a kernel with huge pages only. */
const isOfHuge = (name: string): boolean => name.startsWith('thp_') || name === 'nr_anon_transparent_hugepages';

export function vmstat(machine: Machine): string {
  const isHuge = machine.config.arch === 'x86_64' && machine.config.rules !== '2.6.32';
  const lines = isHuge ? LINES : LINES.filter(([name]) => !isOfHuge(name));
  return lines.map(([name, value]) => `${name} ${value(machine)}\n`).join('');
}
