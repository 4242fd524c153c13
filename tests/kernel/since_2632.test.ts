/** What came after 2.6.32 is not there under its rules (fidelity spec, [K26] and the list of versions in §20). */
import { describe, expect, test } from 'vitest';
import { call, ConfigError, createMachine, hash, type Machine } from '#kernel/machine.ts';
import { FIXED, KERNEL, MiB, PAGE, RW, bootFlat, cat, granted, mmap, refused, spawn, touch } from '../helpers/boot.ts';
import { checkMachine } from '../helpers/check.ts';

const old = (config: object = {}, frames = 1024): Machine => bootFlat(frames, { rules: '2.6.32', ...config });
const NEW = (frames = 1024) => bootFlat(frames);

describe('huge pages (2.6.38)', () => {
  const wide = { arch: 'x86_64', frames: 4096, zones: { normal: 4096 } };

  test('no key, no knob, no file, no advice, no lines', () => {
    expect(() => createMachine({ ...wide, rules: '2.6.32', thpEnabled: 0 })).toThrow(ConfigError);
    const machine = createMachine({ ...wide, rules: '2.6.32' });
    expect(refused(machine, KERNEL, { call: 'sysctl', name: 'vm.thp_enabled', value: 0 }).errno).toBe('EINVAL');
    const enabled = '/sys/kernel/mm/transparent_hugepage/enabled';
    expect(refused(machine, KERNEL, { call: 'cat', path: enabled }).errno).toBe('ENOENT');
    expect(cat(machine, '/proc/meminfo')).not.toContain('AnonHugePages');
    expect(cat(machine, '/proc/vmstat')).not.toContain('thp_');
    const pid = spawn(machine);
    const addr = mmap(machine, pid, 1024);
    touch(machine, pid, 'write', addr, 1024);
    expect(machine.huge.size).toBe(0);
    expect(machine.tasks.get(pid)!.minFlt).toBe(1024);
  });
});

describe('madvise', () => {
  test.each(['MADV_HUGEPAGE', 'MADV_NOHUGEPAGE', 'MADV_FREE', 'MADV_COLD'])('%s is no advice yet, and changes nothing', (advice) => {
    const machine = old();
    const pid = spawn(machine);
    const addr = mmap(machine, pid, 4);
    touch(machine, pid, 'write', addr, 4);
    const before = hash(machine);
    expect(refused(machine, pid, { call: 'madvise', addr, length: 4 * PAGE, advice })).toMatchObject({
      errno: 'EINVAL',
      why: { code: 'BAD_ARGUMENT', argument: 'advice' },
    });
    expect(hash(machine)).toBe(before);
  });

  test.each(['MADV_DONTNEED', 'MADV_WILLNEED'])('%s is', (advice) => {
    const machine = old();
    const pid = spawn(machine);
    granted(machine, pid, { call: 'madvise', addr: mmap(machine, pid, 4), length: 4 * PAGE, advice });
  });
});

test('a fault in a file maps its own page only: the pages around it come along since 3.15', () => {
  const faults = (rules: string) => {
    const machine = bootFlat(1024, { rules, disk: { files: [{ path: '/f', bytes: 32 * PAGE }] } });
    const pid = spawn(machine);
    const fd = granted(machine, pid, { call: 'open', path: '/f' }).fd as number;
    granted(machine, pid, { call: 'pread', fd, offset: 0, length: 32 * PAGE });
    const addr = granted(machine, pid, { call: 'mmap', length: 32 * PAGE, prot: 'PROT_READ', flags: 'MAP_PRIVATE', fd }).addr as number;
    return touch(machine, pid, 'read', addr, 32).minor;
  };
  expect(faults('2.6.32')).toBe(32);
  // At most three: the area need not begin at a multiple of 64 KiB.
  expect(faults('6.x')).toBeLessThanOrEqual(3);
});

