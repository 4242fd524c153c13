/** Any list of calls on the slab allocators and pools keeps their invariants (quality.md, R3), survives saving and restoring, and repeats exactly. */
import { describe, expect, test } from 'vitest';
import { CALLS } from '#kernel/calls.ts';
import { fuzzSlab } from '../helpers/fuzz_slab.ts';
import { seeds } from '../helpers/seeds.ts';

const SHAPES: readonly [string, Record<string, unknown>][] = [
  ['SLUB, little memory', { frames: 256, zones: { normal: 256 }, mobility: false, minFreeKbytes: 0 }],
  [
    'SLUB, three zones, charged, root',
    { frames: 1024, zones: { dma: 128, normal: 640, highmem: 256 }, chargeKernel: true, root: [2], slab: { cpus: 4 } },
  ],
  ['SLUB, checked', { frames: 512, zones: { dma: 64, normal: 448 }, mobility: false, slab: { debug: true } }],
  ['SLAB, little memory', { frames: 256, zones: { normal: 256 }, mobility: false, minFreeKbytes: 0, slab: { allocator: 'slab' } }],
  [
    'SLAB, three zones, four CPUs, short lines',
    {
      frames: 1024,
      zones: { dma: 128, normal: 640, highmem: 256 },
      chargeKernel: true,
      slab: { allocator: 'slab', cpus: 4, cacheLine: 32 },
    },
  ],
  ['SLAB, checked', { frames: 512, zones: { dma: 64, normal: 448 }, mobility: false, slab: { allocator: 'slab', debug: true } }],
];
const STEPS = Number(process.env.FUZZ_STEPS ?? 8_000);
const SEEDS = 4;
const seen = new Map<string, number>();

describe.each(SHAPES)('%s', (_name, config) => {
  test.each(seeds(SEEDS))('seed %i', (seed) => {
    const broken = fuzzSlab(config, seed, Math.ceil(STEPS / SEEDS), seen);
    if (broken !== null) expect.fail(broken);
  });
});

test('every call of the slab allocators was among them', () => {
  const ours = Object.keys(CALLS).filter((name) => /^(kmalloc|kzalloc|kfree|ksize|kmem_cache|mempool|virt_to|phys_to)/.test(name));
  expect(ours).toHaveLength(15);
  if (process.env.TEST_SEED === undefined) expect(ours.filter((name) => !seen.has(name))).toEqual([]);
});
