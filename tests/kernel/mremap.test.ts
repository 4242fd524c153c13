/** mremap, mlock, madvise (mm/mremap.c, mlock.c, madvise.c): sizes that change, pages that stay, pages that go. */
import { describe, expect, test } from 'vitest';
import { type Machine, hash } from '#kernel/machine.ts';
import { PGS, setState } from '#kernel/mm/swap.ts';
import { FIXED, PAGE, RW, SHARED, boot, bootFlat, cat, granted, mmap, refused, spawn, touch } from '../helpers/boot.ts';
import { checkMachine } from '../helpers/check.ts';
import { areaOf } from '../helpers/experiments.ts';

const BASE = 0x50000000;

function start(config: Record<string, unknown> = {}): { machine: Machine; pid: number } {
  const machine = boot(config);
  return { machine, pid: spawn(machine) };
}

function remap(machine: Machine, pid: number, addr: number, from: number, to: number, flags?: string): number {
  const request = { call: 'mremap', addr, old_length: from * PAGE, new_length: to * PAGE, ...(flags && { flags }) };
  const moved = granted(machine, pid, request).addr as number;
  checkMachine(machine);
  return moved;
}

const statm = (machine: Machine, pid: number): string => cat(machine, `/proc/${pid}/statm`).split(' ').slice(0, 2).join(' ');

