/** SLAB of 2.6.32 (mm/slab.c; spec §9): array caches, the three lists, colours, descriptors inside and outside, reaping, the chain of caches. */
import { describe, expect, test } from 'vitest';
import { type Machine, hash, restore, snapshot, tick } from '#kernel/machine.ts';
import { KERNEL, PAGE, bootFlat, cat, freeIn, granted, refused } from '../helpers/boot.ts';
import { checkSlab } from '../helpers/check_slab.ts';
import {
  behind,
  cacheAlloc,
  cacheFree,
  cacheNamed,
  createCache,
  kfree,
  kmalloc,
  lineOf,
  listed,
  many,
  pfnOf,
  refusedWithout,
  takeAll,
} from '../helpers/slabs.ts';

const boot = (more: object = {}, frames = 1024): Machine => bootFlat(frames, { slab: { allocator: 'slab', ...more } });

function ticks(machine: Machine, count: number): void {
  for (let n = 0; n < count; n++) tick(machine);
}

describe('the array cache', () => {
  test('an idle one is filled with 16 objects, and the last of them goes first (BATCHREFILL_LIMIT, ____cache_alloc)', () => {
    const machine = boot();
    const cache = createCache(machine, 'things', 100);
    const first = cacheAlloc(machine, cache);
    const { slab } = behind(machine, cache);
    expect(slab).toMatchObject({ limit: 120, batchcount: 60, avail: 15, touched: true });
    // The descriptor lies before the objects: 28 bytes and 4 for each of 39.
    expect(first % PAGE).toBe(184 + 15 * 100);
    expect(many(machine, cache, 15).map((addr) => addr - first)).toEqual(Array.from({ length: 15 }, (_, n) => -100 * (n + 1)));
  });

  test('a busy one is filled with batchcount objects, from as many slabs as it takes', () => {
    const machine = boot();
    const cache = createCache(machine, 'things', 100);
    many(machine, cache, 16);
    const { slab } = behind(machine, cache);
    cacheAlloc(machine, cache);
    // 23 were left in the slab of 39; then the array had something.
    expect(slab!.avail).toBe(22);
    many(machine, cache, 22);
    cacheAlloc(machine, cache);
    expect(slab!.avail).toBe(38);
    expect(behind(machine, cache).slabs).toBe(2);
  });

  test('objects come back to it and leave it again, the last one first; slabs do not notice', () => {
    const machine = boot();
    const cache = createCache(machine, 'things', 100);
    const objects = many(machine, cache, 10);
    const [slab] = machine.slab.slabs.values();
    const inuse = slab!.inuse;
    for (const addr of [objects[3]!, objects[7]!, objects[1]!]) cacheFree(machine, cache, addr);
    expect(many(machine, cache, 3)).toEqual([objects[1], objects[7], objects[3]]);
    expect(slab!.inuse).toBe(inuse);
  });

  test('a full one sends the oldest batch home (cache_flusharray)', () => {
    const machine = boot();
    // 1,536 bytes: an array of 24, batches of 12.
    const cache = createCache(machine, 'things', 1536);
    const objects = many(machine, cache, 36);
    const { slab } = behind(machine, cache);
    expect(slab).toMatchObject({ limit: 24, batchcount: 12 });
    const avail = slab!.avail;
    for (const addr of objects.slice(0, 24 - avail)) cacheFree(machine, cache, addr);
    expect(slab!.avail).toBe(24);
    const oldest = [...slab!.entry.subarray(0, 12)];
    cacheFree(machine, cache, objects.at(-1)!);
    expect(slab!.avail).toBe(13);
    const still = new Set(slab!.entry.subarray(0, 13));
    expect(oldest.some((phys) => still.has(phys))).toBe(false);
    checkSlab(machine);
  });

  test('several CPUs share an array of eight batches', () => {
    const machine = boot({ cpus: 2 });
    const cache = createCache(machine, 'things', 1536);
    const objects = many(machine, cache, 60);
    for (const addr of objects) cacheFree(machine, cache, addr);
    const { slab } = behind(machine, cache);
    expect(slab!.sharedEntry.length).toBe(96);
    expect(slab!.sharedAvail).toBe(36);
    expect(lineOf(machine, 'things')).toMatchObject({ limit: 24, batch: 12, shared: 8, avail: 36 });
    const last = slab!.sharedEntry[35]! + 0xc0000000;
    many(machine, cache, slab!.avail);
    expect(cacheAlloc(machine, cache)).toBe(last);
    expect(slab).toMatchObject({ sharedAvail: 24, avail: 11 });
    checkSlab(machine);
  });

  test('slabinfo counts what lies in arrays as active (s_show)', () => {
    const machine = boot();
    const cache = createCache(machine, 'things', 100);
    cacheAlloc(machine, cache);
    expect(lineOf(machine, 'things')).toMatchObject({
      active: 16,
      objects: 39,
      size: 100,
      perSlab: 39,
      limit: 120,
      batch: 60,
      shared: 0,
      activeSlabs: 1,
      slabs: 1,
    });
  });
});

