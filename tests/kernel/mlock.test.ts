/** Locked pages (mm/mlock.c, Documentation/mm/unevictable-lru.rst): on the unevictable list while a locked area maps them, and on an inactive one after. */
import { describe, expect, test } from 'vitest';
import { type Machine, hash, restore, snapshot } from '#kernel/machine.ts';
import { KERNEL, PAGE, PRIVATE, RW, SHARED, boot, bootFlat, cat, granted, mmap, spawn, touch } from '../helpers/boot.ts';
import { checkMachine } from '../helpers/check.ts';
import { checkReclaim } from '../helpers/check_reclaim.ts';
import { parseMeminfo, parseVmstat } from '../helpers/procText.ts';

const meminfo = (machine: Machine) => parseMeminfo(cat(machine, '/proc/meminfo'));
const vmstat = (machine: Machine) => parseVmstat(cat(machine, '/proc/vmstat'));

function sound(machine: Machine): void {
  checkMachine(machine);
  checkReclaim(machine);
}

/** Pages that are locked, as all files tell it. */
function mlocked(machine: Machine): number {
  const kb = meminfo(machine);
  const counters = vmstat(machine);
  expect(kb.Mlocked).toBe(kb.Unevictable);
  expect(counters).toMatchObject({ nr_mlock: kb.Mlocked! / 4, nr_unevictable: kb.Mlocked! / 4 });
  const zones = [...cat(machine, '/proc/zoneinfo').matchAll(/nr_mlock +(\d+)/g)].map((match) => Number(match[1]));
  expect(zones.reduce((sum, pages) => sum + pages, 0)).toBe(kb.Mlocked! / 4);
  sound(machine);
  return kb.Mlocked! / 4;
}

const lock = (machine: Machine, pid: number, call: 'mlock' | 'munlock', addr: number, pages: number) =>
  granted(machine, pid, { call, addr, length: pages * PAGE });

describe('the unevictable list', () => {
  test('mlock takes pages there, those that were there and those that it brings; munlock puts them on an inactive list', () => {
    const machine = bootFlat(512);
    const pid = spawn(machine);
    const addr = mmap(machine, pid, 20);
    touch(machine, pid, 'write', addr, 5);
    expect(mlocked(machine)).toBe(0);
    lock(machine, pid, 'mlock', addr, 10);
    expect(mlocked(machine)).toBe(10);
    expect(vmstat(machine)).toMatchObject({ unevictable_pgs_culled: 10, unevictable_pgs_mlocked: 10, nr_inactive_anon: 0 });
    lock(machine, pid, 'munlock', addr + 2 * PAGE, 3);
    expect(mlocked(machine)).toBe(7);
    expect(vmstat(machine)).toMatchObject({
      unevictable_pgs_rescued: 3,
      unevictable_pgs_munlocked: 3,
      nr_inactive_anon: 3,
      nr_active_anon: 0,
    });
    granted(machine, pid, { call: 'munmap', addr, length: 20 * PAGE });
    expect(mlocked(machine)).toBe(0);
  });

  test('MAP_LOCKED and faults under a locked area add to it; the zero page is none', () => {
    const machine = bootFlat(512);
    const pid = spawn(machine);
    mmap(machine, pid, 6, RW, `${PRIVATE}|MAP_LOCKED`);
    expect(mlocked(machine)).toBe(6);
    const read = mmap(machine, pid, 4, 'PROT_READ');
    lock(machine, pid, 'mlock', read, 4);
    expect(mlocked(machine)).toBe(6);
    granted(machine, pid, { call: 'exit' });
    expect(mlocked(machine)).toBe(0);
  });

  test('a child locks nothing (mlock(2)); the page stays for as long as one locked area maps it', () => {
    const machine = bootFlat(512);
    const pid = spawn(machine);
    const addr = mmap(machine, pid, 4, RW, SHARED);
    lock(machine, pid, 'mlock', addr, 4);
    const child = granted(machine, pid, { call: 'fork' }).pid!;
    touch(machine, child, 'write', addr, 4);
    lock(machine, child, 'mlock', addr, 2);
    expect(mlocked(machine)).toBe(4);
    lock(machine, pid, 'munlock', addr, 4);
    expect(mlocked(machine)).toBe(2);
    granted(machine, child, { call: 'exit' });
    expect(mlocked(machine)).toBe(0);
  });

  test('a locked process that forked and writes gets a locked copy; what it leaves to the child is evictable', () => {
    const machine = bootFlat(512);
    const pid = spawn(machine);
    const addr = mmap(machine, pid, 3);
    lock(machine, pid, 'mlock', addr, 3);
    const child = granted(machine, pid, { call: 'fork' }).pid!;
    expect(mlocked(machine)).toBe(3);
    touch(machine, pid, 'write', addr, 3);
    expect(mlocked(machine)).toBe(3);
    granted(machine, pid, { call: 'exit' });
    expect(mlocked(machine)).toBe(0);
    expect(machine.tasks.get(child)!.mm.rssAnon).toBe(3);
  });

  test('moved by mremap, and cut by munmap, it stays locked', () => {
    const machine = bootFlat(512);
    const pid = spawn(machine);
    const addr = mmap(machine, pid, 4);
    lock(machine, pid, 'mlock', addr, 4);
    const request = { call: 'mremap', addr, old_length: 4 * PAGE, new_length: 9 * PAGE, flags: 'MREMAP_MAYMOVE' };
    const to = granted(machine, pid, request).addr as number;
    expect(mlocked(machine)).toBe(9);
    granted(machine, pid, { call: 'munmap', addr: to + PAGE, length: PAGE });
    expect(mlocked(machine)).toBe(8);
  });

  test('pages of a mapped file, too; drop_caches leaves them', () => {
    const machine = bootFlat(512, { disk: { files: [{ path: '/f', bytes: 8 * PAGE }] } });
    const pid = spawn(machine);
    const fd = granted(machine, pid, { call: 'open', path: '/f' }).fd as number;
    const addr = granted(machine, pid, { call: 'mmap', length: 8 * PAGE, prot: 'PROT_READ', flags: 'MAP_SHARED', fd, offset: 0 })
      .addr as number;
    lock(machine, pid, 'mlock', addr, 8);
    granted(machine, KERNEL, { call: 'sysctl', name: 'vm.drop_caches', value: 3 });
    expect(mlocked(machine)).toBe(8);
    lock(machine, pid, 'munlock', addr, 8);
    expect(meminfo(machine)['Inactive(file)']).toBeGreaterThanOrEqual(32);
  });

  test('huge pages, whole and in part', () => {
    const machine = boot({ arch: 'x86_64', frames: 4096, zones: { normal: 4096 }, thpEnabled: 0, mobility: true });
    const pid = spawn(machine);
    const addr = mmap(machine, pid, 1024);
    touch(machine, pid, 'write', addr, 1024);
    expect(machine.huge.size).toBe(2);
    lock(machine, pid, 'mlock', addr, 512);
    expect(mlocked(machine)).toBe(512);
    expect(machine.huge.size).toBe(2);
    lock(machine, pid, 'munlock', addr + 100 * PAGE, 100);
    expect(mlocked(machine)).toBe(412);
  });

  test('survives snapshot and restore', () => {
    const machine = bootFlat(256);
    const pid = spawn(machine);
    lock(machine, pid, 'mlock', mmap(machine, pid, 5), 5);
    const twin = restore(snapshot(machine));
    expect(hash(twin)).toBe(hash(machine));
    expect(mlocked(twin)).toBe(5);
  });
});

