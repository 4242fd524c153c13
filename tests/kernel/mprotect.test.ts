/** mprotect and the merging of areas (mm/mprotect.c, mm/vma.c): who joins whom, what is promised, what entries allow. */
import { describe, expect, test } from 'vitest';
import { type Machine, hash } from '#kernel/machine.ts';
import { FIXED, KERNEL, PAGE, PRIVATE, RW, SHARED, boot, bootFlat, cat, granted, mmap, refused, spawn, touch } from '../helpers/boot.ts';
import { checkMachine } from '../helpers/check.ts';
import { areasWithin } from '../helpers/experiments.ts';

const NONE = 'PROT_NONE';
const BASE = 0x50000000;

function start(config: Record<string, unknown> = {}): { machine: Machine; pid: number } {
  const machine = boot(config);
  return { machine, pid: spawn(machine) };
}

function protect(machine: Machine, pid: number, from: number, to: number, prot: string): void {
  granted(machine, pid, { call: 'mprotect', addr: BASE + from * PAGE, length: (to - from) * PAGE, prot });
  checkMachine(machine);
}

const layout = (machine: Machine, pid: number): string =>
  areasWithin(machine, pid, BASE, 64)
    .map(([from, to, perms]) => `${from}-${to} ${perms.slice(0, 2)}`)
    .join(', ');

describe('the eight cases of vma_merge (mm/vma.c): P before, N after, A what changes', () => {
  /** P is 0-4, the middle 4-8, N 8-12; each given by its rights, or left out. */
  function around(p: string | null, middle: string | null, n: string | null): { machine: Machine; pid: number } {
    const { machine, pid } = start();
    [p, middle, n].forEach((prot, i) => {
      if (prot !== null) mmap(machine, pid, 4, prot, FIXED, BASE + i * 4 * PAGE);
    });
    return { machine, pid };
  }

  test('1: a new area fills the hole between two alike: all are one', () => {
    const { machine, pid } = around(RW, null, RW);
    mmap(machine, pid, 4, RW, FIXED, BASE + 4 * PAGE);
    expect(layout(machine, pid)).toBe('0-12 rw');
  });

  test('2: it extends the one before', () => {
    const { machine, pid } = around(RW, null, 'PROT_READ');
    mmap(machine, pid, 4, RW, FIXED, BASE + 4 * PAGE);
    expect(layout(machine, pid)).toBe('0-8 rw, 8-12 r-');
  });

  test('3: it extends the one after', () => {
    const { machine, pid } = around('PROT_READ', null, RW);
    mmap(machine, pid, 4, RW, FIXED, BASE + 4 * PAGE);
    expect(layout(machine, pid)).toBe('0-4 r-, 4-12 rw');
  });

  test('4: the end of an area goes to the next one: the border moves', () => {
    const { machine, pid } = around(null, NONE, RW);
    protect(machine, pid, 6, 8, RW);
    expect(layout(machine, pid)).toBe('4-6 --, 6-12 rw');
  });

  test('5: the beginning of an area goes to the one before: the border moves', () => {
    const { machine, pid } = around(RW, NONE, null);
    protect(machine, pid, 4, 6, RW);
    expect(layout(machine, pid)).toBe('0-6 rw, 6-8 --');
  });

  test('6: a whole area becomes like both neighbours: one is left of three', () => {
    const { machine, pid } = around(RW, NONE, RW);
    protect(machine, pid, 4, 8, RW);
    expect(layout(machine, pid)).toBe('0-12 rw');
  });

  test('7: a whole area joins the one before', () => {
    const { machine, pid } = around(RW, NONE, 'PROT_READ');
    protect(machine, pid, 4, 8, RW);
    expect(layout(machine, pid)).toBe('0-8 rw, 8-12 r-');
  });

  test('8: a whole area joins the one after', () => {
    const { machine, pid } = around('PROT_READ', NONE, RW);
    protect(machine, pid, 4, 8, RW);
    expect(layout(machine, pid)).toBe('0-4 r-, 4-12 rw');
  });

  test('shared memory never joins: each mapping is an object of its own', () => {
    const { machine, pid } = start();
    mmap(machine, pid, 4, 'PROT_READ', `${SHARED}|MAP_FIXED`, BASE);
    mmap(machine, pid, 4, RW, `${SHARED}|MAP_FIXED`, BASE + 4 * PAGE);
    protect(machine, pid, 0, 4, RW);
    expect(layout(machine, pid)).toBe('0-4 rw, 4-8 rw');
    // The two parts of one object do.
    protect(machine, pid, 0, 2, 'PROT_READ');
    expect(layout(machine, pid)).toBe('0-2 r-, 2-4 rw, 4-8 rw');
    protect(machine, pid, 0, 2, RW);
    expect(layout(machine, pid)).toBe('0-4 rw, 4-8 rw');
  });
});

