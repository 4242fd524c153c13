/** Reclaim and swap (mm/vmscan.c, mm/swapfile.c, mm/workingset.c; spec §14). */
import { describe, expect, test } from 'vitest';
import { type Machine, call, hash, tick } from '#kernel/machine.ts';
import { KERNEL, PAGE, bootFlat, cat, freeIn, granted, mmap, refused, spawn, touch } from '../helpers/boot.ts';
import { checkMachine } from '../helpers/check.ts';
import { checkReclaim } from '../helpers/check_reclaim.ts';
import { parseMeminfo, parseSmaps, parseStatus, parseVmstat } from '../helpers/procText.ts';

const vmstat = (machine: Machine) => parseVmstat(cat(machine, '/proc/vmstat'));
const meminfo = (machine: Machine) => parseMeminfo(cat(machine, '/proc/meminfo'));

function sound(machine: Machine): void {
  checkMachine(machine);
  checkReclaim(machine);
}

/** 256 frames, and a swap area of so many slots. */
function withSwap(slots: number, config: Record<string, unknown> = {}) {
  const machine = bootFlat(256, { swap: { slots }, minFreeKbytes: 64, ...config });
  return { machine, pid: spawn(machine) };
}

describe('swap', () => {
  test('more than memory can be written where swap takes the rest, and every byte comes back', () => {
    const { machine, pid } = withSwap(512);
    const addr = mmap(machine, pid, 400);
    for (let n = 0; n < 400; n++) granted(machine, pid, { call: 'poke', addr: addr + n * PAGE, bytes: [n % 251, 7] });
    const task = machine.tasks.get(pid)!;
    expect(task.mm.swapEnts).toBeGreaterThan(140);
    expect(task.mm.rssAnon + task.mm.swapEnts).toBe(400);
    expect(vmstat(machine).pswpout).toBe(task.mm.swapEnts);
    sound(machine);
    for (let n = 0; n < 400; n++)
      expect(granted(machine, pid, { call: 'peek', addr: addr + n * PAGE, length: 2 }).bytes).toEqual([n % 251, 7]);
    expect(task.majFlt).toBeGreaterThan(0);
    expect(vmstat(machine).pswpin).toBeGreaterThan(140);
    sound(machine);
    granted(machine, pid, { call: 'exit' });
    expect(machine.swap!.used).toBe(0);
    expect(freeIn(machine)).toBe(256);
    sound(machine);
  });

  test('what comes back brings its cluster of 8 slots: one major fault, seven minor ones', () => {
    const { machine, pid } = withSwap(512);
    const addr = mmap(machine, pid, 500);
    touch(machine, pid, 'write', addr, 500);
    const task = machine.tasks.get(pid)!;
    // The first pages went first, into the first slots; there is room again.
    granted(machine, pid, { call: 'munmap', addr: addr + 400 * PAGE, length: 100 * PAGE });
    const slot = machine.swap!.map.findIndex((entries, at) => entries > 0 && at % 8 === 0);
    expect(slot).toBe(0);
    const before = vmstat(machine).pswpin!;
    expect(touch(machine, pid, 'read', addr, 8)).toEqual({ minor: 7, major: 1, cow: 0 });
    expect(vmstat(machine).pswpin! - before).toBe(8);
    expect(task.majFlt).toBe(1);
  });

  test('a page of the swap cache is written no second time while it stays clean', () => {
    const { machine, pid } = withSwap(1024);
    const addr = mmap(machine, pid, 300);
    touch(machine, pid, 'write', addr, 300);
    const cached = () => meminfo(machine).SwapCached!;
    touch(machine, pid, 'read', addr, 20);
    expect(cached()).toBeGreaterThan(0);
    const out = vmstat(machine).pswpout!;
    touch(machine, pid, 'read', addr, 300);
    const again = vmstat(machine).pswpout! - out;
    // Pages 0 to 19 were read back and pushed out again; only others had to be written.
    expect(again).toBeLessThan(300);
    sound(machine);
  });

  test('fork copies swap entries, the slot counts them, and a write after it copies the page', () => {
    const { machine, pid } = withSwap(512);
    const addr = mmap(machine, pid, 240);
    for (let n = 0; n < 240; n++) granted(machine, pid, { call: 'poke', addr: addr + n * PAGE, bytes: [n % 251] });
    const child = granted(machine, pid, { call: 'fork' }).pid!;
    sound(machine);
    const swapped = machine.tasks.get(child)!.mm.swapEnts;
    expect(swapped).toBeGreaterThan(0);
    expect(Math.max(...machine.swap!.map)).toBe(2);
    granted(machine, child, { call: 'poke', addr, bytes: [99] });
    expect(granted(machine, pid, { call: 'peek', addr, length: 1 }).bytes).toEqual([0]);
    expect(granted(machine, child, { call: 'peek', addr, length: 1 }).bytes).toEqual([99]);
    sound(machine);
    granted(machine, child, { call: 'exit' });
    granted(machine, pid, { call: 'exit' });
    expect(machine.swap!.used).toBe(0);
  });

  test('a full area means the OOM killer', () => {
    const { machine, pid } = withSwap(64);
    const other = spawn(machine);
    touch(machine, other, 'write', mmap(machine, other, 100), 100);
    const addr = mmap(machine, pid, 300);
    expect(refused(machine, pid, { call: 'write', addr, length: 300 * PAGE })).toMatchObject({
      signal: 'SIGKILL',
      why: { code: 'OOM_KILLED' },
    });
    expect(machine.tasks.has(other)).toBe(true);
    expect(cat(machine, '/proc/kmsg')).toContain('Killed process');
    sound(machine);
  });

  test('VmSwap, Swap and SwapPss, /proc/swaps, SwapTotal, SwapFree', () => {
    const { machine, pid } = withSwap(512);
    touch(machine, pid, 'write', mmap(machine, pid, 300), 300);
    const { swapEnts } = machine.tasks.get(pid)!.mm;
    expect(parseStatus(cat(machine, `/proc/${pid}/status`)).VmSwap).toBe(swapEnts * 4);
    expect(parseSmaps(cat(machine, `/proc/${pid}/smaps`))[0]!.fields).toMatchObject({ Swap: swapEnts * 4, SwapPss: swapEnts * 4 });
    expect(meminfo(machine)).toMatchObject({ SwapTotal: 2048, SwapFree: 2048 - machine.swap!.used * 4 });
    expect(cat(machine, '/proc/swaps')).toBe(
      `Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n/dev/sdb1                               partition\t2048\t\t${machine.swap!.used * 4}\t\t-2\n`,
    );
  });

  test('swapoff brings everything back, or refuses; swapon turns the area on again', () => {
    const { machine, pid } = withSwap(512);
    const addr = mmap(machine, pid, 300);
    for (let n = 0; n < 300; n++) granted(machine, pid, { call: 'poke', addr: addr + n * PAGE, bytes: [n % 251] });
    expect(refused(machine, KERNEL, { call: 'swapoff' })).toMatchObject({ errno: 'ENOMEM', why: { code: 'SWAP_IN_USE' } });
    granted(machine, pid, { call: 'munmap', addr: addr + 100 * PAGE, length: 200 * PAGE });
    expect(granted(machine, KERNEL, { call: 'swapoff' })).toMatchObject({ slots: 512 });
    expect(machine.swap).toMatchObject({ on: false, used: 0 });
    expect(machine.tasks.get(pid)!.mm).toMatchObject({ rssAnon: 100, swapEnts: 0 });
    expect(granted(machine, pid, { call: 'peek', addr: addr + 9 * PAGE, length: 1 }).bytes).toEqual([9]);
    expect(cat(machine, '/proc/swaps').split('\n')).toHaveLength(2);
    expect(refused(machine, KERNEL, { call: 'swapoff' })).toMatchObject({ errno: 'EINVAL', why: { code: 'NO_SWAP' } });
    sound(machine);
    granted(machine, KERNEL, { call: 'swapon' });
    expect(refused(machine, KERNEL, { call: 'swapon' })).toMatchObject({ errno: 'EBUSY', why: { code: 'SWAP_IS_ON', slots: 512 } });
    expect(refused(machine, pid, { call: 'swapoff' })).toMatchObject({ errno: 'EACCES' });
  });

  test('swappiness 0 pushes no anonymous page out while files can be dropped', () => {
    const { machine, pid } = withSwap(512, { swappiness: 0, disk: { files: [{ path: '/f', bytes: 150 * PAGE }] } });
    const fd = granted(machine, pid, { call: 'open', path: '/f' }).fd as number;
    touch(machine, pid, 'write', mmap(machine, pid, 60), 60);
    granted(machine, pid, { call: 'pread', fd, offset: 0, length: 150 * PAGE });
    touch(machine, pid, 'write', mmap(machine, pid, 100), 100);
    expect(vmstat(machine)).toMatchObject({ pswpout: 0 });
    expect(vmstat(machine).pgsteal_file).toBeGreaterThan(30);
    sound(machine);
  });
});

