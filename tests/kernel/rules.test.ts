/** `rules`: whose kernel it is where 2.6.32 and 6.x differ (spec, tag [K26]). */
import { freeBlocks } from '#kernel/mm/buddy.ts';
import { describe, expect, test } from 'vitest';
import { call, ConfigError, createMachine, hash, restore, snapshot, type Machine } from '#kernel/machine.ts';
import { MIGRATE } from '#kernel/types.ts';
import { allocPages, boot, bootFlat, cat, freeLists, freePages, granted, KERNEL, refused, zoneNamed } from '../helpers/boot.ts';
import { checkMachine } from '../helpers/check.ts';
import { linesOf } from '../helpers/procText.ts';

const OLD = { rules: '2.6.32' };

test('rules is one of two words, 6.x when it is left out', () => {
  expect(createMachine({ frames: 64 }).config.rules).toBe('6.x');
  expect(createMachine({ frames: 64, rules: '2.6.32' }).config.rules).toBe('2.6.32');
  for (const rules of ['2.6', '2.6.33', '6.X', '', null, 6, 2.6, ['6.x'], {}, true]) {
    expect(() => createMachine({ frames: 64, rules }), String(rules)).toThrow(ConfigError);
  }
});

test('2.6.32 has no contiguous memory area: CMA came with 3.5', () => {
  expect(() => createMachine({ frames: 1024, cma: { frames: 64 }, rules: '2.6.32' })).toThrow(/cma/);
});

describe('golden values of spec §20, columns [K26] (pages min/low/high)', () => {
  const GOLDEN = [
    [32, '90/112/135', '90/112/135', null, [16]],
    [64, '64/80/96', '192/240/288', null, [48]],
    [128, '45/56/67', '316/395/474', null, [112]],
    [256, '32/40/48', '480/600/720', null, [240]],
    [512, '22/27/33', '701/876/1051', null, [496]],
    [1024, '17/21/25', '939/1173/1408', '32/66/100', [880, 1008, 1024]],
    [2048, '17/21/25', '939/1173/1408', '128/435/743', [880, 2032, 9216]],
    [4096, '17/21/25', '939/1173/1408', '128/982/1836', [880, 4080, 25600]],
  ] as const;

  test.each(GOLDEN)('%i MiB', (ram, dma, normal, highmem, reserve) => {
    const frames = ram * 256;
    const lowmem = Math.min(frames, 229376);
    const zones = { dma: 4096, normal: lowmem - 4096, highmem: frames - lowmem };
    const machine = boot({ ...OLD, frames, zones, minFreeKbytes: undefined });
    const marks = machine.zones.map(({ watermark: { min, low, high } }) => `${min}/${low}/${high}`);
    expect(marks).toEqual(highmem === null ? [dma, normal] : [dma, normal, highmem]);
    const [first, second] = machine.zones.map((zone) => zone.lowmemReserve);
    expect([...first!.slice(1), ...second!.slice(2)]).toEqual([...reserve]);
  });

  test('min_free_kbytes stops at 65,536 kB, not at 262,144 (init_per_zone_wmark_min)', () => {
    const { zones } = createMachine({ ...OLD, frames: 64, zones: { normal: 64 }, mobility: false });
    expect(zones[0]!.watermark.min).toBe(32);
  });
});

