/** Reclaim under the rules of 2.6.32 (mm/vmscan.c, mm/swap.c of 2.6.32; fidelity spec §14, tag [K26]). */
import { describe, expect, test } from 'vitest';
import { createMachine, hash, restore, snapshot, type Machine } from '#kernel/machine.ts';
import { LRU, PGS, lruPages, setState } from '#kernel/mm/swap.ts';
import { inactiveIsLow } from '#kernel/mm/scan_balance.ts';
import { anonPercent, scanCount26 } from '#kernel/mm/vmscan26.ts';
import { KERNEL, PAGE, bootFlat, cat, granted, mmap, refused, spawn, touch } from '../helpers/boot.ts';
import { checkMachine } from '../helpers/check.ts';
import { parseVmstat } from '../helpers/procText.ts';

const old = (config: object = {}, frames = 256): Machine =>
  bootFlat(frames, { rules: '2.6.32', swap: { slots: 600 }, minFreeKbytes: 64, overcommit: { mode: 1 }, ...config });
const listsOf = (machine: Machine) => [0, 1, 2, 3].map((list) => lruPages(machine, list));
const vmstat = (machine: Machine) => parseVmstat(cat(machine, '/proc/vmstat'));

test('a new anonymous page is active (page_add_new_anon_rmap); since 5.9 it is inactive', () => {
  const lists = (machine: Machine) => {
    const pid = spawn(machine);
    touch(machine, pid, 'write', mmap(machine, pid, 10), 10);
    return listsOf(machine);
  };
  expect(lists(old())).toEqual([0, 10, 0, 0]);
  expect(lists(bootFlat(256))).toEqual([10, 0, 0, 0]);
});

test('what comes back from swap starts inactive, with no memory of having been there: refaults are counted since 3.15', () => {
  const machine = old();
  const pid = spawn(machine);
  const addr = mmap(machine, pid, 400);
  touch(machine, pid, 'write', addr, 400);
  touch(machine, pid, 'read', addr, 400);
  expect(vmstat(machine)).toMatchObject({ workingset_refault_anon: 0, workingset_activate_anon: 0 });
  expect(vmstat(machine).pswpin).toBeGreaterThan(100);
  expect(machine.swap!.evicted.size).toBe(0);
  checkMachine(machine);
});

test('every byte comes back all the same', () => {
  const machine = old();
  const pid = spawn(machine);
  const addr = mmap(machine, pid, 400);
  for (let n = 0; n < 400; n++) granted(machine, pid, { call: 'poke', addr: addr + n * PAGE, bytes: [n % 251, 7] });
  for (let n = 0; n < 400; n++)
    expect(granted(machine, pid, { call: 'peek', addr: addr + n * PAGE, length: 2 }).bytes).toEqual([n % 251, 7]);
  checkMachine(machine);
});

describe('which list is short', () => {
  /** So many pages of files, a part of them active. */
  function withFiles(rules: string, pages: number, active: number): Machine {
    const machine = bootFlat(1024, { rules, disk: { files: [{ path: '/f', bytes: pages * PAGE }] } });
    const pid = spawn(machine);
    const fd = granted(machine, pid, { call: 'open', path: '/f' }).fd as number;
    granted(machine, pid, { call: 'pread', fd, offset: 0, length: pages * PAGE });
    for (let n = 0; n < active; n++) setState(machine, machine.lru.tail[LRU.inactiveFile]!, PGS.active, 0);
    return machine;
  }

  test('of files the inactive one when more are active, whatever the machine’s size (inactive_file_is_low)', () => {
    expect([39, 40, 41].map((active) => inactiveIsLow(withFiles('2.6.32', 80, active + 1), LRU.inactiveFile, 0))).toEqual([
      false,
      true,
      true,
    ]);
  });

  test('of anonymous memory by a ratio of the zone’s size, not of the lists’ (calculate_zone_inactive_ratio: 1 GB 3, 4 GB 6)', () => {
    const low = (frames: number, inactive: number, active: number) => {
      const machine = createMachine({ rules: '2.6.32', frames, zones: { normal: frames } });
      machine.lru.pages[LRU.inactiveAnon] = inactive;
      machine.lru.pages[LRU.activeAnon] = active;
      return inactiveIsLow(machine, LRU.inactiveAnon, 0);
    };
    expect([low(65536, 10, 10), low(65536, 10, 11)]).toEqual([false, true]);
    expect([low(1 << 18, 10, 30), low(1 << 18, 10, 31)]).toEqual([false, true]);
    expect([low(1 << 20, 10, 60), low(1 << 20, 10, 61)]).toEqual([false, true]);
  });
});

