/** The buddy allocator, as facts (mm/page_alloc.c: rmqueue_smallest, expand, __free_one_page; fidelity spec §5 and §20). */
import { describe, expect, test } from 'vitest';
import { call, type Machine } from '#kernel/machine.ts';
import { KERNEL, allocPages, boot, bootFlat, cat, freeIn, freeLists, freePages, refused, zoneNamed } from '../helpers/boot.ts';
import { checkMachine } from '../helpers/check.ts';
import { NaiveBuddy } from '../helpers/naiveBuddy.ts';
import { parseBuddyinfo } from '../helpers/procText.ts';
import { picker, seeds } from '../helpers/seeds.ts';

/** Lists 0 to 10 with only the named ones filled. */
function lists(filled: Record<number, number[]>): number[][] {
  return Array.from({ length: 11 }, (_, order) => filled[order] ?? []);
}

describe('the worked vector of spec §20: one block of order 10, 6.x rules', () => {
  const alloc = (machine: Machine, order: number) => allocPages(machine, KERNEL, order);
  const free = (machine: Machine, pfn: number, order: number) => freePages(machine, KERNEL, pfn, order);

  test('each step leaves just these lists, in this order', () => {
    const machine = bootFlat(1024);
    expect(freeLists(machine)).toEqual(lists({ 10: [0] }));
    expect(alloc(machine, 0)).toBe(0);
    expect(freeLists(machine)).toEqual([[1], [2], [4], [8], [16], [32], [64], [128], [256], [512], []]);
    expect(alloc(machine, 0)).toBe(1);
    expect(alloc(machine, 0)).toBe(2);
    expect(freeLists(machine).slice(0, 3)).toEqual([[3], [], [4]]);
    expect(alloc(machine, 2)).toBe(4);
    expect(freeLists(machine).slice(0, 4)).toEqual([[3], [], [], [8]]);
    free(machine, 1, 0); // its buddy 0 is taken; 2, the buddy of its parent, is no free pair: head
    expect(freeLists(machine)[0]).toEqual([1, 3]);
    free(machine, 0, 0); // joins 1; the pair 2 is not free
    expect(freeLists(machine).slice(0, 3)).toEqual([[3], [0], []]);
    free(machine, 2, 0); // joins 3, then 0; 4 is taken
    expect(freeLists(machine).slice(0, 4)).toEqual([[], [], [0], [8]]);
    free(machine, 4, 2); // and everything is one block again
    expect(freeLists(machine)).toEqual(lists({ 10: [0] }));
    checkMachine(machine);
  });
});

describe('splitting', () => {
  test('a request for 256 pages of a block of 512 leaves 256 (lecture notes, 000 §3.3)', () => {
    const machine = bootFlat(512, { maxOrder: 9 });
    expect(allocPages(machine, KERNEL, 8)).toBe(0);
    expect(freeLists(machine)[8]).toEqual([256]);
  });

  test('a request for 4 pages of a block of 8 leaves 4; 5 pages need order 3', () => {
    const machine = bootFlat(64, { maxOrder: 3 });
    expect(allocPages(machine, KERNEL, 2)).toBe(0);
    expect(freeLists(machine)[2]).toEqual([4]);
    expect(allocPages(machine, KERNEL, 3)).toBe(8);
  });

  test('the caller gets the lowest piece, the upper halves go to the heads of their lists', () => {
    const machine = bootFlat(64, { maxOrder: 3 });
    expect(allocPages(machine, KERNEL, 0)).toBe(0);
    expect(freeLists(machine)).toEqual([[1], [2], [4], [8, 16, 24, 32, 40, 48, 56]]);
  });

  test('a block of the wanted order is taken before a larger one is cut', () => {
    const machine = bootFlat(64, { maxOrder: 3 });
    const first = allocPages(machine, KERNEL, 3);
    const second = allocPages(machine, KERNEL, 2);
    freePages(machine, KERNEL, first, 3);
    expect(second).toBe(8);
    expect(allocPages(machine, KERNEL, 2)).toBe(12);
    expect(freeLists(machine)[3]![0]).toBe(0);
  });
});

