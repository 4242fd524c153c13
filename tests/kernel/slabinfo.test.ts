/** What /proc says of the slab allocators: slabinfo (mm/slab_common.c), meminfo, vmstat, SysRq-m; and slabtop (procps). */
import { describe, expect, test } from 'vitest';
import { createFacts, FACT, readFacts } from '#kernel/facts.ts';
import { type Machine, createMachine, hash } from '#kernel/machine.ts';
import { KERNEL, boot, bootFlat, cat, freeIn, granted, refused } from '../helpers/boot.ts';
import { cacheAlloc, createCache, kfree, kmalloc, lineOf, many, pfnOf } from '../helpers/slabs.ts';

const kB = (machine: Machine, label: string): number =>
  Number(new RegExp(`^${label}: +(\\d+) kB$`, 'm').exec(cat(machine, '/proc/meminfo'))![1]);
const counter = (machine: Machine, name: string): number =>
  Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(cat(machine, '/proc/vmstat'))![1]);

describe('/proc/slabinfo', () => {
  test('is version 2.1, with the columns of the kernel, padded as it pads them', () => {
    const machine = bootFlat(256);
    const [version, columns, ...lines] = cat(machine, '/proc/slabinfo').split('\n');
    expect(version).toBe('slabinfo - version: 2.1');
    expect(columns).toBe(
      '# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab> : tunables <limit> <batchcount> <sharedfactor> : slabdata <active_slabs> <num_slabs> <sharedavail>',
    );
    expect(lines).toContain('kmalloc-8k             0      0   8192    4    8 : tunables    0    0    0 : slabdata      0      0      0');
    expect(lines.at(-1)).toBe('');
  });

  test('looking changes nothing', () => {
    const machine = bootFlat(256);
    kmalloc(machine, 100);
    const before = hash(machine);
    cat(machine, '/proc/slabinfo');
    granted(machine, KERNEL, { call: 'run', argv: ['slabtop'] });
    expect(hash(machine)).toBe(before);
  });

  test('lists the newest cache first; a cache that was destroyed not at all', () => {
    const machine = bootFlat(256);
    const first = createCache(machine, 'first', 300);
    createCache(machine, 'second', 400);
    const names = () =>
      cat(machine, '/proc/slabinfo')
        .split('\n')
        .slice(2, 4)
        .map((line) => line.split(' ')[0]);
    expect(names()).toEqual(['second', 'first']);
    granted(machine, KERNEL, { call: 'kmem_cache_destroy', cache: first });
    expect(names()[1]).toMatch(/^kmalloc-/);
  });

  test('a name longer than its column shifts the others, as in the kernel', () => {
    const machine = bootFlat(256);
    createCache(machine, 'a_name_of_more_than_17_letters', 300);
    expect(cat(machine, '/proc/slabinfo')).toContain('\na_name_of_more_than_17_letters      0      0    300   13    1 : tunables');
  });

  test('num_objs = slabs × objects of a slab, and active never more', () => {
    const machine = bootFlat(1024);
    const cache = createCache(machine, 'things', 300);
    for (const count of [1, 12, 13, 30]) {
      many(machine, cache, count);
      const line = lineOf(machine, 'things')!;
      expect(line.objects).toBe(line.slabs! * line.perSlab!);
      expect(line.active).toBeLessThanOrEqual(line.objects!);
    }
  });
});

describe('/proc/meminfo and /proc/vmstat', () => {
  test('Slab = SReclaimable + SUnreclaim, in pages of slabs; KReclaimable = SReclaimable', () => {
    const machine = boot({ frames: 4096 });
    kmalloc(machine, 100);
    kmalloc(machine, 100, 'GFP_KERNEL|__GFP_RECLAIMABLE');
    cacheAlloc(machine, createCache(machine, 'inodes', 900, { flags: 'SLAB_RECLAIM_ACCOUNT' }));
    const unreclaimable = 1;
    const reclaimable = 1 + 2;
    expect([counter(machine, 'nr_slab_reclaimable'), counter(machine, 'nr_slab_unreclaimable')]).toEqual([reclaimable, unreclaimable]);
    expect(['Slab', 'SReclaimable', 'SUnreclaim', 'KReclaimable'].map((label) => kB(machine, label))).toEqual([16, 12, 4, 12]);
  });

  test('MemFree and Slab together stay the same', () => {
    const machine = bootFlat(1024);
    const objects: number[] = [];
    for (let n = 0; n < 300; n++) {
      objects.push(kmalloc(machine, 1 + 37 * n));
      expect(kB(machine, 'MemFree') + kB(machine, 'Slab')).toBe(4096);
    }
    for (const addr of objects) kfree(machine, addr);
    expect(kB(machine, 'MemFree') + kB(machine, 'Slab')).toBe(4096);
  });

  test('half of what is reclaimable counts as available, or all but the low marks (si_mem_available)', () => {
    const machine = boot({ frames: 4096, minFreeKbytes: 1024 });
    const cache = createCache(machine, 'inodes', 4000, { flags: 'SLAB_RECLAIM_ACCOUNT' });
    const before = kB(machine, 'MemAvailable');
    many(machine, cache, 64);
    const pages = counter(machine, 'nr_slab_reclaimable');
    expect(pages).toBe(64);
    expect(kB(machine, 'MemAvailable')).toBe(before - 4 * Math.min(32, 320));
  });

  test('SysRq-m prints both', () => {
    const machine = bootFlat(256);
    kmalloc(machine, 100);
    expect(granted(machine, KERNEL, { call: 'sysrq', key: 'm' }).text).toContain('slab_reclaimable:0 slab_unreclaimable:1');
  });
});

