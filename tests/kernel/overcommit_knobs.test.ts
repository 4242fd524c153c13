/** What may be promised (mm/util.c, Documentation/mm/overcommit-accounting.rst; fidelity spec §13): the knobs, swap, files, and the rules of 2.6.32. */
import { describe, expect, test } from 'vitest';
import { call, createMachine, hash, type Machine } from '#kernel/machine.ts';
import { KERNEL, PAGE, PRIVATE, RW, SHARED, bootFlat, cat, granted, mmap, refused, spawn, touch } from '../helpers/boot.ts';
import { checkMachine } from '../helpers/check.ts';
import { parseMeminfo } from '../helpers/procText.ts';

const FRAMES = 65536; // 256 MiB
const strict = (config: object = {}, frames = FRAMES) => bootFlat(frames, { overcommit: { mode: 2 }, ...config });
const knob = (machine: Machine, name: string, value: number) => granted(machine, KERNEL, { call: 'sysctl', name: `vm.${name}`, value });
const map = (machine: Machine, pid: number, pages: number, prot = RW, flags = PRIVATE) =>
  call(machine, pid, { call: 'mmap', length: pages * PAGE, prot, flags });
const meminfo = (machine: Machine) => parseMeminfo(cat(machine, '/proc/meminfo'));
/** The largest promise that a process is given, found by asking. */
function largest(machine: Machine, pid: number, flags = PRIVATE): number {
  let [low, high] = [0, 700_000];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    const answer = map(machine, pid, middle, RW, flags);
    if (!answer.ok) high = middle - 1;
    else {
      granted(machine, pid, { call: 'munmap', addr: answer.addr as number, length: middle * PAGE });
      low = middle;
    }
  }
  return low;
}

describe('CommitLimit', () => {
  test.each([
    [{}, 32768],
    [{ overcommit: { mode: 2, ratio: 80 } }, 52428],
    [{ overcommit_kbytes: 100_001 }, 25_000],
    [{ swap: { slots: 1000 } }, 32768 + 1000],
    [{ overcommit_kbytes: 4096, swap: { slots: 1000 } }, 1024 + 1000],
  ])('%j: %i pages', (config, pages) => {
    expect(meminfo(strict(config)).CommitLimit).toBe(pages * 4);
  });

  test('vm.overcommit_kbytes and vm.overcommit_ratio put each other out (overcommit_kbytes_handler)', () => {
    const machine = strict();
    knob(machine, 'overcommit_kbytes', 40_000);
    expect(machine.config.overcommit).toMatchObject({ ratio: 0, kbytes: 40_000 });
    expect(meminfo(machine).CommitLimit).toBe(40_000);
    knob(machine, 'overcommit_ratio', 25);
    expect(machine.config.overcommit).toMatchObject({ ratio: 25, kbytes: 0 });
    expect(meminfo(machine).CommitLimit).toBe(65_536);
  });

  test('swap off takes its pages away', () => {
    const machine = strict({ swap: { slots: 1000 } });
    machine.swap!.on = false;
    expect(meminfo(machine).CommitLimit).toBe(32768 * 4);
  });

  test('both as keys of a machine: refused', () => {
    expect(() => createMachine({ frames: 256, overcommit: { ratio: 10 }, overcommit_kbytes: 5 })).toThrow('not both');
  });
});

describe('mode 2: the reserves', () => {
  test('vm.admin_reserve_kbytes is root’s', () => {
    const machine = strict({ root: [3] });
    const [user, root] = [spawn(machine), spawn(machine)];
    expect([largest(machine, user), largest(machine, root)]).toEqual([32768 - 2048, 32768]);
    knob(machine, 'admin_reserve_kbytes', 4000);
    expect([largest(machine, user), largest(machine, root)]).toEqual([32768 - 1000, 32768]);
    knob(machine, 'admin_reserve_kbytes', 0);
    expect(largest(machine, user)).toBe(32768);
  });

  test('vm.user_reserve_kbytes bounds what is held back of a process’s own size / 32', () => {
    const machine = strict({ admin_reserve_kbytes: 0 });
    const pid = spawn(machine);
    mmap(machine, pid, 16_000);
    expect(largest(machine, pid)).toBe(32768 - 16_000 - 500);
    knob(machine, 'user_reserve_kbytes', 400);
    expect(largest(machine, pid)).toBe(32768 - 16_000 - 100);
    knob(machine, 'user_reserve_kbytes', 0);
    expect(largest(machine, pid)).toBe(32768 - 16_000);
  });

  test('on a small machine both are a 32nd of memory (init_admin_reserve, init_user_reserve)', () => {
    const machine = strict({}, 3200);
    expect(largest(machine, spawn(machine))).toBe(1600 - 100);
  });

  test('a machine that has promised more than it may now gives nobody anything, and takes nothing back', () => {
    const machine = bootFlat(1024);
    const pid = spawn(machine);
    const addr = mmap(machine, pid, 900);
    knob(machine, 'overcommit_memory', 2);
    const before = hash(machine);
    expect(map(machine, pid, 1)).toMatchObject({ errno: 'ENOMEM', why: { code: 'OVERCOMMIT', mode: 2, wanted: 901 } });
    expect(hash(machine)).toBe(before);
    touch(machine, pid, 'write', addr, 900);
    expect(meminfo(machine).Committed_AS).toBe(3600);
    checkMachine(machine);
  });
});

