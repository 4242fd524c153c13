/** The fixed-block pool of user space: one chunk of malloc's, blocks without control blocks, the free list in the free blocks themselves (notes 000, §10; D. Knuth, TAOCP 1, 2.2.3, AVAIL). */
import { describe, expect, test } from 'vitest';
import { hash, restore, snapshot, type Machine } from '#kernel/machine.ts';
import { PAGE, boot, cat, granted, mmap, refused, spawn } from '../helpers/boot.ts';
import { checkMachine } from '../helpers/check.ts';
import { checkLibc } from '../helpers/check_libc.ts';

function begin(config: Record<string, unknown> = {}) {
  const machine = boot(config);
  const pid = spawn(machine);
  return { machine, pid, ...calls(machine, pid) };
}

type Request = Parameters<typeof granted>[2];

function calls(machine: Machine, pid: number) {
  return {
    create: (size: number, count: number) =>
      granted(machine, pid, { call: 'pool_create', size, count }) as unknown as { pool: number; size: number; bytes: number },
    take: (pool = 1) => granted(machine, pid, { call: 'pool_alloc', pool }).addr as number,
    give: (addr: number, pool = 1) => granted(machine, pid, { call: 'pool_free', pool, addr }),
    word: (addr: number) => granted(machine, pid, { call: 'peek', addr, length: 4 }).bytes!.reduceRight((sum, byte) => sum * 256 + byte, 0),
    why: (request: Request) => {
      const before = hash(machine);
      const answer = refused(machine, pid, request);
      expect(hash(machine)).toBe(before);
      return { errno: answer.errno, ...answer.why };
    },
  };
}

