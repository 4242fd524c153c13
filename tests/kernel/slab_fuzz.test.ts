/** Any list of calls on the slab allocators and pools keeps their invariants (quality.md, R3), survives saving and restoring, and repeats exactly. */
import { describe, expect, test } from 'vitest';
import { CALLS } from '#kernel/calls.ts';
import { type Machine, createMachine } from '#kernel/machine.ts';
import { granted, spawn } from '../helpers/boot.ts';
import { checkSlab } from '../helpers/check_slab.ts';
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
const STEPS = Number(process.env.FUZZ_STEPS ?? 4_000);
const SEEDS = 4;
const seen = new Map<string, number>();

describe.each(SHAPES)('%s', (_name, config) => {
  test.each(seeds(SEEDS))(
    'seed %i',
    (seed) => {
      const broken = fuzzSlab(config, seed, Math.ceil(STEPS / SEEDS), seen);
      if (broken !== null) expect.fail(broken);
    },
    600_000,
  );
});

test('every call of the slab allocators was among them', () => {
  const ours = Object.keys(CALLS).filter((name) => /^(kmalloc|kzalloc|kfree|ksize|kmem_cache|mempool|virt_to|phys_to)/.test(name));
  expect(ours).toHaveLength(15);
  if (process.env.TEST_SEED === undefined && STEPS >= 4000) expect(ours.filter((name) => !seen.has(name))).toEqual([]);
});

describe('the checker', () => {
  const slabs = (machine: Machine) => [...machine.slab.slabs.values()];
  const caches = (machine: Machine) => [...machine.slab.caches.values()].filter(({ live }) => live > 0);

  const OFFENCES: readonly [string, (machine: Machine) => void][] = [
    ['an object given out twice', (machine) => slabs(machine).forEach((slab) => slab.holder.fill(2))],
    ['a chain that is a circle', (machine) => slabs(machine).forEach((slab) => slab.link.fill(slab.free))],
    ['a wrong count', (machine) => caches(machine).forEach((cache) => (cache.live += 1))],
    ['a slab on two lists', (machine) => slabs(machine).forEach((slab) => (slab.on = slab.on === 3 ? 1 : 3))],
    ['a frame that says it is a process’s', (machine) => machine.frames.owner.fill(2)],
    ['an object that its holder does not know', (machine) => machine.tasks.get(2)!.objects.clear()],
    ['bytes that do not add up', (machine) => (machine.tasks.get(2)!.kernelBytes += 1)],
    ['slab pages that are not counted', (machine) => machine.vmstat.fill(0)],
    ['a cache that is not in the chain', (machine) => machine.slab.chain.pop()],
    ['a pool with an element too many', (machine) => machine.slab.pools.forEach((pool) => pool.elements.push(4096))],
  ];

  test.each(OFFENCES.flatMap(([what, offend]) => (['slub', 'slab'] as const).map((allocator) => [allocator, what, offend] as const)))(
    '%s: notices %s',
    (allocator, _what, offend) => {
      const machine = createMachine({ frames: 256, slab: { allocator } });
      const pid = spawn(machine);
      for (const size of [100, 100, 700, 9000]) granted(machine, pid, { call: 'kmalloc', size, gfp: 'GFP_KERNEL' });
      granted(machine, pid, { call: 'mempool_create', min_nr: 2, order: 0 });
      checkSlab(machine);
      offend(machine);
      expect(() => checkSlab(machine)).toThrow();
    },
  );
});
