/** Grouping pages by mobility (mm/page_alloc.c, spec §5, 6.x rules). */
import { describe, expect, test } from 'vitest';
import { call, createMachine, tick, type Machine } from '#kernel/machine.ts';
import { MIGRATE } from '#kernel/types.ts';
import { checkMachine } from '../helpers/check.ts';
import { allocPages, bootFlat, cat, freePages, granted, KERNEL, mmap, refused, spawn, touch, zoneNamed } from '../helpers/boot.ts';

const PAGEBLOCK = 4;
const SIZE = 1 << PAGEBLOCK;
/** A flat machine whose pageblocks are of order 4, so that much happens in little memory. */
const small = (frames = 1024) => bootFlat(frames, { pageblockOrder: PAGEBLOCK, mobility: true, minFreeKbytes: 0 });
const typeAt = (machine: Machine, pfn: number) => machine.frames.pageblock[pfn >> machine.frames.pageblockOrder];

describe('pageblocks', () => {
  test('all begin movable (memmap_init)', () => {
    const machine = small();
    expect(machine.frames.pageblock.slice(0, 1024 / SIZE).every((type) => type === MIGRATE.movable)).toBe(true);
  });

  test('mobility is off by itself where the machine has fewer than six pageblocks (page_group_by_mobility_disabled)', () => {
    expect(createMachine({ frames: 640, pageblockOrder: 7, maxOrder: 10 }).config.mobility).toBe(false);
    expect(createMachine({ frames: 768, pageblockOrder: 7, maxOrder: 10 }).config.mobility).toBe(true);
  });

  test('/proc/pagetypeinfo: its columns add up to buddyinfo, its blocks to the zone', () => {
    const machine = small();
    allocPages(machine, KERNEL, 0);
    allocPages(machine, KERNEL, 2, 'GFP_KERNEL|__GFP_RECLAIMABLE');
    const rows = cat(machine, '/proc/pagetypeinfo')
      .split('\n')
      .filter((line) => line.includes(', type '));
    const sums = Array.from({ length: 11 }, (_, order) => rows.reduce((sum, row) => sum + Number(row.trim().split(/\s+/)[6 + order]), 0));
    const buddy = cat(machine, '/proc/buddyinfo').trim().split(/\s+/).slice(4).map(Number);
    expect(sums).toEqual(buddy);
    const blocks = cat(machine, '/proc/pagetypeinfo').trim().split('\n').at(-1)!.trim().split(/\s+/).slice(4).map(Number);
    expect(blocks.reduce((sum, count) => sum + count, 0)).toBe(1024 / SIZE);
  });
});

describe('fallback', () => {
  test('an unmovable request takes the largest block of another type, and all its pageblocks with it', () => {
    const machine = small();
    const pfn = allocPages(machine, KERNEL, 0);
    expect(pfn).toBe(0);
    expect(typeAt(machine, 0)).toBe(MIGRATE.unmovable);
    expect(typeAt(machine, 1023)).toBe(MIGRATE.unmovable);
    checkMachine(machine);
  });

  test('of equal blocks unmovable takes the reclaimable one, not the movable one (fallbacks)', () => {
    const machine = small(64);
    const blocks = Array.from({ length: 4 }, () => allocPages(machine, KERNEL, PAGEBLOCK, 'GFP_HIGHUSER_MOVABLE'));
    machine.frames.pageblock[blocks[2]! >> PAGEBLOCK] = MIGRATE.reclaimable;
    freePages(machine, KERNEL, blocks[0]!, PAGEBLOCK);
    freePages(machine, KERNEL, blocks[2]!, PAGEBLOCK);
    expect(allocPages(machine, KERNEL, 0)).toBe(blocks[2]);
    expect(typeAt(machine, blocks[0]!)).toBe(MIGRATE.movable);
  });

  test('a pageblock that is mostly free is claimed whole; one that is mostly movable pages is only broken into', () => {
    const mostlyFree = small(64);
    const [first] = Array.from({ length: 4 }, () => allocPages(mostlyFree, KERNEL, PAGEBLOCK, 'GFP_HIGHUSER_MOVABLE'));
    freePages(mostlyFree, KERNEL, first!, PAGEBLOCK);
    const taken = Array.from({ length: 4 }, () => allocPages(mostlyFree, KERNEL, 0, 'GFP_HIGHUSER_MOVABLE'));
    allocPages(mostlyFree, KERNEL, 0);
    expect(typeAt(mostlyFree, taken[0]!)).toBe(MIGRATE.unmovable);
    checkMachine(mostlyFree);

    const machine = small(64);
    const pid = granted(machine, KERNEL, { call: 'spawn' }).pid!;
    const addr = mmap(machine, pid, 64);
    touch(machine, pid, 'write', addr, 58);
    const before = machine.frames.pageblock.slice(0, 4);
    const pfn = allocPages(machine, KERNEL, 0, 'GFP_KERNEL|__GFP_RECLAIMABLE');
    expect(machine.frames.pageblock.slice(0, 4)).toEqual(before);
    expect(typeAt(machine, pfn)).not.toBe(MIGRATE.reclaimable);
    checkMachine(machine);
  });
});

