/** Areas: where they go, how they split and merge, what refuses them (mm/mmap.c, mm/vma.c; fidelity spec §3 and §11). */
import { describe, expect, test } from 'vitest';
import { call } from '#kernel/machine.ts';
import {
  FIXED,
  MiB,
  PAGE,
  PRIVATE,
  RW,
  SHARED,
  boot,
  bootFlat,
  cat,
  freeIn,
  granted,
  mmap,
  refused,
  spawn,
  touch,
} from '../helpers/boot.ts';
import { checkMachine } from '../helpers/check.ts';
import { vmaOperations } from '../helpers/experiments.ts';
import { parseMaps } from '../helpers/procText.ts';

function start() {
  const machine = boot();
  return { machine, pid: spawn(machine) };
}

const areas = (machine: ReturnType<typeof boot>, pid: number) =>
  parseMaps(cat(machine, `/proc/${pid}/maps`)).map(
    (area) => `${area.start.toString(16)}-${area.end.toString(16)} ${area.perms}${area.name && ` ${area.name}`}`,
  );

describe('layout (a static 32-bit program under setarch i386 -3 -R, without the vdso’s two pages below the base)', () => {
  test('192 KiB and 192 KiB more are one area growing down; the heap starts at 0x0804d000', () => {
    const { machine, pid } = start();
    expect(granted(machine, pid, { call: 'sbrk', increment: 0 }).addr).toBe(0x0804d000);
    expect(granted(machine, pid, { call: 'brk', addr: 0x0806e000 }).addr).toBe(0x0806e000);
    expect(mmap(machine, pid, 2, 'PROT_READ')).toBe(0xb7ffe000); // where the vdso lies on a real machine …
    expect(mmap(machine, pid, 6, 'PROT_READ')).toBe(0xb7ff8000); // … and vvar
    expect(mmap(machine, pid, 48)).toBe(0xb7fc8000);
    expect(mmap(machine, pid, 48)).toBe(0xb7f98000);
    expect(areas(machine, pid)).toEqual(['804d000-806e000 rw-p [heap]', 'b7f98000-b7ff8000 rw-p', 'b7ff8000-b8000000 r--p']);
  });

  test('a new process has an empty map', () => {
    const { machine, pid } = start();
    expect(cat(machine, `/proc/${pid}/maps`)).toBe('');
    expect(mmap(machine, pid, 1)).toBe(0xb7fff000);
  });

  test('the highest hole that fits is taken, lower or higher ones are left', () => {
    const { machine, pid } = start();
    const a = mmap(machine, pid, 16);
    granted(machine, pid, { call: 'munmap', addr: a + 2 * PAGE, length: 2 * PAGE }); // two pages
    granted(machine, pid, { call: 'munmap', addr: a + 8 * PAGE, length: 4 * PAGE }); // four, above
    expect(mmap(machine, pid, 3, 'PROT_READ')).toBe(a + 9 * PAGE); // the top of the upper hole
    expect(mmap(machine, pid, 2, 'PROT_READ')).toBe(a + 2 * PAGE);
    expect(mmap(machine, pid, 1, 'PROT_READ')).toBe(a + 8 * PAGE);
    expect(mmap(machine, pid, 1, 'PROT_READ')).toBe(a - PAGE);
    checkMachine(machine);
  });

  test('nothing fits below the base: bottom-up from 0x40000000 finds what is above it', () => {
    const { machine, pid } = start();
    mmap(machine, pid, (0xb8000000 - 0x10000) / PAGE, 'PROT_NONE', `${FIXED}|MAP_NORESERVE`, 0x10000);
    expect(mmap(machine, pid, 4)).toBe(0xb8000000);
    expect(refused(machine, pid, { call: 'mmap', length: 256 * MiB, prot: 'PROT_NONE', flags: PRIVATE })).toMatchObject({
      errno: 'ENOMEM',
      why: { code: 'NO_ADDRESS_SPACE', length: 256 * MiB },
    });
  });

  test('an address without MAP_FIXED is a wish: taken when free (rounded up to a page), else ignored', () => {
    const { machine, pid } = start();
    expect(mmap(machine, pid, 2, RW, PRIVATE, 0x50000000)).toBe(0x50000000);
    expect(mmap(machine, pid, 2, RW, PRIVATE, 0x50001000)).toBe(0xb7ffe000);
    expect(mmap(machine, pid, 1, RW, PRIVATE, 0x60000001)).toBe(0x60001000);
  });
});