describe('reclaim and compaction', () => {
  test('what is locked stays in memory, whatever else goes', () => {
    const machine = bootFlat(256, { swap: { slots: 512 }, minFreeKbytes: 64 });
    const pid = spawn(machine);
    const addr = mmap(machine, pid, 30);
    lock(machine, pid, 'mlock', addr, 30);
    const much = mmap(machine, pid, 400);
    for (let round = 0; round < 2; round++) touch(machine, pid, 'write', much, 400);
    expect(mlocked(machine)).toBe(30);
    expect(touch(machine, pid, 'write', addr, 30)).toEqual({ minor: 0, major: 0, cow: 0 });
    // Unlocked, it goes as anything else.
    lock(machine, pid, 'munlock', addr, 30);
    for (let round = 0; round < 3; round++) touch(machine, pid, 'write', much, 400);
    expect(touch(machine, pid, 'read', addr, 30).major).toBeGreaterThan(0);
    sound(machine);
  });

  test('compaction may move it (vm.compact_unevictable_allowed = 1)', () => {
    const machine = bootFlat(256);
    const pid = spawn(machine);
    const addr = mmap(machine, pid, 60);
    for (let n = 0; n < 60; n++) granted(machine, pid, { call: 'poke', addr: addr + n * PAGE, bytes: [n + 1] });
    for (let n = 0; n < 60; n += 2) granted(machine, pid, { call: 'munmap', addr: addr + n * PAGE, length: PAGE });
    for (let n = 1; n < 60; n += 2) lock(machine, pid, 'mlock', addr + n * PAGE, 1);
    granted(machine, KERNEL, { call: 'sysctl', name: 'vm.compact_memory', value: 1 });
    expect(vmstat(machine).pgmigrate_success).toBeGreaterThan(0);
    expect(mlocked(machine)).toBe(30);
    for (let n = 1; n < 60; n += 2)
      expect(granted(machine, pid, { call: 'peek', addr: addr + n * PAGE, length: 1 }).bytes).toEqual([n + 1]);
  });
});