describe('what is refused', () => {
  test('an address that is no page’s, a hole, memory without end; length 0 changes nothing', () => {
    const { machine, pid } = start();
    mmap(machine, pid, 4, RW, FIXED, BASE);
    const before = hash(machine);
    const ask = (addr: number, length: number) => refused(machine, pid, { call: 'mprotect', addr, length, prot: NONE });
    expect(ask(BASE + 1, PAGE)).toMatchObject({ errno: 'EINVAL', why: { code: 'BAD_ARGUMENT', argument: 'addr' } });
    expect(ask(BASE - PAGE, 2 * PAGE)).toMatchObject({ errno: 'ENOMEM', why: { code: 'NOT_MAPPED', addr: BASE - PAGE } });
    expect(ask(0xfffff000, 2 ** 40)).toMatchObject({ errno: 'ENOMEM', why: { code: 'NOT_MAPPED', addr: 0xfffff000 } });
    expect(hash(machine)).toBe(before);
    const areas = structuredClone(machine.tasks.get(pid)!.mm);
    granted(machine, pid, { call: 'mprotect', addr: BASE, length: 0, prot: NONE });
    expect(machine.tasks.get(pid)!.mm).toEqual(areas);
  });

  test('areas before the hole are changed though the call fails (do_mprotect_pkey)', () => {
    const { machine, pid } = start();
    mmap(machine, pid, 4, RW, FIXED, BASE);
    refused(machine, pid, { call: 'mprotect', addr: BASE + 2 * PAGE, length: 4 * PAGE, prot: 'PROT_READ' });
    expect(layout(machine, pid)).toBe('0-2 rw, 2-4 r-');
    checkMachine(machine);
  });

  test('vm.max_map_count: a cut that makes one area too many is ENOMEM, a border that moves is not', () => {
    const { machine, pid } = start();
    mmap(machine, pid, 8, RW, FIXED, BASE);
    mmap(machine, pid, 8, NONE, FIXED, BASE + 8 * PAGE);
    granted(machine, KERNEL, { call: 'sysctl', name: 'vm.max_map_count', value: 2 });
    const before = hash(machine);
    const tooMany = { errno: 'ENOMEM', why: { code: 'TOO_MANY_AREAS', limit: 2 } };
    expect(refused(machine, pid, { call: 'mprotect', addr: BASE + PAGE, length: PAGE, prot: NONE })).toMatchObject(tooMany);
    expect(refused(machine, pid, { call: 'mlock', addr: BASE + PAGE, length: PAGE })).toMatchObject(tooMany);
    expect(refused(machine, pid, { call: 'munmap', addr: BASE + PAGE, length: PAGE })).toMatchObject(tooMany);
    expect(refused(machine, pid, { call: 'mmap', length: PAGE, prot: RW, flags: SHARED })).toMatchObject(tooMany);
    expect(hash(machine)).toBe(before);
    protect(machine, pid, 6, 8, NONE);
    expect(layout(machine, pid)).toBe('0-6 rw, 6-16 --');
    granted(machine, pid, { call: 'munmap', addr: BASE, length: PAGE });
  });
});

describe('promises', () => {
  const committed = (machine: Machine): number => machine.committed;

  test('memory that becomes writable is promised now; if it was never written, read-only again it is not', () => {
    const { machine, pid } = start();
    mmap(machine, pid, 8, 'PROT_READ', FIXED, BASE);
    expect(committed(machine)).toBe(0);
    protect(machine, pid, 0, 4, RW);
    expect(committed(machine)).toBe(4);
    protect(machine, pid, 0, 4, 'PROT_READ');
    expect(committed(machine)).toBe(0);
    protect(machine, pid, 0, 4, RW);
    touch(machine, pid, 'write', BASE, 1);
    protect(machine, pid, 0, 4, NONE); // its pages may have been written: they stay promised
    expect(committed(machine)).toBe(4);
    granted(machine, pid, { call: 'exit' });
    expect(committed(machine)).toBe(0);
  });

  test('mode 2 refuses what mmap for reading had been granted', () => {
    const machine = bootFlat(1024, { overcommit: { mode: 2, ratio: 50 } });
    const pid = spawn(machine);
    mmap(machine, pid, 700, 'PROT_READ', FIXED, BASE);
    const before = hash(machine);
    expect(refused(machine, pid, { call: 'mprotect', addr: BASE, length: 700 * PAGE, prot: RW })).toMatchObject({
      errno: 'ENOMEM',
      why: { code: 'OVERCOMMIT', mode: 2, wanted: 700 },
    });
    expect(hash(machine)).toBe(before);
  });

  test('RLIMIT_DATA counts it, shared memory aside', () => {
    const { machine, pid } = start();
    mmap(machine, pid, 8, 'PROT_READ', FIXED, BASE);
    mmap(machine, pid, 8, 'PROT_READ', `${SHARED}|MAP_FIXED`, BASE + 8 * PAGE);
    granted(machine, pid, { call: 'setrlimit', resource: 'RLIMIT_DATA', limit: 4 * PAGE });
    expect(refused(machine, pid, { call: 'mprotect', addr: BASE, length: 5 * PAGE, prot: RW })).toMatchObject({
      errno: 'ENOMEM',
      why: { code: 'RLIMIT', resource: 'RLIMIT_DATA', limit: 4 * PAGE, wanted: 5 * PAGE },
    });
    protect(machine, pid, 0, 4, RW);
    protect(machine, pid, 8, 16, RW);
  });
});