describe('mremap', () => {
  test('grows where it is when the room behind is free, and joins what it meets', () => {
    const { machine, pid } = start();
    mmap(machine, pid, 4, RW, FIXED, BASE);
    mmap(machine, pid, 2, RW, FIXED, BASE + 6 * PAGE);
    expect(remap(machine, pid, BASE, 4, 6)).toBe(BASE);
    expect(areaOf(machine, pid, BASE)).toMatchObject({ start: BASE, end: BASE + 8 * PAGE });
    expect(machine.committed).toBe(8);
  });

  test('shrinks where it is, and gives the pages back', () => {
    const { machine, pid } = start();
    mmap(machine, pid, 8, RW, FIXED, BASE);
    touch(machine, pid, 'write', BASE, 8);
    expect(remap(machine, pid, BASE, 8, 3)).toBe(BASE);
    expect(statm(machine, pid)).toBe('3 3');
    expect(machine.committed).toBe(3);
    expect(remap(machine, pid, BASE, 3, 3)).toBe(BASE);
  });

  test('without room it is ENOMEM, or it moves when it may: entries move, no byte is copied, no fault is taken', () => {
    const { machine, pid } = start();
    mmap(machine, pid, 4, RW, FIXED, BASE);
    mmap(machine, pid, 1, 'PROT_READ', FIXED, BASE + 4 * PAGE);
    granted(machine, pid, { call: 'poke', addr: BASE + PAGE, bytes: [7, 8, 9] });
    const before = hash(machine);
    expect(refused(machine, pid, { call: 'mremap', addr: BASE, old_length: 4 * PAGE, new_length: 8 * PAGE })).toMatchObject({
      errno: 'ENOMEM',
      why: { code: 'ADDRESS_TAKEN', addr: BASE + 4 * PAGE, length: 4 * PAGE },
    });
    expect(hash(machine)).toBe(before);
    const moved = remap(machine, pid, BASE, 4, 8, 'MREMAP_MAYMOVE');
    expect(moved).toBe(0xb8000000 - 8 * PAGE);
    expect(granted(machine, pid, { call: 'peek', addr: moved + PAGE, length: 3 })).toMatchObject({
      bytes: [7, 8, 9],
      faults: { minor: 0, major: 0, cow: 0 },
    });
    expect(statm(machine, pid)).toBe('9 1');
    expect(machine.committed).toBe(8);
    expect(refused(machine, pid, { call: 'read', addr: BASE, length: 1 })).toMatchObject({
      signal: 'SIGSEGV',
      why: { code: 'NOT_MAPPED' },
    });
  });

  test('a moved page is found by those who move pages themselves: its reverse map moved with it', () => {
    const { machine, pid } = start({ frames: 1024, pageblockOrder: 4, mobility: true, cma: { frames: 64 } });
    const addr = mmap(machine, pid, 2);
    granted(machine, pid, { call: 'poke', addr, bytes: [5] });
    mmap(machine, pid, 1, 'PROT_READ', FIXED, addr + 2 * PAGE);
    const moved = remap(machine, pid, addr, 2, 4, 'MREMAP_MAYMOVE');
    granted(machine, 0, { call: 'cma_alloc', count: 64 });
    granted(machine, 0, { call: 'sysctl', name: 'vm.compact_memory', value: 1 });
    expect(granted(machine, pid, { call: 'peek', addr: moved, length: 1 }).bytes).toEqual([5]);
    checkMachine(machine);
  });

  test('part of an area moves alone', () => {
    const { machine, pid } = start();
    mmap(machine, pid, 8, RW, FIXED, BASE);
    touch(machine, pid, 'write', BASE, 8);
    const moved = remap(machine, pid, BASE + 2 * PAGE, 2, 5, 'MREMAP_MAYMOVE');
    expect(statm(machine, pid)).toBe('11 8');
    expect(areaOf(machine, pid, moved).fields.Rss).toBe(8);
    expect(areaOf(machine, pid, BASE)).toMatchObject({ end: BASE + 2 * PAGE });
    expect(areaOf(machine, pid, BASE + 4 * PAGE)).toMatchObject({ end: BASE + 8 * PAGE });
  });

  test('shared memory does not grow with its mapping: beyond its object is SIGBUS', () => {
    const { machine, pid } = start();
    mmap(machine, pid, 2, RW, `${SHARED}|MAP_FIXED`, BASE);
    remap(machine, pid, BASE, 2, 4);
    touch(machine, pid, 'write', BASE, 2);
    expect(refused(machine, pid, { call: 'write', addr: BASE + 2 * PAGE, length: 1 })).toMatchObject({
      signal: 'SIGBUS',
      why: { code: 'BEYOND_OBJECT', addr: BASE + 2 * PAGE },
    });
    checkMachine(machine);
  });

  test('old_length 0 maps shared memory a second time; private memory has nothing to give', () => {
    const { machine, pid } = start();
    mmap(machine, pid, 2, RW, `${SHARED}|MAP_FIXED`, BASE);
    granted(machine, pid, { call: 'poke', addr: BASE, bytes: [4] });
    const twin = remap(machine, pid, BASE, 0, 2, 'MREMAP_MAYMOVE');
    expect(granted(machine, pid, { call: 'peek', addr: twin, length: 1 }).bytes).toEqual([4]);
    expect(areaOf(machine, pid, BASE).fields.Pss).toBe(2);
    mmap(machine, pid, 2, RW, FIXED, BASE + 4 * PAGE);
    expect(refused(machine, pid, { call: 'mremap', addr: BASE + 4 * PAGE, old_length: 0, new_length: PAGE })).toMatchObject({
      errno: 'EINVAL',
    });
  });

  test('what is refused', () => {
    const { machine, pid } = start();
    mmap(machine, pid, 4, RW, FIXED, BASE);
    const ask = (addr: number, from: number, to: number) =>
      refused(machine, pid, { call: 'mremap', addr, old_length: from, new_length: to, flags: 'MREMAP_MAYMOVE' });
    const before = hash(machine);
    expect(ask(BASE + 1, PAGE, 2 * PAGE)).toMatchObject({ errno: 'EINVAL', cost: 0 });
    expect(ask(BASE, PAGE, 0)).toMatchObject({ errno: 'EINVAL', cost: 0 });
    expect(ask(BASE - PAGE, PAGE, 2 * PAGE)).toMatchObject({ errno: 'EFAULT', why: { code: 'NOT_MAPPED', addr: BASE - PAGE } });
    expect(ask(BASE, 5 * PAGE, 6 * PAGE)).toMatchObject({
      errno: 'EFAULT',
      why: { code: 'NOT_ONE_AREA', addr: BASE, end: BASE + 4 * PAGE },
    });
    expect(ask(BASE, PAGE, 2 ** 32)).toMatchObject({ errno: 'ENOMEM', why: { code: 'NO_ADDRESS_SPACE' } });
    expect(hash(machine)).toBe(before);
    granted(machine, pid, { call: 'setrlimit', resource: 'RLIMIT_AS', limit: 6 * PAGE });
    expect(ask(BASE, 4 * PAGE, 7 * PAGE)).toMatchObject({
      errno: 'ENOMEM',
      why: { code: 'RLIMIT', resource: 'RLIMIT_AS', wanted: 7 * PAGE },
    });
    remap(machine, pid, BASE, 4, 6);
  });

  test('mode 2 counts what it grows by, not what it moves', () => {
    const machine = bootFlat(1024, { overcommit: { mode: 2, ratio: 50 } });
    const pid = spawn(machine);
    mmap(machine, pid, 300, RW, FIXED, BASE);
    mmap(machine, pid, 1, 'PROT_READ', FIXED, BASE + 300 * PAGE);
    remap(machine, pid, BASE, 300, 400, 'MREMAP_MAYMOVE');
    expect(machine.committed).toBe(400);
  });
});