describe('splitting and merging', () => {
  // Source: a C program on Linux 6.18 that printed /proc/self/maps after each step; page numbers within a window of 48.
  test('the ten steps of the recorded run', () => {
    const none = '---p';
    const rw = 'rw-p';
    expect(vmaOperations(boot())).toEqual([
      ['reserve48 PROT_NONE', [[0, 48, none]]],
      [
        'fixed rw 8..24',
        [
          [0, 8, none],
          [8, 24, rw],
          [24, 48, none],
        ],
      ],
      [
        'mprotect r 12..16',
        [
          [0, 8, none],
          [8, 12, rw],
          [12, 16, 'r--p'],
          [16, 24, rw],
          [24, 48, none],
        ],
      ],
      [
        'mprotect rw 12..16 (merge back)',
        [
          [0, 8, none],
          [8, 24, rw],
          [24, 48, none],
        ],
      ],
      [
        'munmap 14..16',
        [
          [0, 8, none],
          [8, 14, rw],
          [16, 24, rw],
          [24, 48, none],
        ],
      ],
      [
        'map rw 14..16 (bridge merge)',
        [
          [0, 8, none],
          [8, 24, rw],
          [24, 48, none],
        ],
      ],
      [
        'map shared rw 24..32 (no merge)',
        [
          [0, 8, none],
          [8, 24, rw],
          [24, 32, 'rw-s'],
          [32, 48, none],
        ],
      ],
      [
        'map private rw 32..40',
        [
          [0, 8, none],
          [8, 24, rw],
          [24, 32, 'rw-s'],
          [32, 40, rw],
          [40, 48, none],
        ],
      ],
      [
        'munmap 20..36 across 3 vmas',
        [
          [0, 8, none],
          [8, 20, rw],
          [36, 40, rw],
          [40, 48, none],
        ],
      ],
      [
        'mprotect none 8..12 (merge with left PROT_NONE)',
        [
          [0, 12, none],
          [12, 20, rw],
          [36, 40, rw],
          [40, 48, none],
        ],
      ],
    ]);
  });

  test('two shared mappings side by side stay two: each is a memory of its own', () => {
    const { machine, pid } = start();
    mmap(machine, pid, 2, RW, SHARED);
    mmap(machine, pid, 2, RW, SHARED);
    expect(areas(machine, pid)).toEqual(['b7ffc000-b7ffe000 rw-s /dev/zero (deleted)', 'b7ffe000-b8000000 rw-s /dev/zero (deleted)']);
  });

  test('a hole in a shared mapping keeps what lies beside it, byte for byte', () => {
    const { machine, pid } = start();
    const addr = mmap(machine, pid, 3, RW, SHARED);
    for (let n = 0; n < 3; n++) granted(machine, pid, { call: 'poke', addr: addr + n * PAGE, bytes: [n + 1] });
    granted(machine, pid, { call: 'munmap', addr: addr + PAGE, length: PAGE });
    expect(granted(machine, pid, { call: 'peek', addr: addr + 2 * PAGE, length: 1 }).bytes).toEqual([3]);
    expect(granted(machine, pid, { call: 'peek', addr, length: 1 }).bytes).toEqual([1]);
    checkMachine(machine);
  });

  test('areas of other rights, or with MAP_NORESERVE, do not join their neighbours', () => {
    const { machine, pid } = start();
    mmap(machine, pid, 1);
    mmap(machine, pid, 1, RW, `${PRIVATE}|MAP_NORESERVE`);
    mmap(machine, pid, 1, 'PROT_READ');
    expect(areas(machine, pid)).toHaveLength(3);
  });

  test('MAP_FIXED unmaps what it overlaps: the pages go, new ones read 0', () => {
    const { machine, pid } = start();
    const addr = mmap(machine, pid, 4);
    granted(machine, pid, { call: 'write', addr, length: 4 * PAGE, value: 9 });
    const before = freeIn(machine);
    expect(mmap(machine, pid, 2, RW, FIXED, addr + PAGE)).toBe(addr + PAGE);
    expect(freeIn(machine)).toBe(before + 2);
    expect(granted(machine, pid, { call: 'peek', addr: addr + PAGE - 1, length: 2 }).bytes).toEqual([9, 0]);
    expect(areas(machine, pid)).toHaveLength(1);
    checkMachine(machine);
  });

  test('MAP_FIXED_NOREPLACE answers EEXIST and changes nothing', () => {
    const { machine, pid } = start();
    const addr = mmap(machine, pid, 4);
    const flags = `${PRIVATE}|MAP_FIXED_NOREPLACE`;
    expect(refused(machine, pid, { call: 'mmap', length: 2 * PAGE, prot: RW, flags, addr: addr - PAGE })).toMatchObject({
      errno: 'EEXIST',
      why: { code: 'ADDRESS_TAKEN' },
    });
    expect(mmap(machine, pid, 1, RW, flags, addr - PAGE)).toBe(addr - PAGE);
    expect(areas(machine, pid)).toHaveLength(1);
  });

  test('MAP_POPULATE brings the pages at once', () => {
    const { machine, pid } = start();
    const before = freeIn(machine);
    const addr = mmap(machine, pid, 16, RW, `${PRIVATE}|MAP_POPULATE`);
    expect(freeIn(machine)).toBe(before - 17);
    expect(touch(machine, pid, 'write', addr, 16)).toEqual({ minor: 0, major: 0, cow: 0 });
  });
});

