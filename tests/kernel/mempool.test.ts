/** Memory pools (mm/mempool.c; spec §8): the allocator first, the reserve second, the allocator with all rights third; who can wait never fails. */
import { describe, expect, test } from 'vitest';
import { type Machine, call } from '#kernel/machine.ts';
import { KERNEL, PAGE, bootFlat, cat, freeIn, freePages, granted, refused, spawn } from '../helpers/boot.ts';
import { checkMachine } from '../helpers/check.ts';
import { checkSlab } from '../helpers/check_slab.ts';
import { behind, cacheAlloc, cacheFree, createCache, kfree, many, pfnOf, refusedWithout, takeAll } from '../helpers/slabs.ts';

const createPool = (machine: Machine, args: object, pid = KERNEL): number =>
  granted(machine, pid, { call: 'mempool_create', ...args }).pool as number;
const take = (machine: Machine, pool: number, gfp = 'GFP_ATOMIC', pid = KERNEL): number =>
  granted(machine, pid, { call: 'mempool_alloc', pool, gfp }).addr as number;
const give = (machine: Machine, pool: number, addr: number, pid = KERNEL): void => {
  granted(machine, pid, { call: 'mempool_free', pool, addr });
};
const reserve = (machine: Machine, pool: number): number => machine.slab.pools.get(pool)!.elements.length;

/** A machine of 64 frames with a pool of four pages, all other memory taken. */
function tight(): { machine: Machine; pool: number; others: number[] } {
  const machine = bootFlat(64);
  const pool = createPool(machine, { min_nr: 4, order: 0 });
  return { machine, pool, others: takeAll(machine) };
}

describe('the order of resort', () => {
  test('while memory is free, elements come from the allocator, not from the reserve', () => {
    const machine = bootFlat(64);
    const pool = createPool(machine, { min_nr: 4, order: 0 });
    expect(freeIn(machine)).toBe(60);
    const addr = take(machine, pool);
    expect([freeIn(machine), reserve(machine, pool)]).toEqual([59, 4]);
    give(machine, pool, addr);
    expect([freeIn(machine), reserve(machine, pool)]).toEqual([60, 4]);
  });

  test('when none is free, from the reserve, the newest first', () => {
    const { machine, pool } = tight();
    const elements = [...machine.slab.pools.get(pool)!.elements];
    const taken = Array.from({ length: 4 }, () => take(machine, pool) - 0xc0000000);
    expect(taken).toEqual(elements.toReversed());
    checkSlab(machine);
    checkMachine(machine);
  });

  test('when the reserve is empty too: who cannot wait fails, who can waits and changes nothing', () => {
    const { machine, pool } = tight();
    for (let n = 0; n < 4; n++) take(machine, pool);
    expect(refused(machine, KERNEL, { call: 'mempool_alloc', pool, gfp: 'GFP_ATOMIC' })).toMatchObject({
      errno: 'ENOMEM',
      why: { code: 'LOW_MEMORY' },
    });
    for (const gfp of ['GFP_KERNEL', 'GFP_NOIO', 'GFP_KERNEL|__GFP_ZERO'])
      refusedWithout(machine, KERNEL, { call: 'mempool_alloc', pool, gfp }, 'EAGAIN', 'WOULD_SLEEP');
  });

  test('the waiter goes on as soon as somebody gives an element back', () => {
    const { machine, pool } = tight();
    const [first] = Array.from({ length: 4 }, () => take(machine, pool, 'GFP_NOIO'));
    refused(machine, KERNEL, { call: 'mempool_alloc', pool, gfp: 'GFP_NOIO' });
    give(machine, pool, first!);
    expect(reserve(machine, pool)).toBe(1);
    expect(take(machine, pool, 'GFP_NOIO')).toBe(first);
  });

  test('an element that comes back fills the reserve first, then the allocator', () => {
    const { machine, pool, others } = tight();
    const taken = Array.from({ length: 4 }, () => take(machine, pool));
    freePages(machine, KERNEL, others[0]!, 0);
    const fromAllocator = take(machine, pool);
    expect(pfnOf(fromAllocator)).toBe(others[0]);
    for (const addr of [fromAllocator, ...taken]) give(machine, pool, addr);
    expect([reserve(machine, pool), freeIn(machine)]).toEqual([4, 1]);
    checkSlab(machine);
  });

  test('the reserve spares everybody the OOM killer', () => {
    const machine = bootFlat(64);
    const pid = spawn(machine);
    const pool = createPool(machine, { min_nr: 2, order: 0 });
    takeAll(machine);
    take(machine, pool, 'GFP_KERNEL');
    take(machine, pool, 'GFP_KERNEL');
    refused(machine, KERNEL, { call: 'mempool_alloc', pool, gfp: 'GFP_KERNEL' });
    expect(machine.tasks.has(pid)).toBe(true);
    expect(cat(machine, '/proc/vmstat')).toContain('oom_kill 0\n');
  });
});