describe('mode 0', () => {
  test('RAM and swap together bound a single request', () => {
    const machine = bootFlat(1024, { swap: { slots: 500 } });
    expect(largest(machine, spawn(machine))).toBe(1524);
  });
});

describe('what is a promise', () => {
  const DISK = { disk: { files: [{ path: '/data', bytes: 40 * PAGE }] } };
  const withFile = () => {
    const machine = bootFlat(4096, DISK);
    const pid = spawn(machine);
    const fd = granted(machine, pid, { call: 'open', path: '/data', flags: 'O_RDWR' }).fd as number;
    return { machine, pid, fd };
  };

  test.each([
    ['a shared file, written or not', RW, 'MAP_SHARED', 0],
    ['a private file that is only read', 'PROT_READ', 'MAP_PRIVATE', 0],
    ['a private file that may be written: each page may become a copy', RW, 'MAP_PRIVATE', 40],
    ['the same without a reserve', RW, 'MAP_PRIVATE|MAP_NORESERVE', 0],
  ])('%s', (_what, prot, flags, pages) => {
    const { machine, pid, fd } = withFile();
    granted(machine, pid, { call: 'mmap', length: 40 * PAGE, prot, flags, fd });
    expect(meminfo(machine).Committed_AS).toBe(pages * 4);
  });

  test.each([
    ['private, writable', RW, PRIVATE, 40],
    ['private, read only', 'PROT_READ', PRIVATE, 0],
    ['private, no access', 'PROT_NONE', PRIVATE, 0],
    ['private, without a reserve', RW, `${PRIVATE}|MAP_NORESERVE`, 0],
    ['shared: the object is promised, whoever may write', 'PROT_READ', SHARED, 40],
    ['shared, without a reserve', RW, `${SHARED}|MAP_NORESERVE`, 0],
  ])('anonymous memory, %s', (_what, prot, flags, pages) => {
    const machine = bootFlat(4096);
    granted(machine, spawn(machine), { call: 'mmap', length: 40 * PAGE, prot, flags });
    expect(meminfo(machine).Committed_AS).toBe(pages * 4);
  });

  test('a stack that grows is a promise that grows', () => {
    const machine = bootFlat(4096);
    const pid = spawn(machine);
    const addr = mmap(machine, pid, 1, RW, `${PRIVATE}|MAP_GROWSDOWN`, 0x60000000);
    granted(machine, pid, { call: 'write', addr: addr - 8 * PAGE, length: 1 });
    expect(meminfo(machine).Committed_AS).toBe(9 * 4);
    const tight = strict({ admin_reserve_kbytes: 0, overcommit_kbytes: 20 }, 4096);
    const other = spawn(tight);
    const stack = mmap(tight, other, 1, RW, `${PRIVATE}|MAP_GROWSDOWN`, 0x60000000);
    granted(tight, other, { call: 'write', addr: stack - 4 * PAGE, length: 1 });
    expect(refused(tight, other, { call: 'write', addr: stack - 5 * PAGE, length: 1 })).toMatchObject({ signal: 'SIGSEGV' });
  });
});

describe('2.6.32', () => {
  const old = (config: object = {}) => bootFlat(3200, { rules: '2.6.32', ...config });

  test('mode 0 guesses: free pages above the reserves less a 32nd, and the request must stay below (root: all of it)', () => {
    const machine = old({ root: [3] });
    const user = spawn(machine);
    const root = spawn(machine);
    const free = machine.zones[0]!.free;
    expect(largest(machine, user)).toBe(free - (free >> 5) - 1);
    expect(largest(machine, root)).toBe(free - 1);
    mmap(machine, user, 2000); // a promise alone takes nothing
    expect(largest(machine, root)).toBe(free - 1);
  });

  test('what is taken is no longer free; swap is', () => {
    const machine = old({ swap: { slots: 320 } });
    const pid = spawn(machine);
    touch(machine, pid, 'write', mmap(machine, pid, 1000), 1000);
    const free = machine.zones[0]!.free;
    expect(largest(machine, pid)).toBe(320 - 10 + free - (free >> 5) - 1);
  });

  test('mode 2 keeps a 32nd of its share for root, and a 32nd of what the process has, without bound', () => {
    const machine = old({ overcommit: { mode: 2 }, root: [3] });
    const user = spawn(machine);
    const root = spawn(machine);
    expect([largest(machine, user), largest(machine, root)]).toEqual([1600 - 50, 1600]);
    mmap(machine, user, 640);
    expect(largest(machine, user)).toBe(1600 - 50 - 20 - 640);
  });

  test.each(['overcommit_kbytes', 'admin_reserve_kbytes', 'user_reserve_kbytes'])('vm.%s came later', (name) => {
    expect(call(old(), KERNEL, { call: 'sysctl', name: `vm.${name}`, value: 100 })).toMatchObject({ errno: 'EINVAL' });
  });
});
