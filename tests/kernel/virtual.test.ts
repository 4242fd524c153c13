/** Any list of calls on the kernel's virtual space keeps its invariants (quality.md, R3), survives saving and restoring, and repeats exactly. */
import { describe, expect, test } from 'vitest';
import { createFacts, FACT, readFacts } from '#kernel/facts.ts';
import { call, createMachine, hash, restore, snapshot } from '#kernel/machine.ts';
import { KERNEL, PAGE, boot, granted, spawn } from '../helpers/boot.ts';
import { fuzzVirtual } from '../helpers/fuzz_virtual.ts';
import { seeds } from '../helpers/seeds.ts';

const SHAPES: readonly [string, Record<string, unknown>][] = [
  [
    'a small space, high memory',
    {
      frames: 768,
      zones: { normal: 256, highmem: 512 },
      minFreeKbytes: 0,
      mobility: false,
      vmalloc: { start: 0xe0000000, end: 0xe0100000 },
    },
  ],
  [
    'a tiny space, little memory, root',
    {
      frames: 160,
      zones: { dma: 32, normal: 128 },
      minFreeKbytes: 0,
      mobility: false,
      root: [2, 3, 5],
      vmalloc: { start: 0xe0001000, end: 0xe0040000 },
    },
  ],
  [
    'the layout’s own space, three zones, charged',
    { frames: 1024, zones: { dma: 64, normal: 448, highmem: 512 }, mobility: false, chargeKernel: true, reserved: 5 },
  ],
  [
    '2 GiB for the kernel',
    {
      frames: 512,
      zones: { normal: 384, highmem: 128 },
      mobility: false,
      minFreeKbytes: 0,
      pageOffset: 0x80000000,
      vmalloc: { end: 0x81900000 },
    },
  ],
];
const STEPS = Number(process.env.FUZZ_STEPS ?? 20_000);
const SEEDS = 5;

describe.each(SHAPES)('%s', (_name, config) => {
  test.each(seeds(SEEDS))('seed %i', (seed) => {
    const broken = fuzzVirtual(config, seed, Math.ceil(STEPS / SEEDS));
    if (broken !== null) expect.fail(broken);
  });
});

test('a saved and restored machine has the same areas, mappings and regions, and goes on alike', () => {
  const machine = boot({ frames: 1024, zones: { normal: 512, highmem: 512 } });
  const pid = spawn(machine);
  const pfn = granted(machine, pid, { call: 'alloc_pages', order: 0, gfp: '__GFP_HIGHMEM' }).pfn!;
  const area = granted(machine, pid, { call: 'vmalloc', size: 5 * PAGE }).addr as number;
  for (const request of [
    { call: 'vmalloc', size: PAGE },
    { call: 'vfree', addr: area },
    { call: 'ioremap', phys: 0xfed00000, size: 100 },
    { call: 'request_mem_region', phys: 0xfed00000, size: 100 },
    { call: 'kmap', pfn },
    { call: 'kmap_atomic', pfn },
    { call: 'dma_alloc_coherent', size: 3 * PAGE, mask: 0xffffff },
  ])
    granted(machine, pid, request);
  const again = restore(snapshot(machine));
  expect(hash(again)).toBe(hash(machine));
  for (const request of [{ call: 'vmalloc', size: 70 * PAGE }, { call: 'kunmap', pfn }, { call: 'exit' }]) {
    expect(call(again, pid, request)).toEqual(call(machine, pid, request));
    expect(hash(again)).toBe(hash(machine));
  }
});

test('facts tell what happened, to whoever draws it', () => {
  const ring = createFacts(256);
  const machine = createMachine({ frames: 1024, zones: { normal: 512, highmem: 512 }, minFreeKbytes: 0, mobility: false }, ring);
  const area = granted(machine, KERNEL, { call: 'vmalloc', size: 2 * PAGE }).addr as number;
  const { pfn } = granted(machine, KERNEL, { call: 'alloc_pages', order: 0, gfp: '__GFP_HIGHMEM' });
  for (const request of [
    { call: 'kmap', pfn },
    { call: 'kunmap', pfn },
    { call: 'dma_transfer', channel: 2, addr: 0x1800, count: 512, mode: 'block' },
    { call: 'vfree', addr: area },
  ]) {
    granted(machine, KERNEL, request);
  }
  const seen: number[][] = [];
  readFacts(ring, 0, (kind, a, b, c) => {
    if (kind >= FACT.areaMapped && kind <= FACT.dmaMoved) seen.push([kind, a, b, c]);
  });
  expect(seen).toEqual([
    [FACT.areaMapped, area / PAGE, 2, KERNEL],
    [FACT.pageKmapped, pfn, 1, KERNEL],
    [FACT.pageKunmapped, pfn, 1, KERNEL],
    [FACT.dmaMoved, 1, 2, 512],
    [FACT.areaFreed, area / PAGE, 2, KERNEL],
  ]);
});

test('areas, mappings, regions and buffers are in the hash', () => {
  const fresh = () => createMachine({ frames: 1024, zones: { normal: 512, highmem: 512 }, minFreeKbytes: 0, mobility: false });
  const seen = new Set([hash(fresh())]);
  for (const request of [
    { call: 'vmalloc', size: PAGE },
    { call: 'ioremap', phys: 0xfed00000, size: 100 },
    { call: 'ioremap', phys: 0xfee00000, size: 100 },
    { call: 'request_mem_region', phys: 0xfed00000, size: 100 },
    { call: 'dma_alloc_coherent', size: PAGE },
  ]) {
    const machine = fresh();
    granted(machine, KERNEL, request);
    seen.add(hash(machine));
  }
  const machine = fresh();
  const { pfn } = granted(machine, KERNEL, { call: 'alloc_pages', order: 0, gfp: '__GFP_HIGHMEM' });
  seen.add(hash(machine));
  granted(machine, KERNEL, { call: 'kmap', pfn });
  seen.add(hash(machine));
  expect(seen.size).toBe(8);
});
