/** Processes of the machine of the notes (000, "MMU"; oracles A2): 16-bit addresses, 4 bits of page and 12 of offset, one table of 16 entries. */
import { describe, expect, test } from 'vitest';
import { call, hash, restore, snapshot, tick, type Machine } from '#kernel/machine.ts';
import { FIXED, KERNEL, PAGE, PRIVATE, RW, SHARED, boot, bootFlat, cat, granted, mmap, refused, spawn, touch } from '../helpers/boot.ts';
import { checkMachine } from '../helpers/check.ts';
import { checkLibc } from '../helpers/check_libc.ts';
import { checkSizes } from '../helpers/check_sizes.ts';
import { parseMaps, parseStatus } from '../helpers/procText.ts';

const TOP = 0x10000;

function begin(config: Record<string, unknown> = {}): { machine: Machine; pid: number } {
  const machine = bootFlat(64, { arch: 'toy16', ...config });
  return { machine, pid: spawn(machine) };
}

const translate = (machine: Machine, pid: number, addr: number, access = 'read') => call(machine, pid, { call: 'translate', addr, access });
const frameOf = (machine: Machine, pid: number, addr: number) =>
  Math.floor((granted(machine, pid, { call: 'translate', addr, access: 'read' }).phys as number) / PAGE);

describe('the worked example of the notes', () => {
  test('page 2 in frame 110: the process reads 0010 000000000100 at 110 000000000100', () => {
    // Frames 0 to 4 are the kernel's image; the table of the process is in 5, its first page in 6.
    const { machine, pid } = begin({ reserved: 5 });
    expect(granted(machine, pid, { call: 'sbrk', increment: PAGE }).addr).toBe(0x2000);
    granted(machine, pid, { call: 'poke', addr: 0x2004, bytes: [42] });
    expect(translate(machine, pid, 0b0010_0000_0000_0100)).toMatchObject({
      ok: true,
      linear: 8196,
      phys: 24580,
      steps: [
        { step: 'segment' },
        { step: 'tlb', hit: false },
        { step: 'entry', level: 'PT', index: 2, at: 5 * PAGE + 2 * 4, present: true, pfn: 0b110, write: true, user: true },
        { step: 'page', pfn: 6, offset: 4, phys: 0x6004 },
      ],
      // Sixteen entries of four bytes, in a frame of their own.
      tables: { oneLevelBytes: 64, treeBytes: PAGE },
    });
  });

  test('an entry that is not present is a fault', () => {
    const { machine, pid } = begin();
    expect(translate(machine, pid, 0x2004)).toMatchObject({
      errno: 'EFAULT',
      why: { code: 'PAGE_FAULT', addr: 0x2004, errorCode: 4 },
      fault: { vector: '#PF', cr2: 0x2004 },
    });
  });

  test('the kernel sees the table of the notes; no address has more than 16 bits', () => {
    const { machine, pid } = begin();
    expect(translate(machine, KERNEL, 0x2004)).toMatchObject({ ok: true, phys: 0x6004 });
    for (const who of [KERNEL, pid]) expect(translate(machine, who, TOP)).toMatchObject({ errno: 'EINVAL', why: { code: 'BAD_ARGUMENT' } });
  });
});