describe('reclaim', () => {
  function withFile(pages: number, config: Record<string, unknown> = {}) {
    const machine = bootFlat(256, { disk: { files: [{ path: '/f', bytes: pages * PAGE }] }, minFreeKbytes: 64, ...config });
    const pid = spawn(machine);
    return { machine, pid, fd: granted(machine, pid, { call: 'open', path: '/f' }).fd as number };
  }

  test('a file larger than memory can be read: its own pages make room, nobody is killed', () => {
    const { machine, pid, fd } = withFile(1000);
    for (let n = 0; n < 1000; n += 10) granted(machine, pid, { call: 'pread', fd, offset: n * PAGE, length: 10 * PAGE });
    expect(vmstat(machine)).toMatchObject({ oom_kill: 0 });
    expect(vmstat(machine).pgsteal_direct! + vmstat(machine).pgsteal_kswapd!).toBeGreaterThan(700);
    sound(machine);
  });

  test('kswapd runs at the tick after the low mark was crossed, and stops above the high one', () => {
    const { machine, pid, fd } = withFile(1000);
    const zone = machine.zones[0]!;
    for (let n = 0; zone.free > zone.watermark.low; n += 4)
      granted(machine, pid, { call: 'pread', fd, offset: n * PAGE, length: 4 * PAGE });
    granted(machine, pid, { call: 'pread', fd, offset: 900 * PAGE, length: 2 * PAGE });
    expect(machine.lru.kswapdWoken).toBe(true);
    tick(machine);
    expect(zone.free).toBeGreaterThan(zone.watermark.high);
    expect(vmstat(machine).pgsteal_kswapd).toBeGreaterThan(0);
    sound(machine);
  });

  test('a page used twice survives a scan of pages used once (second chance)', () => {
    const { machine, pid, fd } = withFile(2000);
    for (let round = 0; round < 2; round++) {
      for (let n = 0; n < 10; n++) granted(machine, pid, { call: 'pread', fd, offset: n * PAGE, length: PAGE });
    }
    for (let n = 10; n < 600; n++) granted(machine, pid, { call: 'pread', fd, offset: n * PAGE, length: PAGE });
    let missed = 0;
    for (let n = 0; n < 10; n++) missed += granted(machine, pid, { call: 'pread', fd, offset: n * PAGE, length: PAGE }).missed as number;
    expect(missed).toBe(0);
  });

  test('thrashing shows: what was pushed out comes back (workingset_refault_file)', () => {
    const { machine, pid, fd } = withFile(400);
    for (let round = 0; round < 4; round++) {
      for (let n = 0; n < 400; n++) granted(machine, pid, { call: 'pread', fd, offset: n * PAGE, length: PAGE });
    }
    expect(vmstat(machine).workingset_refault_file).toBeGreaterThan(300);
    sound(machine);
  });

  test('dirty pages are written by the flusher when reclaim meets nothing else', () => {
    const { machine, pid, fd } = withFile(400, { dirty_ratio: 100, dirty_background_ratio: 100 });
    for (let n = 0; n < 400; n += 20) granted(machine, pid, { call: 'pwrite', fd, offset: n * PAGE, length: 20 * PAGE });
    expect(vmstat(machine).nr_written).toBeGreaterThan(100);
    expect(vmstat(machine).oom_kill).toBe(0);
    sound(machine);
  });

  test('writers wait above dirty_ratio, and go on when the flusher has run', () => {
    const { machine, pid, fd } = withFile(400);
    let written = 0;
    while (call(machine, pid, { call: 'pwrite', fd, offset: written * PAGE, length: PAGE }).ok) written += 1;
    // A fifth of what is free or a file's, less the reserves.
    expect(written).toBeGreaterThan(40);
    expect(written).toBeLessThan(52);
    const state = hash(machine);
    expect(refused(machine, pid, { call: 'pwrite', fd, offset: 0, length: PAGE })).toMatchObject({
      errno: 'EAGAIN',
      // 48 pages may be dirty, as computed above; one more was written before the writer had to wait.
      why: { code: 'WOULD_SLEEP', freePages: freeIn(machine), dirty: written, limit: written - 1 },
    });
    expect(hash(machine)).toBe(state);
    tick(machine);
    granted(machine, pid, { call: 'pwrite', fd, offset: 0, length: PAGE });
  });

  test('drop_caches 1 drops what is clean and unmapped, never dirty or mapped pages', () => {
    const { machine, pid, fd } = withFile(100);
    granted(machine, pid, { call: 'pread', fd, offset: 0, length: 50 * PAGE });
    granted(machine, pid, { call: 'pwrite', fd, offset: 0, length: 5 * PAGE });
    const addr = granted(machine, pid, { call: 'mmap', length: 2 * PAGE, prot: 'PROT_READ', flags: 'MAP_SHARED', fd, offset: 10 * PAGE })
      .addr as number;
    touch(machine, pid, 'read', addr, 2);
    granted(machine, pid, { call: 'sysctl', name: 'vm.drop_caches', value: 2 });
    // Read ahead: two windows of 32 pages.
    expect(meminfo(machine).Cached).toBe(256);
    granted(machine, pid, { call: 'sysctl', name: 'vm.drop_caches', value: 1 });
    expect(meminfo(machine)).toMatchObject({ Cached: 28, Buffers: 0, Dirty: 20 });
    granted(machine, pid, { call: 'fsync', fd });
    granted(machine, pid, { call: 'sysctl', name: 'vm.drop_caches', value: 3 });
    expect(meminfo(machine)).toMatchObject({ Cached: 8 });
    expect(vmstat(machine)).toMatchObject({ drop_pagecache: 2, drop_slab: 2 });
    sound(machine);
  });

  test('drop_caches 2 takes the empty slabs of reclaimable caches, and of no others', () => {
    const { machine, pid } = withFile(10);
    const cacheOf = (name: string, flags?: string) =>
      granted(machine, pid, { call: 'kmem_cache_create', name, size: 1024, ...(flags === undefined ? {} : { flags }) }).cache as number;
    for (const cache of [cacheOf('names', 'SLAB_RECLAIM_ACCOUNT'), cacheOf('locks')]) {
      const addrs = Array.from({ length: 12 }, () => granted(machine, pid, { call: 'kmem_cache_alloc', cache }).addr!);
      for (const addr of addrs.slice(1)) granted(machine, pid, { call: 'kmem_cache_free', cache, addr });
    }
    const before = meminfo(machine);
    granted(machine, pid, { call: 'sysctl', name: 'vm.drop_caches', value: 2 });
    const after = meminfo(machine);
    expect(after.SReclaimable).toBeLessThan(before.SReclaimable!);
    expect(after.SReclaimable).toBeGreaterThan(0);
    expect(after.SUnreclaim).toBe(before.SUnreclaim);
    expect(vmstat(machine).slabs_scanned).toBeGreaterThan(0);
    sound(machine);
  });

  test('a page that is pinned stays', () => {
    const { machine, pid } = withSwap(512);
    const addr = mmap(machine, pid, 300);
    touch(machine, pid, 'write', addr, 1);
    granted(machine, pid, { call: 'pin_user_pages', addr, length: 10 });
    const pfn = [...machine.tasks.get(pid)!.pins.values()][0]![0]!;
    touch(machine, pid, 'write', addr + PAGE, 299);
    expect(machine.frames.mapcount[pfn]).toBe(1);
    sound(machine);
  });

  test('MemAvailable counts half of the cache at least (si_mem_available)', () => {
    const { machine, pid, fd } = withFile(100);
    granted(machine, pid, { call: 'pread', fd, offset: 0, length: 100 * PAGE });
    const { low, high } = machine.zones[0]!.watermark;
    const files = 101;
    // And of slabs that can be shrunk: those of the dentry and the inode.
    const slabs = vmstat(machine).nr_slab_reclaimable!;
    expect(slabs).toBe(3);
    expect(meminfo(machine).MemAvailable).toBe(
      (freeIn(machine) - high + files - Math.min(files >> 1, low) + slabs - Math.min(slabs >> 1, low)) * 4,
    );
  });
});

