/** Compaction, migration and pins (mm/compaction.c, mm/migrate.c, mm/gup.c; spec §6). */
import { nrFreeByOrder } from '#kernel/mm/buddy.ts';
import { describe, expect, test } from 'vitest';
import { call, createMachine, hash, restore, snapshot, type Machine } from '#kernel/machine.ts';
import { fragmentationIndex, unusableFreeIndex } from '#kernel/mm/indices.ts';
import { VMSTAT } from '#kernel/mm/vmstat.ts';
import { checkMachine } from '../helpers/check.ts';
import { allocPages, cat, granted, KERNEL, mmap, PAGE, refused, spawn, touch } from '../helpers/boot.ts';

const PAGES = 512;

/** Two processes touch pages in turn, then one leaves: every other page is free and nothing is in a row. */
function swissCheese(config: Record<string, unknown> = {}): { machine: Machine; pid: number; addr: number } {
  const machine = createMachine({ frames: 1024, zones: { normal: 1024 }, pageblockOrder: 5, minFreeKbytes: 0, ...config });
  const [stays, leaves] = [spawn(machine), spawn(machine)];
  const addr = mmap(machine, stays, PAGES);
  const other = mmap(machine, leaves, PAGES);
  for (let page = 0; page < 480; page++) {
    touch(machine, stays, 'write', addr + page * PAGE, 1);
    touch(machine, leaves, 'write', other + page * PAGE, 1);
  }
  granted(machine, leaves, { call: 'exit' });
  return { machine, pid: stays, addr };
}

const freeOf = (machine: Machine): number => machine.zones.reduce((sum, zone) => sum + zone.free, 0);
const longest = (machine: Machine): number => nrFreeByOrder(machine.zones[0]!).findLastIndex((blocks) => blocks > 0);

describe('the indices (mm/vmstat.c; worked vectors of spec §20)', () => {
  test.each([
    [{ 0: 10, 1: 5 }, 3, 1000, 767],
    [{ 0: 3 }, 3, 1000, 542],
    [{ 0: 1 }, 10, 1000, 0],
    [{}, 3, 1000, 0],
    [{ 3: 1 }, 3, 0, -1000],
    [{ 0: 8, 3: 1 }, 3, 500, -1000],
  ])('free blocks %j, order %i: unusable %i, fragmentation %i', (blocks, order, unusable, fragmentation) => {
    const nrFree = new Int32Array(11);
    for (const [at, count] of Object.entries(blocks)) nrFree[Number(at)] = count;
    expect([unusableFreeIndex(nrFree, order), fragmentationIndex(nrFree, order)]).toEqual([unusable, fragmentation]);
  });

  test('the files of debugfs print them with three decimals', () => {
    const machine = createMachine({ frames: 1024, zones: { normal: 1024 } });
    expect(cat(machine, '/sys/kernel/debug/extfrag/extfrag_index')).toBe(`Node 0, zone   Normal ${'-1.000 '.repeat(11)}\n`);
    expect(cat(machine, '/sys/kernel/debug/extfrag/unusable_index')).toBe(`Node 0, zone   Normal ${'0.000 '.repeat(11)}\n`);
  });
});