describe('full, partial and empty slabs', () => {
  test('a slab is partial until its last object is taken', () => {
    const machine = boot();
    const cache = createCache(machine, 'things', 1000);
    const { slab } = behind(machine, cache);
    const lengths = () => [slab!.full.length, slab!.partial.length, slab!.empty.length];
    cacheAlloc(machine, cache);
    // Four a slab: the batch of 16 wants more, but one slab at a time is made.
    expect(lengths()).toEqual([1, 0, 0]);
    many(machine, cache, 4);
    expect(lengths()).toEqual([2, 0, 0]);
    checkSlab(machine);
  });

  test('an object that comes home puts its slab last on the partial list, and allocations take the first', () => {
    const machine = boot();
    const cache = createCache(machine, 'things', 2048);
    const objects = many(machine, cache, 48);
    // 24 fill the array; the 25th sends home the first 12, two of each slab.
    const order = [0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30, 32, 34, 36, 38, 40, 42, 44, 46, 1].map((n) => objects[n]!);
    for (const addr of order) cacheFree(machine, cache, addr);
    const { slab } = behind(machine, cache);
    const partial = listed(machine, slab!.partial.head);
    expect(partial).toEqual(order.slice(0, 12).map(pfnOf));
    many(machine, cache, 13);
    const taken = pfnOf(cacheAlloc(machine, cache));
    expect(partial).toContain(taken);
    checkSlab(machine);
  });

  test('empty slabs are kept up to free_limit = (1 + CPUs) × batchcount + objects of a slab', () => {
    const machine = boot();
    const cache = createCache(machine, 'things', 2048);
    const { slab } = behind(machine, cache);
    expect(slab!.freeLimit).toBe(2 * 12 + 2);
    const objects = many(machine, cache, 100);
    const free = freeIn(machine);
    for (const addr of objects) cacheFree(machine, cache, addr);
    expect(slab!.freeObjects).toBeLessThanOrEqual(26);
    expect(slab!.empty.length).toBe(13);
    expect(freeIn(machine)).toBeGreaterThan(free);
    checkSlab(machine);
  });

  test('shrink empties the array and gives back all empty slabs', () => {
    const machine = boot();
    const cache = createCache(machine, 'things', 2048);
    for (const addr of many(machine, cache, 40)) cacheFree(machine, cache, addr);
    granted(machine, KERNEL, { call: 'kmem_cache_shrink', cache });
    expect(behind(machine, cache)).toMatchObject({ slabs: 0, total: 0 });
    // The caches of the descriptors keep a slab each: kmem_cache and size-64.
    expect(freeIn(machine)).toBe(1022);
    checkSlab(machine);
  });
});