describe('merging', () => {
  test('alloc and free at once restore the same set of blocks, for every order', () => {
    for (let order = 0; order <= 10; order++) {
      const machine = bootFlat(4096);
      const before = freeLists(machine);
      freePages(machine, KERNEL, allocPages(machine, KERNEL, order), order);
      expect(freeLists(machine).map((list) => list.toSorted((a, b) => a - b))).toEqual(before);
    }
  });

  test('a buddy in another zone is no buddy', () => {
    const machine = boot({ frames: 64, zones: { dma: 20, normal: 44 } });
    // Frame 20 begins zone Normal; its pair at order 2 is 16..19 in DMA, free, and never joined.
    expect(freeLists(machine, 'DMA')).toEqual(new NaiveBuddy(0, 20, 10).lists);
    expect(freeLists(machine, 'Normal')).toEqual(new NaiveBuddy(20, 64, 10).lists);
    const pfn = allocPages(machine, KERNEL, 2);
    freePages(machine, KERNEL, pfn, 2);
    expect(freeLists(machine, 'DMA')).toEqual(new NaiveBuddy(0, 20, 10).lists);
    checkMachine(machine);
  });

  test('neighbours that are not each other’s buddy stay apart: 1 and 2 are adjacent, and no pair', () => {
    const machine = bootFlat(64, { maxOrder: 2 });
    for (let n = 0; n < 4; n++) allocPages(machine, KERNEL, 0);
    freePages(machine, KERNEL, 1, 0);
    freePages(machine, KERNEL, 2, 0);
    expect(freeLists(machine)[0]).toEqual([2, 1]);
    expect(freeLists(machine)[1]).toEqual([]);
  });

  test('a block whose larger surroundings will soon be whole goes to the tail (buddy_merge_likely)', () => {
    const machine = bootFlat(64, { maxOrder: 4 });
    for (let n = 0; n < 8; n++) allocPages(machine, KERNEL, 0); // 0..7
    freePages(machine, KERNEL, 6, 0);
    expect(freeLists(machine)[0]).toEqual([6]);
    freePages(machine, KERNEL, 2, 0);
    freePages(machine, KERNEL, 3, 0); // the pair 2 is free now
    expect(freeLists(machine).slice(0, 2)).toEqual([[6], [2]]);
    freePages(machine, KERNEL, 0, 0); // 1 is taken, but the pair beside it is free: last in the list
    expect(freeLists(machine)[0]).toEqual([6, 0]);
    expect(allocPages(machine, KERNEL, 0)).toBe(6);
  });

  test('the tail rule ends two orders below the top', () => {
    const machine = bootFlat(64, { maxOrder: 2 });
    // Order 1 with maxOrder 2: the parent's buddy could be free at order 2, but nothing merges above it, so always head.
    for (let n = 0; n < 8; n++) allocPages(machine, KERNEL, 1); // 0..15 as pairs
    freePages(machine, KERNEL, 4, 1);
    freePages(machine, KERNEL, 6, 1); // block 4 of order 2
    freePages(machine, KERNEL, 12, 1);
    freePages(machine, KERNEL, 0, 1);
    expect(freeLists(machine)[1]).toEqual([0, 12]);
  });
});

describe('boot', () => {
  test('ranges are freed ascending in the largest aligned blocks, so first allocations come from low frames', () => {
    const machine = bootFlat(4096);
    expect(freeLists(machine)).toEqual(lists({ 10: [0, 1024, 2048, 3072] }));
    expect(allocPages(machine, KERNEL, 10)).toBe(0);
    expect(allocPages(machine, KERNEL, 10)).toBe(1024);
  });

  test.each([
    { frames: 1000, reserved: 0, maxOrder: 10 },
    { frames: 4096, reserved: 77, maxOrder: 10 },
    { frames: 777, reserved: 3, maxOrder: 4 },
    { frames: 64, reserved: 63, maxOrder: 10 },
    { frames: 65, reserved: 0, maxOrder: 0 },
  ])('$frames frames, $reserved reserved, maxOrder $maxOrder: the lists of a plain count', ({ frames, reserved, maxOrder }) => {
    const machine = bootFlat(frames, { reserved, maxOrder });
    expect(freeLists(machine)).toEqual(new NaiveBuddy(reserved, frames, maxOrder).lists);
    expect(zoneNamed(machine, 'Normal')).toMatchObject({ managed: frames - reserved, free: frames - reserved });
    checkMachine(machine);
  });

  test('a reserved zone below is empty, and the reserve reaches into the next', () => {
    const machine = boot({ frames: 128, zones: { dma: 32, normal: 96 }, reserved: 40 });
    expect(zoneNamed(machine, 'DMA')).toMatchObject({ managed: 0, free: 0 });
    expect(freeLists(machine, 'Normal')).toEqual(new NaiveBuddy(40, 128, 10).lists);
  });

  test('pid 0 alone finds the buddy exactly as booted: no frame for page tables, mem_map or caches', () => {
    const machine = bootFlat(256);
    cat(machine, '/proc/meminfo');
    expect(freeIn(machine)).toBe(256);
  });
});

