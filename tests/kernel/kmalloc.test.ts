/** kmalloc and its family (include/linux/slab.h, mm/slab_common.c; spec §8, §10): classes, limits, rights, death, and every wrong way to free. */
import { describe, expect, test } from 'vitest';
import { call, hash } from '#kernel/machine.ts';
import { cacheUse } from '#kernel/mm/fragmentation.ts';
import { KERNEL, KiB, MiB, PAGE, bootFlat, cat, freeIn, granted, mmap, refused, spawn } from '../helpers/boot.ts';
import { checkMachine } from '../helpers/check.ts';
import { checkSlab } from '../helpers/check_slab.ts';
import { cacheAlloc, cacheNamed, createCache, kfree, kmalloc, many, pfnOf, refusedWithout, takeAll } from '../helpers/slabs.ts';

const ksize = (machine: ReturnType<typeof bootFlat>, addr: number): number =>
  granted(machine, KERNEL, { call: 'ksize', addr }).size as number;

describe('size', () => {
  test.each([
    [1, 8],
    [8, 8],
    [9, 16],
    [33, 64],
    [65, 96],
    [97, 128],
    [129, 192],
    [193, 256],
    [1000, 1024],
    [4097, 8192],
    [8192, 8192],
    [8193, 16384],
    [100_000, 131072],
  ])('SLUB: %i bytes get %i (ksize)', (size, room) => {
    const machine = bootFlat(4096);
    const addr = kmalloc(machine, size);
    expect(ksize(machine, addr)).toBe(room);
    checkSlab(machine);
  });

  test.each([
    [1, 32],
    [33, 64],
    [65, 128],
    [129, 192],
    [193, 256],
    [5000, 8192],
    [8193, 16384],
    [131072, 131072],
    [131073, 262144],
    [4 * MiB, 4 * MiB],
  ])('SLAB: %i bytes get %i, 96 not being a class with lines of 64 bytes', (size, room) => {
    const machine = bootFlat(4096, { slab: { allocator: 'slab' } });
    const addr = kmalloc(machine, size);
    expect(ksize(machine, addr)).toBe(room);
    checkSlab(machine);
  });

  test('SLAB has size-96 with shorter lines and no size-192 with longer ones', () => {
    const room = (cacheLine: number, size: number) => {
      const machine = bootFlat(4096, { slab: { allocator: 'slab', cacheLine } });
      return ksize(machine, kmalloc(machine, size));
    };
    expect([room(32, 80), room(64, 80), room(64, 150), room(128, 150)]).toEqual([96, 128, 192, 256]);
  });

  test('above 8 KiB SLUB hands the request to the buddy; the pages count as slab', () => {
    const machine = bootFlat(4096);
    const addr = kmalloc(machine, 8193);
    expect(pfnOf(addr) % 4).toBe(0);
    expect(freeIn(machine)).toBe(4092);
    expect(cat(machine, '/proc/meminfo')).toMatch(/Slab: +16 kB\n.*SReclaimable: +0 kB\n.*SUnreclaim: +16 kB/s);
    kfree(machine, addr);
    expect(freeIn(machine)).toBe(4096);
  });

  test.each(['slub', 'slab'])('%s: 4 MiB is the most (KMALLOC_MAX_SIZE); a byte more is refused though memory is free', (allocator) => {
    const machine = bootFlat(4096, { slab: { allocator } });
    expect(refused(machine, KERNEL, { call: 'kmalloc', size: 4 * MiB + 1, gfp: 'GFP_KERNEL' })).toMatchObject({
      errno: 'ENOMEM',
      why: { code: 'ORDER_TOO_LARGE', order: 11, maxOrder: 10 },
    });
    kfree(machine, kmalloc(machine, 4 * MiB));
    expect(granted(machine, KERNEL, { call: 'kmalloc', size: 2 ** 21, gfp: 'GFP_KERNEL' }).ok).toBe(true);
  });

  test.each(['slub', 'slab'])('%s: the limit follows maxOrder', (allocator) => {
    const machine = bootFlat(256, { maxOrder: 2, slab: { allocator } });
    kmalloc(machine, 16 * KiB);
    expect(refused(machine, KERNEL, { call: 'kmalloc', size: 16 * KiB + 1, gfp: 'GFP_KERNEL' })).toMatchObject({
      errno: 'ENOMEM',
      why: { order: 3, maxOrder: 2 },
    });
    refused(machine, KERNEL, { call: 'kmalloc', size: 2 ** 47, gfp: 'GFP_KERNEL' });
    const flat = bootFlat(256, { maxOrder: 0, slab: { allocator } });
    kmalloc(flat, 4096);
    expect(refused(flat, KERNEL, { call: 'kmalloc', size: 4097, gfp: 'GFP_KERNEL' })).toMatchObject({ errno: 'ENOMEM' });
    checkSlab(flat);
  });

  test('0 bytes have the address 16, which may be freed and holds nothing (ZERO_SIZE_PTR)', () => {
    const machine = bootFlat(256);
    const before = hash(machine);
    expect(kmalloc(machine, 0)).toBe(16);
    kfree(machine, 16);
    kfree(machine, 0);
    expect([ksize(machine, 16), ksize(machine, 0)]).toEqual([0, 0]);
    expect(hash(machine)).toBe(before);
  });

  test('objects of a power of two lie at multiples of it', () => {
    const machine = bootFlat(4096);
    for (const size of [8, 64, 512, 4096]) for (let n = 0; n < 20; n++) expect(kmalloc(machine, size) % size).toBe(0);
  });

  test('kzalloc gives zeros where the last holder left something; kmalloc what it left', () => {
    const machine = bootFlat(256);
    const addr = kmalloc(machine, 64);
    machine.contents.set(pfnOf(addr), new Uint8Array(PAGE).fill(7));
    const bytes = () => [...machine.contents.get(pfnOf(addr))!.subarray(addr % PAGE, (addr % PAGE) + 65)];
    kfree(machine, addr);
    expect(kmalloc(machine, 64)).toBe(addr);
    expect(new Set(bytes())).toEqual(new Set([7]));
    kfree(machine, addr);
    expect(granted(machine, KERNEL, { call: 'kzalloc', size: 64, gfp: 'GFP_KERNEL' }).addr).toBe(addr);
    expect([new Set(bytes().slice(0, 64)), bytes()[64]]).toEqual([new Set([0]), 7]);
  });
});