describe('pages that are there', () => {
  test('keep what they hold behind PROT_NONE, and are the same pages afterwards', () => {
    const { machine, pid } = start();
    mmap(machine, pid, 2, RW, FIXED, BASE);
    granted(machine, pid, { call: 'poke', addr: BASE, bytes: [1, 2, 3] });
    protect(machine, pid, 0, 2, NONE);
    expect(cat(machine, `/proc/${pid}/statm`)).toBe('2 1 0 0 0 0 0\n');
    protect(machine, pid, 0, 2, 'PROT_READ');
    expect(granted(machine, pid, { call: 'peek', addr: BASE, length: 3 })).toMatchObject({
      bytes: [1, 2, 3],
      faults: { minor: 0, major: 0, cow: 0 },
    });
  });

  test('read, write or fetched where the area forbids it: SEGV_ACCERR, whatever the entry said before', () => {
    for (const [prot, request] of [
      [NONE, 'read'],
      [NONE, 'write'],
      ['PROT_READ', 'write'],
      [RW, 'exec'],
    ] as const) {
      const { machine, pid } = start();
      mmap(machine, pid, 1, RW, FIXED, BASE);
      touch(machine, pid, 'write', BASE, 1);
      protect(machine, pid, 0, 1, prot);
      const args = request === 'exec' ? { addr: BASE } : { addr: BASE, length: 1 };
      expect(refused(machine, pid, { call: request, ...args })).toMatchObject({
        signal: 'SIGSEGV',
        why: { code: 'NOT_ALLOWED', addr: BASE },
      });
      checkMachine(machine);
    }
  });

  test('a page that is ours alone is writable again without a fault, one that a fork shares is not', () => {
    const { machine, pid } = start();
    mmap(machine, pid, 2, RW, FIXED, BASE);
    touch(machine, pid, 'write', BASE, 2);
    protect(machine, pid, 0, 2, 'PROT_READ');
    protect(machine, pid, 0, 2, RW);
    expect(touch(machine, pid, 'write', BASE, 2)).toEqual({ minor: 0, major: 0, cow: 0 });
    granted(machine, pid, { call: 'fork' });
    protect(machine, pid, 0, 2, 'PROT_READ');
    protect(machine, pid, 0, 2, RW);
    expect(touch(machine, pid, 'write', BASE, 2)).toEqual({ minor: 2, major: 0, cow: 2 });
  });

  test('PROT_WRITE alone reads too: the entry knows no other way (protection_map)', () => {
    const { machine, pid } = start();
    mmap(machine, pid, 1, 'PROT_WRITE', FIXED, BASE);
    expect(touch(machine, pid, 'read', BASE, 1)).toEqual({ minor: 1, major: 0, cow: 0 });
  });

  test('locked memory that becomes writable gets its own pages at once', () => {
    const { machine, pid } = start();
    mmap(machine, pid, 2, 'PROT_READ', FIXED, BASE);
    granted(machine, pid, { call: 'mlock', addr: BASE, length: 2 * PAGE });
    expect(cat(machine, `/proc/${pid}/statm`)).toBe('2 0 0 0 0 0 0\n'); // the zero page, twice
    protect(machine, pid, 0, 2, RW);
    expect(cat(machine, `/proc/${pid}/statm`)).toBe('2 2 0 0 0 2 0\n');
  });
});

test('a private area is one again after its middle was read-only: 5, then 3 (kernel_experiments.json)', () => {
  const { machine, pid } = start();
  mmap(machine, pid, 48, NONE, FIXED, BASE);
  mmap(machine, pid, 16, RW, `${PRIVATE}|MAP_FIXED`, BASE + 8 * PAGE);
  protect(machine, pid, 12, 16, 'PROT_READ');
  expect(layout(machine, pid)).toBe('0-8 --, 8-12 rw, 12-16 r-, 16-24 rw, 24-48 --');
  protect(machine, pid, 12, 16, RW);
  expect(layout(machine, pid)).toBe('0-8 --, 8-24 rw, 24-48 --');
});
