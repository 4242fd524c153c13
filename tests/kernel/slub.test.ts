/** SLUB (mm/slub.c of 6.x; spec §10): the CPU's slab, the partial lists, order and its fallback, shrinking, merging. */
import { describe, expect, test } from 'vitest';
import { call } from '#kernel/machine.ts';
import { KERNEL, PAGE, bootFlat, cat, freeIn, freePages, granted, refused, spawn } from '../helpers/boot.ts';
import { checkMachine } from '../helpers/check.ts';
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
  slabAt,
  takeAll,
} from '../helpers/slabs.ts';

/** A cache of eight objects in a slab of one page. */
const EIGHT = 512;

describe('the slab of the CPU', () => {
  test('a cache holds no slab until somebody asks; the first request brings one of its order', () => {
    const machine = bootFlat(1024);
    const cache = createCache(machine, 'things', 256);
    expect(freeIn(machine)).toBe(1024);
    expect(lineOf(machine, 'things')).toMatchObject({ active: 0, objects: 0, slabs: 0, perSlab: 16, pages: 1 });
    cacheAlloc(machine, cache);
    expect(freeIn(machine)).toBe(1023);
    expect(lineOf(machine, 'things')).toMatchObject({ objects: 16, slabs: 1, size: 256 });
  });

  test('a fresh slab gives its objects in the order of their addresses, a freed one first of all (LIFO)', () => {
    const machine = bootFlat(1024);
    const cache = createCache(machine, 'things', EIGHT);
    const objects = many(machine, cache, 5);
    expect(objects.map((addr) => addr - objects[0]!)).toEqual([0, 512, 1024, 1536, 2048]);
    cacheFree(machine, cache, objects[1]!);
    cacheFree(machine, cache, objects[3]!);
    expect(many(machine, cache, 3)).toEqual([objects[3], objects[1], objects[0]! + 5 * EIGHT]);
  });

  test('slabinfo counts what the CPU keeps as active (mm/slub.c, get_slabinfo)', () => {
    const machine = bootFlat(1024);
    const cache = createCache(machine, 'things', EIGHT);
    const [first] = many(machine, cache, 3);
    expect(lineOf(machine, 'things')).toMatchObject({ active: 8, objects: 8, activeSlabs: 1 });
    cacheFree(machine, cache, first!);
    expect(lineOf(machine, 'things')!.active).toBe(8);
    granted(machine, KERNEL, { call: 'kmem_cache_shrink', cache });
    expect(lineOf(machine, 'things')).toMatchObject({ active: 2, objects: 8 });
  });

  test('full slabs are on no list', () => {
    const machine = bootFlat(1024);
    const cache = createCache(machine, 'things', EIGHT);
    many(machine, cache, 17);
    const { slub, slabs } = behind(machine, cache);
    expect(slabs).toBe(3);
    expect(slub).toMatchObject({ cpuPartial: -1, partial: { head: -1, length: 0 } });
    checkSlab(machine);
  });
});

describe('the CPU’s partial list', () => {
  test('a full slab that gets an object back goes there, the newest first, and is used before the node’s', () => {
    const machine = bootFlat(1024);
    const cache = createCache(machine, 'things', EIGHT);
    const objects = many(machine, cache, 25);
    cacheFree(machine, cache, objects[0]!);
    cacheFree(machine, cache, objects[9]!);
    const { slub } = behind(machine, cache);
    expect(listed(machine, slub!.cpuPartial)).toEqual([pfnOf(objects[9]!), pfnOf(objects[0]!)]);
    const rest = many(machine, cache, 7);
    expect(rest.map(pfnOf).every((pfn) => pfn === pfnOf(objects[24]!))).toBe(true);
    expect(many(machine, cache, 2)).toEqual([objects[9], objects[0]]);
  });

  test('it holds half-full slabs for cpu_partial objects (ceil(2 × 52 / 8) = 13); the next one drains it to the node’s tail', () => {
    const machine = bootFlat(1024);
    const cache = createCache(machine, 'things', EIGHT);
    const objects = many(machine, cache, 8 * 15 + 1);
    const { slub } = behind(machine, cache);
    expect(slub!.cpuPartialSlabs).toBe(13);
    for (let slab = 0; slab < 13; slab++) cacheFree(machine, cache, objects[8 * slab]!);
    expect([listed(machine, slub!.cpuPartial).length, slub!.partial.length]).toEqual([13, 0]);
    cacheFree(machine, cache, objects[8 * 13]!);
    expect(listed(machine, slub!.cpuPartial)).toEqual([pfnOf(objects[8 * 13]!)]);
    // From the newest to the oldest, each to the tail.
    const expected = Array.from({ length: 13 }, (_, n) => pfnOf(objects[8 * (12 - n)]!));
    expect(listed(machine, slub!.partial.head)).toEqual(expected);
    checkSlab(machine);
  });

  test('from the node’s list the CPU takes the first slab, and half of what its own list may hold besides (get_partial_node)', () => {
    const machine = bootFlat(1024);
    const cache = createCache(machine, 'things', EIGHT);
    const objects = many(machine, cache, 8 * 15);
    for (let slab = 0; slab < 14; slab++) cacheFree(machine, cache, objects[8 * slab]!);
    granted(machine, KERNEL, { call: 'kmem_cache_shrink', cache });
    const { slub } = behind(machine, cache);
    const order = listed(machine, slub!.partial.head);
    expect(order).toHaveLength(14);
    const addr = cacheAlloc(machine, cache);
    expect(pfnOf(addr)).toBe(order[0]);
    expect(listed(machine, slub!.cpuPartial)).toEqual(order.slice(1, 8).toReversed());
    expect(listed(machine, slub!.partial.head)).toEqual(order.slice(8));
  });
});

