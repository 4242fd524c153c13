/** Overcommit (mm/util.c; fidelity spec §13): what is promised, and when a promise is refused. */
import { describe, expect, test } from 'vitest';
import { call, type Machine } from '#kernel/machine.ts';
import {
  FIXED,
  KERNEL,
  MiB,
  PAGE,
  PRIVATE,
  RW,
  SHARED,
  boot,
  bootFlat,
  cat,
  granted,
  mmap,
  refused,
  spawn,
  touch,
} from '../helpers/boot.ts';
import { parseMeminfo } from '../helpers/procText.ts';

const FRAMES = 65536; // 256 MiB

const committed = (machine: Machine) => parseMeminfo(cat(machine, '/proc/meminfo')).Committed_AS! / 4;
const map = (machine: Machine, pid: number, pages: number, prot = RW, flags = PRIVATE) =>
  call(machine, pid, { call: 'mmap', length: pages * PAGE, prot, flags });

describe('mode 0: a single request may not exceed all of RAM (a C program on Linux 6.18)', () => {
  const start = () => {
    const machine = bootFlat(FRAMES);
    return { machine, pid: spawn(machine) };
  };

  test.each([
    ['total − 1 pages', FRAMES - 1, RW, PRIVATE, true],
    ['total pages', FRAMES, RW, PRIVATE, true],
    ['total + 1 pages', FRAMES + 1, RW, PRIVATE, false],
    ['total + 1000 pages', FRAMES + 1000, RW, PRIVATE, false],
    ['2 × total with MAP_NORESERVE', 2 * FRAMES, RW, `${PRIVATE}|MAP_NORESERVE`, true],
    ['2 × total, PROT_READ, private', 2 * FRAMES, 'PROT_READ', PRIVATE, true],
    ['2 × total, PROT_NONE', 2 * FRAMES, 'PROT_NONE', PRIVATE, true],
    ['total + 1 pages, shared', FRAMES + 1, RW, SHARED, false],
  ])('%s', (_what, pages, prot, flags, isGranted) => {
    const { machine, pid } = start();
    const answer = map(machine, pid, pages, prot, flags);
    expect(answer).toMatchObject(
      isGranted ? { ok: true } : { ok: false, errno: 'ENOMEM', why: { code: 'OVERCOMMIT', mode: 0, wanted: pages, limit: FRAMES } },
    );
  });

  test('only single requests count: twice 60 % is fine, and so is the fork of such a process', () => {
    const { machine, pid } = start();
    const sixty = Math.floor(FRAMES * 0.6);
    expect(map(machine, pid, sixty).ok).toBe(true);
    expect(map(machine, pid, sixty, 'PROT_WRITE').ok).toBe(true);
    expect(call(machine, pid, { call: 'fork' })).toMatchObject({ ok: true });
  });

  test('total is what the zones manage', () => {
    const machine = bootFlat(FRAMES, { reserved: 5000 });
    const pid = spawn(machine);
    expect(map(machine, pid, FRAMES - 5000).ok).toBe(true);
    expect(map(machine, pid, FRAMES - 4999).ok).toBe(false);
  });

  test('a PROT_NONE reservation is no promise; making it writable is one', () => {
    const { machine, pid } = start();
    const addr = mmap(machine, pid, 2 * FRAMES, 'PROT_NONE', FIXED, 0x40000000);
    const request = { call: 'mmap', length: 2 * FRAMES * PAGE, prot: RW, flags: FIXED, addr };
    expect(refused(machine, pid, request)).toMatchObject({ errno: 'ENOMEM', why: { code: 'OVERCOMMIT' } });
  });
});

describe('mode 1: always', () => {
  test('anything that fits into the address space', () => {
    const machine = bootFlat(1024, { overcommit: { mode: 1, ratio: 50 } });
    const pid = spawn(machine);
    expect(map(machine, pid, 500_000).ok).toBe(true);
  });
});