describe('zone_watermark_ok', () => {
  /** 64 frames: the block 0 to 3 is free, and every second page from 33 on; min_free_kbytes 32: marks 8/10/12. */
  function scattered(rules: string): Machine {
    const machine = bootFlat(64, { rules });
    for (let n = 0; n < 64; n++) allocPages(machine, KERNEL, 0);
    for (let pfn = 0; pfn < 4; pfn++) freePages(machine, KERNEL, pfn, 0);
    for (let pfn = 33; pfn < 64; pfn += 2) freePages(machine, KERNEL, pfn, 0);
    granted(machine, KERNEL, { call: 'sysctl', name: 'vm.min_free_kbytes', value: 32 });
    return machine;
  }

  test('single pages do not count for a larger request: 20 are free, 17 of them after it, 16 of those single: 1 is not above half of 6', () => {
    const request = { call: 'alloc_pages', order: 2, gfp: 'GFP_NOWAIT' };
    expect(refused(scattered('2.6.32'), KERNEL, request).errno).toBe('ENOMEM');
    expect(granted(scattered('6.x'), KERNEL, request).pfn).toBe(0);
  });

  test('who cannot wait goes a quarter deeper, high priority or not (ALLOC_HARDER): 8 → 6 for GFP_NOWAIT, 4 → 3 for GFP_ATOMIC', () => {
    const left = (gfp: string) => {
      const machine = bootFlat(64, { ...OLD, minFreeKbytes: 32 });
      const zone = zoneNamed(machine, 'Normal');
      for (let last = -1; last !== zone.free;) {
        last = zone.free;
        if (zone.free > 0) call(machine, KERNEL, { call: 'alloc_pages', order: 0, gfp });
      }
      return zone.free;
    };
    expect(left('GFP_NOWAIT')).toBe(6);
    expect(left('GFP_ATOMIC')).toBe(3);
  });
});

describe('the buddy', () => {
  test('boot frees to the heads of the lists: first allocations come from the highest block (free_all_bootmem)', () => {
    const machine = bootFlat(4096, OLD);
    expect(freeLists(machine)[10]).toEqual([3072, 2048, 1024, 0]);
    expect(allocPages(machine, KERNEL, 0)).toBe(3072);
  });

  test('a freed block is always first in its list: the tail is for those that would merge soon came with 2.6.35', () => {
    const lists = (rules: string) => {
      const machine = bootFlat(64, { rules, maxOrder: 4 });
      const held = Array.from({ length: 64 }, () => allocPages(machine, KERNEL, 0)).toSorted((a, b) => a - b);
      for (const pfn of [4, 5, 6, 7, 12, 13, 0, 1]) freePages(machine, KERNEL, held[pfn]!, 0);
      checkMachine(machine);
      return freeLists(machine)[1];
    };
    expect(lists('2.6.32')).toEqual([0, 12]);
    expect(lists('6.x')).toEqual([12, 0]);
  });
});

describe('grouping by mobility', () => {
  test('one or two pageblocks at the bottom of a zone are kept for whoever finds nothing else (MIGRATE_RESERVE)', () => {
    const machine = createMachine({ ...OLD, frames: 1024, zones: { normal: 1024 }, pageblockOrder: 4, minFreeKbytes: 80 });
    expect(zoneNamed(machine, 'Normal').watermark.min).toBe(20);
    expect([...machine.frames.pageblock.subarray(0, 3)]).toEqual([MIGRATE.highatomic, MIGRATE.highatomic, MIGRATE.movable]);
    const first = linesOf(cat(machine, '/proc/pagetypeinfo')).at(-1);
    expect(first).toBe(`Node 0, zone   Normal ${[0, 0, 62, 2, 0].map((blocks) => `${String(blocks).padStart(12)} `).join('')}`);
    granted(machine, KERNEL, { call: 'sysctl', name: 'vm.min_free_kbytes', value: 40 });
    expect([...machine.frames.pageblock.subarray(0, 2)]).toEqual([MIGRATE.highatomic, MIGRATE.movable]);
    for (let taken = 0; taken < 1008; taken++) allocPages(machine, KERNEL, 0);
    expect(freeLists(machine)[4]).toEqual([0]);
    expect(allocPages(machine, KERNEL, 0)).toBe(0);
    checkMachine(machine);
  });

  test('the types in its own order: Reclaimable before Movable, Reserve, no CMA', () => {
    const machine = createMachine({ ...OLD, frames: 1024, zones: { normal: 1024 }, pageblockOrder: 4, minFreeKbytes: 0 });
    const names = linesOf(cat(machine, '/proc/pagetypeinfo')).flatMap((line) => /, type +(\w+)/.exec(line)?.[1] ?? []);
    expect(names).toEqual(['Unmovable', 'Reclaimable', 'Movable', 'Reserve', 'Isolate']);
  });

  test('a pageblock that is mostly used keeps its tag, and its free pages change lists all the same', () => {
    const lists = (rules: string) => {
      const machine = createMachine({
        rules,
        frames: 64,
        zones: { normal: 64 },
        reserved: 48,
        pageblockOrder: 4,
        mobility: true,
        minFreeKbytes: 0,
      });
      allocPages(machine, KERNEL, 3, 'GFP_HIGHUSER_MOVABLE');
      allocPages(machine, KERNEL, 2, 'GFP_HIGHUSER_MOVABLE');
      expect(allocPages(machine, KERNEL, 0)).toBe(60);
      const zone = zoneNamed(machine, 'Normal');
      checkMachine(machine);
      return {
        tag: machine.frames.pageblock[3],
        unmovable: [freeBlocks(zone, 0, MIGRATE.unmovable), freeBlocks(zone, 1, MIGRATE.unmovable)],
      };
    };
    expect(lists('2.6.32')).toEqual({ tag: MIGRATE.movable, unmovable: [1, 1] });
    // Since 4.11 what is alike counts too: 4 free and 12 unmovable pages are most of the pageblock.
    expect(lists('6.x')).toEqual({ tag: MIGRATE.unmovable, unmovable: [1, 1] });
  });

  test('a saved and restored machine goes on alike', () => {
    const machine = createMachine({ ...OLD, frames: 1024, zones: { dma: 64, normal: 960 }, pageblockOrder: 4 });
    for (let n = 0; n < 60; n++) allocPages(machine, KERNEL, n % 3, n % 2 === 0 ? 'GFP_HIGHUSER_MOVABLE' : 'GFP_KERNEL');
    const twin = restore(snapshot(machine));
    for (const each of [machine, twin]) allocPages(each, KERNEL, 2, 'GFP_KERNEL|__GFP_RECLAIMABLE');
    expect(hash(twin)).toBe(hash(machine));
  });
});