describe('empty slabs', () => {
  test('five are kept on the partial list (min_partial); one more goes back to the buddy', () => {
    const machine = bootFlat(1024);
    const cache = createCache(machine, 'things', EIGHT);
    const objects = many(machine, cache, 8 * 22);
    // One object of each slab: all but the CPU’s are partial, on the CPU’s list or the node’s.
    for (let slab = 0; slab < 22; slab++) cacheFree(machine, cache, objects[8 * slab]!);
    const { slub } = behind(machine, cache);
    const onNode = new Set(listed(machine, slub!.partial.head));
    expect(onNode.size).toBe(13);
    const free = freeIn(machine);
    for (const [n, addr] of objects.entries()) if (n % 8 !== 0 && onNode.has(pfnOf(addr))) cacheFree(machine, cache, addr);
    expect(slub!.minPartial).toBe(5);
    // While the list has five or more, a slab that becomes empty leaves it: of thirteen, nine.
    expect(slub!.partial.length).toBe(4);
    expect(freeIn(machine) - free).toBe(9);
    checkMachine(machine);
    checkSlab(machine);
  });

  test('shrink gives back all empty slabs and puts the fullest first', () => {
    const machine = bootFlat(1024);
    const cache = createCache(machine, 'things', EIGHT);
    const objects = many(machine, cache, 8 * 5);
    const drop = (slab: number, count: number) => {
      for (let n = 0; n < count; n++) cacheFree(machine, cache, objects[8 * slab + n]!);
    };
    drop(0, 3);
    drop(1, 8);
    drop(2, 1);
    drop(3, 6);
    drop(4, 1);
    granted(machine, KERNEL, { call: 'kmem_cache_shrink', cache });
    const { slub, slabs } = behind(machine, cache);
    const fullness = listed(machine, slub!.partial.head).map((pfn) => machine.slab.slabs.get(pfn)!.inuse);
    expect(fullness).toEqual([7, 7, 5, 2]);
    expect(slabs).toBe(4);
    expect(slub).toMatchObject({ cpuSlab: -1, cpuPartial: -1 });
    expect(lineOf(machine, 'things')).toMatchObject({ active: 21, objects: 32 });
    checkSlab(machine);
  });

  test('a cache without objects gives everything back when it is destroyed, and its line is gone', () => {
    const machine = bootFlat(1024);
    const cache = createCache(machine, 'things', EIGHT);
    for (const addr of many(machine, cache, 100)) cacheFree(machine, cache, addr);
    expect(freeIn(machine)).toBeLessThan(1024);
    granted(machine, KERNEL, { call: 'kmem_cache_destroy', cache });
    expect(freeIn(machine)).toBe(1024);
    expect(lineOf(machine, 'things')).toBeNull();
    refusedWithout(machine, KERNEL, { call: 'kmem_cache_alloc', cache }, 'EINVAL', 'NO_SUCH_CACHE');
  });
});