describe('munmap', () => {
  test('of what is not mapped is no error; of a part splits', () => {
    const { machine, pid } = start();
    granted(machine, pid, { call: 'munmap', addr: 0x50000000, length: PAGE });
    const addr = mmap(machine, pid, 4);
    granted(machine, pid, { call: 'munmap', addr: addr + PAGE, length: 1 }); // rounded up to a page
    expect(areas(machine, pid)).toEqual(['b7ffc000-b7ffd000 rw-p', 'b7ffe000-b8000000 rw-p']);
  });

  test('gives back pages and tables, and only those', () => {
    const { machine, pid } = start();
    const before = freeIn(machine);
    const addr = mmap(machine, pid, 8);
    touch(machine, pid, 'write', addr, 8);
    granted(machine, pid, { call: 'munmap', addr, length: 4 * PAGE });
    expect(freeIn(machine)).toBe(before - 4 - 1);
    granted(machine, pid, { call: 'munmap', addr: 0, length: 0xc0000000 });
    expect(freeIn(machine)).toBe(before);
    checkMachine(machine);
  });

  test.each([
    { addr: 0x1001, length: PAGE },
    { addr: 0x1000, length: 0 },
    { addr: 0xbffff000, length: 2 * PAGE },
    { addr: 0xc0000000, length: PAGE },
  ])('EINVAL for $addr + $length', ({ addr, length }) => {
    const { machine, pid } = start();
    expect(refused(machine, pid, { call: 'munmap', addr, length })).toMatchObject({ errno: 'EINVAL' });
  });
});