describe('physical addresses', () => {
  test('virt_to_phys subtracts, and only in the direct map', () => {
    const machine = bootFlat(256);
    const addr = kmalloc(machine, 100);
    expect(granted(machine, KERNEL, { call: 'virt_to_phys', addr }).phys).toBe(addr - 0xc0000000);
    expect(granted(machine, KERNEL, { call: 'phys_to_virt', phys: 0x1234 }).addr).toBe(0xc0001234);
    const area = granted(machine, KERNEL, { call: 'vmalloc', size: 100 }).addr as number;
    for (const bad of [area, 0, 0xbfffffff, 0xc0000000 + 256 * PAGE])
      refusedWithout(machine, KERNEL, { call: 'virt_to_phys', addr: bad }, 'EFAULT', 'NOT_IN_DIRECT_MAP');
    refusedWithout(machine, KERNEL, { call: 'phys_to_virt', phys: 256 * PAGE }, 'EFAULT', 'NO_KERNEL_ADDRESS');
  });

  test('high memory has none', () => {
    const machine = bootFlat(512, { zones: { normal: 256, highmem: 256 } });
    refusedWithout(machine, KERNEL, { call: 'phys_to_virt', phys: 300 * PAGE }, 'EFAULT', 'NO_KERNEL_ADDRESS');
  });

  test('with 2 GiB for the kernel the map starts at 0x80000000', () => {
    const machine = bootFlat(256, { pageOffset: 0x80000000 });
    expect(kmalloc(machine, 10)).toBe(0x80000000);
    kfree(machine, 0x80000000);
  });
});