describe.each(['slub', 'slab'])('a pool of objects under %s', (allocator) => {
  test('has its reserve in the cache, as objects in use', () => {
    const machine = bootFlat(256, { slab: { allocator } });
    const cache = createCache(machine, 'requests', 500);
    const pool = createPool(machine, { min_nr: 10, cache });
    expect(behind(machine, cache).live).toBe(10);
    const objects = Array.from({ length: 3 }, () => take(machine, pool));
    expect([behind(machine, cache).live, reserve(machine, pool)]).toEqual([13, 10]);
    for (const addr of objects) give(machine, pool, addr);
    expect(behind(machine, cache).live).toBe(10);
    checkSlab(machine);
  });

  test('gives them out when the cache cannot grow, and takes them back', () => {
    const machine = bootFlat(128, { slab: { allocator } });
    const cache = createCache(machine, 'requests', 2000);
    const pool = createPool(machine, { min_nr: 6, cache });
    takeAll(machine);
    const objects: number[] = [];
    for (;;) {
      const answer = call(machine, KERNEL, { call: 'mempool_alloc', pool, gfp: 'GFP_NOIO' });
      if (!answer.ok) {
        expect(answer).toMatchObject({ errno: 'EAGAIN', why: { code: 'WOULD_SLEEP' } });
        break;
      }
      objects.push(answer.addr as number);
    }
    expect(objects.length).toBeGreaterThanOrEqual(6);
    expect(new Set(objects).size).toBe(objects.length);
    refusedWithout(machine, KERNEL, { call: 'mempool_alloc', pool, gfp: 'GFP_NOIO' }, 'EAGAIN', 'WOULD_SLEEP');
    for (const addr of objects) give(machine, pool, addr);
    expect(reserve(machine, pool)).toBe(6);
    checkSlab(machine);
    checkMachine(machine);
  });

  test('keeps its cache from being destroyed', () => {
    const machine = bootFlat(128, { slab: { allocator } });
    const cache = createCache(machine, 'requests', 500);
    const pool = createPool(machine, { min_nr: 2, cache });
    expect(refused(machine, KERNEL, { call: 'kmem_cache_destroy', cache })).toMatchObject({
      errno: 'EBUSY',
      why: { code: 'CACHE_BUSY', objects: 2 },
    });
    give(machine, pool, take(machine, pool));
    granted(machine, KERNEL, { call: 'mempool_destroy', pool });
    checkSlab(machine);
  });

  test('an element may not be freed twice, nor while it is in the reserve', () => {
    const machine = bootFlat(128, { slab: { allocator } });
    const cache = createCache(machine, 'requests', 500);
    const pool = createPool(machine, { min_nr: 2, cache });
    const addr = take(machine, pool);
    give(machine, pool, addr);
    refusedWithout(machine, KERNEL, { call: 'mempool_free', pool, addr }, 'EINVAL', 'DOUBLE_FREE');
    const kept = 0xc0000000 + machine.slab.pools.get(pool)!.elements[0]!;
    for (const request of [
      { call: 'mempool_free', pool, addr: kept },
      { call: 'kfree', addr: kept },
      { call: 'kmem_cache_free', cache, addr: kept },
    ]) {
      refusedWithout(machine, KERNEL, request, 'EINVAL', 'DOUBLE_FREE');
    }
  });

  test('an object of another cache is none of the pool’s', () => {
    const machine = bootFlat(128, { slab: { allocator } });
    const pool = createPool(machine, { min_nr: 2, cache: createCache(machine, 'requests', 500) });
    const other = createCache(machine, 'others', 100);
    refusedWithout(machine, KERNEL, { call: 'mempool_free', pool, addr: cacheAlloc(machine, other) }, 'EINVAL', 'WRONG_CACHE');
    refusedWithout(machine, KERNEL, { call: 'mempool_free', pool, addr: 0 }, 'EFAULT', 'NOT_IN_DIRECT_MAP');
  });
});

