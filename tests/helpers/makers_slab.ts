/** Random calls on the slab allocators and pools: objects that come and go, caches made, merged, shrunk and destroyed, right and wrong. */
import type { Machine } from '#kernel/machine.ts';
import { one, someOf, type Makers, type Pick } from './chance.ts';
import { ownBlocks } from './blocks.ts';
import { PAGE } from './check_base.ts';
import type { Step } from './fuzz.ts';

export const GFPS = [
  'GFP_KERNEL',
  'GFP_KERNEL',
  'GFP_ATOMIC',
  'GFP_NOWAIT',
  'GFP_NOFS',
  'GFP_DMA',
  'GFP_KERNEL|__GFP_RECLAIMABLE',
  'GFP_KERNEL|__GFP_ZERO',
  'GFP_KERNEL|__GFP_NORETRY',
  'GFP_KERNEL|__GFP_NOFAIL',
  'GFP_HIGHUSER_MOVABLE',
  'GFP_HIGHUSER',
];
const SIZES = [9, 33, 65, 100, 200, 300, 700, 1100, 2100, 5000, 9000, 40_000, 300_000];
const CACHE_FLAGS = [
  'SLAB_HWCACHE_ALIGN',
  'SLAB_RECLAIM_ACCOUNT',
  'SLAB_CACHE_DMA',
  'SLAB_POISON',
  'SLAB_RED_ZONE',
  'SLAB_NO_MERGE',
  'SLAB_POISON|SLAB_RED_ZONE',
];
const NAMES = ['foo', 'bar', 'inode', 'dentry', 'task'];

const direct = (machine: Machine, phys: number): number => machine.config.layout.pageOffset + phys;
const someHandle = (machine: Machine, pick: Pick): number => {
  const ids = [...machine.slab.handles.keys()];
  return ids.length > 0 && pick(15) > 0 ? one(ids, pick) : 1 + pick(machine.slab.nextHandle + 2);
};
const somePool = (machine: Machine, pick: Pick): number => {
  const ids = [...machine.slab.pools.keys()];
  return ids.length > 0 && pick(15) > 0 ? one(ids, pick) : 1 + pick(machine.slab.nextPool + 2);
};

/** Mostly an object of one's own; sometimes another's, a freed one, an address inside one, or nonsense. */
function someObject(machine: Machine, pid: number, pick: Pick): number {
  const mine = [...(machine.tasks.get(pid)?.objects ?? [])];
  if (mine.length > 0 && pick(8) > 0) return direct(machine, one(mine, pick));
  const slabs = [...machine.slab.slabs.values()];
  if (slabs.length === 0 || pick(6) === 0) return one([0, 16, 4096, 0xc0000000, 0xc0001234, 0xf8000000, 0xffffffff], pick);
  const slab = one(slabs, pick);
  const cache = machine.slab.caches.get(slab.cache)!;
  const at = slab.pfn * PAGE + slab.start + pick(slab.objects) * cache.size + cache.offset;
  return direct(machine, at + (pick(4) === 0 ? pick(cache.size) : 0));
}

/** An object and the cache that it is of, mostly. */
function freeToCache(machine: Machine, pid: number, pick: Pick): Step {
  const addr = someObject(machine, pid, pick);
  const phys = addr - machine.config.layout.pageOffset;
  for (const [id, handle] of machine.slab.handles) {
    const slabs = [...machine.slab.slabs.values()].filter((slab) => slab.cache === handle.cache);
    if (slabs.some((slab) => phys >= slab.pfn * PAGE && phys < (slab.pfn + 2 ** slab.order) * PAGE))
      return { pid, call: 'kmem_cache_free', cache: id, addr };
  }
  return { pid, call: 'kmem_cache_free', cache: someHandle(machine, pick), addr };
}

function freeToPool(machine: Machine, pid: number, pick: Pick): Step {
  const blocks = ownBlocks(machine, pid);
  const addr = blocks.length > 0 && pick(2) === 0 ? direct(machine, one(blocks, pick) * PAGE) : someObject(machine, pid, pick);
  return { pid, call: 'mempool_free', pool: somePool(machine, pick), addr };
}

function createPool(machine: Machine, pid: number, pick: Pick): Step {
  const min = 1 + pick(one([3, 12], pick));
  return pick(2) === 0
    ? { pid, call: 'mempool_create', min_nr: min, order: pick(3) }
    : { pid, call: 'mempool_create', min_nr: min, cache: someHandle(machine, pick) };
}

function createCache(_machine: Machine, pid: number, pick: Pick): Step {
  const flags = pick(2) === 0 ? { flags: one(CACHE_FLAGS, pick) } : {};
  const size = 1 + pick(one([64, 64, 400, 1500, 9000], pick));
  return {
    pid,
    call: 'kmem_cache_create',
    name: one(NAMES, pick) + pick(30),
    size,
    align: one([0, 0, 8, 64, 256], pick),
    ctor: pick(5) === 0,
    ...flags,
  };
}

export const SLAB_MAKERS: Makers = [
  [26, (_m, pid, pick) => ({ pid, call: pick(6) === 0 ? 'kzalloc' : 'kmalloc', size: pick(one(SIZES, pick)), gfp: one(GFPS, pick) })],
  [20, (machine, pid, pick) => ({ pid, call: 'kfree', addr: someObject(machine, pid, pick) })],
  [2, (machine, pid, pick) => ({ pid, call: 'ksize', addr: someObject(machine, pid, pick) })],
  [1, (machine, pid, pick) => ({ pid, call: 'virt_to_phys', addr: someObject(machine, pid, pick) })],
  [1, (_m, pid, pick) => ({ pid, call: 'phys_to_virt', phys: pick(1 << 24) })],
  [5, createCache],
  [
    30,
    (machine, pid, pick) => ({
      pid,
      call: 'kmem_cache_alloc',
      cache: someHandle(machine, pick),
      ...(pick(3) === 0 ? { gfp: one(GFPS, pick) } : {}),
    }),
  ],
  [18, freeToCache],
  [2, (machine, pid, pick) => ({ pid, call: 'kmem_cache_shrink', cache: someHandle(machine, pick) })],
  [2, (machine, pid, pick) => ({ pid, call: 'kmem_cache_destroy', cache: someHandle(machine, pick) })],
  [2, createPool],
  [9, (machine, pid, pick) => ({ pid, call: 'mempool_alloc', pool: somePool(machine, pick), gfp: one(GFPS, pick) })],
  [8, freeToPool],
  [1, (machine, pid, pick) => ({ pid, call: 'mempool_destroy', pool: somePool(machine, pick) })],
];

/** One of them. */
export const someSlab = someOf(SLAB_MAKERS);