describe('mlock', () => {
  test('brings the pages in and marks their area; munlock takes the mark away', () => {
    const { machine, pid } = start();
    mmap(machine, pid, 8, RW, FIXED, BASE);
    granted(machine, pid, { call: 'mlock', addr: BASE + 2 * PAGE + 5, length: 2 * PAGE }); // three pages hold these bytes
    checkMachine(machine);
    expect(statm(machine, pid)).toBe('8 3');
    expect(areaOf(machine, pid, BASE + 2 * PAGE)).toMatchObject({ end: BASE + 5 * PAGE, fields: { Rss: 12, Locked: 12 } });
    granted(machine, pid, { call: 'munlock', addr: BASE, length: 8 * PAGE });
    expect(areaOf(machine, pid, BASE)).toMatchObject({ end: BASE + 8 * PAGE, fields: { Rss: 12, Locked: 0 } });
  });

  test('RLIMIT_MEMLOCK: what is locked already counts once; with 0 it is EPERM; root has no limit (can_do_mlock)', () => {
    const machine = boot({ root: [3] });
    const pid = spawn(machine);
    const lock = (pages: number) => ({ call: 'mlock', addr: BASE, length: pages * PAGE });
    mmap(machine, pid, 8, RW, FIXED, BASE);
    granted(machine, pid, { call: 'setrlimit', resource: 'RLIMIT_MEMLOCK', limit: 4 * PAGE });
    expect(refused(machine, pid, lock(5))).toMatchObject({
      errno: 'ENOMEM',
      why: { code: 'RLIMIT', resource: 'RLIMIT_MEMLOCK', limit: 4 * PAGE, wanted: 5 * PAGE },
    });
    granted(machine, pid, lock(3));
    granted(machine, pid, lock(4));
    expect(
      refused(machine, pid, { call: 'mmap', length: PAGE, prot: RW, flags: `${FIXED.replace('|MAP_FIXED', '')}|MAP_LOCKED` }),
    ).toMatchObject({
      errno: 'EAGAIN',
      why: { code: 'RLIMIT', resource: 'RLIMIT_MEMLOCK' },
    });
    granted(machine, pid, { call: 'setrlimit', resource: 'RLIMIT_MEMLOCK', limit: 0 });
    expect(refused(machine, pid, lock(1))).toMatchObject({ errno: 'EPERM' });
    const root = spawn(machine);
    mmap(machine, root, 8, RW, FIXED, BASE);
    granted(machine, root, { call: 'setrlimit', resource: 'RLIMIT_MEMLOCK', limit: 0 });
    granted(machine, root, lock(8));
  });

  test('a hole is ENOMEM after the areas before it, PROT_NONE cannot be brought in, and keeps its mark', () => {
    const { machine, pid } = start();
    mmap(machine, pid, 2, RW, FIXED, BASE);
    mmap(machine, pid, 2, 'PROT_NONE', FIXED, BASE + 4 * PAGE);
    expect(refused(machine, pid, { call: 'mlock', addr: BASE, length: 6 * PAGE })).toMatchObject({
      errno: 'ENOMEM',
      why: { code: 'NOT_MAPPED', addr: BASE + 2 * PAGE },
    });
    expect(areaOf(machine, pid, BASE).fields.Rss).toBe(0);
    expect(cat(machine, `/proc/${pid}/status`)).toMatch(/VmLck:\s+8 kB/);
    expect(refused(machine, pid, { call: 'mlock', addr: BASE + 4 * PAGE, length: PAGE })).toMatchObject({
      errno: 'ENOMEM',
      why: { code: 'NOT_ALLOWED' },
    });
    expect(cat(machine, `/proc/${pid}/status`)).toMatch(/VmLck:\s+12 kB/);
    expect(granted(machine, pid, { call: 'munlock', addr: 0, length: 0 }).ok).toBe(true);
  });

  test('a fork inherits the area without its lock (dup_mmap)', () => {
    const { machine, pid } = start();
    mmap(machine, pid, 2, RW, FIXED, BASE);
    granted(machine, pid, { call: 'mlock', addr: BASE, length: 2 * PAGE });
    const child = granted(machine, pid, { call: 'fork' }).pid!;
    expect(cat(machine, `/proc/${child}/status`)).toMatch(/VmLck:\s+0 kB/);
  });

  test('a locked mapping that grows brings its new pages in', () => {
    const { machine, pid } = start();
    mmap(machine, pid, 2, RW, FIXED, BASE);
    granted(machine, pid, { call: 'mlock', addr: BASE, length: 2 * PAGE });
    remap(machine, pid, BASE, 2, 5);
    expect(statm(machine, pid)).toBe('5 5');
    granted(machine, pid, { call: 'setrlimit', resource: 'RLIMIT_MEMLOCK', limit: 6 * PAGE });
    expect(refused(machine, pid, { call: 'mremap', addr: BASE, old_length: 5 * PAGE, new_length: 7 * PAGE })).toMatchObject({
      errno: 'EAGAIN',
    });
  });
});

