/** The kernel's allocators and their limits: the table of spec §8, row by row, at both sides of each limit; and what may sleep. */
import { describe, expect, test } from 'vitest';
import { call, type Call, type Machine } from '#kernel/machine.ts';
import { boot, bootFlat, granted, KERNEL, KiB, MiB, mmap, PAGE, refused, spawn, touch } from '../helpers/boot.ts';
import { checkMachine } from '../helpers/check.ts';

/** 64 MiB in three zones, no marks. */
const ZONES = { frames: 16384, zones: { dma: 4096, normal: 8192, highmem: 4096 } };
/** 16 pages of addresses for vmalloc and ioremap, above 64 MiB of direct map. */
const SPACE = { vmalloc: { start: 0xc8000000, end: 0xc8010000 } };

interface Limit {
  name: string;
  config?: Record<string, unknown>;
  /** The request of a size: an order, bytes or pages, as the row says. */
  ask: (size: number) => Call;
  largest: number;
  first: number;
  why: string;
}

const kmalloc = (size: number): Call => ({ call: 'kmalloc', size, gfp: 'GFP_KERNEL' });
const LIMITS: readonly Limit[] = [
  {
    name: 'alloc_pages: order 10, 4 MiB',
    ask: (order) => ({ call: 'alloc_pages', order, gfp: 'GFP_KERNEL' }),
    largest: 10,
    first: 11,
    why: 'ORDER_TOO_LARGE',
  },
  {
    name: 'alloc_pages where maxOrder is less: 64 KiB',
    config: { maxOrder: 4 },
    ask: (order) => ({ call: 'alloc_pages', order, gfp: 'GFP_KERNEL' }),
    largest: 4,
    first: 5,
    why: 'ORDER_TOO_LARGE',
  },
  { name: 'kmalloc, SLUB: pages of 4 MiB', ask: kmalloc, largest: 4 * MiB, first: 4 * MiB + 1, why: 'ORDER_TOO_LARGE' },
  {
    name: 'kmalloc, SLAB: size-4194304 (KMALLOC_MAX_SIZE)',
    config: { slab: { allocator: 'slab' } },
    ask: kmalloc,
    largest: 4 * MiB,
    first: 4 * MiB + 1,
    why: 'ORDER_TOO_LARGE',
  },
  {
    name: 'kmalloc, SLUB of 2.6.32: pages of 4 MiB',
    config: { rules: '2.6.32' },
    ask: kmalloc,
    largest: 4 * MiB,
    first: 4 * MiB + 1,
    why: 'ORDER_TOO_LARGE',
  },
  {
    name: 'kmalloc where maxOrder makes it 128 KiB, as the lecture notes have it',
    config: { maxOrder: 5 },
    ask: kmalloc,
    largest: 128 * KiB,
    first: 128 * KiB + 1,
    why: 'ORDER_TOO_LARGE',
  },
  {
    name: 'kzalloc: as kmalloc',
    ask: (size) => ({ call: 'kzalloc', size, gfp: 'GFP_KERNEL' }),
    largest: 4 * MiB,
    first: 4 * MiB + 1,
    why: 'ORDER_TOO_LARGE',
  },
  {
    name: 'kmem_cache_create: an object fills the largest block',
    ask: (size) => ({ call: 'kmem_cache_create', name: 'large', size }),
    largest: 4 * MiB,
    first: 4 * MiB + 1,
    why: 'ORDER_TOO_LARGE',
  },
  {
    name: 'mempool_create of pages: order 10',
    ask: (order) => ({ call: 'mempool_create', min_nr: 1, order }),
    largest: 10,
    first: 11,
    why: 'ORDER_TOO_LARGE',
  },
  {
    name: 'dma_alloc_coherent: 4 MiB',
    ask: (size) => ({ call: 'dma_alloc_coherent', size }),
    largest: 4 * MiB,
    first: 4 * MiB + 1,
    why: 'ORDER_TOO_LARGE',
  },
  {
    name: 'cma_alloc: the region, more than 4 MiB in a row',
    config: { cma: { frames: 2048 }, mobility: true },
    ask: (count) => ({ call: 'cma_alloc', count }),
    largest: 2048,
    first: 2049,
    why: 'CMA_FULL',
  },
  {
    name: 'vmalloc: the addresses, less a guard page',
    config: SPACE,
    ask: (size) => ({ call: 'vmalloc', size }),
    largest: 15 * PAGE,
    first: 15 * PAGE + 1,
    why: 'VMALLOC_FULL',
  },
  {
    name: 'vmalloc: all of memory',
    config: { zones: { normal: 16384 } },
    ask: (size) => ({ call: 'vmalloc', size }),
    largest: 64 * MiB,
    first: 64 * MiB + 1,
    why: 'VMALLOC_TOO_LARGE',
  },
  {
    name: 'ioremap: the addresses, whatever memory is free',
    config: SPACE,
    ask: (size) => ({ call: 'ioremap', phys: 0xe0000000, size }),
    largest: 15 * PAGE,
    first: 15 * PAGE + 1,
    why: 'VMALLOC_FULL',
  },
  {
    name: 'alloc_bootmem: all of low memory but a page',
    ask: (bytes) => ({ call: 'alloc_bootmem', bytes }),
    largest: 48 * MiB - PAGE,
    first: 48 * MiB - PAGE + 1,
    why: 'LOW_MEMORY',
  },
];