describe('vm.compact_memory', () => {
  test('moves pages until free memory is in long runs: as much is free before and after, and no process notices', () => {
    const { machine, pid, addr } = swissCheese();
    granted(machine, pid, { call: 'poke', addr: addr + 7 * PAGE, bytes: [1, 2, 3] });
    const before = { free: freeOf(machine), rss: cat(machine, `/proc/${pid}/statm`), longest: longest(machine) };
    expect(before.longest).toBeLessThan(6);
    const answer = granted(machine, pid, { call: 'sysctl', name: 'vm.compact_memory', value: 1 });
    expect(freeOf(machine)).toBe(before.free);
    expect(longest(machine)).toBeGreaterThan(6);
    expect(cat(machine, `/proc/${pid}/statm`)).toBe(before.rss);
    expect(granted(machine, pid, { call: 'peek', addr: addr + 7 * PAGE, length: 4 })).toMatchObject({
      bytes: [1, 2, 3, 0],
      faults: { minor: 0, major: 0, cow: 0 },
    });
    expect(answer.cost).toBeGreaterThan(0);
    checkMachine(machine);
  });

  test('each page moved costs, and is counted', () => {
    const { machine } = swissCheese();
    const { cost } = granted(machine, KERNEL, { call: 'sysctl', name: 'vm.compact_memory', value: 1 });
    const moved = machine.vmstat[VMSTAT.pgmigrate_success]!;
    expect(moved).toBeGreaterThan(100);
    expect(cost).toBeGreaterThanOrEqual(moved * machine.config.costs.migrate_page!);
    expect(cat(machine, '/proc/vmstat')).toContain(`pgmigrate_success ${moved}\n`);
  });

  test('pages that fork left shared move with both their entries; shared memory moves in its object', () => {
    const { machine, pid, addr } = swissCheese();
    const shared = mmap(machine, pid, 8, 'PROT_READ|PROT_WRITE', 'MAP_SHARED|MAP_ANONYMOUS');
    touch(machine, pid, 'write', shared, 8);
    const child = granted(machine, pid, { call: 'fork' }).pid!;
    touch(machine, child, 'write', shared, 4);
    granted(machine, KERNEL, { call: 'sysctl', name: 'vm.compact_memory', value: 1 });
    checkMachine(machine);
    granted(machine, child, { call: 'poke', addr: shared, bytes: [9] });
    expect(granted(machine, pid, { call: 'peek', addr: shared, length: 1 })).toMatchObject({ bytes: [9] });
    expect(touch(machine, child, 'write', addr, 1)).toEqual({ minor: 1, major: 0, cow: 1 });
    checkMachine(machine);
  });

  test('the same machine, saved and restored, compacts alike', () => {
    const { machine } = swissCheese();
    const twin = restore(snapshot(machine));
    for (const each of [machine, twin]) granted(each, KERNEL, { call: 'sysctl', name: 'vm.compact_memory', value: 1 });
    expect(hash(twin)).toBe(hash(machine));
  });

  test('everybody may ask for it; other knobs are root’s (calls.md, Rights)', () => {
    const { machine, pid } = swissCheese();
    expect(refused(machine, pid, { call: 'sysctl', name: 'vm.min_free_kbytes', value: 128 }).errno).toBe('EACCES');
    expect(refused(machine, pid, { call: 'sysctl', name: 'vm.no_such_knob', value: 1 }).errno).toBe('EINVAL');
  });
});

describe('direct compaction', () => {
  test('a request for a run that is not there gets it: the asker pays in time (__alloc_pages_direct_compact)', () => {
    const { machine } = swissCheese();
    expect(longest(machine)).toBeLessThan(6);
    const answer = call(machine, KERNEL, { call: 'alloc_pages', order: 6, gfp: 'GFP_KERNEL' });
    expect(answer).toMatchObject({ ok: true });
    expect(answer.cost).toBeGreaterThan(64 * 2 + 4);
    expect(machine.vmstat[VMSTAT.compact_success]).toBeGreaterThan(0);
    checkMachine(machine);
  });

  test('who may not wait does not compact: GFP_ATOMIC fails, and nothing moved', () => {
    const { machine } = swissCheese();
    expect(refused(machine, KERNEL, { call: 'alloc_pages', order: 6, gfp: 'GFP_ATOMIC' }).why.code).toBe('FRAGMENTED');
    expect(machine.vmstat[VMSTAT.pgmigrate_success]).toBe(0);
  });

  test('pinned pages do not move: with every page pinned the request fails', () => {
    const { machine, pid, addr } = swissCheese();
    granted(machine, pid, { call: 'pin_user_pages', addr, length: 480 * PAGE });
    const { why } = refused(machine, KERNEL, { call: 'alloc_pages', order: 6, gfp: 'GFP_KERNEL' });
    expect(why.code).toBe('FRAGMENTED');
    expect(machine.vmstat[VMSTAT.pgmigrate_success]).toBe(0);
    granted(machine, pid, { call: 'unpin_user_pages', addr, length: 480 * PAGE });
    machine.zones[0]!.compact.deferShift = 0;
    allocPages(machine, KERNEL, 6);
    checkMachine(machine);
  });

  test('after a failure the next attempts are put off, twice as many each time, up to 64 (defer_compaction)', () => {
    const { machine, pid, addr } = swissCheese();
    granted(machine, pid, { call: 'pin_user_pages', addr, length: 480 * PAGE });
    const stalls = () => machine.vmstat[VMSTAT.compact_stall]!;
    const before = stalls();
    for (let n = 0; n < 300; n++) call(machine, KERNEL, { call: 'alloc_pages', order: 6, gfp: 'GFP_KERNEL' });
    expect(stalls() - before).toBeLessThan(40);
    expect(machine.zones[0]!.compact.deferShift).toBe(6);
  });
});

