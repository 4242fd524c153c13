/** The contiguous memory allocator, boot memory and mem= (mm/cma.c, mm/memblock.c; spec §7, §8, calls.md). */
import { describe, expect, test } from 'vitest';
import { call, createMachine, hash, type Machine } from '#kernel/machine.ts';
import { MIGRATE } from '#kernel/types.ts';
import { checkMachine } from '../helpers/check.ts';
import { allocPages, cat, freeIn, granted, KERNEL, mmap, PAGE, refused, spawn, touch } from '../helpers/boot.ts';

const REGION = 256;
const lent = (config: Record<string, unknown> = {}): Machine =>
  createMachine({ frames: 2048, zones: { normal: 2048 }, pageblockOrder: 5, minFreeKbytes: 0, cma: { frames: REGION }, ...config });
const typeAt = (machine: Machine, pfn: number) => machine.frames.pageblock[pfn >> machine.frames.pageblockOrder];

describe('the region', () => {
  test('is whole pageblocks at the top of the zone, of type CMA, and free', () => {
    const machine = lent({ cma: { frames: 250 } });
    expect([typeAt(machine, 1791), typeAt(machine, 1792), typeAt(machine, 2047)]).toEqual([MIGRATE.movable, MIGRATE.cma, MIGRATE.cma]);
    expect(freeIn(machine)).toBe(2048);
    checkMachine(machine);
  });

  test('is lent to movable pages only: kernel requests leave it alone to the last page', () => {
    const machine = lent();
    const taken: number[] = [];
    for (
      let answer = call(machine, KERNEL, { call: 'alloc_pages', order: 0, gfp: 'GFP_NOWAIT' });
      answer.ok;
      answer = call(machine, KERNEL, { call: 'alloc_pages', order: 0, gfp: 'GFP_NOWAIT' })
    )
      taken.push(answer.pfn!);
    expect(taken.length).toBe(2048 - REGION);
    expect(Math.max(...taken)).toBeLessThan(1792);
    expect(allocPages(machine, KERNEL, 0, 'GFP_HIGHUSER_MOVABLE')).toBeGreaterThanOrEqual(1792);
    checkMachine(machine);
  });

  test('movable pages go there first while more than half of what is free lies in it (since 3.5, __rmqueue)', () => {
    const machine = lent();
    const pid = spawn(machine);
    for (let n = 0; n < 1600; n++) allocPages(machine, KERNEL, 0);
    touch(machine, pid, 'write', mmap(machine, pid, 1), 1);
    const used = machine.frames.mapcount.slice(1792, 2048).filter((count) => count > 0).length;
    expect(used).toBe(1);
  });

  test('/proc/meminfo has CmaTotal and CmaFree at its end, where there is an area (fs/proc/meminfo.c, CONFIG_CMA)', () => {
    const machine = createMachine({ frames: 1024, zones: { normal: 1024 }, pageblockOrder: 4, cma: { frames: 128 }, minFreeKbytes: 0 });
    const last = () => cat(machine, '/proc/meminfo').split('\n').slice(-3, -1);
    expect(last()).toEqual(['CmaTotal:            512 kB', 'CmaFree:             512 kB']);
    granted(machine, KERNEL, { call: 'cma_alloc', count: 100 });
    expect(last()).toEqual(['CmaTotal:            512 kB', 'CmaFree:             112 kB']);
    expect(cat(lent({ cma: undefined }), '/proc/meminfo')).not.toContain('Cma');
  });

  test('after an attempt that failed, what isolation cut apart is one free block again (unset_migratetype_isolate)', () => {
    const machine = lent();
    const pid = spawn(machine);
    for (let n = 0; n < 1600; n++) allocPages(machine, KERNEL, 0);
    const addr = mmap(machine, pid, 1);
    touch(machine, pid, 'write', addr, 1);
    granted(machine, pid, { call: 'pin_user_pages', addr, length: PAGE });
    const before = cat(machine, '/proc/buddyinfo');
    expect(refused(machine, KERNEL, { call: 'cma_alloc', count: REGION })).toMatchObject({ errno: 'EBUSY' });
    expect(cat(machine, '/proc/buddyinfo')).toBe(before);
    checkMachine(machine);
  });

  test('/proc/zoneinfo shows its size and what of it is free', () => {
    const machine = createMachine({ frames: 1024, zones: { normal: 1024 }, pageblockOrder: 4, cma: { frames: 128 }, minFreeKbytes: 0 });
    expect(cat(machine, '/proc/zoneinfo')).toMatch(/\n {8}cma {6}128\n[^]*\n {6}nr_free_cma {2}128\n/);
    granted(machine, 0, { call: 'cma_alloc', count: 100 });
    expect(cat(machine, '/proc/zoneinfo')).toMatch(/\n {8}cma {6}128\n[^]*\n {6}nr_free_cma {2}28\n/);
  });

  test('needs migratetypes', () => {
    expect(() => createMachine({ frames: 2048, mobility: false, cma: { frames: 64 } })).toThrow(/cma/);
  });
});

