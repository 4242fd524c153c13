/** The allocator for lessons: one free list, four fits, five orders (spec §12; OSTEP, chapter 17; the lecture notes, "003"). */
import { describe, expect, test } from 'vitest';
import { call, hash, restore, snapshot } from '#kernel/machine.ts';
import { KERNEL, PAGE, boot, cat, granted, refused, spawn } from '../helpers/boot.ts';
import { checkMachine } from '../helpers/check.ts';
import { checkLibc } from '../helpers/check_libc.ts';

const HEAP = 0x0804d000;

/** A heap of 100 bytes from address 1000 without control blocks, as OSTEP's simulator has it. */
const ostep = (rules: Record<string, unknown> = {}) =>
  boot({ libc: { allocator: 'list', coalesce: false, header: 0, align: 1, heap: { base: 1000, size: 100 }, ...rules } });

const real = (rules: Record<string, unknown> = {}) => boot({ libc: { allocator: 'list', ...rules } });

const malloc = (machine: ReturnType<typeof boot>, pid: number, size: number) =>
  granted(machine, pid, { call: 'malloc', size }) as unknown as { addr: number; searched: number };
const free = (machine: ReturnType<typeof boot>, pid: number, addr: number) => granted(machine, pid, { call: 'free', addr });
const list = (machine: ReturnType<typeof boot>, pid: number) => cat(machine, '/proc/freelist', pid);

/** Free entries of 20, 5, 10 and 40 bytes with live blocks between them. */
function holes(fit: string) {
  const machine = ostep({ fit, heap: { base: 1000, size: 78 } });
  const pid = spawn(machine);
  const blocks = [20, 1, 5, 1, 10, 1].map((size) => malloc(machine, pid, size).addr);
  for (const i of [0, 2, 4]) free(machine, pid, blocks[i]!);
  return { machine, pid };
}

describe('fits', () => {
  test.each([
    ['first', 5, 1000, 1],
    ['best', 5, 1021, 4],
    ['worst', 5, 1038, 4],
    ['next', 5, 1038, 1],
    ['first', 15, 1000, 1],
    ['best', 15, 1000, 4],
    ['best', 30, 1038, 4],
  ])('%s fit of %i bytes takes %i after looking at %i', (fit, size, addr, searched) => {
    const { machine, pid } = holes(fit);
    expect(list(machine, pid)).toBe('Free List [ Size 4 ]: [ addr:1000 sz:20 ][ addr:1021 sz:5 ][ addr:1027 sz:10 ][ addr:1038 sz:40 ]\n');
    expect(malloc(machine, pid, size)).toMatchObject({ addr, searched });
  });

  test('next fit goes on where it stopped, and around', () => {
    const { machine, pid } = holes('next');
    expect(malloc(machine, pid, 30)).toMatchObject({ addr: 1038, searched: 1 });
    expect(malloc(machine, pid, 8)).toMatchObject({ addr: 1068, searched: 1 });
    expect(malloc(machine, pid, 8)).toMatchObject({ addr: 1000, searched: 2 });
    expect(malloc(machine, pid, 8)).toMatchObject({ addr: 1008, searched: 1 });
    expect(malloc(machine, pid, 8)).toMatchObject({ addr: 1027, searched: 3 });
  });

  test('among equals the first seen wins', () => {
    const machine = ostep({ fit: 'best', heap: { base: 1000, size: 11 } });
    const pid = spawn(machine);
    const [a, , b] = [5, 1, 5].map((size) => malloc(machine, pid, size).addr);
    free(machine, pid, b!);
    free(machine, pid, a!);
    expect(malloc(machine, pid, 3)).toMatchObject({ addr: 1000, searched: 2 });
  });
});

describe('orders', () => {
  const order = (name: string) => {
    const machine = ostep({ order: name, heap: { base: 1000, size: 20 } });
    const pid = spawn(machine);
    const [a, b, c, d] = [4, 8, 2, 6].map((size) => malloc(machine, pid, size).addr);
    for (const addr of [c!, a!, d!, b!]) free(machine, pid, addr);
    return [...list(machine, pid).matchAll(/sz:(\d+)/g)].map((found) => Number(found[1]));
  };
  test.each([
    ['address', [4, 8, 2, 6]],
    ['size+', [2, 4, 6, 8]],
    ['size-', [8, 6, 4, 2]],
    ['front', [8, 6, 4, 2]],
    ['back', [2, 4, 6, 8]],
  ])('%s', (name, sizes) => {
    expect(order(name)).toEqual(sizes);
  });

  test('coalescing joins neighbours in the list only: order by address gets the heap back, order of return does not', () => {
    const left = (name: string) => {
      const machine = ostep({ order: name, coalesce: true });
      const pid = spawn(machine);
      const blocks = [10, 10, 10].map((size) => malloc(machine, pid, size).addr);
      for (const addr of [blocks[1]!, blocks[0]!, blocks[2]!]) free(machine, pid, addr);
      return list(machine, pid);
    };
    expect(left('address')).toBe('Free List [ Size 1 ]: [ addr:1000 sz:100 ]\n');
    expect(left('back')).toBe('Free List [ Size 4 ]: [ addr:1030 sz:70 ][ addr:1010 sz:10 ][ addr:1000 sz:10 ][ addr:1020 sz:10 ]\n');
  });
});