describe('the largest request that succeeds and the first that fails', () => {
  test.each(LIMITS)('$name', ({ config, ask, largest, first, why }) => {
    const machine = boot({ ...ZONES, ...config });
    expect(refused(machine, KERNEL, ask(first))).toMatchObject({ errno: 'ENOMEM', why: { code: why } });
    granted(boot({ ...ZONES, ...config }), KERNEL, ask(largest));
    checkMachine(machine);
  });

  test('SLUB’s classes end at 8 KiB: beyond, kmalloc is pages', () => {
    const machine = boot(ZONES);
    const slabs = () => machine.slab.slabs.size;
    granted(machine, KERNEL, kmalloc(8192));
    expect([slabs(), machine.slab.large.size]).toEqual([1, 0]);
    granted(machine, KERNEL, kmalloc(8193));
    expect([slabs(), machine.slab.large.size]).toEqual([1, 1]);
  });

  test('kmalloc(0) is an address that faults, not a failure (ZERO_SIZE_PTR)', () => {
    expect(granted(boot(ZONES), KERNEL, kmalloc(0)).addr).toBe(16);
  });

  test('what needs an address in the direct map never gets high memory; alloc_pages and vmalloc do', () => {
    const highest = 12288 * PAGE;
    const machine = boot(ZONES);
    for (const request of [kmalloc(MiB), { call: 'dma_alloc_coherent', size: MiB }]) {
      const { addr } = granted(machine, KERNEL, request);
      expect((addr as number) - 0xc0000000).toBeLessThan(highest);
    }
    expect(granted(machine, KERNEL, { call: 'alloc_pages', order: 0, gfp: 'GFP_HIGHUSER' }).pfn! * PAGE).toBeGreaterThanOrEqual(highest);
  });

  test('a device of 24 address lines gets memory of the first 16 MiB, and none when that is gone', () => {
    const machine = boot(ZONES);
    const request = { call: 'dma_alloc_coherent', size: 4 * MiB, mask: 0xffffff };
    for (let n = 0; n < 4; n++) expect(granted(machine, KERNEL, request).dma_addr).toBeLessThan(16 * MiB);
    expect(refused(machine, KERNEL, request).errno).toBe('ENOMEM');
  });
});

/** A machine whose memory a process has to the last page. `before` is called while there is some. */
function full(before: (machine: Machine) => void): { machine: Machine; pid: number } {
  const machine = bootFlat(256);
  before(machine);
  const pid = spawn(machine);
  const addr = mmap(machine, pid, 256);
  let page = 0;
  while (machine.zones[0]!.free > 4) touch(machine, pid, 'write', addr + page++ * PAGE, 1);
  while (call(machine, KERNEL, { call: 'alloc_pages', order: 0, gfp: 'GFP_NOWAIT' }).ok);
  return { machine, pid };
}

