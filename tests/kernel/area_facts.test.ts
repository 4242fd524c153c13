/** Facts for the screen about the areas of a process: each growth and each loss of its address space, once, and nothing of a call that was refused. */
import { expect, test } from 'vitest';
import { createFacts, FACT, readFacts } from '#kernel/facts.ts';
import { call, createMachine, hash } from '#kernel/machine.ts';
import { FIXED, PAGE, PRIVATE, RW, granted, mmap, refused, spawn, touch } from '../helpers/boot.ts';

const NAMES: ReadonlyMap<number, string> = new Map([
  [FACT.userAreaMapped, 'mapped'],
  [FACT.userAreaUnmapped, 'unmapped'],
  [FACT.breakMoved, 'break'],
  [FACT.stackGrown, 'stack'],
]);

function begin(config: Record<string, unknown> = {}) {
  const facts = createFacts();
  const machine = createMachine({ frames: 1024, zones: { normal: 1024 }, minFreeKbytes: 0, mobility: false, ...config }, facts);
  const pid = spawn(machine);
  let mark = facts.written;
  /** What was told since the last look: kind, page, pages. */
  const told = () => {
    const seen: (string | number)[][] = [];
    mark = readFacts(facts, mark, (kind, a, b, c) => {
      const name = NAMES.get(kind);
      if (name === undefined) return;
      expect(c).toBe(pid);
      seen.push([name, a, b]);
    });
    return seen;
  };
  return { machine, pid, told };
}

test('mmap, a hole cut by munmap, MAP_FIXED over what was there', () => {
  const { machine, pid, told } = begin();
  const addr = mmap(machine, pid, 8);
  const page = addr / PAGE;
  expect(told()).toEqual([['mapped', page, 8]]);
  granted(machine, pid, { call: 'munmap', addr: addr + 2 * PAGE, length: 2 * PAGE });
  expect(told()).toEqual([['unmapped', page + 2, 2]]);
  // Four pages, of which two were mapped.
  mmap(machine, pid, 4, RW, FIXED, addr + 2 * PAGE);
  expect(told()).toEqual([
    ['unmapped', page + 2, 2],
    ['mapped', page + 2, 4],
  ]);
  granted(machine, pid, { call: 'munmap', addr: 0x50000000, length: PAGE });
  expect(refused(machine, pid, { call: 'mmap', length: 0xc0000000, prot: RW, flags: PRIVATE }).errno).toBe('ENOMEM');
  expect(told()).toEqual([]);
});

test('the break: pages that came and went; within a page nothing moves', () => {
  const { machine, pid, told } = begin();
  const start = granted(machine, pid, { call: 'sbrk', increment: 100 }).addr as number;
  granted(machine, pid, { call: 'sbrk', increment: 100 });
  granted(machine, pid, { call: 'sbrk', increment: 3 * PAGE });
  granted(machine, pid, { call: 'brk', addr: start + PAGE });
  const page = start / PAGE;
  expect(told()).toEqual([
    ['break', page + 1, 1],
    ['break', page + 4, 3],
    ['break', page + 1, -3],
  ]);
});

test('mremap: grown where it is, moved, shrunk', () => {
  const { machine, pid, told } = begin();
  const addr = mmap(machine, pid, 2, RW, FIXED, 0x50000000);
  mmap(machine, pid, 1, RW, FIXED, 0x50004000);
  told();
  const remap = (old: number, wanted: number) =>
    granted(machine, pid, { call: 'mremap', addr, old_length: old * PAGE, new_length: wanted * PAGE, flags: 'MREMAP_MAYMOVE' })
      .addr as number;
  remap(2, 4);
  expect(told()).toEqual([['mapped', 0x50002, 2]]);
  remap(4, 3);
  expect(told()).toEqual([['unmapped', 0x50003, 1]]);
  const to = remap(3, 9) / PAGE;
  expect(told()).toEqual([
    ['mapped', to, 9],
    ['unmapped', 0x50000, 3],
  ]);
});

test('a stack that is touched below its end', () => {
  const { machine, pid, told } = begin();
  mmap(machine, pid, 1, RW, `${FIXED}|MAP_GROWSDOWN`, 0xbffff000);
  told();
  touch(machine, pid, 'write', 0xbfffc000, 1);
  expect(told()).toEqual([['stack', 0xbfffc, 3]]);
});

test('on x86_64 the page number is told by its low 32 bits', () => {
  const { machine, pid, told } = begin({ arch: 'x86_64' });
  const page = mmap(machine, pid, 1) / PAGE;
  expect(told()).toEqual([['mapped', page | 0, 1]]);
  expect(page | 0).not.toBe(page);
});

test('a machine that nobody draws has the same hash', () => {
  const { machine, pid } = begin();
  const blind = createMachine({ frames: 1024, zones: { normal: 1024 }, minFreeKbytes: 0, mobility: false });
  spawn(blind);
  for (const each of [machine, blind]) {
    call(each, pid, { call: 'mmap', length: 8 * PAGE, prot: RW, flags: PRIVATE });
    call(each, pid, { call: 'sbrk', increment: 9000 });
  }
  expect(hash(machine)).toBe(hash(blind));
});