describe('mmap refuses', () => {
  const ask = (request: object) => {
    const { machine, pid } = start();
    const answer = call(machine, pid, { call: 'mmap', length: PAGE, prot: RW, flags: PRIVATE, ...request });
    expect(cat(machine, `/proc/${pid}/maps`), JSON.stringify(request)).toBe('');
    return answer;
  };

  test.each([
    ['a length of 0', { length: 0 }],
    ['neither private nor shared', { flags: 'MAP_ANONYMOUS' }],
    ['private and shared at once', { flags: 'MAP_PRIVATE|MAP_SHARED|MAP_ANONYMOUS' }],
    ['a fixed address that is not a page’s', { flags: FIXED, addr: 0x50000001 }],
    ['a word that is no flag', { flags: `${PRIVATE}|MAP_EVERYTHING` }],
    ['a word that is no right', { prot: 'PROT_READ|PROT_FLY' }],
  ])('%s: EINVAL, at no cost', (_what, request) => {
    expect(ask(request)).toMatchObject({ ok: false, errno: 'EINVAL', cost: 0 });
  });

  test('more than user space: ENOMEM', () => {
    expect(ask({ length: 0xc0001000, flags: `${PRIVATE}|MAP_NORESERVE`, prot: 'PROT_NONE' })).toMatchObject({ ok: false, errno: 'ENOMEM' });
    expect(ask({ length: PAGE, flags: FIXED, addr: 0xc0000000 })).toMatchObject({ ok: false, errno: 'ENOMEM' });
    expect(ask({ length: 2 * PAGE, flags: FIXED, addr: 0xbffff000 })).toMatchObject({ ok: false, errno: 'ENOMEM' });
  });

  test('page 0, so that NULL stays a mistake (vm.mmap_min_addr): EPERM', () => {
    expect(ask({ flags: FIXED, addr: 0 })).toMatchObject({ ok: false, errno: 'EPERM' });
  });

  test('flags may be a list as well', () => {
    const { machine, pid } = start();
    const addr = granted(machine, pid, { call: 'mmap', length: 1, prot: ['PROT_READ'], flags: ['MAP_PRIVATE', 'MAP_ANONYMOUS'] }).addr;
    expect(addr).toBe(0xb7fff000);
    granted(machine, pid, { call: 'read', addr: '0xb7fff000', length: 1 }); // and an address may be written so
  });
});

describe('brk and sbrk', () => {
  test('sbrk answers the old break, brk the new one (sbrk(2); the lecture notes have it the other way round)', () => {
    const { machine, pid } = start();
    expect(granted(machine, pid, { call: 'sbrk', increment: 10 }).addr).toBe(0x0804d000);
    expect(granted(machine, pid, { call: 'sbrk', increment: 10 }).addr).toBe(0x0804d00a);
    expect(granted(machine, pid, { call: 'brk', addr: 0x08050001 }).addr).toBe(0x08050001);
    expect(areas(machine, pid)).toEqual(['804d000-8051000 rw-p [heap]']);
  });

  test('shrinking gives back whole pages above the break', () => {
    const { machine, pid } = start();
    const heap = granted(machine, pid, { call: 'sbrk', increment: 4 * PAGE }).addr as number;
    touch(machine, pid, 'write', heap, 4);
    const before = freeIn(machine);
    granted(machine, pid, { call: 'sbrk', increment: -(2 * PAGE) + 1 });
    expect(freeIn(machine)).toBe(before + 1);
    granted(machine, pid, { call: 'brk', addr: heap });
    expect(freeIn(machine)).toBe(before + 4 + 1); // and the page table
    expect(cat(machine, `/proc/${pid}/maps`)).toBe('');
    checkMachine(machine);
  });

  test('growing stops a page short of the next area', () => {
    const { machine, pid } = start();
    const wall = 0x0804d000 + 8 * PAGE;
    mmap(machine, pid, 1, 'PROT_READ', FIXED, wall);
    expect(refused(machine, pid, { call: 'brk', addr: wall })).toMatchObject({ errno: 'ENOMEM' });
    expect(granted(machine, pid, { call: 'brk', addr: wall - PAGE }).addr).toBe(wall - PAGE);
    expect(refused(machine, pid, { call: 'sbrk', increment: 1 })).toMatchObject({ errno: 'ENOMEM' });
    expect(granted(machine, pid, { call: 'sbrk', increment: 0 }).addr).toBe(wall - PAGE);
  });

  test('the break cannot fall below its start', () => {
    const { machine, pid } = start();
    expect(refused(machine, pid, { call: 'sbrk', increment: -1 })).toMatchObject({ ok: false });
    expect(granted(machine, pid, { call: 'sbrk', increment: 0 }).addr).toBe(0x0804d000);
  });

  test('pages that came back from the heap are zero when it grows again', () => {
    const { machine, pid } = start();
    const heap = granted(machine, pid, { call: 'sbrk', increment: PAGE }).addr as number;
    granted(machine, pid, { call: 'poke', addr: heap, bytes: [1] });
    granted(machine, pid, { call: 'brk', addr: heap });
    granted(machine, pid, { call: 'brk', addr: heap + PAGE });
    expect(granted(machine, pid, { call: 'peek', addr: heap, length: 1 }).bytes).toEqual([0]);
  });
});