describe('colours', () => {
  test('each new slab starts a cache line further in, and then again from the first', () => {
    const machine = boot({ cacheLine: 32 });
    const cache = createCache(machine, 'things', 440);
    const { slab, objects } = behind(machine, cache);
    const left = PAGE - objects * 440 - slab!.descriptorSize;
    expect(slab).toMatchObject({ colours: Math.floor(left / 32), colourOff: 32 });
    expect(slab!.colours).toBeGreaterThan(1);
    many(machine, cache, objects * (slab!.colours + 2));
    const starts = [...machine.slab.slabs.values()]
      .filter(({ cache: id }) => id === behind(machine, cache).id)
      .map(({ start }) => start - slab!.descriptorSize);
    const expected = Array.from({ length: slab!.colours + 2 }, (_, n) => (n % slab!.colours) * 32);
    expect(starts).toEqual(expected);
    checkSlab(machine);
  });

  test('an alignment larger than a line is the step', () => {
    const machine = boot({ cacheLine: 32 });
    const cache = createCache(machine, 'things', 700, { align: 128 });
    expect(behind(machine, cache).slab!.colourOff).toBe(128);
    for (const addr of many(machine, cache, 30)) expect(addr % 128).toBe(0);
  });

  test('a page without room has one colour', () => {
    const machine = boot();
    const cache = createCache(machine, 'things', 2048);
    expect(behind(machine, cache).slab!.colours).toBe(0);
    expect(many(machine, cache, 6).every((addr) => addr % 2048 === 0)).toBe(true);
  });
});

describe('descriptors', () => {
  test('of large objects lie in a general cache', () => {
    const machine = boot();
    const cache = createCache(machine, 'things', 1024);
    cacheAlloc(machine, cache);
    const { slab } = behind(machine, cache);
    expect(slab).toMatchObject({ descriptorSize: 28 + 4 * 4 });
    expect(cacheNamed(machine, 'size-64')).toMatchObject({ live: 1, slabs: 1 });
    const [described] = [...machine.slab.slabs.values()].filter(({ descriptor }) => descriptor >= 0);
    expect(described!.start).toBe(0);
    refusedWithout(machine, KERNEL, { call: 'kfree', addr: 0xc0000000 + described!.descriptor }, 'EINVAL', 'NOT_AN_OBJECT');
    checkSlab(machine);
  });

  test('go back with their slab', () => {
    const machine = boot();
    const cache = createCache(machine, 'things', 1024);
    const addr = cacheAlloc(machine, cache);
    cacheFree(machine, cache, addr);
    granted(machine, KERNEL, { call: 'kmem_cache_shrink', cache });
    expect(cacheNamed(machine, 'size-64').live).toBe(0);
    checkSlab(machine);
  });

  test('a slab without memory for its descriptor is none: its pages go back', () => {
    const machine = boot({}, 128);
    const cache = createCache(machine, 'things', 1024);
    const pages = takeAll(machine);
    granted(machine, KERNEL, { call: 'free_pages', pfn: pages.at(-1), order: 0 });
    expect(refused(machine, KERNEL, { call: 'kmem_cache_alloc', cache, gfp: 'GFP_NOWAIT' })).toMatchObject({
      errno: 'ENOMEM',
      why: { code: 'LOW_MEMORY' },
    });
    expect(freeIn(machine)).toBe(1);
    checkSlab(machine);
  });

  test('of caches lie in cache_cache, the first of the chain', () => {
    const machine = boot();
    expect(cat(machine, '/proc/slabinfo').trimEnd().split('\n').at(-1)).toMatch(/^kmem_cache +0 +0 /);
    const cache = createCache(machine, 'things', 100);
    expect(cacheNamed(machine, 'kmem_cache').live).toBe(1);
    expect(lineOf(machine, 'kmem_cache')).toMatchObject({ slabs: 1 });
    granted(machine, KERNEL, { call: 'kmem_cache_destroy', cache });
    expect(cacheNamed(machine, 'kmem_cache').live).toBe(0);
    checkSlab(machine);
  });
});