describe('cma_alloc', () => {
  test('moves the pages that were lent and gives the run; nobody loses a page', () => {
    const machine = lent();
    const pid = spawn(machine);
    const addr = mmap(machine, pid, 1800);
    touch(machine, pid, 'write', addr, 1500);
    granted(machine, pid, { call: 'poke', addr: addr + 1499 * PAGE, bytes: [7] });
    const free = freeIn(machine);
    const { pfn } = granted(machine, KERNEL, { call: 'cma_alloc', count: 200 });
    expect(pfn).toBe(1792);
    expect(freeIn(machine)).toBe(free - 200);
    expect(cat(machine, `/proc/${pid}/statm`).split(' ')[1]).toBe('1500');
    expect(granted(machine, pid, { call: 'peek', addr: addr + 1499 * PAGE, length: 1 })).toMatchObject({ bytes: [7] });
    checkMachine(machine);
    granted(machine, KERNEL, { call: 'cma_release', pfn: 1792, count: 200 });
    expect(freeIn(machine)).toBe(free);
    checkMachine(machine);
  });

  test('a pinned page stays, the next place is tried, and with none left the answer is EBUSY', () => {
    const machine = lent();
    const pid = spawn(machine);
    const addr = mmap(machine, pid, 1900);
    touch(machine, pid, 'write', addr, 1780);
    granted(machine, pid, { call: 'pin_user_pages', addr, length: 1780 * PAGE });
    const { errno, why } = refused(machine, KERNEL, { call: 'cma_alloc', count: 200 });
    expect([errno, why.code]).toEqual(['EBUSY', 'CMA_BUSY']);
    checkMachine(machine);
    expect(typeAt(machine, 1800)).toBe(MIGRATE.cma);
  });

  test('runs start where align says; a run longer than the region is ENOMEM', () => {
    const machine = lent();
    granted(machine, KERNEL, { call: 'cma_alloc', count: 3 });
    expect(granted(machine, KERNEL, { call: 'cma_alloc', count: 3, align: 4 }).pfn! % 16).toBe(0);
    expect(refused(machine, KERNEL, { call: 'cma_alloc', count: 300 })).toMatchObject({
      errno: 'ENOMEM',
      why: { code: 'CMA_FULL', needed: 300, regionPages: REGION },
    });
    checkMachine(machine);
  });

  test('a run is its owner’s: others get EPERM, a wrong length EINVAL, and death gives it back', () => {
    const machine = lent();
    const [owner, other] = [spawn(machine), spawn(machine)];
    const { pfn } = granted(machine, owner, { call: 'cma_alloc', count: 40 });
    const before = hash(machine);
    expect(refused(machine, other, { call: 'cma_release', pfn, count: 40 }).errno).toBe('EPERM');
    expect(refused(machine, owner, { call: 'cma_release', pfn, count: 39 }).errno).toBe('EINVAL');
    expect(refused(machine, owner, { call: 'free_pages', pfn, order: 0 }).errno).toBe('EINVAL');
    expect(hash(machine)).toBe(before);
    granted(machine, owner, { call: 'exit' });
    expect(granted(machine, other, { call: 'cma_alloc', count: REGION }).pfn).toBe(1792);
    checkMachine(machine);
  });

  test('without a region the answer is ENOMEM', () => {
    expect(refused(createMachine({ frames: 1024 }), KERNEL, { call: 'cma_alloc', count: 1 })).toMatchObject({
      errno: 'ENOMEM',
      why: { code: 'CMA_FULL', regionPages: 0 },
    });
  });
});