describe('reclaim and compaction by turns (__alloc_pages_slowpath; spec §4)', () => {
  const FILE_PAGES = 4000;

  function reader(machine: Machine, pid: number): (page: number) => void {
    const fd = granted(machine, pid, { call: 'open', path: '/f', flags: 'O_RDONLY' }).fd as number;
    return (page) => void granted(machine, pid, { call: 'pread', fd, offset: ((page * 37) % FILE_PAGES) * PAGE, length: 1 });
  }

  /**
   * A page of a process and one of the page cache in turn; the cached ones are dropped, and what is still free in blocks of
   * the order is taken. `cached` pages of the file are read again into the holes.
   */
  function holes(order: number, cached: number): { machine: Machine; pid: number } {
    const frames = 1024;
    const config = { pageblockOrder: 5, mobility: false, minFreeKbytes: 160, disk: { files: [{ path: '/f', bytes: FILE_PAGES * PAGE }] } };
    const machine = createMachine({ frames, zones: { normal: frames }, ...config });
    const pid = spawn(machine);
    const addr = mmap(machine, pid, 600);
    const read = reader(machine, pid);
    for (let page = 0; page < 460; page++) {
      touch(machine, pid, 'write', addr + page * PAGE, 1);
      read(page);
    }
    granted(machine, KERNEL, { call: 'sysctl', name: 'vm.drop_caches', value: 1 });
    while (call(machine, KERNEL, { call: 'alloc_pages', order, gfp: 'GFP_NOWAIT' }).ok);
    for (let page = 0; page < cached; page++) read(page);
    expect(longest(machine)).toBeLessThan(order);
    return { machine, pid };
  }

  test.each([3, 6])('order %i: with pages enough that are free, none is driven out', (order) => {
    const { machine, pid } = holes(order, 100);
    const files = machine.vmstat[VMSTAT.nr_file_pages];
    allocPages(machine, KERNEL, order);
    expect(machine.vmstat[VMSTAT.compact_success]).toBe(1);
    expect([machine.vmstat[VMSTAT.pgscan_direct], machine.vmstat[VMSTAT.nr_file_pages]]).toEqual([0, files]);
    expect(machine.tasks.has(pid)).toBe(true);
    checkMachine(machine);
  });

  test.each([5, 6])('order %i: reclaim frees as many as compaction needs, in one request (should_continue_reclaim)', (order) => {
    const { machine } = holes(order, 440);
    const wanted = machine.zones[0]!.watermark.low + (2 << order);
    const free = freeOf(machine);
    expect(free).toBeLessThan(wanted);
    allocPages(machine, KERNEL, order);
    expect(machine.vmstat[VMSTAT.pgsteal_direct]).toBeGreaterThanOrEqual(wanted - free);
    expect(machine.vmstat[VMSTAT.compact_success]).toBe(1);
    checkMachine(machine);
  });
});

test('a pinned page outlives its unmapping until it is let go', () => {
  const machine = createMachine({ frames: 256, zones: { normal: 256 }, minFreeKbytes: 0 });
  const pid = spawn(machine);
  const addr = mmap(machine, pid, 4);
  granted(machine, pid, { call: 'pin_user_pages', addr, length: 4 * PAGE });
  const held = freeOf(machine);
  granted(machine, pid, { call: 'munmap', addr, length: 4 * PAGE });
  expect(freeOf(machine)).toBe(held + 1);
  granted(machine, pid, { call: 'unpin_user_pages', addr, length: 4 * PAGE });
  expect(freeOf(machine)).toBe(held + 5);
  expect(refused(machine, pid, { call: 'unpin_user_pages', addr, length: PAGE })).toMatchObject({
    errno: 'EINVAL',
    why: { code: 'NOT_PINNED' },
  });
});

test('a pinned page of shared memory outlives its object, and still does not move', () => {
  const machine = createMachine({ frames: 256, zones: { normal: 256 }, minFreeKbytes: 0 });
  const pid = spawn(machine);
  const addr = mmap(machine, pid, 2, 'PROT_READ|PROT_WRITE', 'MAP_SHARED|MAP_ANONYMOUS');
  granted(machine, pid, { call: 'pin_user_pages', addr, length: 2 * PAGE });
  granted(machine, pid, { call: 'munmap', addr, length: 2 * PAGE });
  checkMachine(machine);
  granted(machine, KERNEL, { call: 'sysctl', name: 'vm.compact_memory', value: 1 });
  expect(machine.vmstat[VMSTAT.pgmigrate_success]).toBe(0);
  const before = freeOf(machine);
  granted(machine, pid, { call: 'unpin_user_pages', addr, length: 2 * PAGE });
  expect(freeOf(machine)).toBe(before + 2);
  checkMachine(machine);
});