describe('slabtop', () => {
  const top = (machine: Machine, ...args: string[]): string => granted(machine, KERNEL, { call: 'run', argv: ['slabtop', ...args] }).text!;

  test('prints totals and a line for each cache, the one with the most objects first', () => {
    const machine = bootFlat(1024);
    kmalloc(machine, 5000);
    kmalloc(machine, 8);
    const lines = top(machine, '-o').split('\n');
    expect(lines.slice(0, 9)).toEqual([
      ' Active / Total Objects (% used)    : 516 / 516 (100.0%)',
      ' Active / Total Slabs (% used)      : 2 / 2 (100.0%)',
      ' Active / Total Caches (% used)     : 2 / 26 (7.7%)',
      ' Active / Total Size (% used)       : 36.00K / 36.00K (100.0%)',
      ' Minimum / Average / Maximum Object : 0.01K / 0.07K / 8.00K',
      '',
      '  OBJS ACTIVE  USE OBJ SIZE  SLABS OBJ/SLAB CACHE SIZE NAME',
      '   512    512 100%    0.01K      1      512         4K kmalloc-8',
      '     4      4 100%    8.00K      1        4        32K kmalloc-8k',
    ]);
  });

  test.each([
    ['c', 'kmalloc-8k'],
    ['s', 'kmalloc-rcl-8k'],
    ['a', 'kmalloc-8'],
    ['n', 'kmalloc-128'],
  ])('sorted by %s, %s comes first', (key, name) => {
    const machine = bootFlat(1024);
    kmalloc(machine, 5000);
    kmalloc(machine, 8);
    for (const args of [
      ['-s', key],
      [`--sort=${key}`, '--once'],
    ])
      expect(
        top(machine, ...args)
          .split('\n')[7]!
          .trim()
          .split(/\s+/)
          .at(-1),
      ).toBe(name);
  });

  test('other programs and other options are none', () => {
    const machine = bootFlat(256);
    expect(refused(machine, KERNEL, { call: 'run', argv: ['reboot'] })).toMatchObject({
      errno: 'ENOENT',
      why: { code: 'NO_SUCH_FILE', path: 'reboot' },
    });
    for (const argv of [['slabtop', '-x'], ['slabtop', '-s'], ['slabtop', '-s', 'toString'], [], [''], 'slabtop', [1], ['x'.repeat(257)]]) {
      expect(refused(machine, KERNEL, { call: 'run', argv })).toMatchObject({ errno: 'EINVAL', why: { code: 'BAD_ARGUMENT' }, cost: 0 });
    }
  });
});

test('slabs that come and go are facts', () => {
  const facts = createFacts(256);
  const machine = createMachine({ frames: 256, zones: { normal: 256 }, minFreeKbytes: 0, mobility: false }, facts);
  const cache = createCache(machine, 'things', 1000);
  const addr = cacheAlloc(machine, cache);
  granted(machine, KERNEL, { call: 'kmem_cache_free', cache, addr });
  granted(machine, KERNEL, { call: 'kmem_cache_destroy', cache });
  const seen: number[][] = [];
  readFacts(facts, 0, (kind, a, b) => {
    if (kind === FACT.slabCreated || kind === FACT.slabDestroyed) seen.push([kind, a, b]);
  });
  expect(seen).toEqual([
    [FACT.slabCreated, pfnOf(addr), 1],
    [FACT.slabDestroyed, pfnOf(addr), 1],
  ]);
  expect(freeIn(machine)).toBe(256);
});

describe('the machine’s key slab', () => {
  test.each([
    ['allocator', { allocator: 'slob' }],
    ['cpus 0', { cpus: 0 }],
    ['cpus 1.5', { cpus: 1.5 }],
    ['cacheLine 48', { cacheLine: 48 }],
    ['cacheLine 8', { cacheLine: 8 }],
    ['debug 1', { debug: 1 }],
    ['an unknown key', { merge: false }],
    ['no object', 'slub'],
  ])('%s is refused', (_what, slab) => {
    expect(() => createMachine({ frames: 256, slab })).toThrow(/slab/);
  });

  test('CPUs change sizes of slabs, cache lines their alignment, and nothing else', () => {
    const one = createMachine({ frames: 4096 });
    const four = createMachine({ frames: 4096, slab: { cpus: 4, cacheLine: 128 } });
    expect([lineOf(one, 'kmalloc-512')!.pages, lineOf(four, 'kmalloc-512')!.pages]).toEqual([1, 2]);
    createCache(four, 'aligned', 100, { flags: 'SLAB_HWCACHE_ALIGN' });
    expect(lineOf(four, 'aligned')!.size).toBe(128);
    expect(freeIn(four)).toBe(freeIn(one));
  });
});