describe('how much of each kind is scanned (get_scan_ratio)', () => {
  /** Lists of so many pages, and what was looked at and in use lately. */
  function judged(pages: number[], scanned: number[], rotated: number[], config: object = {}): Machine {
    const machine = createMachine({ rules: '2.6.32', frames: 65536, zones: { normal: 65536 }, swap: { slots: 100 }, ...config });
    pages.forEach((count, list) => {
      machine.lru.pages[list] = count;
    });
    machine.lru.recent!.scanned.set(scanned);
    machine.lru.recent!.rotated.set(rotated);
    return machine;
  }
  const percent = (machine: Machine) => anonPercent(machine, 0);
  const LISTS = [1000, 1000, 1000, 1000];

  test('by swappiness alone where nothing is known: 61 against 141 of 203 are 30 %', () => {
    expect(percent(judged(LISTS, [0, 0], [0, 0]))).toBe(30);
    expect(percent(judged(LISTS, [0, 0], [0, 0], { swappiness: 100 }))).toBe(Math.floor(10100 / 203));
    expect(percent(judged(LISTS, [0, 0], [0, 0], { swappiness: 0 }))).toBe(0);
  });

  test('the more of a kind was in use, the less of it: (swappiness + 1)(scanned + 1)/(rotated + 1)', () => {
    // ap = 61 × 101 / 51 = 120, fp = 141 × 101 / 11 = 1294.
    expect(percent(judged(LISTS, [100, 100], [50, 10]))).toBe(Math.floor(12000 / (120 + 1294 + 1)));
  });

  test('news older than a quarter of the lists count half', () => {
    const machine = judged(LISTS, [501, 500], [300, 100]);
    percent(machine);
    const { scanned, rotated } = machine.lru.recent!;
    expect([...scanned.slice(0, 2), ...rotated.slice(0, 2)]).toEqual([250, 500, 150, 100]);
  });

  test('anonymous pages only, where files are so few that dropping all would not do', () => {
    const machine = judged([1000, 1000, 0, 0], [0, 0], [0, 0]);
    machine.zones[0]!.free = machine.zones[0]!.watermark.high;
    expect(percent(machine)).toBe(100);
    machine.zones[0]!.free += 1;
    expect(percent(machine)).toBe(30);
  });

  test('lists too short for a batch of 32 at a priority gather until there is one (nr_scan_try_batch)', () => {
    const machine = judged([0, 0, 100 << 10, 0], [0, 0], [0, 0], { swap: undefined });
    expect(Array.from({ length: 3 }, () => scanCount26(machine, 0, 12, false)[LRU.inactiveFile])).toEqual([0, 50, 0]);
    expect(scanCount26(machine, 0, 10, false)[LRU.inactiveFile]).toBe(100 + 25);
  });
});

test('swappiness ends at 100; at 200 since 5.8', () => {
  expect(() => createMachine({ frames: 64, rules: '2.6.32', swappiness: 101 })).toThrow(/swappiness/);
  const ask = (value: number) => ({ call: 'sysctl', name: 'vm.swappiness', value });
  expect(refused(old(), KERNEL, ask(101)).errno).toBe('EINVAL');
  granted(old(), KERNEL, ask(100));
  granted(bootFlat(64), KERNEL, ask(200));
});

test('saved and restored in the middle of reclaim it goes on alike', () => {
  const machine = old({ disk: { files: [{ path: '/f', bytes: 100 * PAGE }] } });
  const pid = spawn(machine);
  const addr = mmap(machine, pid, 300);
  touch(machine, pid, 'write', addr, 280);
  const twin = restore(snapshot(machine));
  for (const each of [machine, twin]) {
    touch(each, pid, 'write', addr, 300);
    const fd = granted(each, pid, { call: 'open', path: '/f' }).fd as number;
    granted(each, pid, { call: 'pread', fd, offset: 0, length: 100 * PAGE });
  }
  expect(hash(twin)).toBe(hash(machine));
});

describe('a dirty page of a file at the end of its list', () => {
  /** Eighty dirty pages of a file in 256 frames, and a process that wants more than the rest. */
  function pressed(rules: string): { machine: Machine; pid: number } {
    const files = [{ path: '/f', bytes: 80 * PAGE }];
    const machine = bootFlat(256, {
      rules,
      disk: { files },
      minFreeKbytes: 64,
      dirty_ratio: 100,
      dirty_background_ratio: 100,
      overcommit: { mode: 1 },
    });
    const pid = spawn(machine);
    const fd = granted(machine, pid, { call: 'open', path: '/f' }).fd as number;
    granted(machine, pid, { call: 'pwrite', fd, offset: 0, length: 80 * PAGE });
    const addr = mmap(machine, pid, 190);
    touch(machine, pid, 'write', addr, 180);
    checkMachine(machine);
    return { machine, pid };
  }

  test('is written by who reclaims and goes (pageout); since 3.2 direct reclaim leaves it to the flusher', () => {
    const then = vmstat(pressed('2.6.32').machine);
    expect(then.nr_written).toBeGreaterThan(0);
    // Not one more than had to go, the clean block with the inode beside them: nothing was made active or flushed for it.
    expect(then).toMatchObject({ nr_written: then.pgsteal_file! - 1, pgactivate: 0 });
    const now = vmstat(pressed('6.x').machine);
    expect(now.pgactivate).toBeGreaterThan(0);
  });
});

test('each zone has lists of its own: who needs a page of zone DMA takes pages of that zone, and Normal’s stay in their order', () => {
  const zones = { dma: 64, normal: 192 };
  const machine = bootFlat(256, { rules: '2.6.32', zones, swap: { slots: 600 }, minFreeKbytes: 32, overcommit: { mode: 1 } });
  const pid = spawn(machine);
  touch(machine, pid, 'write', mmap(machine, pid, 235), 235);
  const orderOf = (zone: number, list: number): number[] => {
    const pages: number[] = [];
    for (let pfn = machine.lru.head[zone * 5 + list]!; pfn >= 0; pfn = machine.frames.links[2 * pfn]!) pages.push(pfn);
    return pages;
  };
  const lists = (zone: number) => [0, 1, 2, 3].map((list) => orderOf(zone, list));
  expect(
    lists(0)
      .flat()
      .every((pfn) => pfn < 64),
  ).toBe(true);
  expect(
    lists(1)
      .flat()
      .every((pfn) => pfn >= 64),
  ).toBe(true);
  const [dma, normal] = [lists(0).flat().length, lists(1)];
  expect(dma).toBeGreaterThan(30);
  for (let n = 0; n < 20; n++) granted(machine, KERNEL, { call: 'alloc_pages', order: 0, gfp: 'GFP_KERNEL|GFP_DMA' });
  expect(lists(1)).toEqual(normal);
  expect(lists(0).flat().length).toBeLessThan(dma - 10);
  checkMachine(machine);
});
