/** How large objects become and how many fit a slab (mm/slub.c, mm/slab.c of 2.6.32), against numbers that others published. */
import { describe, expect, test } from 'vitest';
import {
  arrayLimits,
  calculateAlignment,
  calculateOrder,
  calculateOrder26,
  fls,
  minObjects,
  slabLayout,
  slubLayout,
  slubLimits,
} from '#kernel/mm/slab_geometry.ts';
import { kmallocClass } from '#kernel/mm/slab_common.ts';
import { getOrder } from '#kernel/mm/slab_bytes.ts';
import { SLAB } from '#kernel/mm/slab_types.ts';

const MAX_ORDER = 10;
const objectsAndPages = (size: number, cpus: number): [number, number] => {
  const order = calculateOrder(size, cpus, MAX_ORDER);
  return [Math.floor((4096 << order) / size), 1 << order];
};

describe('SLUB', () => {
  test('a slab holds at least 4 × (fls(CPUs) + 1) objects, if order 3 allows', () => {
    expect([1, 2, 4, 8].map(fls)).toEqual([1, 2, 3, 4]);
    expect([1, 2, 4, 8].map(minObjects)).toEqual([8, 12, 16, 20]);
  });

  // The fidelity spec's worked vector, 4 CPUs.
  test.each([
    [256, 16, 1],
    [512, 16, 2],
    [1024, 16, 4],
    [2048, 16, 8],
    [4096, 8, 8],
    [8192, 4, 8],
    [192, 21, 1],
    [96, 42, 1],
    [320, 25, 2],
    [720, 22, 4],
  ])('4 CPUs: %i bytes are %i a slab of %i pages', (size, objects, pages) => {
    expect(objectsAndPages(size, 4)).toEqual([objects, pages]);
  });

  // /proc/slabinfo of the lecture notes: the nine lines that are arithmetically possible, from a machine with 4 CPUs.
  test.each([
    ['tw_sock_TCPv6', 240, 17, 1],
    ['request_sock_TCPv6', 304, 26, 2],
    ['TCPv6', 2048, 16, 8],
    ['ext4_groupinfo_4k', 144, 28, 1],
    ['ubifs_inode_slab', 720, 22, 4],
    ['isp1760_urb_listitem', 312, 26, 2],
    ['bss_end', 896, 18, 4],
    ['kmalloc-8192', 8192, 4, 8],
    ['kmalloc-4096', 4096, 8, 8],
  ])('the notes’ %s: %i bytes, %i a slab of %i pages', (_name, size, objects, pages) => {
    expect(objectsAndPages(size, 4)).toEqual([objects, pages]);
    expect(1 << calculateOrder26(size, 4, MAX_ORDER)).toBe(pages);
  });

  test('only 4 CPUs explain all nine', () => {
    const rows = [
      [240, 17],
      [304, 26],
      [2048, 16],
      [144, 28],
      [720, 22],
      [312, 26],
      [896, 18],
      [8192, 4],
      [4096, 8],
    ] as const;
    const explains = (cpus: number) => rows.every(([size, objects]) => objectsAndPages(size, cpus)[0] === objects);
    expect([1, 2, 3, 4, 8, 16].map(explains)).toEqual([false, false, false, true, false, false]);
  });

  test('an object larger than a slab of order 3 gets a slab of its own; one larger than the largest block none', () => {
    expect([20_000, 40_000, 4 << 20].map((size) => calculateOrder(size, 1, MAX_ORDER))).toEqual([3, 4, 10]);
    expect(calculateOrder((4 << 20) + 1, 1, MAX_ORDER)).toBe(-1);
    expect(calculateOrder(8192, 1, 0)).toBe(-1);
    expect(calculateOrder(64, 64, 0)).toBe(0);
  });

  test('a slab counts at most 32,767 objects', () => {
    expect(calculateOrder(1, 4096, MAX_ORDER)).toBe(0);
    expect(calculateOrder26(8, 1, MAX_ORDER)).toBe(0);
  });

  test.each([
    [8, 5, 120],
    [192, 5, 120],
    [256, 5, 52],
    [1024, 5, 24],
    [4096, 6, 6],
    [8192, 6, 6],
    [1 << 20, 10, 6],
  ])('%i bytes: %i empty slabs are kept, %i free objects a CPU', (size, minPartial, cpuPartial) => {
    expect(slubLimits(size)).toEqual({ minPartial, cpuPartial });
  });

  test('the pointer to the next free object lies in the middle of a free one, or behind it where nobody may touch it', () => {
    const plain = { objectSize: 100, align: 4, flags: 0, ctor: false, word: 4 };
    expect(slubLayout(plain)).toMatchObject({ size: 100, inuse: 100, freePointer: 48, offset: 0 });
    expect(slubLayout({ ...plain, ctor: true })).toMatchObject({ size: 104, inuse: 100, freePointer: 100 });
    expect(slubLayout({ ...plain, flags: SLAB.poison })).toMatchObject({ size: 104, flags: SLAB.poison | SLAB.objectPoison });
    expect(slubLayout({ ...plain, flags: SLAB.poison, ctor: true }).flags & SLAB.objectPoison).toBe(0);
  });

  test('red zones: a word more on the right if no padding is there, and one alignment on the left', () => {
    const wish = { objectSize: 64, align: 64, flags: SLAB.redZone, ctor: false, word: 8 };
    expect(slubLayout(wish)).toMatchObject({ inuse: 72, offset: 64, size: 192 });
    expect(slubLayout({ ...wish, objectSize: 62, align: 8 })).toMatchObject({ inuse: 64, offset: 8, size: 80 });
  });
});