describe('a pool of user space', () => {
  test('blocks lie side by side from the lowest address; none has a control block', () => {
    const p = begin();
    expect(p.create(20, 4)).toMatchObject({ pool: 1, size: 20, bytes: 80 });
    const first = p.take();
    expect([p.take(), p.take(), p.take()]).toEqual([first + 20, first + 40, first + 60]);
    expect(granted(p.machine, p.pid, { call: 'malloc_usable_size', addr: first }).size).toBeGreaterThanOrEqual(80);
  });

  test('100 objects of 20 bytes: malloc takes 32 bytes for each on i386, the pool 20', () => {
    const p = begin();
    const ofMalloc = Array.from({ length: 100 }, () => granted(p.machine, p.pid, { call: 'malloc', size: 20 }).addr as number);
    p.create(20, 100);
    const ofPool = Array.from({ length: 100 }, () => p.take());
    const span = (blocks: number[]) => blocks.at(-1)! - blocks[0]!;
    expect([span(ofMalloc), span(ofPool)]).toEqual([99 * 32, 99 * 20]);
  });

  test('sizes are rounded up to whole words, so that a link fits: 4 bytes on i386, 8 on x86_64', () => {
    expect([1, 4, 5].map((size) => begin().create(size, 2).size)).toEqual([4, 4, 8]);
    expect([1, 9].map((size) => begin({ arch: 'x86_64' }).create(size, 2).size)).toEqual([8, 16]);
  });

  test('the block that was given back last comes first, and its first word leads to the one before', () => {
    const p = begin();
    p.create(16, 8);
    const [a, b, c] = [p.take(), p.take(), p.take()];
    for (const block of [a, b, c]) p.give(block);
    expect([p.word(c), p.word(b), p.word(a)]).toEqual([b, a, 0]);
    expect([p.take(), p.take(), p.take(), p.take()]).toEqual([c, b, a, c + 16]);
  });

  test('on x86_64 a link has eight bytes', () => {
    const p = begin({ arch: 'x86_64' });
    p.create(16, 4);
    const [a, b] = [p.take(), p.take()];
    p.give(a);
    p.give(b);
    const { bytes } = granted(p.machine, p.pid, { call: 'peek', addr: b, length: 8 });
    expect(bytes!.reduceRight((sum, byte) => sum * 256 + byte, 0)).toBe(a);
    expect([p.take(), p.take()]).toEqual([b, a]);
  });

  test('pages are touched when a block in them is, not when the pool is made', () => {
    const p = begin();
    p.create(64, 10_000);
    const { rssAnon } = p.machine.tasks.get(p.pid)!.mm;
    for (let n = 0; n < 640; n++) granted(p.machine, p.pid, { call: 'write', addr: p.take(), length: 64 });
    expect(p.machine.tasks.get(p.pid)!.mm.rssAnon - rssAnon).toBe((640 * 64) / PAGE);
  });

  test('with all blocks in use nothing changes and nothing is given', () => {
    const p = begin();
    p.create(16, 2);
    const block = p.take();
    p.take();
    expect(p.why({ call: 'pool_alloc', pool: 1 })).toEqual({ errno: 'ENOMEM', code: 'POOL_EMPTY', pool: 1, count: 2, size: 16 });
    p.give(block);
    expect(p.take()).toBe(block);
  });

  test('blocks that are free, foreign or none are refused', () => {
    const p = begin();
    p.create(16, 4);
    const block = p.take();
    const other = granted(p.machine, p.pid, { call: 'malloc', size: 16 }).addr as number;
    p.give(block);
    const free = (addr: number, pool = 1) => p.why({ call: 'pool_free', pool, addr });
    expect(free(block)).toMatchObject({ errno: 'EINVAL', code: 'DOUBLE_FREE', addr: block });
    expect(free(block + 16)).toMatchObject({ code: 'DOUBLE_FREE' });
    for (const addr of [0, block + 4, block - 16, block + 64, other])
      expect(free(addr)).toMatchObject({ code: 'NOT_IN_POOL', pool: 1, addr });
    expect(free(block, 2)).toMatchObject({ errno: 'EINVAL', code: 'NO_SUCH_POOL', pool: 2 });
    expect(p.why({ call: 'pool_destroy', pool: 2 })).toMatchObject({ code: 'NO_SUCH_POOL' });
  });

  test('a write to a block after it was given back overwrites a link: found at the next request, and by heap_check', () => {
    const p = begin();
    p.create(16, 4);
    const [a, b] = [p.take(), p.take()];
    p.give(a);
    p.give(b);
    granted(p.machine, p.pid, { call: 'write', addr: b, length: 4, value: 0x41 });
    const found = 0x41414141;
    expect(p.why({ call: 'pool_alloc', pool: 1 })).toEqual({ errno: 'EFAULT', code: 'POOL_DAMAGED', pool: 1, addr: b, found });
    expect(granted(p.machine, p.pid, { call: 'heap_check' })).toMatchObject({ damaged: [{ pool: 1, addr: b, found }] });
  });

  test('the chunk counts as the heap that it lies in, and goes back to malloc', () => {
    const p = begin();
    p.create(4096, 100);
    const block = p.take();
    expect(p.machine.tasks.get(p.pid)!.mm.totalVm).toBeGreaterThanOrEqual(100);
    expect(granted(p.machine, p.pid, { call: 'pool_destroy', pool: 1 })).toMatchObject({ inUse: 1 });
    expect(p.machine.tasks.get(p.pid)!.mm.totalVm).toBeLessThan(100);
    expect(refused(p.machine, p.pid, { call: 'read', addr: block, length: 1 })).toMatchObject({ signal: 'SIGSEGV' });
  });

  test('a number is used again; 64 pools are the most', () => {
    const p = begin();
    for (let n = 1; n <= 64; n++) expect(p.create(4, 1).pool).toBe(n);
    expect(p.why({ call: 'pool_create', size: 4, count: 1 })).toEqual({ errno: 'ENOMEM', code: 'TOO_MANY_POOLS', limit: 64 });
    granted(p.machine, p.pid, { call: 'pool_destroy', pool: 7 });
    expect(p.create(4, 1).pool).toBe(7);
  });

  test('who asks for more than there are addresses gets no pool', () => {
    const p = begin();
    expect(p.why({ call: 'pool_create', size: 0x7fffffff, count: 0x7fffffff })).toMatchObject({
      errno: 'ENOMEM',
      code: 'NO_ADDRESS_SPACE',
    });
  });
});