describe('madvise', () => {
  const advise = (machine: Machine, pid: number, from: number, pages: number, advice: string) => {
    const request = { call: 'madvise', addr: BASE + from * PAGE, length: pages * PAGE, advice };
    return () => granted(machine, pid, request) && checkMachine(machine);
  };

  test('DONTNEED of 32 of 64 pages: they read 0, the others what they held (kernel_cow_experiment.txt, F)', () => {
    const { machine, pid } = start();
    mmap(machine, pid, 64, RW, FIXED, BASE);
    touch(machine, pid, 'write', BASE, 64);
    granted(machine, pid, { call: 'poke', addr: BASE, bytes: [4] });
    granted(machine, pid, { call: 'poke', addr: BASE + 40 * PAGE, bytes: [4] });
    advise(machine, pid, 0, 32, 'MADV_DONTNEED')();
    expect(areaOf(machine, pid, BASE).fields).toMatchObject({ Size: 256, Rss: 128, Pss: 128, Private_Dirty: 128, Anonymous: 128 });
    const byte = (page: number) => granted(machine, pid, { call: 'peek', addr: BASE + page * PAGE, length: 1 }).bytes;
    expect([byte(0), byte(40)]).toEqual([[0], [4]]);
    expect(machine.committed).toBe(64); // the promise stays
  });

  test('DONTNEED of shared memory only unmaps: its object keeps what it holds', () => {
    const { machine, pid } = start();
    mmap(machine, pid, 2, RW, `${SHARED}|MAP_FIXED`, BASE);
    granted(machine, pid, { call: 'poke', addr: BASE, bytes: [4] });
    advise(machine, pid, 0, 2, 'MADV_DONTNEED')();
    expect(statm(machine, pid)).toBe('2 0');
    expect(granted(machine, pid, { call: 'peek', addr: BASE, length: 1 })).toMatchObject({ bytes: [4], faults: { minor: 1 } });
  });

  test('locked areas refuse DONTNEED and COLD; FREE wants private anonymous memory; WILLNEED is content', () => {
    const { machine, pid } = start();
    mmap(machine, pid, 2, RW, FIXED, BASE);
    mmap(machine, pid, 2, RW, `${SHARED}|MAP_FIXED`, BASE + 2 * PAGE);
    granted(machine, pid, { call: 'mlock', addr: BASE, length: PAGE });
    const ask = (addr: number, advice: string) => refused(machine, pid, { call: 'madvise', addr, length: PAGE, advice });
    expect(ask(BASE, 'MADV_DONTNEED')).toMatchObject({ errno: 'EINVAL', why: { code: 'AREA_LOCKED', addr: BASE } });
    expect(ask(BASE, 'MADV_COLD')).toMatchObject({ errno: 'EINVAL', why: { code: 'AREA_LOCKED' } });
    expect(ask(BASE + 2 * PAGE, 'MADV_FREE')).toMatchObject({ errno: 'EINVAL', why: { code: 'NOT_ANONYMOUS' } });
    expect(ask(BASE + 1, 'MADV_FREE')).toMatchObject({ errno: 'EINVAL', cost: 0 });
    advise(machine, pid, 0, 4, 'MADV_WILLNEED')();
  });

  test('a hole is reported after all areas took the advice', () => {
    const { machine, pid } = start();
    mmap(machine, pid, 2, RW, FIXED, BASE);
    mmap(machine, pid, 2, RW, FIXED, BASE + 4 * PAGE);
    touch(machine, pid, 'write', BASE, 2);
    touch(machine, pid, 'write', BASE + 4 * PAGE, 2);
    expect(refused(machine, pid, { call: 'madvise', addr: BASE, length: 6 * PAGE, advice: 'MADV_DONTNEED' })).toMatchObject({
      errno: 'ENOMEM',
      why: { code: 'NOT_MAPPED', addr: BASE + 2 * PAGE },
    });
    expect(statm(machine, pid)).toBe('4 0');
  });

  test('WILLNEED reads a file’s pages before they are touched: one request, then minor faults only', () => {
    const machine = boot({ disk: { files: [{ path: '/data', bytes: 24 * PAGE }] } });
    const pid = spawn(machine);
    const fd = granted(machine, pid, { call: 'open', path: '/data' }).fd as number;
    const request = { call: 'mmap', length: 30 * PAGE, prot: 'PROT_READ', flags: 'MAP_PRIVATE|MAP_FIXED', fd, offset: 0, addr: BASE };
    granted(machine, pid, request);
    const before = machine.disk!.reads;
    advise(machine, pid, 0, 30, 'MADV_WILLNEED')();
    expect(machine.disk!.reads).toBe(before + 1);
    expect(touch(machine, pid, 'read', BASE, 24)).toMatchObject({ major: 0, minor: 2 });
  });

  test('COLD pages leave the active list; the pages stay', () => {
    const { machine, pid } = start();
    mmap(machine, pid, 8, RW, FIXED, BASE);
    touch(machine, pid, 'write', BASE, 8);
    for (const pfn of machine.frames.state.keys()) if (machine.frames.mapcount[pfn]! > 0) setState(machine, pfn, PGS.active, 0);
    expect(cat(machine, '/proc/meminfo')).toMatch(/Active\(anon\): +32 kB/);
    advise(machine, pid, 0, 4, 'MADV_COLD')();
    expect(cat(machine, '/proc/meminfo')).toMatch(/Active\(anon\): +16 kB/);
    expect(areaOf(machine, pid, BASE).fields).toMatchObject({ Rss: 32, Referenced: 16 });
  });

  test('FREE keeps pages until somebody needs them: LazyFree in smaps, no longer after the next write', () => {
    const { machine, pid } = start();
    mmap(machine, pid, 4, RW, FIXED, BASE);
    touch(machine, pid, 'write', BASE, 4);
    advise(machine, pid, 0, 4, 'MADV_FREE')();
    expect(areaOf(machine, pid, BASE).fields).toMatchObject({ Rss: 16, LazyFree: 16, Private_Clean: 16, Private_Dirty: 0 });
    touch(machine, pid, 'write', BASE, 1);
    expect(areaOf(machine, pid, BASE).fields).toMatchObject({ Rss: 16, LazyFree: 12, Private_Clean: 12, Private_Dirty: 4 });
  });
});