describe('the order of a slab', () => {
  test('under pressure one that just holds an object will do (allocate_slab)', () => {
    const machine = bootFlat(1024);
    const cache = createCache(machine, 'large', 1024, { flags: 'SLAB_NO_MERGE' });
    expect(lineOf(machine, 'large')).toMatchObject({ perSlab: 8, pages: 2 });
    const pages = takeAll(machine);
    for (const pfn of pages) if (pfn % 2 === 0 && pfn < 100) freePages(machine, KERNEL, pfn, 0);
    const addr = cacheAlloc(machine, cache);
    expect(slabAt(machine, addr)).toMatchObject({ order: 0, objects: 4 });
    expect(lineOf(machine, 'large')).toMatchObject({ objects: 4, slabs: 1, perSlab: 8, pages: 2 });
    many(machine, cache, 4);
    expect(behind(machine, cache)).toMatchObject({ slabs: 2, total: 8, pages: 2 });
    checkSlab(machine);
  });

  test('an object larger than a page cannot do with less; the refusal names the order', () => {
    const machine = bootFlat(256);
    const cache = createCache(machine, 'huge', 6000);
    const pages = takeAll(machine);
    for (const pfn of pages) if (pfn % 2 === 0) freePages(machine, KERNEL, pfn, 0);
    expect(refused(machine, KERNEL, { call: 'kmem_cache_alloc', cache, gfp: 'GFP_NOWAIT' })).toMatchObject({
      errno: 'ENOMEM',
      why: { code: 'FRAGMENTED', order: 1, largestOrder: 0 },
    });
  });

  test('the easy try wakes nobody and kills nobody: only the smallest slab is worth that', () => {
    const machine = bootFlat(256);
    const pid = spawn(machine);
    granted(machine, pid, {
      call: 'mmap',
      length: 60 * PAGE,
      prot: 'PROT_READ|PROT_WRITE',
      flags: 'MAP_PRIVATE|MAP_ANONYMOUS|MAP_POPULATE',
    });
    const cache = createCache(machine, 'large', 1024, { flags: 'SLAB_NO_MERGE' });
    const pages = takeAll(machine);
    freePages(machine, KERNEL, pages.at(-1)!, 0);
    cacheAlloc(machine, cache);
    expect(machine.tasks.has(pid)).toBe(true);
    expect(cat(machine, '/proc/vmstat')).toContain('oom_kill 0\n');
    many(machine, cache, 4);
    expect(machine.tasks.has(pid)).toBe(false);
    checkSlab(machine);
  });
});

describe('who dies while a slab is sought', () => {
  test('the victim’s objects come back in the midst of it', () => {
    const machine = bootFlat(128);
    const victim = spawn(machine);
    const cache = createCache(machine, 'things', 512);
    many(machine, cache, 20, victim);
    granted(machine, victim, {
      call: 'mmap',
      length: 40 * PAGE,
      prot: 'PROT_READ|PROT_WRITE',
      flags: 'MAP_PRIVATE|MAP_ANONYMOUS|MAP_POPULATE',
    });
    takeAll(machine);
    const asker = 0;
    const objects = many(machine, cache, 12, asker);
    expect(machine.tasks.has(victim)).toBe(false);
    expect(new Set(objects).size).toBe(12);
    checkMachine(machine);
    checkSlab(machine);
  });

  test('an asker that is the victim gets SIGKILL, and its cache goes with it', () => {
    const machine = bootFlat(128);
    const pid = spawn(machine);
    const cache = createCache(machine, 'things', 512, {}, pid);
    takeAll(machine, 0, pid);
    const answers = Array.from({ length: 20 }, () => call(machine, pid, { call: 'kmem_cache_alloc', cache }));
    expect(answers.find((answer) => !answer.ok)).toMatchObject({ signal: 'SIGKILL', why: { code: 'OOM_KILLED' } });
    expect(machine.slab.handles.size).toBe(0);
    expect(freeIn(machine)).toBe(128);
    checkSlab(machine);
  });

  test('the cache of a victim that somebody else is just using stays as long as its objects', () => {
    const machine = bootFlat(128, { chargeKernel: true });
    const victim = spawn(machine);
    const cache = createCache(machine, 'things', 512, {}, victim);
    takeAll(machine, 0, victim);
    const addr = cacheAlloc(machine, cache);
    expect(machine.tasks.has(victim)).toBe(false);
    checkSlab(machine);
    expect(slabAt(machine, addr)).toBeDefined();
    refusedWithout(machine, KERNEL, { call: 'kmem_cache_alloc', cache }, 'EINVAL', 'NO_SUCH_CACHE');
    kfree(machine, addr);
    expect(freeIn(machine)).toBe(128);
    checkSlab(machine);
  });
});

