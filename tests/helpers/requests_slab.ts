/** Good requests for the calls on slab caches, kernel bytes and pools. */
import type { Machine } from '#kernel/machine.ts';
import { PAGE, granted } from './boot.ts';
import type { GoodCall } from './requests.ts';

/** What they name: bytes, a cache with an object, a cache with none, a pool with an element out; all of the stage's process. */
export interface SlabStage {
  object: number;
  cache: number;
  item: number;
  empty: number;
  pool: number;
  element: number;
}

export function slabStage(machine: Machine, pid: number): SlabStage {
  const make = (name: string) => granted(machine, pid, { call: 'kmem_cache_create', name, size: 120 }).cache as number;
  const object = granted(machine, pid, { call: 'kmalloc', size: 100, gfp: 'GFP_KERNEL' }).addr as number;
  const cache = make('stage');
  const item = granted(machine, pid, { call: 'kmem_cache_alloc', cache }).addr as number;
  const pool = granted(machine, pid, { call: 'mempool_create', min_nr: 2, cache }).pool as number;
  const element = granted(machine, pid, { call: 'mempool_alloc', pool, gfp: 'GFP_KERNEL' }).addr as number;
  return { object, cache, item, empty: make('empty'), pool, element };
}

export const SLAB_CALLS: readonly GoodCall[] = [
  { call: 'kmalloc', by: 'process', args: () => ({ size: 64, gfp: 'GFP_KERNEL' }) },
  { call: 'kzalloc', by: 'process', args: () => ({ size: 64, gfp: 'GFP_KERNEL' }) },
  { call: 'kfree', by: 'process', args: ({ slab }) => ({ addr: slab.object }) },
  { call: 'ksize', by: 'process', args: ({ slab }) => ({ addr: slab.object }) },
  { call: 'virt_to_phys', by: 'process', args: ({ slab }) => ({ addr: slab.object }) },
  { call: 'phys_to_virt', by: 'process', args: ({ pfn }) => ({ phys: pfn * PAGE }) },
  {
    call: 'kmem_cache_create',
    by: 'process',
    text: 'name',
    good: { ctor: [true] },
    args: () => ({ name: 'another', size: 72, align: 8, flags: 'SLAB_HWCACHE_ALIGN', ctor: false }),
    optional: ['align', 'flags', 'ctor'],
  },
  { call: 'kmem_cache_alloc', by: 'process', args: ({ slab }) => ({ cache: slab.cache, gfp: 'GFP_KERNEL' }), optional: ['gfp'] },
  { call: 'kmem_cache_free', by: 'process', args: ({ slab }) => ({ cache: slab.cache, addr: slab.item }) },
  { call: 'kmem_cache_shrink', by: 'process', args: ({ slab }) => ({ cache: slab.cache }) },
  { call: 'kmem_cache_destroy', by: 'process', args: ({ slab }) => ({ cache: slab.empty }) },
  { call: 'mempool_create', by: 'process', args: ({ slab }) => ({ min_nr: 2, cache: slab.cache }) },
  { call: 'mempool_alloc', by: 'process', args: ({ slab }) => ({ pool: slab.pool, gfp: 'GFP_KERNEL' }) },
  { call: 'mempool_free', by: 'process', args: ({ slab }) => ({ pool: slab.pool, addr: slab.element }) },
  { call: 'mempool_destroy', by: 'process', args: ({ slab }) => ({ pool: slab.pool }) },
  { call: 'run', by: 'process', text: 'argv', args: () => ({ argv: ['slabtop'] }) },
];