test('MAP_FIXED_NOREPLACE is no flag before 4.17: the address is a wish', () => {
  const taken = (machine: Machine) => {
    const pid = spawn(machine);
    const addr = mmap(machine, pid, 4);
    return { addr, answer: call(machine, pid, { call: 'mmap', length: PAGE, prot: RW, flags: `${FIXED}_NOREPLACE`, addr }) };
  };
  expect(taken(NEW()).answer).toMatchObject({ ok: false, errno: 'EEXIST' });
  const { addr, answer } = taken(old());
  expect(answer).toMatchObject({ ok: true, addr: addr - PAGE });
});

describe('stacks', () => {
  /** A stack of one page, and how many pages it can grow above a neighbour 512 pages below. */
  function grown(machine: Machine): number {
    const pid = spawn(machine);
    const top = 0x60000000;
    granted(machine, pid, { call: 'mmap', addr: top - 513 * PAGE, length: PAGE, prot: RW, flags: FIXED });
    granted(machine, pid, { call: 'mmap', addr: top - PAGE, length: PAGE, prot: RW, flags: `${FIXED}|MAP_GROWSDOWN` });
    let pages = 1;
    while (call(machine, pid, { call: 'write', addr: top - (pages + 1) * PAGE, length: 1 }).ok) pages += 1;
    checkMachine(machine);
    return pages;
  }

  test('one page stays free below a stack; since 4.12 it is 256', () => {
    expect(grown(old())).toBe(511);
    expect(grown(NEW())).toBe(256);
  });

  test('the room for the stack above the mmap base is its limit, without a guard gap', () => {
    const base = (rules: string) => {
      const machine = bootFlat(1024, { rules, disk: { files: [{ path: '/p', bytes: 8192, text: 4096 }] } });
      const pid = spawn(machine);
      granted(machine, pid, { call: 'setrlimit', resource: 'RLIMIT_STACK', limit: 256 * MiB });
      granted(machine, pid, { call: 'execve', path: '/p' });
      return machine.tasks.get(pid)!.mm.mmapBase;
    };
    expect(base('2.6.32')).toBe(0xc0000000 - 256 * MiB);
    expect(base('6.x')).toBe(0xc0000000 - 257 * MiB);
  });
});

test('/proc/meminfo has no MemAvailable (3.14) and no KReclaimable (4.20); debugfs no extfrag (2.6.35)', () => {
  const text = cat(old(), '/proc/meminfo');
  expect(text).not.toMatch(/MemAvailable|KReclaimable/);
  expect(text).toContain('SReclaimable');
  for (const name of ['unusable_index', 'extfrag_index'])
    expect(refused(old(), KERNEL, { call: 'cat', path: `/sys/kernel/debug/extfrag/${name}` }).errno).toBe('ENOENT');
});

test('a mempool is destroyed only when its reserve is whole (BUG_ON in mempool_destroy); later kernels free what there is', () => {
  const poolOf = (machine: Machine) => {
    const { pool } = granted(machine, KERNEL, { call: 'mempool_create', min_nr: 2, order: 0 });
    const pages = Array.from({ length: 1024 }, () => call(machine, KERNEL, { call: 'alloc_pages', order: 0, gfp: 'GFP_ATOMIC' }));
    expect(pages.some(({ ok }) => !ok)).toBe(true);
    const { addr } = granted(machine, KERNEL, { call: 'mempool_alloc', pool, gfp: 'GFP_ATOMIC' });
    return { pool, addr };
  };
  const now = NEW();
  granted(now, KERNEL, { call: 'mempool_destroy', pool: poolOf(now).pool });
  const machine = old();
  const { pool, addr } = poolOf(machine);
  expect(refused(machine, KERNEL, { call: 'mempool_destroy', pool })).toMatchObject({
    errno: 'EBUSY',
    why: { code: 'POOL_BUSY', pool, elements: 1 },
  });
  granted(machine, KERNEL, { call: 'mempool_free', pool, addr });
  granted(machine, KERNEL, { call: 'mempool_destroy', pool });
  checkMachine(machine);
});