describe('limits of a process', () => {
  test('RLIMIT_AS bounds all, RLIMIT_DATA the private writable', () => {
    const { machine, pid } = start();
    granted(machine, pid, { call: 'setrlimit', resource: 'RLIMIT_DATA', limit: 4 * PAGE });
    mmap(machine, pid, 8, 'PROT_READ');
    mmap(machine, pid, 4);
    expect(refused(machine, pid, { call: 'mmap', length: PAGE, prot: RW, flags: PRIVATE })).toMatchObject({
      errno: 'ENOMEM',
      why: { code: 'RLIMIT', resource: 'RLIMIT_DATA' },
    });
    expect(refused(machine, pid, { call: 'sbrk', increment: PAGE })).toMatchObject({ errno: 'ENOMEM', why: { code: 'RLIMIT' } });
    granted(machine, pid, { call: 'setrlimit', resource: 'RLIMIT_AS', limit: 13 * PAGE });
    mmap(machine, pid, 1, 'PROT_READ');
    expect(refused(machine, pid, { call: 'mmap', length: PAGE, prot: 'PROT_READ', flags: PRIVATE })).toMatchObject({
      errno: 'ENOMEM',
      why: { code: 'RLIMIT', resource: 'RLIMIT_AS' },
    });
  });

  test('nothing is mapped into the guard gap below a stack: 256 pages stay free', () => {
    const { machine, pid } = start();
    const stack = mmap(machine, pid, 1, RW, `${PRIVATE}|MAP_GROWSDOWN`);
    expect(mmap(machine, pid, 1)).toBe(stack - 257 * PAGE);
    expect(mmap(machine, pid, 1, RW, PRIVATE, stack - 10 * PAGE)).toBe(stack - 258 * PAGE); // a wish there is not granted either
  });

  test('a stack grows down on touch, within RLIMIT_STACK, and keeps its distance', () => {
    const machine = bootFlat(4096);
    const pid = spawn(machine);
    const flags = `${FIXED}|MAP_GROWSDOWN`;
    const stack = mmap(machine, pid, 1, RW, flags, 0xbffff000);
    touch(machine, pid, 'write', stack - 5 * PAGE, 1);
    expect(areas(machine, pid)[0]).toMatch(/^bfffa000-c0000000 rw-p/);
    expect(call(machine, pid, { call: 'write', addr: 0xc0000000 - 8 * MiB - 1, length: 1 })).toMatchObject({
      ok: false,
      signal: 'SIGSEGV',
    });
    const other = spawn(machine);
    mmap(machine, other, 1, RW, flags, 0xbffff000);
    mmap(machine, other, 1, RW, FIXED, 0xbffff000 - 300 * PAGE);
    touch(machine, other, 'write', 0xbffff000 - 43 * PAGE, 1); // 256 pages stay free
    expect(call(machine, other, { call: 'write', addr: 0xbffff000 - 44 * PAGE, length: 1 })).toMatchObject({
      ok: false,
      signal: 'SIGSEGV',
    });
    checkMachine(machine);
  });
});