describe('whose it is', () => {
  test('what a process took it may free; another may not; root may', () => {
    const machine = bootFlat(256, { root: [4] });
    const [mine, other, root] = [spawn(machine), spawn(machine), spawn(machine)];
    const addr = kmalloc(machine, 100, 'GFP_KERNEL', mine);
    const large = kmalloc(machine, 9000, 'GFP_KERNEL', mine);
    refusedWithout(machine, other, { call: 'kfree', addr }, 'EPERM', 'NOT_OWNER');
    expect(refused(machine, other, { call: 'kfree', addr: large })).toMatchObject({
      errno: 'EPERM',
      why: { code: 'NOT_OWNER', owner: mine, pfn: pfnOf(large) },
    });
    kfree(machine, addr, root);
    kfree(machine, large);
    expect(machine.tasks.get(mine)).toMatchObject({ kernelBytes: 0, kernelPages: 0 });
    checkSlab(machine);
    checkMachine(machine);
  });

  test('its death frees all of it: objects, pages, caches, pools', () => {
    const machine = bootFlat(512);
    const pid = spawn(machine);
    const before = freeIn(machine);
    for (const size of [10, 100, 5000, 20_000]) kmalloc(machine, size, 'GFP_KERNEL', pid);
    const cache = createCache(machine, 'mine', 300, {}, pid);
    many(machine, cache, 30, pid);
    granted(machine, pid, { call: 'mempool_create', min_nr: 5, cache });
    granted(machine, pid, { call: 'mempool_create', min_nr: 3, order: 1 });
    granted(machine, pid, { call: 'exit' });
    // kmalloc's caches keep the empty slab of the CPU; its own cache is gone.
    for (const name of ['kmalloc-16', 'kmalloc-128', 'kmalloc-8k']) expect(cacheNamed(machine, name).live).toBe(0);
    expect(machine.slab.pools.size + machine.slab.handles.size).toBe(0);
    expect(before + 1 - freeIn(machine)).toBe([...machine.slab.caches.values()].reduce((pages, { pages: held }) => pages + held, 0));
    checkMachine(machine);
    checkSlab(machine);
  });

  test('a cache that others use outlives its maker and is the kernel’s', () => {
    const machine = bootFlat(256);
    const pid = spawn(machine);
    const cache = createCache(machine, 'shared', 300, {}, pid);
    const addr = cacheAlloc(machine, cache);
    granted(machine, pid, { call: 'exit' });
    expect(machine.slab.handles.get(cache)).toMatchObject({ owner: 0 });
    granted(machine, KERNEL, { call: 'kmem_cache_free', cache, addr });
    granted(machine, KERNEL, { call: 'kmem_cache_destroy', cache });
    checkSlab(machine);
  });

  test('with chargeKernel its bytes count in badness, in whole pages', () => {
    const machine = bootFlat(2048, { chargeKernel: true });
    const pid = spawn(machine);
    const score = () => Number(cat(machine, `/proc/${pid}/oom_score`));
    const idle = score();
    for (let n = 0; n < 100; n++) kmalloc(machine, 4096, 'GFP_KERNEL', pid);
    const objects = score();
    kmalloc(machine, 400 * KiB, 'GFP_KERNEL', pid);
    expect(objects).toBeGreaterThan(idle);
    expect(score()).toBeGreaterThan(objects);
    expect(machine.tasks.get(pid)).toMatchObject({ kernelBytes: 100 * 4096, kernelPages: 128 });
  });
});

describe('a full machine', () => {
  test.each(['slub', 'slab'])(
    '%s: GFP_ATOMIC and GFP_NOWAIT fail, GFP_KERNEL kills, __GFP_NOFAIL waits and changes nothing',
    (allocator) => {
      const machine = bootFlat(64, { slab: { allocator } });
      takeAll(machine);
      for (const gfp of ['GFP_ATOMIC', 'GFP_NOWAIT']) {
        expect(refused(machine, KERNEL, { call: 'kmalloc', size: 100, gfp })).toMatchObject({
          errno: 'ENOMEM',
          why: { code: 'LOW_MEMORY' },
        });
      }
      expect(refused(machine, KERNEL, { call: 'kmalloc', size: 100, gfp: 'GFP_KERNEL' })).toMatchObject({
        errno: 'ENOMEM',
        why: { code: 'NO_VICTIM' },
      });
      for (const size of [100, 512, 5000])
        refusedWithout(machine, KERNEL, { call: 'kmalloc', size, gfp: 'GFP_KERNEL|__GFP_NOFAIL' }, 'EAGAIN', 'WOULD_SLEEP');
      checkSlab(machine);
    },
  );

  test('freed objects serve requests when no page is left', () => {
    const machine = bootFlat(64);
    const objects = Array.from({ length: 8 }, () => kmalloc(machine, 512));
    takeAll(machine);
    kfree(machine, objects[2]!);
    expect(kmalloc(machine, 500, 'GFP_ATOMIC')).toBe(objects[2]);
    expect(refused(machine, KERNEL, { call: 'kmalloc', size: 500, gfp: 'GFP_ATOMIC' })).toMatchObject({ errno: 'ENOMEM' });
  });
});

