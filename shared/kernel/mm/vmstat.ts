/** Counters of /proc/vmstat and the numbers behind /proc/meminfo (mm/vmstat.c). */
import type { Machine, Zone } from '../types.ts';

const NAMES = [
  'nr_anon_pages',
  'nr_shmem',
  'nr_mapped',
  'nr_page_table_pages',
  'pgalloc_dma',
  'pgalloc_dma32',
  'pgalloc_normal',
  'pgalloc_high',
  'allocstall_dma',
  'allocstall_dma32',
  'allocstall_normal',
  'allocstall_high',
  'pgfree',
  'pgfault',
  'pgmajfault',
  'pgreuse',
  'pageoutrun',
  'oom_kill',
  'pgmigrate_success',
  'pgmigrate_fail',
  'compact_migrate_scanned',
  'compact_free_scanned',
  'compact_isolated',
  'compact_stall',
  'compact_fail',
  'compact_success',
  'cma_alloc_success',
  'cma_alloc_fail',
  'nr_slab_reclaimable',
  'nr_slab_unreclaimable',
  'nr_file_pages',
  'nr_dirty',
  'nr_dirtied',
  'nr_written',
  'pgpgin',
  'pgpgout',
  'pswpin',
  'pswpout',
  'pgactivate',
  'pgdeactivate',
  'pgrefill',
  'pgsteal_kswapd',
  'pgsteal_direct',
  'pgscan_kswapd',
  'pgscan_direct',
  'pgscan_anon',
  'pgscan_file',
  'pgsteal_anon',
  'pgsteal_file',
  'pgrotated',
  'slabs_scanned',
  'drop_pagecache',
  'drop_slab',
  'workingset_refault_anon',
  'workingset_refault_file',
  'workingset_activate_anon',
  'workingset_activate_file',
  'workingset_restore_anon',
  'workingset_restore_file',
  'nr_tlb_local_flush_all',
  'nr_tlb_local_flush_one',
  'thp_fault_alloc',
  'thp_fault_fallback',
  'thp_split_page',
  'thp_split_pmd',
  'unevictable_pgs_culled',
  'unevictable_pgs_rescued',
  'unevictable_pgs_mlocked',
  'unevictable_pgs_munlocked',
  'compact_daemon_wake',
  'compact_daemon_migrate_scanned',
  'compact_daemon_free_scanned',
] as const;
export type Counter = (typeof NAMES)[number];

/** Index of each counter in `machine.vmstat`. */
export const VMSTAT = Object.fromEntries(NAMES.map((name, index) => [name, index])) as Record<Counter, number>;
export const VMSTAT_COUNT = NAMES.length;

/** Counters that each zone has stand in the order of the zones. */
const [PGALLOC, ALLOCSTALL] = [VMSTAT.pgalloc_dma, VMSTAT.allocstall_dma];

export function count(machine: Machine, index: number, by: number): void {
  machine.vmstat[index]! += by;
}

export function countAlloc(machine: Machine, zone: Zone, pages: number): void {
  machine.vmstat[PGALLOC + zone.kind]! += pages;
}

export function countStall(machine: Machine, zone: Zone, by: number): void {
  machine.vmstat[ALLOCSTALL + zone.kind]! += by;
}