describe('64 KiB of addresses', () => {
  test('the heap goes up from page 2, mappings go down from page 12, and the first hole is the highest', () => {
    const { machine, pid } = begin();
    expect(granted(machine, pid, { call: 'sbrk', increment: 0 }).addr).toBe(0x2000);
    expect([mmap(machine, pid, 2), mmap(machine, pid, 1)]).toEqual([0xa000, 0x9000]);
    expect(cat(machine, `/proc/${pid}/maps`)).toBe('00009000-0000c000 rw-p 00000000 00:00 0 \n');
    // The heap ends a page below the next area.
    expect(granted(machine, pid, { call: 'brk', addr: 0x8000 }).addr).toBe(0x8000);
    expect(refused(machine, pid, { call: 'brk', addr: 0x9000 })).toMatchObject({ errno: 'ENOMEM' });
    // Ten pages below 0xc000 are taken: the room of the stack is the last resort.
    expect(mmap(machine, pid, 1)).toBe(0x8000);
    expect(mmap(machine, pid, 1)).toBe(0x1000);
    expect(mmap(machine, pid, 4)).toBe(0xc000);
    expect(refused(machine, pid, { call: 'mmap', length: PAGE, prot: RW, flags: PRIVATE })).toMatchObject({
      errno: 'ENOMEM',
      why: { code: 'NO_ADDRESS_SPACE', length: PAGE },
    });
    checkMachine(machine);
  });

  test('the NULL page stays free, and nothing reaches beyond 64 KiB', () => {
    const { machine, pid } = begin();
    const fixed = (addr: number, pages: number) => call(machine, pid, { call: 'mmap', length: pages * PAGE, prot: RW, flags: FIXED, addr });
    expect(fixed(0, 1)).toMatchObject({ errno: 'EPERM' });
    expect(fixed(0xf000, 2)).toMatchObject({ errno: 'ENOMEM', why: { code: 'NO_ADDRESS_SPACE' } });
    expect(fixed(TOP, 1)).toMatchObject({ errno: 'ENOMEM' });
    expect(fixed(PAGE, 15)).toMatchObject({ ok: true, addr: PAGE });
    expect(touch(machine, pid, 'write', PAGE, 15)).toEqual({ minor: 15, major: 0, cow: 0 });
    expect(refused(machine, pid, { call: 'read', addr: 0, length: 1 })).toMatchObject({ signal: 'SIGSEGV', si_code: 1 });
    const other = spawn(machine);
    expect(refused(machine, other, { call: 'write', addr: TOP, length: 1 })).toMatchObject({ signal: 'SIGSEGV' });
  });

  test('one table, one frame, however much is mapped', () => {
    const { machine, pid } = begin();
    const used = () => 64 - machine.zones[0]!.free;
    expect(used()).toBe(1);
    mmap(machine, pid, 15, RW, FIXED, PAGE);
    touch(machine, pid, 'write', PAGE, 15);
    expect(used()).toBe(16);
    expect(parseStatus(cat(machine, `/proc/${pid}/status`))).toMatchObject({ VmSize: 60, VmRSS: 60, VmPTE: 4 });
    granted(machine, pid, { call: 'munmap', addr: PAGE, length: 15 * PAGE });
    expect(used()).toBe(1);
    granted(machine, pid, { call: 'exit' });
    expect(used()).toBe(0);
  });

  test('a stack grows page by page, and one page below it stays free', () => {
    const { machine, pid } = begin();
    mmap(machine, pid, 1, RW, `${FIXED}|MAP_GROWSDOWN`, 0xf000);
    touch(machine, pid, 'write', 0xe000, 1);
    mmap(machine, pid, 1, RW, FIXED, 0xb000);
    touch(machine, pid, 'write', 0xd000, 1);
    expect(parseMaps(cat(machine, `/proc/${pid}/maps`)).map(({ start, end }) => [start, end])).toEqual([
      [0xb000, 0xc000],
      [0xd000, TOP],
    ]);
    expect(refused(machine, pid, { call: 'write', addr: 0xc000, length: 1 })).toMatchObject({ signal: 'SIGSEGV' });
  });

  test('execve: TEXT in page 1, then DATA and BSS, the heap behind them, a stack of one page at the top', () => {
    const lib = { path: '/lib', bytes: PAGE, text: PAGE };
    const program = { path: '/a', bytes: 2 * PAGE, text: 5000, data: 100, bss: 200, libs: ['/lib'] };
    const { machine, pid } = begin({ disk: { files: [program, lib, { path: '/big', bytes: PAGE, text: 100, bss: 70_000 }] } });
    expect(granted(machine, pid, { call: 'execve', path: '/a' })).toMatchObject({ entry: 0x1000, stack: 0xf000, brk: 0x4000 });
    expect(cat(machine, `/proc/${pid}/maps`).replaceAll(/ +\n| {2,}/g, (space) => (space.endsWith('\n') ? '\n' : ' '))).toBe(
      '00001000-00003000 r-xp 00000000 08:01 11 /a\n' +
        '00003000-00004000 rw-p 00001000 08:01 11 /a\n' +
        '0000b000-0000c000 r-xp 00000000 08:01 12 /lib\n' +
        '0000f000-00010000 rw-p 00000000 00:00 0 [stack]\n',
    );
    expect(parseStatus(cat(machine, `/proc/${pid}/status`))).toMatchObject({ VmExe: 8, VmLib: 4, VmStk: 4 });
    checkMachine(machine);
    checkSizes(machine);
    // What does not fit below the stack is no program here: the process ends with its old one.
    expect(refused(machine, pid, { call: 'execve', path: '/big' })).toMatchObject({ signal: expect.stringMatching(/^SIG/) as string });
    checkMachine(machine);
  });

  test('malloc asks for a page at a time, until heap and mappings meet', () => {
    const { machine, pid } = begin();
    const first = granted(machine, pid, { call: 'malloc', size: 100 }).addr as number;
    expect(first).toBeGreaterThan(0x2000);
    expect(first).toBeLessThan(0x3000);
    // A page, and one more that aligns the first block, where i386 takes 132 KiB.
    expect(machine.tasks.get(pid)!.mm.totalVm).toBe(2);
    granted(machine, pid, { call: 'malloc', size: 30_000 });
    expect(machine.tasks.get(pid)!.mm.totalVm).toBe(8);
    expect(refused(machine, pid, { call: 'malloc', size: 50_000 })).toMatchObject({ errno: 'ENOMEM' });
    granted(machine, pid, { call: 'pool_create', size: 12, count: 100 });
    granted(machine, pid, { call: 'free', addr: first });
    checkMachine(machine);
  });
});