describe('more than 4 MiB in a row', () => {
  test('alloc_bootmem gives any length before anything else has happened, and never after', () => {
    const machine = createMachine({ frames: 8192, zones: { normal: 8192 }, reserved: 10 });
    expect(granted(machine, KERNEL, { call: 'alloc_bootmem', bytes: 6 * 1024 * 1024 })).toMatchObject({ pfn: 10, count: 1536 });
    expect(granted(machine, KERNEL, { call: 'alloc_bootmem', bytes: 1 })).toMatchObject({ pfn: 1546, count: 1 });
    expect(machine.zones[0]!.managed).toBe(8192 - 1547);
    checkMachine(machine);
    allocPages(machine, KERNEL, 0);
    expect(refused(machine, KERNEL, { call: 'alloc_bootmem', bytes: 4096 })).toMatchObject({
      errno: 'EINVAL',
      why: { code: 'NOT_AT_BOOT' },
    });
  });

  test('mem= leaves what lies above it to a driver: no zone manages it, no request gets it', () => {
    const machine = createMachine({ frames: 4096, zones: { normal: 4096 }, mem: 1024, minFreeKbytes: 0, mobility: false });
    expect(machine.zones[0]!.managed).toBe(1024);
    expect(cat(machine, '/proc/meminfo')).toContain('MemTotal:           4096 kB\n');
    const last = Array.from({ length: 1024 }, () => allocPages(machine, KERNEL, 0)).at(-1)!;
    expect(last).toBeLessThan(1024);
    expect(refused(machine, KERNEL, { call: 'alloc_pages', order: 0, gfp: 'GFP_KERNEL' }).errno).toBe('ENOMEM');
    checkMachine(machine);
  });

  test('order 10 is the most that the buddy gives, whatever is free; maxOrder sets it', () => {
    const machine = createMachine({ frames: 8192, zones: { normal: 8192 } });
    expect(refused(machine, KERNEL, { call: 'alloc_pages', order: 11, gfp: 'GFP_KERNEL' }).why).toEqual({
      code: 'ORDER_TOO_LARGE',
      order: 11,
      maxOrder: 10,
    });
    const lower = createMachine({ frames: 8192, zones: { normal: 8192 }, maxOrder: 6 });
    expect(refused(lower, KERNEL, { call: 'alloc_pages', order: 7, gfp: 'GFP_KERNEL' }).why.code).toBe('ORDER_TOO_LARGE');
  });
});

test('SysRq-m prints marks, types by order and totals (mm/show_mem.c)', () => {
  const { text } = granted(lent(), KERNEL, { call: 'sysrq', key: 'm' });
  expect(text).toMatch(/^Mem-Info:\n/);
  expect(text).toMatch(/Node 0 Normal: 0\*4kB .* 2\*1024kB \(MC\) 1\*2048kB \(M\) 1\*4096kB \(M\) = 8192kB\n/);
  expect(text).toMatch(
    /\n0 total pagecache pages\n0 pages in swap cache\nFree swap {2}= 0kB\nTotal swap = 0kB\n2048 pages RAM\n0 pages HighMem\/MovableOnly\n0 pages reserved\n256 pages cma reserved\n$/,
  );
});