describe.each(['slub', 'slab'])('%s: every wrong address', (allocator) => {
  const machine = bootFlat(512, { slab: { allocator } });
  const pid = spawn(machine);
  const user = mmap(machine, pid, 1);
  const cache = createCache(machine, 'things', 100);
  const other = createCache(machine, 'others', 200);
  const [object, freed] = many(machine, cache, 2);
  granted(machine, KERNEL, { call: 'kmem_cache_free', cache, addr: freed });
  const page = granted(machine, KERNEL, { call: 'alloc_pages', order: 0, gfp: 'GFP_KERNEL' }).pfn!;
  const large = kmalloc(machine, allocator === 'slub' ? 20_000 : 100_000);
  const area = granted(machine, KERNEL, { call: 'vmalloc', size: 100 }).addr as number;

  const WRONG: readonly [string, number, string, string][] = [
    ['freed twice', freed!, 'EINVAL', 'DOUBLE_FREE'],
    ['inside of an object', object! + 4, 'EINVAL', 'NOT_AN_OBJECT'],
    ['unaligned', object! + 1, 'EINVAL', 'NOT_AN_OBJECT'],
    ['inside of a large block', large + PAGE, 'EINVAL', 'NOT_AN_OBJECT'],
    ['a page of alloc_pages', 0xc0000000 + page * PAGE, 'EINVAL', 'NOT_AN_OBJECT'],
    ['free memory', 0xc0000000 + 511 * PAGE, 'EINVAL', 'NOT_AN_OBJECT'],
    ['beyond memory', 0xc0000000 + 512 * PAGE, 'EFAULT', 'NOT_IN_DIRECT_MAP'],
    ['an address of vmalloc', area, 'EFAULT', 'NOT_IN_DIRECT_MAP'],
    ['an address of a process', user, 'EFAULT', 'NOT_IN_DIRECT_MAP'],
    ['the highest address', 0xffffffff, 'EFAULT', 'NOT_IN_DIRECT_MAP'],
  ];

  test.each(WRONG)('kfree: %s', (_what, addr, errno, code) => {
    refusedWithout(machine, KERNEL, { call: 'kfree', addr }, errno, code);
    refusedWithout(machine, pid, { call: 'kfree', addr }, errno, code);
  });

  test.each(WRONG)('kmem_cache_free: %s', (_what, addr, errno, code) => {
    refusedWithout(machine, KERNEL, { call: 'kmem_cache_free', cache, addr }, errno, code);
  });

  test.each(WRONG)('ksize: %s', (_what, addr, errno, code) => {
    refusedWithout(machine, KERNEL, { call: 'ksize', addr }, errno, code === 'DOUBLE_FREE' ? 'NOT_AN_OBJECT' : code);
  });

  test('kmem_cache_free into another cache (cache_from_obj)', () => {
    refusedWithout(machine, KERNEL, { call: 'kmem_cache_free', cache: other, addr: object }, 'EINVAL', 'WRONG_CACHE');
  });

  test('caches that are none', () => {
    for (const name of ['kmem_cache_alloc', 'kmem_cache_shrink', 'kmem_cache_destroy']) {
      for (const bad of [other + 1, 0x7fffffff]) refusedWithout(machine, KERNEL, { call: name, cache: bad }, 'EINVAL', 'NO_SUCH_CACHE');
      for (const bad of [0, -1, 0.5, 'things', null]) refusedWithout(machine, KERNEL, { call: name, cache: bad }, 'EINVAL', 'BAD_ARGUMENT');
    }
  });

  test.each([
    ['no name', { size: 8 }],
    ['an empty name', { name: '', size: 8 }],
    ['a name with a space', { name: 'a b', size: 8 }],
    ['a name of 64 characters', { name: 'x'.repeat(64), size: 8 }],
    ['a name with a line’s end', { name: 'a\n', size: 8 }],
    ['size 0', { name: 'a', size: 0 }],
    ['size −1', { name: 'a', size: -1 }],
    ['an alignment of 3', { name: 'a', size: 8, align: 3 }],
    ['an alignment of more than a page', { name: 'a', size: 8, align: 8192 }],
    ['an unknown flag', { name: 'a', size: 8, flags: 'SLAB_PANIC' }],
    ['ctor 1', { name: 'a', size: 8, ctor: 1 }],
  ])('kmem_cache_create: %s', (_what, args) => {
    refusedWithout(machine, KERNEL, { call: 'kmem_cache_create', ...args }, 'EINVAL', 'BAD_ARGUMENT');
  });

  test('kmem_cache_create: larger than the largest block', () => {
    expect(refused(machine, KERNEL, { call: 'kmem_cache_create', name: 'a', size: 4 * MiB + 1 })).toMatchObject({
      errno: 'ENOMEM',
      why: { code: 'ORDER_TOO_LARGE' },
    });
  });

  test('somebody else’s cache may be used, but not destroyed', () => {
    const addr = cacheAlloc(machine, cache, pid);
    refusedWithout(machine, pid, { call: 'kmem_cache_destroy', cache }, 'EPERM', 'NOT_CACHE_OWNER');
    granted(machine, pid, { call: 'kmem_cache_free', cache, addr });
    checkSlab(machine);
  });
});