/** In 64 KiB break and mappings meet, and what a program takes from under malloc is soon somebody else's. */
describe('a heap that its program unmapped', () => {
  test('malloc gets the same pages again: it finds its control blocks gone', () => {
    const { machine, pid } = begin();
    const area = mmap(machine, pid, 3);
    granted(machine, pid, { call: 'malloc', size: 19_741 });
    expect(area).toBe(0x9000);
    granted(machine, pid, { call: 'munmap', addr: 0x2000, length: 2 * PAGE });
    expect(refused(machine, pid, { call: 'malloc', size: 5742 })).toMatchObject({
      signal: 'SIGABRT',
      why: { code: 'LIBC_ABORT', text: 'malloc(): corrupted top size' },
    });
    checkMachine(machine);
  });

  test('a block that was a mapping, unmapped by the program: the break grows over it, and it is no block any more', () => {
    const { machine, pid } = begin();
    granted(machine, pid, { call: 'mallopt', param: 'M_MMAP_THRESHOLD', value: 8192 });
    granted(machine, pid, { call: 'malloc', size: 100 });
    const block = granted(machine, pid, { call: 'malloc', size: 30_000 }).addr as number;
    granted(machine, pid, { call: 'munmap', addr: block - (block % PAGE), length: 8 * PAGE });
    granted(machine, pid, { call: 'mallopt', param: 'M_MMAP_MAX', value: 0 });
    const big = granted(machine, pid, { call: 'malloc', size: 35_000 }).addr as number;
    expect(big + 35_000).toBeGreaterThan(block);
    expect(granted(machine, pid, { call: 'heap_check' })).toMatchObject({ blocks: 2 });
    checkLibc(machine);
  });
});