describe('merging', () => {
  test('a second cache of the same size is the first by another name (find_mergeable)', () => {
    const machine = bootFlat(1024);
    const first = createCache(machine, 'first', 200);
    const second = createCache(machine, 'second', 198);
    expect(behind(machine, second)).toBe(behind(machine, first));
    expect(lineOf(machine, 'second')).toBeNull();
    const addr = cacheAlloc(machine, second);
    cacheFree(machine, first, addr);
    granted(machine, KERNEL, { call: 'kmem_cache_destroy', cache: first });
    expect(lineOf(machine, 'first')).not.toBeNull();
    granted(machine, KERNEL, { call: 'kmem_cache_destroy', cache: second });
    expect(lineOf(machine, 'first')).toBeNull();
    expect(freeIn(machine)).toBe(1024);
  });

  test.each([
    ['a word smaller', 196, {}],
    ['larger', 204, {}],
    ['with a constructor', 200, { ctor: true }],
    ['that asks not to', 200, { flags: 'SLAB_NO_MERGE' }],
    ['that is checked', 200, { flags: 'SLAB_RED_ZONE' }],
    ['of reclaimable memory', 200, { flags: 'SLAB_RECLAIM_ACCOUNT' }],
    ['for DMA', 200, { flags: 'SLAB_CACHE_DMA' }],
    ['with another alignment', 200, { align: 64 }],
  ])('not with a cache %s', (_what, size, more) => {
    const machine = bootFlat(1024);
    const first = createCache(machine, 'first', 200);
    expect(behind(machine, createCache(machine, 'second', size, more))).not.toBe(behind(machine, first));
  });

  test('not with kmalloc’s own caches, whose objects may be copied to user space as they are', () => {
    const machine = bootFlat(1024);
    expect(behind(machine, createCache(machine, 'mine', 64)).name).toBe('mine');
  });

  test('a smaller alias makes the object no smaller', () => {
    const machine = bootFlat(1024);
    const first = createCache(machine, 'first', 198);
    createCache(machine, 'second', 200);
    expect(behind(machine, first).objectSize).toBe(200);
  });

  test('with debugging on nothing merges', () => {
    const machine = bootFlat(1024, { slab: { debug: true } });
    const first = createCache(machine, 'first', 200);
    expect(behind(machine, createCache(machine, 'second', 200))).not.toBe(behind(machine, first));
  });
});

describe('where slabs lie', () => {
  const ZONES = { zones: { dma: 64, normal: 448, highmem: 512 }, frames: 1024 };

  test('DMA caches in zone DMA, reclaimable ones in reclaimable pageblocks', () => {
    const machine = bootFlat(1024, { ...ZONES, mobility: true, pageblockOrder: 4 });
    expect(pfnOf(kmalloc(machine, 100, 'GFP_DMA'))).toBeLessThan(64);
    const dma = createCache(machine, 'dma', 100, { flags: 'SLAB_CACHE_DMA' });
    expect(pfnOf(cacheAlloc(machine, dma))).toBeLessThan(64);
    const inodes = createCache(machine, 'inodes', 600, { flags: 'SLAB_RECLAIM_ACCOUNT' });
    const pfn = pfnOf(cacheAlloc(machine, inodes));
    expect(machine.frames.pageblock[pfn >> 4]).toBe(2);
    expect(machine.frames.pageblock[pfnOf(kmalloc(machine, 600)) >> 4]).toBe(0);
  });

  test('never in high memory: who asks for that is told to mend his code, and gets low memory (kmalloc_fix_flags)', () => {
    const machine = bootFlat(1024, ZONES);
    expect(pfnOf(kmalloc(machine, 100, 'GFP_HIGHUSER'))).toBeLessThan(512);
    expect(pfnOf(kmalloc(machine, 100_000, 'GFP_HIGHUSER_MOVABLE'))).toBeLessThan(512);
    expect(cat(machine, '/proc/kmsg')).toContain('Unexpected gfp: 0x2 (__GFP_HIGHMEM). Fixing up to gfp: ');
  });

  test('families of kmalloc: by __GFP_RECLAIMABLE and __GFP_DMA', () => {
    const machine = bootFlat(1024, ZONES);
    for (const gfp of ['GFP_KERNEL', 'GFP_KERNEL|__GFP_RECLAIMABLE', 'GFP_DMA', 'GFP_DMA|__GFP_RECLAIMABLE']) kmalloc(machine, 30, gfp);
    const used = ['kmalloc-32', 'kmalloc-rcl-32', 'dma-kmalloc-32'].map((name) => cacheNamed(machine, name).live);
    expect(used).toEqual([1, 1, 2]);
  });

  test('a machine without zone DMA has no such caches; GFP_DMA means any', () => {
    const machine = bootFlat(1024);
    expect(lineOf(machine, 'dma-kmalloc-32')).toBeNull();
    kmalloc(machine, 30, 'GFP_DMA');
    expect(cacheNamed(machine, 'kmalloc-32').live).toBe(1);
  });
});