describe('names', () => {
  test('SLAB allows no two caches of one name; SLUB does, and says so in the log', () => {
    const slab = bootFlat(256, { slab: { allocator: 'slab' } });
    createCache(slab, 'twice', 100);
    refusedWithout(slab, KERNEL, { call: 'kmem_cache_create', name: 'twice', size: 100 }, 'EEXIST', 'CACHE_EXISTS');
    refusedWithout(slab, KERNEL, { call: 'kmem_cache_create', name: 'size-32', size: 100 }, 'EEXIST', 'CACHE_EXISTS');
    const slub = bootFlat(256);
    createCache(slub, 'twice', 100);
    createCache(slub, 'twice', 300);
    expect(cat(slub, '/proc/kmsg')).toContain("kmem_cache of name 'twice' already exists");
  });

  test('1,024 caches and 1,024 pools at most', () => {
    const machine = bootFlat(2048);
    for (let n = 0; n < 1024; n++) createCache(machine, `c${n}`, 8 + 8 * n);
    refusedWithout(machine, KERNEL, { call: 'kmem_cache_create', name: 'more', size: 8 }, 'ENOMEM', 'TOO_MANY_CACHES');
    for (let n = 0; n < 1024; n++) granted(machine, KERNEL, { call: 'mempool_create', min_nr: 1, cache: 1 });
    refusedWithout(machine, KERNEL, { call: 'mempool_create', min_nr: 1, cache: 1 }, 'ENOMEM', 'TOO_MANY_POOLS');
  });
});

describe('internal waste', () => {
  test('asked against given against held, cache by cache', () => {
    const machine = bootFlat(512);
    kmalloc(machine, 65);
    kmalloc(machine, 90);
    kmalloc(machine, 9000);
    const things = createCache(machine, 'things', 300);
    many(machine, things, 2);
    expect(cacheUse(machine)).toEqual([
      { name: 'kmalloc-96', blocks: 2, asked: 155, given: 192, held: PAGE },
      { name: 'things', blocks: 2, asked: 600, given: 600, held: PAGE },
      { name: 'kmalloc of pages', blocks: 1, asked: 9000, given: 4 * PAGE, held: 4 * PAGE },
    ]);
  });
});

describe('destroy with live objects', () => {
  test('SLUB reports them, takes the cache off the list and leaks it until they are free', () => {
    const machine = bootFlat(256);
    const cache = createCache(machine, 'things', 512);
    const [first, second] = many(machine, cache, 2);
    expect(refused(machine, KERNEL, { call: 'kmem_cache_destroy', cache })).toMatchObject({
      errno: 'EBUSY',
      why: { code: 'CACHE_BUSY', cache, objects: 2 },
    });
    const log = cat(machine, '/proc/kmsg');
    expect(log).toContain('BUG things (Not tainted): Objects remaining in things on __kmem_cache_shutdown()');
    expect(log).toContain(`Object 0x${first!.toString(16)} @offset=0`);
    expect(log).toContain('kmem_cache_destroy things: Slab cache still has objects when called from kernel');
    expect(cat(machine, '/proc/slabinfo')).not.toContain('things');
    refusedWithout(machine, KERNEL, { call: 'kmem_cache_destroy', cache }, 'EINVAL', 'NO_SUCH_CACHE');
    kfree(machine, first!);
    expect(freeIn(machine)).toBe(255);
    kfree(machine, second!);
    expect(freeIn(machine)).toBe(256);
    checkSlab(machine);
  });

  test('SLAB reports it and goes on with the cache, now the newest', () => {
    const machine = bootFlat(256, { slab: { allocator: 'slab' } });
    const cache = createCache(machine, 'things', 512);
    createCache(machine, 'later', 100);
    const addr = cacheAlloc(machine, cache);
    refused(machine, KERNEL, { call: 'kmem_cache_destroy', cache });
    expect(cat(machine, '/proc/kmsg')).toContain("slab error in kmem_cache_destroy(): cache `things': Can't free all objects");
    expect(cat(machine, '/proc/slabinfo').split('\n')[2]).toMatch(/^things /);
    granted(machine, KERNEL, { call: 'kmem_cache_free', cache, addr });
    granted(machine, KERNEL, { call: 'kmem_cache_destroy', cache });
    checkSlab(machine);
  });
});

test('calls cost: an object is cheaper than a page', () => {
  const machine = bootFlat(256);
  const first = call(machine, KERNEL, { call: 'kmalloc', size: 100, gfp: 'GFP_KERNEL' }).cost;
  const second = call(machine, KERNEL, { call: 'kmalloc', size: 100, gfp: 'GFP_KERNEL' }).cost;
  expect([first, second]).toEqual([3, 1]);
});