describe('alignment to cache lines', () => {
  test.each([
    [8, 8],
    [16, 16],
    [17, 32],
    [32, 32],
    [33, 64],
    [1000, 64],
  ])('%i bytes are aligned to %i of 64', (size, align) => {
    expect(calculateAlignment(SLAB.hwcacheAlign, 0, size, 64, 4)).toBe(align);
  });

  test('who asks for more gets more; who asks for nothing a word', () => {
    expect(calculateAlignment(SLAB.hwcacheAlign, 256, 100, 64, 4)).toBe(256);
    expect(calculateAlignment(0, 0, 100, 64, 4)).toBe(4);
    expect(calculateAlignment(0, 16, 100, 64, 8)).toBe(16);
  });
});

describe('classes of kmalloc', () => {
  test.each([
    [1, 8],
    [8, 8],
    [9, 16],
    [64, 64],
    [65, 96],
    [96, 96],
    [97, 128],
    [128, 128],
    [129, 192],
    [192, 192],
    [193, 256],
    [257, 512],
    [4097, 8192],
    [8192, 8192],
  ])('%i bytes come from %i', (size, expected) => {
    const sizes: Record<number, number> = { 1: 96, 2: 192 };
    expect(sizes[kmallocClass(size)] ?? 1 << kmallocClass(size)).toBe(expected);
  });

  test('pages: the smallest power of two that holds the bytes (get_order)', () => {
    expect([1, 4096, 4097, 8192, 8193, 1 << 22, (1 << 22) + 1, 2 ** 47].map(getOrder)).toEqual([0, 0, 1, 1, 2, 10, 11, 35]);
  });
});

describe('SLAB of 2.6.32', () => {
  const wish = { align: 0, flags: 0, ctor: false, word: 4, cacheLine: 64, breakOrder: 1, maxOrder: MAX_ORDER };
  const of = (objectSize: number, flags = 0, more: object = {}) => slabLayout({ ...wish, objectSize, flags, ...more })!;

  // A published /proc/slabinfo of x86-32, 2.6.1x.
  test.each([
    [32, 113, 1],
    [64, 59, 1],
    [128, 30, 1],
    [256, 15, 1],
    [512, 8, 1],
    [1024, 4, 1],
    [2048, 2, 1],
    [4096, 1, 1],
    [8192, 1, 2],
    [131072, 1, 32],
    [12, 254, 1],
    [596, 13, 2],
    [1536, 5, 2],
    [1344, 3, 1],
  ])('%i bytes: %i a slab of %i pages', (size, objects, pages) => {
    const { objects: fit, order } = of(size);
    expect([fit, 1 << order]).toEqual([objects, pages]);
  });

  test('objects of an eighth of a page and more have their slab’s descriptor elsewhere, unless there is room left', () => {
    expect(of(508).flags & SLAB.offSlab).toBe(0);
    expect(of(512).flags & SLAB.offSlab).toBe(SLAB.offSlab);
    const moved = of(576);
    expect(moved.flags & SLAB.offSlab).toBe(0);
    expect(moved.objects * 576 + moved.descriptorSize + moved.leftOver).toBe(4096 << moved.order);
  });

  test('the descriptor: 28 bytes and 4 an object', () => {
    expect(of(100).descriptorSize).toBe(28 + 39 * 4);
    expect(of(512).descriptorSize).toBe(28 + 8 * 4);
  });

  test('memory of 32 MiB or less never has slabs of two pages where one will do; reclaimable caches neither', () => {
    expect(of(1536).order).toBe(1);
    expect(of(1536, 0, { breakOrder: 0 }).order).toBe(0);
    expect(of(1536, SLAB.reclaimAccount).order).toBe(0);
  });

  test('no red zones beside objects that are aligned to more than eight bytes', () => {
    expect(of(100, SLAB.redZone)).toMatchObject({ offset: 8, size: 120 });
    expect(of(100, SLAB.redZone, { align: 64 })).toMatchObject({ offset: 0, size: 128 });
  });

  test('nothing holds an object larger than the largest block', () => {
    expect(slabLayout({ ...wish, objectSize: (4 << 20) + 4 })).toBeNull();
    expect(slabLayout({ ...wish, objectSize: 8192, maxOrder: 0 })).toBeNull();
  });

  test.each([
    [131073, 1, 1],
    [131072, 8, 4],
    [4097, 8, 4],
    [4096, 24, 12],
    [1025, 24, 12],
    [1024, 54, 27],
    [257, 54, 27],
    [256, 120, 60],
  ])('%i bytes: an array of %i, filled by %i', (size, limit, batchcount) => {
    expect(arrayLimits(size, 1)).toEqual({ limit, batchcount, shared: 0 });
  });

  test('several CPUs share eight batches of objects of up to a page', () => {
    expect(arrayLimits(4096, 2).shared).toBe(8);
    expect(arrayLimits(4097, 2).shared).toBe(0);
  });
});