describe('a pool of pages', () => {
  test('hands out blocks as alloc_pages does; those of the reserve nobody can free', () => {
    const machine = bootFlat(64);
    const pid = spawn(machine);
    const pool = createPool(machine, { min_nr: 2, order: 1 }, pid);
    const addr = take(machine, pool, 'GFP_KERNEL', pid);
    expect(machine.tasks.get(pid)).toMatchObject({ kernelPages: 6 });
    expect(machine.frames.owner[pfnOf(addr)]).toBe(pid);
    for (const phys of machine.slab.pools.get(pool)!.elements) {
      refusedWithout(machine, KERNEL, { call: 'free_pages', pfn: phys / PAGE, order: 1 }, 'EINVAL', 'BAD_PAGE');
      refusedWithout(machine, KERNEL, { call: 'mempool_free', pool, addr: 0xc0000000 + phys }, 'EINVAL', 'BAD_PAGE');
    }
    freePages(machine, pid, pfnOf(addr), 1);
    checkMachine(machine);
    checkSlab(machine);
  });

  test('never of high memory, which has no address', () => {
    const machine = bootFlat(128, { zones: { normal: 64, highmem: 64 } });
    const pool = createPool(machine, { min_nr: 2, order: 0 });
    expect(pfnOf(take(machine, pool, 'GFP_HIGHUSER'))).toBeLessThan(64);
  });

  test('only whole blocks of its order, by their owner', () => {
    const machine = bootFlat(64);
    const [mine, other] = [spawn(machine), spawn(machine)];
    const pool = createPool(machine, { min_nr: 1, order: 1 });
    const addr = take(machine, pool, 'GFP_KERNEL', mine);
    refusedWithout(machine, other, { call: 'mempool_free', pool, addr }, 'EPERM', 'NOT_OWNER');
    refusedWithout(machine, mine, { call: 'mempool_free', pool, addr: addr + PAGE }, 'EINVAL', 'BAD_PAGE');
    refusedWithout(machine, mine, { call: 'mempool_free', pool, addr: addr + 4 }, 'EINVAL', 'BAD_PAGE');
    const single = granted(machine, mine, { call: 'alloc_pages', order: 0, gfp: 'GFP_KERNEL' }).pfn!;
    refusedWithout(machine, mine, { call: 'mempool_free', pool, addr: 0xc0000000 + single * PAGE }, 'EINVAL', 'BAD_PAGE');
    give(machine, pool, addr, mine);
    refusedWithout(machine, mine, { call: 'mempool_free', pool, addr }, 'EINVAL', 'BAD_PAGE');
  });
});