describe('with its process', () => {
  test('fork copies it: both go on for themselves, and the links part by copy on write', () => {
    const p = begin();
    p.create(16, 4);
    const [a, b] = [p.take(), p.take()];
    p.give(a);
    const child = granted(p.machine, p.pid, { call: 'fork' }).pid!;
    const c = calls(p.machine, child);
    c.give(b);
    expect([c.word(b), p.word(b)]).toEqual([a, 0]);
    expect([c.take(), c.take(), p.take()]).toEqual([b, a, a]);
    checkMachine(p.machine);
    checkLibc(p.machine);
  });

  test('what is in use can leak, the chunk cannot: the pool holds it', () => {
    const p = begin();
    p.create(16, 8);
    const [a, b] = [p.take(), p.take()];
    expect(granted(p.machine, p.pid, { call: 'leak_scan', roots: [a] })).toMatchObject({
      blocks: 2,
      count: 1,
      leakedBytes: 16,
      leaked: [{ addr: b, size: 16 }],
    });
    granted(p.machine, p.pid, { call: 'poke', addr: a + 4, bytes: [b & 255, (b >> 8) & 255, (b >> 16) & 255, b >>> 24] });
    expect(granted(p.machine, p.pid, { call: 'leak_scan', roots: [a] })).toMatchObject({ count: 0 });
    expect(granted(p.machine, p.pid, { call: 'heap_check' })).toMatchObject({
      blocks: 2,
      bytes: 32,
      pools: [{ pool: 1, size: 16, count: 8, inUse: 2 }],
    });
  });

  test('it is saved with the machine, and has a line in /proc', () => {
    const p = begin();
    p.create(16, 8);
    p.give(p.take());
    const again = restore(snapshot(p.machine));
    expect(hash(again)).toBe(hash(p.machine));
    expect(calls(again, p.pid).take()).toBe(p.take());
    const line = cat(p.machine, '/proc/freelist', p.pid).trimEnd().split('\n').at(-1);
    expect(line).toMatch(/^pool 1: 8 blocks of 16 at 0x[0-9a-f]+, 1 in use, 0 given back, 7 never used$/);
  });

  test('links go to swap with their page and come back with it', () => {
    const p = begin({ frames: 64, zones: { normal: 64 }, swap: { slots: 64 } });
    p.create(16, 4);
    const [a, b] = [p.take(), p.take()];
    p.give(a);
    p.give(b);
    const hog = spawn(p.machine);
    const addr = mmap(p.machine, hog, 70);
    granted(p.machine, hog, { call: 'write', addr, length: 70 * PAGE });
    const { mm, majFlt } = p.machine.tasks.get(p.pid)!;
    expect(mm.swapEnts).toBeGreaterThan(0);
    expect([p.take(), p.take()]).toEqual([b, a]);
    expect(p.machine.tasks.get(p.pid)!.majFlt).toBeGreaterThan(majFlt);
  });

  test('execve forgets it', () => {
    const p = begin({ disk: { files: [{ path: '/a', bytes: 8192, text: 4096 }] } });
    p.create(16, 8);
    granted(p.machine, p.pid, { call: 'execve', path: '/a' });
    expect(p.why({ call: 'pool_alloc', pool: 1 })).toMatchObject({ code: 'NO_SUCH_POOL' });
  });
});

describe('on other heaps', () => {
  test('with control blocks of 8 bytes a pool saves them: 24 bytes an object of 12, or 12', () => {
    const p = begin({ libc: { allocator: 'list', header: 8, align: 8 } });
    const malloc = () => granted(p.machine, p.pid, { call: 'malloc', size: 12 }).addr as number;
    expect(-malloc() + malloc()).toBe(24);
    p.create(12, 10);
    const [a, b] = [p.take(), p.take()];
    expect(b - a).toBe(12);
    p.give(a);
    expect(granted(p.machine, p.pid, { call: 'pool_destroy', pool: 1 })).toMatchObject({ inUse: 1 });
    checkLibc(p.machine);
  });

  test('a heap of numbers only has no place for links', () => {
    const p = begin({ libc: { allocator: 'list', header: 0, align: 1, heap: { base: 1000, size: 100 } } });
    expect(p.why({ call: 'pool_create', size: 4, count: 2 })).toMatchObject({ errno: 'EINVAL', code: 'BAD_ARGUMENT' });
  });

  test('the sanitizer sees the chunk, so a block that overflows into the next one is not found', () => {
    const p = begin({ libc: { allocator: 'glibc', sanitize: true } });
    p.create(16, 2);
    const a = p.take();
    granted(p.machine, p.pid, { call: 'write', addr: a, length: 20 });
    expect(refused(p.machine, p.pid, { call: 'write', addr: a, length: 33 })).toMatchObject({ signal: 'SIGABRT' });
  });
});