const cached = (machine: Machine): void => {
  granted(machine, KERNEL, { call: 'kmem_cache_create', name: 'things', size: 3000 });
};
const pooled = (machine: Machine): void => {
  granted(machine, KERNEL, { call: 'mempool_create', min_nr: 1, order: 0 });
  granted(machine, KERNEL, { call: 'mempool_alloc', pool: 1, gfp: 'GFP_KERNEL' });
};
const nothing = (): void => {};

/** Allocators that take flags; `order` 0 requests, so that whoever may wait may have somebody killed. */
const WITH_FLAGS = [
  { name: 'alloc_pages', before: nothing, ask: (gfp: string): Call => ({ call: 'alloc_pages', order: 0, gfp }) },
  { name: 'kmalloc', before: nothing, ask: (gfp: string): Call => ({ call: 'kmalloc', size: 100, gfp }) },
  { name: 'kzalloc', before: nothing, ask: (gfp: string): Call => ({ call: 'kzalloc', size: 100, gfp }) },
  { name: 'kmem_cache_alloc', before: cached, ask: (gfp: string): Call => ({ call: 'kmem_cache_alloc', cache: 1, gfp }) },
];

describe('what may sleep', () => {
  test.each(WITH_FLAGS)('$name: GFP_ATOMIC and GFP_NOWAIT fail at once, GFP_KERNEL waits for the OOM killer', ({ before, ask }) => {
    const { machine, pid } = full(before);
    for (const gfp of ['GFP_ATOMIC', 'GFP_NOWAIT']) {
      expect(refused(machine, KERNEL, ask(gfp))).toMatchObject({ errno: 'ENOMEM', why: { code: 'LOW_MEMORY' } });
      expect(machine.tasks.has(pid), gfp).toBe(true);
    }
    granted(machine, KERNEL, ask('GFP_KERNEL'));
    expect(machine.tasks.has(pid)).toBe(false);
    checkMachine(machine);
  });

  test.each([
    ['vmalloc', { call: 'vmalloc', size: PAGE }],
    ['dma_alloc_coherent', { call: 'dma_alloc_coherent', size: PAGE }],
  ] as const)('%s takes no flags: it may always sleep', (_name, request) => {
    const { machine, pid } = full(nothing);
    granted(machine, KERNEL, request);
    expect(machine.tasks.has(pid)).toBe(false);
  });

  test('ioremap takes no memory, so it has nothing to wait for', () => {
    const { machine, pid } = full(nothing);
    granted(machine, KERNEL, { call: 'ioremap', phys: 0xe0000000, size: MiB });
    expect(machine.tasks.has(pid)).toBe(true);
  });

  test('mempool_alloc: with the reserve empty GFP_ATOMIC fails, and who may wait waits; nobody is killed for it', () => {
    const { machine, pid } = full(pooled);
    granted(machine, KERNEL, { call: 'mempool_alloc', pool: 1, gfp: 'GFP_ATOMIC' });
    const ask = (gfp: string): Call => ({ call: 'mempool_alloc', pool: 1, gfp });
    expect(refused(machine, KERNEL, ask('GFP_ATOMIC'))).toMatchObject({ errno: 'ENOMEM' });
    expect(refused(machine, KERNEL, ask('GFP_KERNEL'))).toMatchObject({ errno: 'EAGAIN', why: { code: 'WOULD_SLEEP' } });
    expect(machine.tasks.has(pid)).toBe(true);
  });

  test('kmap waits for a slot, kmap_atomic never does', () => {
    const machine = boot({ frames: 4096, zones: { normal: 2048, highmem: 2048 } });
    const pages = Array.from({ length: 1025 }, () => granted(machine, KERNEL, { call: 'alloc_pages', order: 0, gfp: 'GFP_HIGHUSER' }).pfn);
    for (const pfn of pages.slice(0, 1024)) granted(machine, KERNEL, { call: 'kmap', pfn });
    expect(refused(machine, KERNEL, { call: 'kmap', pfn: pages[1024] })).toMatchObject({ errno: 'EAGAIN', why: { code: 'WOULD_SLEEP' } });
    granted(machine, KERNEL, { call: 'kmap_atomic', pfn: pages[1024] });
  });
});