describe('making and ending', () => {
  test('a pool that cannot fill its reserve is none, and gives back what it had', () => {
    const machine = bootFlat(64);
    expect(refused(machine, KERNEL, { call: 'mempool_create', min_nr: 100, order: 0 })).toMatchObject({
      errno: 'ENOMEM',
      why: { code: 'NO_VICTIM' },
    });
    expect(freeIn(machine)).toBe(64);
    expect(createPool(machine, { min_nr: 1, order: 0 })).toBe(1);
    checkSlab(machine);
  });

  test('a maker that the OOM killer takes meanwhile leaves nothing', () => {
    const machine = bootFlat(64);
    const pid = spawn(machine);
    expect(refused(machine, pid, { call: 'mempool_create', min_nr: 100, order: 0 })).toMatchObject({ signal: 'SIGKILL' });
    expect(machine.slab.pools.size).toBe(0);
    expect(freeIn(machine)).toBe(64);
    checkMachine(machine);
    checkSlab(machine);
  });

  test('destroy frees the reserve; what others still hold stays theirs', () => {
    const machine = bootFlat(64);
    const cache = createCache(machine, 'requests', 1000);
    const pool = createPool(machine, { min_nr: 3, cache });
    const addr = take(machine, pool);
    granted(machine, KERNEL, { call: 'mempool_destroy', pool });
    expect(behind(machine, cache).live).toBe(1);
    refusedWithout(machine, KERNEL, { call: 'mempool_alloc', pool, gfp: 'GFP_KERNEL' }, 'EINVAL', 'NO_SUCH_POOL');
    refusedWithout(machine, KERNEL, { call: 'mempool_destroy', pool }, 'EINVAL', 'NO_SUCH_POOL');
    cacheFree(machine, cache, addr);
    checkSlab(machine);
  });

  test('a pool whose cache is gone says so', () => {
    const machine = bootFlat(64);
    const cache = createCache(machine, 'requests', 1000);
    const pool = createPool(machine, { min_nr: 1, cache });
    takeAll(machine);
    const rest = many(machine, cache, 7);
    for (const addr of [take(machine, pool), ...rest]) kfree(machine, addr);
    granted(machine, KERNEL, { call: 'kmem_cache_destroy', cache });
    refusedWithout(machine, KERNEL, { call: 'mempool_alloc', pool, gfp: 'GFP_KERNEL' }, 'EINVAL', 'NO_SUCH_CACHE');
    granted(machine, KERNEL, { call: 'mempool_destroy', pool });
    checkSlab(machine);
  });

  test('only its maker, or root, destroys it', () => {
    const machine = bootFlat(64, { root: [4] });
    const [mine, other, root] = [spawn(machine), spawn(machine), spawn(machine)];
    const pool = createPool(machine, { min_nr: 1, order: 0 }, mine);
    refusedWithout(machine, other, { call: 'mempool_destroy', pool }, 'EPERM', 'NOT_POOL_OWNER');
    granted(machine, root, { call: 'mempool_destroy', pool });
    checkMachine(machine);
  });

  test.each([
    ['neither cache nor order', { min_nr: 1 }],
    ['both', { min_nr: 1, cache: 1, order: 0 }],
    ['min_nr 0', { min_nr: 0, order: 0 }],
    ['min_nr 65,537', { min_nr: 65537, order: 0 }],
    ['order −1', { min_nr: 1, order: -1 }],
    ['cache 0', { min_nr: 1, cache: 0 }],
  ])('mempool_create: %s', (_what, args) => {
    refusedWithout(bootFlat(64), KERNEL, { call: 'mempool_create', ...args }, 'EINVAL', 'BAD_ARGUMENT');
  });

  test('mempool_create: an unknown cache, an order that is none', () => {
    const machine = bootFlat(64);
    refusedWithout(machine, KERNEL, { call: 'mempool_create', min_nr: 1, cache: 7 }, 'EINVAL', 'NO_SUCH_CACHE');
    refusedWithout(machine, KERNEL, { call: 'mempool_create', min_nr: 1, order: 11 }, 'ENOMEM', 'ORDER_TOO_LARGE');
  });
});