describe('the reserve for requests that cannot wait (HIGHATOMIC, since 4.4)', () => {
  /** 4,096 frames: 1 % is 40 pages, so up to three pageblocks of 16. */
  const roomy = () => createMachine({ frames: 4096, zones: { normal: 4096 }, pageblockOrder: PAGEBLOCK });

  test('a high-order GFP_ATOMIC request below the low mark keeps its pageblock, at most about 1 % of the zone', () => {
    const machine = roomy();
    const zone = zoneNamed(machine, 'Normal');
    while (zone.free > zone.watermark.low + 8) allocPages(machine, KERNEL, 0);
    while (isGranted(machine));
    expect(zone.reservedHighatomic).toBeGreaterThan(0);
    expect(zone.reservedHighatomic).toBeLessThanOrEqual(48);
    checkMachine(machine);
  });

  function isGranted(machine: Machine): boolean {
    return call(machine, KERNEL, { call: 'alloc_pages', order: 1, gfp: 'GFP_ATOMIC' }).ok;
  }

  test('GFP_NOWAIT keeps nothing for itself: only __GFP_HIGH that cannot wait does (gfp_to_alloc_flags)', () => {
    const machine = roomy();
    const zone = zoneNamed(machine, 'Normal');
    while (zone.free > zone.watermark.low + 8) allocPages(machine, KERNEL, 0);
    while (call(machine, KERNEL, { call: 'alloc_pages', order: 1, gfp: 'GFP_NOWAIT' }).ok);
    expect(zone.reservedHighatomic).toBe(0);
    expect(isGranted(machine)).toBe(true);
    expect(zone.reservedHighatomic).toBe(16);
  });

  test('where 1 % of a zone is less than a pageblock nothing is kept', () => {
    const machine = createMachine({ frames: 1024, zones: { normal: 1024 }, pageblockOrder: PAGEBLOCK });
    const zone = zoneNamed(machine, 'Normal');
    while (zone.free > zone.watermark.low + 4) allocPages(machine, KERNEL, 0);
    isGranted(machine);
    expect(zone.reservedHighatomic).toBe(0);
  });
});

test('mixing types below a pageblock raises the marks until kswapd has run (watermark_boost, since 5.0)', () => {
  const machine = createMachine({ frames: 256, zones: { normal: 256 }, pageblockOrder: PAGEBLOCK });
  const zone = zoneNamed(machine, 'Normal');
  const [stays, leaves] = [spawn(machine), spawn(machine)];
  const areas = [mmap(machine, stays, 100), mmap(machine, leaves, 100)];
  for (let page = 0; page < 90; page++) [stays, leaves].forEach((pid, n) => touch(machine, pid, 'write', areas[n]! + page * 4096, 1));
  granted(machine, leaves, { call: 'exit' });
  let boosted = 0;
  for (let n = 0; n < 100 && boosted === 0; n++) {
    allocPages(machine, KERNEL, 0);
    boosted = zone.boost;
  }
  expect(boosted).toBe(Math.min(SIZE, Math.max(SIZE, Math.floor(zone.watermark.high * 1.5))));
  expect(cat(machine, '/proc/zoneinfo')).toContain(`boost    ${boosted}`);
  tick(machine);
  expect(zone.boost).toBe(0);
});

test('GFP_DMA and movable requests keep to their zones: a movable page in DMA comes only by fallback', () => {
  const machine = createMachine({ frames: 1024, zones: { dma: 64, normal: 960 }, pageblockOrder: PAGEBLOCK, minFreeKbytes: 0 });
  expect(allocPages(machine, KERNEL, 0, 'GFP_DMA')).toBeLessThan(64);
  expect(allocPages(machine, KERNEL, 0, 'GFP_HIGHUSER_MOVABLE')).toBeGreaterThanOrEqual(64);
  expect(refused(machine, KERNEL, { call: 'alloc_pages', order: 7, gfp: 'GFP_DMA' }).errno).toBe('ENOMEM');
});