describe('the chain of caches', () => {
  test('size-32 and size-64 first, then the others, each with its twin for DMA; the newest is listed first', () => {
    const machine = bootFlat(256, { zones: { dma: 64, normal: 192 }, maxOrder: 1, slab: { allocator: 'slab' } });
    createCache(machine, 'mine', 100);
    const names = cat(machine, '/proc/slabinfo')
      .split('\n')
      .slice(2, -1)
      .map((line) => line.split(' ')[0]);
    const rest = ['128', '192', '256', '512', '1024', '2048', '4096', '8192'].flatMap((size) => [`size-${size}`, `size-${size}(DMA)`]);
    expect(names).toEqual(['kmem_cache', 'size-32', 'size-64', 'size-32(DMA)', 'size-64(DMA)', ...rest, 'mine'].toReversed());
  });

  test('kmalloc for DMA uses the twins', () => {
    const machine = bootFlat(256, { zones: { dma: 64, normal: 192 }, slab: { allocator: 'slab' } });
    expect(pfnOf(kmalloc(machine, 50, 'GFP_DMA'))).toBeLessThan(64);
    expect(cacheNamed(machine, 'size-64(DMA)').live).toBe(1);
    kmalloc(machine, 50, 'GFP_KERNEL|__GFP_RECLAIMABLE');
    expect(cacheNamed(machine, 'size-64').live).toBe(1);
  });
});

describe('reaping (cache_reap)', () => {
  test('every two seconds a fifth of an array that nobody touched goes home', () => {
    const machine = boot();
    const cache = createCache(machine, 'things', 100);
    for (const addr of many(machine, cache, 120)) cacheFree(machine, cache, addr);
    const { slab } = behind(machine, cache);
    const avail = slab!.avail;
    ticks(machine, 10);
    // The first time only takes note that it was used.
    expect(slab).toMatchObject({ avail, touched: false });
    ticks(machine, 19);
    expect(slab!.avail).toBe(avail);
    ticks(machine, 1);
    expect(slab!.avail).toBe(avail - 24);
    ticks(machine, 20);
    expect(slab!.avail).toBe(avail - 48);
    checkSlab(machine);
  });

  test('an array that is in use is left alone', () => {
    const machine = boot();
    const cache = createCache(machine, 'things', 100);
    const { slab } = behind(machine, cache);
    for (let n = 0; n < 8; n++) {
      cacheFree(machine, cache, cacheAlloc(machine, cache));
      expect(slab!.avail).toBe(16);
      ticks(machine, 20);
    }
  });

  test('every four seconds a share of the empty slabs goes, if none of them was used: (free_limit + 5·num − 1) / (5·num)', () => {
    const machine = boot();
    const cache = createCache(machine, 'things', 2048);
    for (const addr of many(machine, cache, 100)) cacheFree(machine, cache, addr);
    const { slab } = behind(machine, cache);
    const share = Math.floor((slab!.freeLimit + 9) / 10);
    expect(share).toBe(3);
    const seen: number[] = [];
    for (let n = 0; n < 30; n++) {
      const before = behind(machine, cache).slabs;
      ticks(machine, 20);
      const gone = before - behind(machine, cache).slabs;
      if (gone > 0) seen.push(gone);
    }
    // What the array sends home empties slabs too; at the end nothing is left.
    expect(behind(machine, cache)).toMatchObject({ slabs: 0, total: 0 });
    expect(seen.filter((gone) => gone >= share).length).toBeGreaterThan(2);
    checkSlab(machine);
  });

  test('memory comes back to an idle machine by itself, under SLAB only', () => {
    const idle = (allocator: string): number => {
      const machine = bootFlat(1024, { slab: { allocator } });
      const objects = Array.from({ length: 200 }, () => kmalloc(machine, 500));
      for (const addr of objects) kfree(machine, addr);
      const before = freeIn(machine);
      ticks(machine, 3000);
      checkSlab(machine);
      return freeIn(machine) - before;
    };
    expect(idle('slab')).toBeGreaterThan(5);
    expect(idle('slub')).toBe(0);
  });
});

test('a saved and restored machine has the same arrays and lists, and goes on alike', () => {
  const machine = boot({ cpus: 2 });
  const cache = createCache(machine, 'things', 1536);
  const objects = many(machine, cache, 60);
  for (const addr of objects.slice(0, 40)) cacheFree(machine, cache, addr);
  const again = restore(snapshot(machine));
  expect(hash(again)).toBe(hash(machine));
  for (let n = 0; n < 100; n++) {
    expect(cacheAlloc(again, cache)).toBe(cacheAlloc(machine, cache));
    tick(machine);
    tick(again);
  }
  expect(hash(again)).toBe(hash(machine));
});