describe('faults by their code', () => {
  test.each([
    ['a read of what is not there', 'read', 'PROT_READ', false, 4],
    ['a write to what is not there', 'write', RW, false, 6],
    ['a write to what may only be read', 'write', 'PROT_READ', true, 7],
  ])('%s', (_what, access, prot, present, errorCode) => {
    const { machine, pid } = begin();
    const addr = mmap(machine, pid, 1, prot);
    if (present) touch(machine, pid, 'read', addr, 1);
    expect(translate(machine, pid, addr, access)).toMatchObject({ fault: { vector: '#PF', errorCode } });
  });

  test('a shared zero page for reads, a frame for the first write', () => {
    const { machine, pid } = begin();
    const addr = mmap(machine, pid, 1);
    expect(touch(machine, pid, 'read', addr, 1)).toEqual({ minor: 1, major: 0, cow: 0 });
    expect(machine.tasks.get(pid)!.mm.rssAnon).toBe(0);
    expect(touch(machine, pid, 'write', addr, 1)).toEqual({ minor: 1, major: 0, cow: 0 });
    expect(machine.tasks.get(pid)!.mm.rssAnon).toBe(1);
  });
});

describe('two processes', () => {
  test('fork copies 16 entries in one frame; the first write copies the page, the second process keeps its own', () => {
    const { machine, pid } = begin();
    const addr = mmap(machine, pid, 3);
    granted(machine, pid, { call: 'write', addr, length: 3 * PAGE, value: 7 });
    const free = machine.zones[0]!.free;
    const {
      pid: child,
      ptes,
      tables,
    } = granted(machine, pid, { call: 'fork' }) as unknown as { pid: number; ptes: number; tables: number };
    expect({ ptes, tables, frames: free - machine.zones[0]!.free }).toEqual({ ptes: 3, tables: 1, frames: 1 });
    expect(frameOf(machine, child, addr)).toBe(frameOf(machine, pid, addr));
    expect(translate(machine, child, addr, 'write')).toMatchObject({ fault: { errorCode: 7 } });
    expect(granted(machine, child, { call: 'poke', addr, bytes: [9] }).faults).toEqual({ minor: 1, major: 0, cow: 1 });
    expect(frameOf(machine, child, addr)).not.toBe(frameOf(machine, pid, addr));
    expect([pid, child].map((who) => granted(machine, who, { call: 'peek', addr, length: 2 }).bytes)).toEqual([
      [7, 7],
      [9, 7],
    ]);
    // The other one has its page for itself now.
    expect(granted(machine, pid, { call: 'poke', addr, bytes: [1] }).faults).toEqual({ minor: 1, major: 0, cow: 0 });
    checkMachine(machine);
  });

  test('shared memory is one frame at two addresses', () => {
    const { machine, pid } = begin();
    const addr = mmap(machine, pid, 1, RW, SHARED);
    const child = granted(machine, pid, { call: 'fork' }).pid!;
    granted(machine, child, { call: 'mremap', addr, old_length: PAGE, new_length: PAGE, flags: 'MREMAP_MAYMOVE' });
    granted(machine, child, { call: 'poke', addr, bytes: [5] });
    expect(granted(machine, pid, { call: 'peek', addr, length: 1 }).bytes).toEqual([5]);
    expect(frameOf(machine, child, addr)).toBe(frameOf(machine, pid, addr));
  });
});

test('eight processes of 15 pages on 64 frames: what does not fit goes to swap and comes back', () => {
  const machine = boot({ arch: 'toy16', frames: 64, zones: { normal: 64 }, minFreeKbytes: 16, swap: { slots: 120 } });
  const pids = Array.from({ length: 8 }, () => spawn(machine));
  for (const pid of pids) {
    mmap(machine, pid, 15, RW, FIXED, PAGE);
    granted(machine, pid, { call: 'write', addr: PAGE, length: 15 * PAGE, value: pid });
    tick(machine);
  }
  checkMachine(machine);
  expect(machine.swap!.used).toBeGreaterThanOrEqual(8 * 15 + 8 - 64);
  const again = restore(snapshot(machine));
  expect(hash(again)).toBe(hash(machine));
  let major = 0;
  for (const pid of pids) {
    const answer = granted(again, pid, { call: 'peek', addr: PAGE, length: 15 * PAGE });
    expect(new Set(answer.bytes)).toEqual(new Set([pid]));
    major += answer.faults!.major;
  }
  expect(major).toBeGreaterThan(0);
  checkMachine(again);
});