describe('mode 2: never more than CommitLimit', () => {
  // 65,536 pages × 50 % = 32,768, less 8 MiB (2,048 pages) for root, less total_vm / 32 of the asker.
  const start = (config: object = {}) => {
    const machine = bootFlat(FRAMES, { overcommit: { mode: 2, ratio: 50 }, ...config });
    return { machine, pid: spawn(machine) };
  };
  const LIMIT = 32768;

  test('CommitLimit is (total × ratio / 100) in whole pages, ×4 kB', () => {
    expect(parseMeminfo(cat(start().machine, '/proc/meminfo')).CommitLimit).toBe(LIMIT * 4);
    const odd = boot({ frames: 4097, zones: { normal: 4097 }, overcommit: { mode: 2, ratio: 33 } });
    expect(parseMeminfo(cat(odd, '/proc/meminfo')).CommitLimit).toBe(Math.floor((4097 * 33) / 100) * 4);
  });

  test('the real kernel’s: MemTotal 24684092 kB at 50 % → 12342044 kB; MemTotal 8045260 kB → 4022628 kB (lecture notes; not 4022630)', () => {
    // Machines of that size cannot be built here; the arithmetic is the same on 1/16 of the pages, which is a whole number of neither.
    for (const kb of [24684092, 8045260]) {
      const pages = Math.floor(kb / 4 / 16);
      const machine = boot({ frames: pages, zones: { normal: pages } });
      expect(parseMeminfo(cat(machine, '/proc/meminfo')).CommitLimit).toBe(Math.floor(pages / 2) * 4);
    }
  });

  test('an ordinary process gets the limit less 8 MiB; root gets those as well', () => {
    const { machine, pid } = start();
    expect(map(machine, pid, LIMIT - 2048 + 1)).toMatchObject({ ok: false, errno: 'ENOMEM', why: { code: 'OVERCOMMIT', mode: 2 } });
    expect(map(machine, pid, LIMIT - 2048).ok).toBe(true);
    const rooted = start({ root: [2] });
    expect(map(rooted.machine, rooted.pid, LIMIT + 1).ok).toBe(false);
    expect(map(rooted.machine, rooted.pid, LIMIT).ok).toBe(true);
  });

  test('a 32nd of what a process has is kept so that somebody can log in and kill it', () => {
    const { machine, pid } = start();
    expect(map(machine, pid, 16384).ok).toBe(true);
    const left = LIMIT - 2048 - 16384 / 32 - 16384;
    expect(map(machine, pid, left + 1).ok).toBe(false);
    expect(map(machine, pid, left).ok).toBe(true);
  });

  test('MAP_NORESERVE does not help, read-only and PROT_NONE memory costs nothing', () => {
    const { machine, pid } = start();
    expect(map(machine, pid, LIMIT, RW, `${PRIVATE}|MAP_NORESERVE`).ok).toBe(false);
    expect(map(machine, pid, 2 * LIMIT, 'PROT_READ').ok).toBe(true);
    expect(map(machine, pid, 2 * LIMIT, 'PROT_NONE').ok).toBe(true);
    expect(committed(machine)).toBe(0);
  });

  test('fork promises the parent’s memory once more, and is refused when that is too much', () => {
    const { machine, pid } = start();
    map(machine, pid, 20000);
    expect(refused(machine, pid, { call: 'fork' })).toMatchObject({ errno: 'ENOMEM', why: { code: 'OVERCOMMIT', mode: 2 } });
    granted(machine, pid, { call: 'munmap', addr: 0x10000, length: 0xb8000000 - 0x10000 });
    map(machine, pid, 10000);
    granted(machine, pid, { call: 'fork' });
    expect(committed(machine)).toBe(20000);
  });

  test('brk is a promise like any', () => {
    const { machine, pid } = start();
    expect(refused(machine, pid, { call: 'sbrk', increment: LIMIT * PAGE })).toMatchObject({
      errno: 'ENOMEM',
      why: { code: 'OVERCOMMIT' },
    });
    granted(machine, pid, { call: 'sbrk', increment: 100 * PAGE });
    expect(committed(machine)).toBe(100);
  });
});

describe('Committed_AS', () => {
  test('counts private writable and shared pages, touched or not, and forgets what is unmapped', () => {
    const machine = bootFlat(4096);
    const pid = spawn(machine);
    const addr = mmap(machine, pid, 10);
    mmap(machine, pid, 20, 'PROT_READ');
    mmap(machine, pid, 5, RW, SHARED);
    granted(machine, pid, { call: 'sbrk', increment: 3 * PAGE });
    expect(committed(machine)).toBe(18);
    touch(machine, pid, 'write', addr, 10);
    expect(committed(machine)).toBe(18);
    granted(machine, pid, { call: 'munmap', addr: addr + PAGE, length: 4 * PAGE });
    expect(committed(machine)).toBe(14);
    granted(machine, KERNEL, { call: 'kill', target: pid, sig: 9 });
    expect(committed(machine)).toBe(0);
  });

  test('fork doubles what is private; shared memory is one memory and was promised once', () => {
    const machine = bootFlat(4096);
    const pid = spawn(machine);
    mmap(machine, pid, 10);
    mmap(machine, pid, 24, RW, SHARED);
    granted(machine, pid, { call: 'fork' });
    expect(committed(machine)).toBe(10 + 10 + 24);
  });

  test('a lazy heap: 100 MiB promised on a machine of 256, nothing resident until touched (lecture notes, malloc of 100 MiB)', () => {
    const machine = bootFlat(FRAMES);
    const pid = spawn(machine);
    mmap(machine, pid, (100 * MiB) / PAGE);
    expect(committed(machine)).toBe(25600);
    expect(machine.tasks.get(pid)!.mm.rssAnon).toBe(0);
  });
});