describe('requests that cannot be served', () => {
  test('an order above the largest is refused though all is free (mm/page_alloc.c: WARN, NULL)', () => {
    const machine = bootFlat(4096);
    expect(refused(machine, KERNEL, { call: 'alloc_pages', order: 11, gfp: 'GFP_KERNEL' })).toMatchObject({ errno: 'ENOMEM' });
    const small = bootFlat(4096, { maxOrder: 4 });
    const answer = refused(small, KERNEL, { call: 'alloc_pages', order: 5, gfp: 'GFP_KERNEL' });
    expect(answer).toMatchObject({ errno: 'ENOMEM', why: { code: 'ORDER_TOO_LARGE', order: 5, maxOrder: 4 } });
    expect(freeIn(small)).toBe(4096);
  });

  test('enough is free, but no run is long enough: FRAGMENTED, with the numbers', () => {
    const machine = bootFlat(64);
    for (let n = 0; n < 64; n++) allocPages(machine, KERNEL, 0);
    for (let pfn = 0; pfn < 64; pfn += 2) freePages(machine, KERNEL, pfn, 0);
    const answer = refused(machine, KERNEL, { call: 'alloc_pages', order: 1, gfp: 'GFP_KERNEL' });
    expect(answer).toMatchObject({ errno: 'ENOMEM', why: { code: 'FRAGMENTED', order: 1, freePages: 32, largestOrder: 0, largestRun: 1 } });
  });

  test.each([0, 1, 5, 64])('freeing %i (no head of an allocated block) is BAD_PAGE', (pfn) => {
    const machine = bootFlat(64);
    const block = allocPages(machine, KERNEL, 1);
    freePages(machine, KERNEL, block, 1);
    expect(refused(machine, KERNEL, { call: 'free_pages', pfn, order: 0 })).toMatchObject({ errno: 'EINVAL', why: { code: 'BAD_PAGE' } });
    expect(freeIn(machine)).toBe(64);
  });

  test('a wrong order, the middle of a block, and freeing twice are BAD_PAGE and change nothing', () => {
    const machine = bootFlat(64);
    const pfn = allocPages(machine, KERNEL, 2);
    for (const request of [
      { pfn, order: 1 },
      { pfn, order: 3 },
      { pfn: pfn + 1, order: 0 },
      { pfn: pfn + 2, order: 1 },
    ]) {
      expect(refused(machine, KERNEL, { call: 'free_pages', ...request })).toMatchObject({ errno: 'EINVAL', why: { code: 'BAD_PAGE' } });
    }
    expect(freeIn(machine)).toBe(60);
    freePages(machine, KERNEL, pfn, 2);
    expect(refused(machine, KERNEL, { call: 'free_pages', pfn, order: 2 })).toMatchObject({ errno: 'EINVAL', why: { code: 'BAD_PAGE' } });
  });
});

