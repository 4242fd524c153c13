/** Fragmentation as a subject: what is lost inside of what was given, and what free memory is worth. Numbers worked by hand. */
import { describe, expect, test } from 'vitest';
import { createFacts, FACT, readFacts } from '#kernel/facts.ts';
import { createMachine, hash } from '#kernel/machine.ts';
import { externalUse, internalUse, reserveUse } from '#kernel/mm/fragmentation.ts';
import { MIGRATE } from '#kernel/types.ts';
import { allocPages, bootFlat, cat, freePages, granted, KERNEL, PAGE } from '../helpers/boot.ts';

describe('inside', () => {
  /** One request of each kind. */
  function used() {
    const machine = bootFlat(4096);
    for (const size of [80, 75, 9000]) granted(machine, KERNEL, { call: 'kmalloc', size, gfp: 'GFP_KERNEL' });
    granted(machine, KERNEL, { call: 'vmalloc', size: 5000 });
    granted(machine, KERNEL, { call: 'dma_alloc_coherent', size: 3 * PAGE });
    allocPages(machine, KERNEL, 3);
    return machine;
  }

  test('each allocator: bytes asked for, the room given for them, the pages held', () => {
    expect(internalUse(used())).toEqual([
      { name: 'kmalloc-96', blocks: 2, asked: 80 + 75, given: 2 * 96, held: PAGE },
      { name: 'kmalloc of pages', blocks: 1, asked: 9000, given: 4 * PAGE, held: 4 * PAGE },
      { name: 'vmalloc', blocks: 1, asked: 5000, given: 2 * PAGE, held: 2 * PAGE },
      { name: 'dma_alloc_coherent', blocks: 1, asked: 3 * PAGE, given: 4 * PAGE, held: 4 * PAGE },
      { name: 'alloc_pages order 3', blocks: 1, asked: 8 * PAGE, given: 8 * PAGE, held: 8 * PAGE },
    ]);
  });

  test('/proc/fragmentation prints them with what is lost in per cent, and the total', () => {
    const machine = used();
    const before = hash(machine);
    const text = cat(machine, '/proc/fragmentation');
    expect(hash(machine)).toBe(before);
    expect(text.split('\n').slice(0, 9)).toEqual([
      'Internal, in bytes: asked for, given for it, held in pages',
      'allocator             blocks        asked        given         held    lost',
      'kmalloc-96                 2          155          192         4096   96.2%',
      'kmalloc of pages           1         9000        16384        16384   45.0%',
      'vmalloc                    1         5000         8192         8192   38.9%',
      'dma_alloc_coherent         1        12288        16384        16384   25.0%',
      'alloc_pages order 3        1        32768        32768        32768    0.0%',
      'total                      6        59211        73920        77824   23.9%',
      'mempools keep 0 elements of 0 bytes in reserve',
    ]);
  });

  test('what is given back counts no more; a dedicated cache loses what does not fit into its slab', () => {
    const machine = bootFlat(4096);
    const addr = granted(machine, KERNEL, { call: 'vmalloc', size: 5000 }).addr;
    granted(machine, KERNEL, { call: 'vfree', addr });
    expect(internalUse(machine)).toEqual([]);
    const cache = granted(machine, KERNEL, { call: 'kmem_cache_create', name: 'chunks', size: 700 }).cache;
    for (let n = 0; n < 5; n++) granted(machine, KERNEL, { call: 'kmem_cache_alloc', cache });
    // One CPU: at least eight objects a slab, so two pages; eleven of 700 bytes leave 492.
    expect(internalUse(machine)).toEqual([{ name: 'chunks', blocks: 5, asked: 3500, given: 3500, held: 2 * PAGE }]);
  });

  test('a mempool holds memory that nobody uses', () => {
    const machine = bootFlat(4096);
    const cache = granted(machine, KERNEL, { call: 'kmem_cache_create', name: 'bios', size: 200 }).cache;
    granted(machine, KERNEL, { call: 'mempool_create', min_nr: 3, cache });
    granted(machine, KERNEL, { call: 'mempool_create', min_nr: 2, order: 1 });
    expect(reserveUse(machine)).toEqual({ elements: 5, bytes: 3 * 200 + 2 * 2 * PAGE });
  });
});

describe('outside', () => {
  /** Spec §20: ten free pages and five free pairs, none of them with a free buddy. */
  function scattered() {
    const machine = bootFlat(64, { maxOrder: 3 });
    for (let n = 0; n < 64; n++) allocPages(machine, KERNEL, 0);
    for (let pfn = 1; pfn < 20; pfn += 2) freePages(machine, KERNEL, pfn, 0);
    for (let pfn = 24; pfn < 44; pfn += 4) for (const page of [pfn, pfn + 1]) freePages(machine, KERNEL, page, 0);
    return machine;
  }

  test('the worked vector of spec §20: 20 pages in 15 blocks', () => {
    expect(externalUse(scattered())).toEqual([
      {
        zone: 'Normal',
        freePages: 20,
        orders: [
          { blocks: 10, usable: 20, unusable: 0, index: -1000 },
          { blocks: 5, usable: 10, unusable: 500, index: -1000 },
          { blocks: 0, usable: 0, unusable: 1000, index: 600 },
          { blocks: 0, usable: 0, unusable: 1000, index: 767 },
        ],
      },
    ]);
  });

  test('/proc/fragmentation has a table for each zone', () => {
    expect(cat(scattered(), '/proc/fragmentation').split('\n').slice(-8)).toEqual([
      'External, in pages: those in blocks that are large enough for the order',
      'Node 0, zone   Normal, free pages 20',
      'order   blocks   usable unusable    index',
      '    0       10       20    0.000   -1.000',
      '    1        5       10    0.500   -1.000',
      '    2        0        0    1.000    0.600',
      '    3        0        0    1.000    0.767',
      '',
    ]);
  });
});

test('a pageblock that another type takes over is a fact for the screen', () => {
  const facts = createFacts(256);
  const machine = createMachine({ frames: 64, zones: { normal: 64 }, pageblockOrder: 4, mobility: true, minFreeKbytes: 0 }, facts);
  const since = facts.written;
  allocPages(machine, KERNEL, 0);
  const seen: number[][] = [];
  readFacts(facts, since, (kind, ...what) => {
    if (kind === FACT.pageblockRetagged) seen.push(what);
  });
  expect(seen).toEqual([0, 16, 32, 48].map((pfn) => [pfn, MIGRATE.unmovable, MIGRATE.movable]));
});
