/** mempool_create, mempool_alloc, mempool_free, mempool_destroy. */
import { directPhys } from '../arch/layout.ts';
import { address, gfp, int, optional } from '../args.ts';
import { GFP_KERNEL } from '../gfp.ts';
import { mempoolAlloc, mempoolCreate, mempoolFree, POOLS_MAX } from '../mm/mempool.ts';
import { pfnOf } from '../mm/slab_bytes.ts';
import { slabGfp } from '../mm/slab_pages.ts';
import { destroyPool } from '../mm/slab_release.ts';
import type { Mempool } from '../mm/slab_types.ts';
import { PG, type Addr, type Answer, type Machine, type Refused, type Task } from '../types.ts';
import { badArgument, granted, refused } from './answer.ts';
import { heldObject, isRoot, noObject } from './slab.ts';

const ANY = int(1, 0x7fffffff);
/** Elements of one reserve at most. */
const MIN_NR_MAX = 65536;

export const poolCreateArgs = { min_nr: int(1, MIN_NR_MAX), cache: optional(ANY), order: optional(int(0, 0x7fffffff)) };

export function sysPoolCreate(machine: Machine, task: Task | null, minNr: number, cache?: number, order?: number): Answer {
  if ((cache === undefined) === (order === undefined)) return badArgument('cache', 'given, or else order');
  const { slab, config } = machine;
  if (cache !== undefined && !slab.handles.has(cache)) return refused('EINVAL', { code: 'NO_SUCH_CACHE', cache });
  if (order !== undefined && order > config.maxOrder)
    return refused('ENOMEM', { code: 'ORDER_TOO_LARGE', order, maxOrder: config.maxOrder });
  if (slab.pools.size >= POOLS_MAX) return refused('ENOMEM', { code: 'TOO_MANY_POOLS', limit: POOLS_MAX });
  const pool = mempoolCreate(machine, task?.pid ?? 0, minNr, cache ?? 0, order ?? 0);
  if (pool >= 0) return granted({ pool });
  return noObject(machine, pool, order ?? orderOf(machine, cache!), GFP_KERNEL);
}

/** Order of the smallest slab of a cache: what one more element may need. */
function orderOf(machine: Machine, cache: number): number {
  const handle = machine.slab.handles.get(cache);
  return handle === undefined ? 0 : machine.slab.caches.get(handle.cache)!.minOrder;
}

function poolOf(machine: Machine, id: number): Mempool | Refused {
  const pool = machine.slab.pools.get(id);
  if (pool === undefined) return refused('EINVAL', { code: 'NO_SUCH_POOL', pool: id });
  if (pool.cache >= 0 && !machine.slab.caches.has(pool.cache)) return refused('EINVAL', { code: 'NO_SUCH_CACHE', cache: pool.handle });
  return pool;
}

export const poolAllocArgs = { pool: ANY, gfp };

export function sysPoolAlloc(machine: Machine, task: Task | null, id: number, gfpBits: number): Answer {
  const pool = poolOf(machine, id);
  if ('ok' in pool) return pool;
  const cache = machine.slab.caches.get(pool.cache);
  const phys = mempoolAlloc(machine, id, gfpBits, task?.pid ?? 0);
  if (phys >= 0) return { ok: true, addr: machine.config.layout.pageOffset + phys, cost: 0 };
  return cache ? noObject(machine, phys, cache.minOrder, slabGfp(cache, gfpBits)) : noObject(machine, phys, pool.order, gfpBits);
}

export const poolFreeArgs = { pool: ANY, addr: address };

export function sysPoolFree(machine: Machine, task: Task | null, id: number, addr: Addr): Answer {
  const pool = poolOf(machine, id);
  if ('ok' in pool) return pool;
  const refusal = pool.cache >= 0 ? notElement(machine, task, pool, addr) : notPages(machine, task, pool, addr);
  if (refusal !== null) return refusal;
  const phys = directPhys(machine.config.layout, addr);
  return mempoolFree(machine, id, phys) ? granted() : refused('EFAULT', { code: 'OBJECT_OVERWRITTEN', addr });
}

/** Why an address is no object that the caller may return to a pool of objects. */
function notElement(machine: Machine, task: Task | null, pool: Mempool, addr: Addr): Refused | null {
  const held = heldObject(machine, task, addr);
  if (!('slab' in held)) return held;
  if (held.cache.id === pool.cache) return null;
  const { name } = machine.slab.caches.get(pool.cache)!;
  return refused('EINVAL', { code: 'WRONG_CACHE', addr, cache: name, of: held.cache.name });
}

/** Why an address is no block of pages that the caller may return to a pool of pages. */
function notPages(machine: Machine, task: Task | null, pool: Mempool, addr: Addr): Refused | null {
  const { frames, config } = machine;
  const phys = directPhys(config.layout, addr);
  if (phys < 0) return refused('EFAULT', { code: 'NOT_IN_DIRECT_MAP', addr });
  const pfn = pfnOf(phys);
  const isBlock = frames.flags[pfn] === (PG.head | PG.kernel) && frames.index[pfn] === 0 && frames.order[pfn] === pool.order;
  if (!isBlock || phys % 4096 !== 0) return refused('EINVAL', { code: 'BAD_PAGE', pfn, order: pool.order });
  const owner = frames.owner[pfn]!;
  return owner === (task?.pid ?? 0) || isRoot(machine, task) ? null : refused('EPERM', { code: 'NOT_OWNER', pfn, owner });
}

export const poolArgs = { pool: ANY };

export function sysPoolDestroy(machine: Machine, task: Task | null, id: number): Answer {
  const pool = machine.slab.pools.get(id);
  if (pool === undefined) return refused('EINVAL', { code: 'NO_SUCH_POOL', pool: id });
  const { owner } = pool;
  if (owner !== (task?.pid ?? 0) && !isRoot(machine, task)) return refused('EPERM', { code: 'NOT_POOL_OWNER', pool: id, owner });
  // Simplified: 2.6.32 stops here with a BUG, where later kernels free what there is.
  const elements = pool.minNr - pool.elements.length;
  if (machine.config.rules === '2.6.32' && elements > 0) return refused('EBUSY', { code: 'POOL_BUSY', pool: id, elements });
  destroyPool(machine, id);
  return granted();
}