describe('a request that cannot be met', () => {
  test('is told apart: too little in all, or enough and none long enough', () => {
    const { machine, pid } = holes('first');
    const why = (size: number) => refused(machine, pid, { call: 'malloc', size }).why;
    expect(why(41)).toEqual({ code: 'HEAP_FRAGMENTED', size: 41, free: 75, largest: 40, searched: 4 });
    expect(why(76)).toEqual({ code: 'HEAP_FULL', size: 76, free: 75, largest: 40, searched: 4 });
    checkLibc(machine);
  });

  test('free of what malloc did not give: EINVAL, and nothing changed', () => {
    const { machine, pid } = holes('first');
    const before = hash(machine);
    for (const addr of [1000, 1002, 5, 0xffffffff]) {
      expect(call(machine, pid, { call: 'free', addr })).toMatchObject({ errno: 'EINVAL', why: { code: 'NOT_A_BLOCK', addr } });
    }
    expect(hash(machine)).toBe(before);
    granted(machine, pid, { call: 'free', addr: 0 });
  });
});

describe('a heap in memory', () => {
  test('grows by sbrk, page by page; control blocks touch the pages that they stand on, payloads none', () => {
    const machine = real();
    const pid = spawn(machine);
    expect(malloc(machine, pid, 100).addr).toBe(HEAP);
    expect(cat(machine, `/proc/${pid}/statm`)).toMatch(/^1 1 /);
    expect(malloc(machine, pid, 10 * PAGE).addr).toBe(HEAP + 112);
    expect(granted(machine, pid, { call: 'sbrk', increment: 0 }).addr).toBe(HEAP + 12 * PAGE);
    // Its block's header on page 0 and the rest's header on page 10: two pages of twelve.
    expect(cat(machine, `/proc/${pid}/statm`)).toMatch(/^12 2 /);
    expect(granted(machine, pid, { call: 'malloc_usable_size', addr: HEAP + 112 }).size).toBe(10 * PAGE);
    checkMachine(machine);
    checkLibc(machine);
  });

  test('calloc zeroes what was used before, and all its pages are there', () => {
    const machine = real();
    const pid = spawn(machine);
    const { addr } = malloc(machine, pid, 64);
    granted(machine, pid, { call: 'write', addr: addr + 8, length: 64, value: 0xaa });
    free(machine, pid, addr);
    expect(granted(machine, pid, { call: 'calloc', nmemb: 8, size: 8 }).addr).toBe(addr);
    expect(granted(machine, pid, { call: 'peek', addr: addr + 8, length: 64 }).bytes).toEqual(Array(64).fill(0));
    expect(refused(machine, pid, { call: 'calloc', nmemb: 0x1000000, size: 0x100000000 })).toMatchObject({ errno: 'ENOMEM' });
  });

  test('realloc keeps the bytes, in place where it fits', () => {
    const machine = real();
    const pid = spawn(machine);
    const { addr } = malloc(machine, pid, 8);
    malloc(machine, pid, 8);
    granted(machine, pid, { call: 'poke', addr: addr + 8, bytes: [1, 2, 3, 4] });
    expect(granted(machine, pid, { call: 'realloc', addr, size: 5 }).addr).toBe(addr);
    const moved = granted(machine, pid, { call: 'realloc', addr, size: 5000 }).addr as number;
    expect(moved).not.toBe(addr);
    expect(granted(machine, pid, { call: 'peek', addr: moved + 8, length: 5 }).bytes).toEqual([1, 2, 3, 4, 0]);
    expect(granted(machine, pid, { call: 'realloc', addr: moved, size: 0 }).addr).toBe(0);
    checkLibc(machine);
  });

  test('of a base elsewhere is mapped there; below vm.mmap_min_addr it is numbers only', () => {
    const machine = real({ heap: { base: 0x20000000, size: 3 * PAGE } });
    const pid = spawn(machine);
    expect(malloc(machine, pid, 10).addr).toBe(0x20000000);
    expect(cat(machine, `/proc/${pid}/maps`)).toContain('20000000-20003000 rw-p');
    const numbers = ostep();
    const other = spawn(numbers);
    expect(malloc(numbers, other, 10).addr).toBe(1000);
    expect(refused(numbers, other, { call: 'write', addr: 1000, length: 1 })).toMatchObject({ signal: 'SIGSEGV' });
  });

  test('whose break somebody lowered gets no more memory', () => {
    const machine = real();
    const pid = spawn(machine);
    malloc(machine, pid, 10 * PAGE);
    granted(machine, pid, { call: 'sbrk', increment: -PAGE });
    const { why } = refused(machine, pid, { call: 'malloc', size: PAGE });
    expect(why).toEqual({ code: 'BREAK_MOVED', brk: HEAP + 10 * PAGE, end: HEAP + 11 * PAGE });
    checkLibc(machine);
  });

  test('belongs to its process: fork copies it, each goes on by itself; exit drops it; saved and restored it is the same', () => {
    const machine = real();
    const pid = spawn(machine);
    const { addr } = malloc(machine, pid, 100);
    const child = granted(machine, pid, { call: 'fork' }).pid!;
    free(machine, child, addr);
    expect(list(machine, child)).toContain(`[ addr:${HEAP} sz:${PAGE} ]`);
    expect(list(machine, pid)).not.toContain(`addr:${HEAP} `);
    const again = restore(snapshot(machine));
    expect(hash(again)).toBe(hash(machine));
    expect(malloc(again, pid, 30)).toEqual(malloc(machine, pid, 30));
    granted(machine, pid, { call: 'exit' });
    expect(refused(machine, KERNEL, { call: 'cat', path: `/proc/${pid}/freelist` }).errno).toBe('ENOENT');
    checkMachine(machine);
  });
});