// Behaviour of drivers/gpu/drm/tests/drm_buddy_test.c (6.13), through our calls.
describe('the properties that the drm buddy’s own tests ask for', () => {
  const gfp = 'GFP_NOWAIT';

  test('optimistic: one block of each order fits exactly into 2^(max+1) − 1 pages', () => {
    const machine = bootFlat(2047);
    for (let order = 0; order <= 10; order++) allocPages(machine, KERNEL, order, gfp);
    expect(freeIn(machine)).toBe(0);
    expect(refused(machine, KERNEL, { call: 'alloc_pages', order: 0, gfp })).toMatchObject({
      errno: 'ENOMEM',
      why: { code: 'LOW_MEMORY' },
    });
  });

  test('pessimistic: one of each order below the top and one page more fill the pool; freed upwards, each free makes one order more', () => {
    const machine = bootFlat(1024);
    const blocks: number[] = [];
    for (let order = 0; order < 10; order++) blocks.push(allocPages(machine, KERNEL, order, gfp));
    const last = allocPages(machine, KERNEL, 0, gfp);
    for (let order = 0; order <= 10; order++) refused(machine, KERNEL, { call: 'alloc_pages', order, gfp });
    freePages(machine, KERNEL, last, 0);
    for (let order = 0; order < 10; order++) {
      freePages(machine, KERNEL, blocks[order]!, order);
      freePages(machine, KERNEL, allocPages(machine, KERNEL, order + 1, gfp), order + 1);
      refused(machine, KERNEL, { call: 'alloc_pages', order: order + 2, gfp });
    }
    expect(freeLists(machine)).toEqual(lists({ 10: [0] }));
  });

  test('pathological: whittled down to single pages and every second one freed, half is free and nothing larger than one page', () => {
    const machine = bootFlat(1024);
    const holes: number[] = [];
    const whittle = (order: number) => {
      if (order === 0) return;
      const pfn = allocPages(machine, KERNEL, order - 1, gfp);
      if (order === 1) holes.push(pfn);
      else freePages(machine, KERNEL, pfn, order - 1);
    };
    for (let round = 0; round < 512; round++) {
      whittle(1);
      allocPages(machine, KERNEL, 0, gfp);
    }
    for (const pfn of holes) freePages(machine, KERNEL, pfn, 0);
    expect(freeIn(machine)).toBe(512);
    for (let order = 1; order <= 9; order++) {
      expect(refused(machine, KERNEL, { call: 'alloc_pages', order, gfp })).toMatchObject({ why: { code: 'FRAGMENTED', freePages: 512 } });
    }
    expect(refused(machine, KERNEL, { call: 'alloc_pages', order: 10, gfp })).toMatchObject({
      why: { code: 'LOW_MEMORY', freePages: 512 },
    });
    allocPages(machine, KERNEL, 0, gfp);
  });
});

describe('against a plain allocator of arrays', () => {
  const SHAPES = [
    { frames: 1024, reserved: 0, maxOrder: 10 },
    { frames: 1000, reserved: 0, maxOrder: 10 },
    { frames: 777, reserved: 13, maxOrder: 6 },
    { frames: 96, reserved: 1, maxOrder: 3 },
    { frames: 64, reserved: 0, maxOrder: 0 },
  ];

  test.each(SHAPES.flatMap((shape) => seeds(6).map((seed) => ({ ...shape, seed }))))(
    'frames $frames, reserved $reserved, maxOrder $maxOrder, seed $seed: 600 calls, every list equal after each',
    ({ frames, reserved, maxOrder, seed }) => {
      const machine = bootFlat(frames, { reserved, maxOrder });
      const naive = new NaiveBuddy(reserved, frames, maxOrder);
      const below = picker(seed);
      const live: { pfn: number; order: number }[] = [];
      for (let step = 0; step < 600; step++) {
        if (live.length === 0 || below(20) < 11) {
          const order = below(Math.min(maxOrder, below(8) === 0 ? 10 : 4) + 1);
          const answer = call(machine, KERNEL, { call: 'alloc_pages', order, gfp: 'GFP_NOWAIT' });
          const expected = naive.alloc(order);
          expect(answer.ok ? answer.pfn : null, `step ${step}: order ${order}`).toBe(expected);
          if (expected !== null) live.push({ pfn: expected, order });
        } else {
          const [block] = live.splice(below(live.length), 1);
          freePages(machine, KERNEL, block!.pfn, block!.order);
          naive.freeBlock(block!.pfn, block!.order);
        }
        expect(freeLists(machine), `step ${step}`).toEqual(naive.lists);
      }
      expect(parseBuddyinfo(cat(machine, '/proc/buddyinfo')).Normal!.slice(0, maxOrder + 1)).toEqual(
        naive.lists.map((list) => list.length),
      );
      checkMachine(machine);
    },
  );
});