test('nothing is compacted: that came with 2.6.35, and so did its knob', () => {
  const machine = createMachine({ ...OLD, frames: 1024, zones: { normal: 1024 } });
  const why = { code: 'BAD_ARGUMENT', argument: 'name' };
  expect(refused(machine, KERNEL, { call: 'sysctl', name: 'vm.compact_memory', value: 1 })).toMatchObject({ errno: 'EINVAL', why });
});

describe('SLUB', () => {
  test('its classes by their names, with the lecture notes’ 4 CPUs: objects and pages of a slab (000, slabinfo)', () => {
    const machine = createMachine({ ...OLD, frames: 65536, slab: { cpus: 4 } });
    const lines = linesOf(cat(machine, '/proc/slabinfo')).map((line) => line.split(/ +/));
    const found = (name: string) =>
      lines
        .find((line) => line[0] === name)
        ?.slice(3, 6)
        .map(Number);
    expect(found('kmalloc-8192')).toEqual([8192, 4, 8]);
    expect(found('kmalloc-4096')).toEqual([4096, 8, 8]);
    expect(found('kmalloc-256')).toEqual([256, 16, 1]);
    expect(lines.some((line) => line[0]!.startsWith('kmalloc-rcl'))).toBe(false);
  });

  test('no partial list at the CPU, and an empty slab goes back at once (__slab_free)', () => {
    const machine = createMachine({ ...OLD, frames: 4096, zones: { normal: 4096 } });
    const cache = granted(machine, KERNEL, { call: 'kmem_cache_create', name: 'chunks', size: 1000 }).cache as number;
    const addrs = Array.from({ length: 9 }, () => granted(machine, KERNEL, { call: 'kmem_cache_alloc', cache }).addr as number);
    const slabs = () =>
      linesOf(cat(machine, '/proc/slabinfo'))
        .find((line) => line.startsWith('chunks'))!
        .split(/ +/)
        .at(-2);
    expect(slabs()).toBe('2');
    for (const addr of addrs.slice(0, 8)) granted(machine, KERNEL, { call: 'kmem_cache_free', cache, addr });
    expect(slabs()).toBe('1');
    checkMachine(machine);
  });
});