describe('what reclaim looks at first (prepare_scan_control)', () => {
  const FILE = 150;

  /** Two files of 150 pages: of one each page was read twice and is active, of the other once. */
  function withFiles(config: Record<string, unknown> = {}) {
    const files = ['/often', '/once'].map((path) => ({ path, bytes: FILE * PAGE }));
    const machine = bootFlat(512, { minFreeKbytes: 64, disk: { files }, ...config });
    const pid = spawn(machine);
    const open = (path: string): number => granted(machine, pid, { call: 'open', path, flags: 'O_RDWR' }).fd as number;
    return { machine, pid, often: open('/often'), once: open('/once') };
  }
  const read = (machine: Machine, pid: number, fd: number, pages = FILE) =>
    granted(machine, pid, { call: 'pread', fd, offset: 0, length: pages * PAGE });

  test('while much of the page cache was used once only, no anonymous page is pushed out (cache_trim_mode)', () => {
    const { machine, pid, often, once } = withFiles({ swap: { slots: 512 }, swappiness: 200 });
    const addr = mmap(machine, pid, 140);
    touch(machine, pid, 'write', addr, 140);
    for (const fd of [often, once]) read(machine, pid, fd);
    const hungry = spawn(machine);
    const more = mmap(machine, hungry, 60);
    for (let page = 0; page < 60; page++) {
      touch(machine, hungry, 'write', more + page * PAGE, 1);
      tick(machine);
    }
    expect(vmstat(machine).pgsteal_file).toBeGreaterThan(0);
    expect(vmstat(machine).pswpout).toBe(0);
    sound(machine);
  });

  test('active pages are taken before a process is, even while the inactive list is long (force_deactivate)', () => {
    const { machine, pid, often, once } = withFiles();
    for (let n = 0; n < 2; n++) read(machine, pid, often, FILE - 20);
    const mapped = granted(machine, pid, {
      call: 'mmap',
      length: FILE * PAGE,
      prot: 'PROT_READ|PROT_WRITE',
      flags: 'MAP_SHARED',
      fd: once,
      offset: 0,
    });
    granted(machine, pid, { call: 'pin_user_pages', addr: mapped.addr, length: FILE * PAGE });
    // Enough are inactive, and all of them are pinned.
    const { pages } = machine.lru;
    expect(pages[2]).toBeGreaterThanOrEqual(FILE);
    expect(pages[3]).toBeLessThan(FILE);
    expect(pages[3]).toBeGreaterThan(100);
    const hungry = spawn(machine);
    touch(machine, hungry, 'write', mmap(machine, hungry, 280), 280);
    expect(vmstat(machine).oom_kill).toBe(0);
    expect(vmstat(machine).pgsteal_file).toBeGreaterThan(60);
    sound(machine);
  });
});
