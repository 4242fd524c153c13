/** glibc's malloc on i386 (spec §12, malloc/malloc.c 2.36): words of 4 bytes, chunks of multiples of 16. x86_64: glibc_malloc_experiment.txt (test:oracles). */
import { describe, expect, test } from 'vitest';
import { type Machine, call, hash, restore, snapshot } from '#kernel/machine.ts';
import { KERNEL, PAGE, bootFlat, cat, granted, refused, spawn } from '../helpers/boot.ts';
import { checkMachine } from '../helpers/check.ts';
import { checkLibc } from '../helpers/check_libc.ts';

const HEAP = 0x0804d000;
/** The tcache's own chunk: 64 × (2 + 4) bytes and its control block, behind 8 bytes that alignment costs. */
const FIRST = HEAP + 8 + 400 + 8;

function start(): { machine: Machine; pid: number } {
  const machine = bootFlat(8192, { overcommit: { mode: 1 } });
  return { machine, pid: spawn(machine) };
}

const at = (machine: Machine, pid: number) => ({
  malloc: (size: number) => granted(machine, pid, { call: 'malloc', size }).addr as number,
  calloc: (nmemb: number, size: number) => granted(machine, pid, { call: 'calloc', nmemb, size }).addr as number,
  realloc: (addr: number, size: number) => granted(machine, pid, { call: 'realloc', addr, size }).addr as number,
  free: (...addrs: number[]) => addrs.forEach((addr) => granted(machine, pid, { call: 'free', addr })),
  usable: (addr: number) => granted(machine, pid, { call: 'malloc_usable_size', addr }).size,
  brk: () => granted(machine, pid, { call: 'sbrk', increment: 0 }).addr as number,
  poke: (addr: number, bytes: number[]) => granted(machine, pid, { call: 'poke', addr, bytes }),
  peek: (addr: number, length: number) => granted(machine, pid, { call: 'peek', addr, length }).bytes,
  abort: (name: string, addr: number, more: object = {}) => {
    const answer = refused(machine, pid, { call: name, addr, ...more });
    expect(answer).toMatchObject({ signal: 'SIGABRT', why: { code: 'LIBC_ABORT' } });
    expect(machine.tasks.has(pid)).toBe(false);
    checkMachine(machine);
    return (answer.why as unknown as { text: string }).text;
  },
  statm: () => cat(machine, `/proc/${pid}/statm`).split(' ').slice(0, 2).map(Number),
  list: () => cat(machine, '/proc/freelist', pid),
});

const begin = () => {
  const { machine, pid } = start();
  return { machine, pid, ...at(machine, pid) };
};

describe('sizes', () => {
  test('usable bytes are the chunk less a word: 12, 28, 44, …', () => {
    const p = begin();
    for (const size of [0, 1, 12]) expect(p.usable(p.malloc(size)), String(size)).toBe(12);
    for (const size of [13, 28]) expect(p.usable(p.malloc(size)), String(size)).toBe(28);
    expect(p.usable(p.malloc(29))).toBe(44);
    expect(p.usable(p.malloc(1000))).toBe(1004);
    expect(p.malloc(5) % 16).toBe(0);
  });

  test('a mapping: the chunk and 19 bytes in whole pages, less 16', () => {
    const p = begin();
    p.malloc(100_000);
    expect(p.usable(p.malloc(131072))).toBe(33 * PAGE - 16);
    expect(p.usable(p.malloc(1024 * 1024))).toBe(257 * PAGE - 16);
  });

  test('131,052 bytes come from the heap, 131,053 are a mapping', () => {
    const p = begin();
    expect(p.malloc(131052)).toBeLessThan(p.brk());
    expect(p.malloc(131053)).toBeGreaterThan(0xb0000000);
  });
});

describe('the heap', () => {
  test('first malloc(1): the break grows by 34 pages, for the tcache, 128 KiB of pad and the alignment; one page is touched', () => {
    const p = begin();
    expect(p.malloc(1)).toBe(FIRST);
    expect(p.brk()).toBe(HEAP + 34 * PAGE);
    expect(p.statm()).toEqual([34, 1]);
    checkLibc(p.machine);
  });

  test('only touched pages become resident: 100,000 bytes bring the page of the top’s control block', () => {
    const p = begin();
    const addr = p.malloc(100_000);
    expect(p.statm()).toEqual([34, 2]);
    granted(p.machine, p.pid, { call: 'write', addr, length: 100_000 });
    expect(p.statm()).toEqual([34, 25]);
  });

  test('somebody else moved the break up: the old top is freed and fenced, the heap goes on above', () => {
    const p = begin();
    p.malloc(1);
    granted(p.machine, p.pid, { call: 'sbrk', increment: 100 });
    p.malloc(100_000);
    const far = p.malloc(100_000);
    expect(far).toBeGreaterThan(HEAP + 34 * PAGE);
    expect(far % 16).toBe(0);
    checkLibc(p.machine);
  });

  test('somebody else moved it down: abort', () => {
    const p = begin();
    p.malloc(50_000);
    granted(p.machine, p.pid, { call: 'sbrk', increment: -PAGE });
    const answer = refused(p.machine, p.pid, { call: 'malloc', size: 130_000 });
    expect(answer).toMatchObject({ signal: 'SIGABRT', why: { text: 'malloc(): break adjusted to free malloc space' } });
  });

  test('the break cannot move: a mapping of 1 MiB serves', () => {
    const p = begin();
    granted(p.machine, p.pid, {
      call: 'mmap',
      addr: HEAP + 64 * PAGE,
      length: PAGE,
      prot: 'PROT_NONE',
      flags: 'MAP_PRIVATE|MAP_ANONYMOUS|MAP_FIXED',
    });
    p.malloc(1);
    const addr = p.malloc(120_000);
    expect(p.malloc(120_000)).toBeGreaterThan(0xb0000000);
    expect(addr).toBeLessThan(p.brk());
    checkLibc(p.machine);
  });

  test('more than there is: ENOMEM; above 2^31 − 1 at once', () => {
    const machine = bootFlat(256, { overcommit: { mode: 2, ratio: 50 } });
    const pid = spawn(machine);
    const before = hash(machine);
    expect(refused(machine, pid, { call: 'malloc', size: 0x80000000 })).toMatchObject({
      errno: 'ENOMEM',
      why: { code: 'NO_ADDRESS_SPACE' },
    });
    expect(refused(machine, pid, { call: 'malloc', size: 2_000_000 })).toMatchObject({ errno: 'ENOMEM', why: { code: 'OVERCOMMIT' } });
    expect(hash(machine)).not.toBe('');
    expect(before).toHaveLength(16);
    checkLibc(machine);
  });
});

describe('what is freed comes back', () => {
  test('12 of one size: the last seven from the tcache newest first, then the fast bin, which fills the tcache again', () => {
    const p = begin();
    const blocks = Array.from({ length: 12 }, () => p.malloc(32));
    p.free(...blocks);
    expect(blocks.map(() => blocks.indexOf(p.malloc(32)))).toEqual([6, 5, 4, 3, 2, 1, 0, 11, 7, 8, 9, 10]);
  });

  test('small bins give the oldest first', () => {
    const p = begin();
    const blocks = Array.from({ length: 10 }, () => [p.malloc(200), p.malloc(16)][0]!);
    p.free(...blocks);
    // Three lie on the unsorted list; a larger request sorts them into their bin.
    p.malloc(2000);
    for (let n = 0; n < 7; n++) p.malloc(200);
    expect(p.malloc(200)).toBe(blocks[7]);
  });

  test('large bins give the best fit, and what is left over is cut for small requests side by side', () => {
    const p = begin();
    const sizes = [3000, 2000, 5000];
    const blocks = sizes.map((size) => [p.malloc(size), p.malloc(16)][0]!);
    p.free(...blocks);
    p.malloc(6000);
    expect(p.malloc(1900)).toBe(blocks[1]);
    expect(p.malloc(2500)).toBe(blocks[0]);
    const small = p.malloc(1100);
    expect(small).toBe(blocks[2]);
    checkLibc(p.machine);
  });

  test('neighbours join: a, c, then b become one, and malloc of all three gets it', () => {
    const p = begin();
    const [a, b, c] = [p.malloc(2000), p.malloc(2000), p.malloc(2000)];
    p.malloc(16);
    p.free(a!, c!, b!);
    expect(p.malloc(6000)).toBe(a);
  });

  test('joined with the top it shrinks the heap from 128 KiB of top on, but for the pad', () => {
    const p = begin();
    const blocks = Array.from({ length: 4 }, () => p.malloc(100 * 1024));
    const before = p.brk();
    p.free(blocks[3]!);
    expect(p.brk() - before).toBe(-100 * 1024);
    p.free(blocks[2]!);
    expect(p.brk() - before).toBe(-200 * 1024);
  });

  test('a live block above keeps all of it; malloc_trim gives the pages within back though', () => {
    const p = begin();
    const blocks = Array.from({ length: 4 }, () => p.malloc(100 * 1024));
    p.malloc(16);
    for (const addr of blocks) granted(p.machine, p.pid, { call: 'write', addr, length: 100 * 1024 });
    const [size, resident] = p.statm() as [number, number];
    p.free(...blocks);
    expect(p.statm()).toEqual([size, resident]);
    expect(granted(p.machine, p.pid, { call: 'malloc_trim', pad: 0 }).value).toBe(1);
    expect(p.statm()[1]).toBeLessThan(resident - 95);
    checkLibc(p.machine);
    checkMachine(p.machine);
  });

  test('a mapping that was freed raises the threshold: the next of its size is heap; 512 KiB is as far as it goes on i386', () => {
    const p = begin();
    const isHeap = (size: number) => {
      const addr = p.malloc(size);
      const yes = addr < p.brk();
      p.free(addr);
      return yes;
    };
    expect([isHeap(200_000), isHeap(200_000)]).toEqual([false, true]);
    expect([isHeap(600_000), isHeap(600_000)]).toEqual([false, false]);
    granted(p.machine, p.pid, { call: 'mallopt', param: 'M_MMAP_THRESHOLD', value: 131072 });
    expect([isHeap(400_000), isHeap(400_000)]).toEqual([false, false]);
    expect(refused(p.machine, p.pid, { call: 'mallopt', param: 'M_MMAP_THRESHOLD', value: 524289 }).why).toMatchObject({
      code: 'MALLOPT_REFUSED',
    });
  });
});

describe('calloc and realloc', () => {
  test('calloc clears what was used; a fresh mapping it need not', () => {
    const p = begin();
    const addr = p.malloc(5000);
    granted(p.machine, p.pid, { call: 'write', addr, length: 5000, value: 0xaa });
    p.free(addr);
    expect(p.calloc(50, 100)).toBe(addr);
    expect(p.peek(addr, 5000)!.every((byte) => byte === 0)).toBe(true);
    const resident = p.statm()[1]!;
    p.calloc(1, 200_000);
    expect(p.statm()[1]).toBe(resident + 1);
  });

  test('realloc: in place into the top, in place within the chunk, moved past a neighbour with its bytes', () => {
    const p = begin();
    const a = p.malloc(1000);
    p.poke(a, [1, 2, 3]);
    expect(p.realloc(a, 1004)).toBe(a);
    expect(p.realloc(a, 5000)).toBe(a);
    p.malloc(16);
    const moved = p.realloc(a, 9000);
    expect(moved).not.toBe(a);
    expect(p.peek(moved, 4)).toEqual([1, 2, 3, 0]);
    expect(p.realloc(moved, 100)).toBe(moved);
    expect(p.usable(moved)).toBe(108);
    expect(p.realloc(0, 10)).toBeGreaterThan(0);
    expect(p.realloc(moved, 0)).toBe(0);
    checkLibc(p.machine);
  });

  test('realloc of a mapping keeps it a mapping, with its bytes', () => {
    const p = begin();
    p.malloc(300_000);
    const a = p.malloc(200_000);
    p.poke(a + 150_000, [7, 8]);
    const b = p.realloc(a, 800_000);
    expect(b).toBeGreaterThan(0xb0000000);
    expect(p.peek(b + 150_000, 2)).toEqual([7, 8]);
    expect(p.realloc(b, 150_000)).toBe(b);
    checkLibc(p.machine);
    checkMachine(p.machine);
  });
});

describe('aborts', () => {
  test('freed twice: each kind of free chunk has its text', () => {
    const tcache = begin();
    const a = tcache.malloc(32);
    tcache.free(a);
    expect(tcache.abort('free', a)).toBe('free(): double free detected in tcache 2');
    const fast = begin();
    const blocks = Array.from({ length: 8 }, () => fast.malloc(32));
    fast.free(...blocks);
    expect(fast.abort('free', blocks[7]!)).toBe('double free or corruption (fasttop)');
    const binned = begin();
    const b = binned.malloc(2000);
    binned.malloc(16);
    binned.free(b);
    expect(binned.abort('free', b)).toBe('double free or corruption (!prev)');
    const top = begin();
    const c = top.malloc(2000);
    top.free(c);
    expect(top.abort('free', c)).toBe('double free or corruption (top)');
  });

  test('what malloc never gave', () => {
    expect(begin().abort).toBeTypeOf('function');
    const p = begin();
    const a = p.malloc(100);
    expect(p.abort('free', a + 4)).toBe('free(): invalid pointer');
    const q = begin();
    const b = q.malloc(100);
    expect(q.abort('realloc', b + 16, { size: 5 })).toBe('realloc(): invalid pointer');
    const r = start();
    expect(refused(r.machine, r.pid, { call: 'free', addr: 0x20000000 })).toMatchObject({ signal: 'SIGSEGV', why: { code: 'NOT_MAPPED' } });
  });

  test('an overflow lands on the next size word, and is found when that is read', () => {
    const p = begin();
    const [a, b] = [p.malloc(2000), p.malloc(2000)];
    p.malloc(16);
    const usable = p.usable(a) as number;
    p.poke(a + usable - 1, [1]);
    p.poke(a + usable, [0x41, 0x41, 0x41, 0x41]);
    expect(p.abort('free', b)).toBe('free(): invalid size');
    const q = begin();
    const [c] = [q.malloc(2000), q.malloc(2000)];
    q.malloc(16);
    q.poke(c! + usable, [0x41, 0x41, 0x41, 0x41]);
    expect(q.abort('free', c!)).toBe('free(): invalid next size (normal)');
    const r = begin();
    const [d] = [r.malloc(2000), r.malloc(2000)];
    r.malloc(16);
    r.poke(d! + usable, [0, 0, 0, 0]);
    expect(r.abort('free', d!)).toBe('double free or corruption (!prev)');
  });

  test('written back, it never happened', () => {
    const p = begin();
    const [a, b] = [p.malloc(2000), p.malloc(2000)];
    p.malloc(16);
    const usable = p.usable(a) as number;
    p.poke(a + usable, [0x41]);
    p.poke(a + usable, [0xe1, 0x07, 0, 0]);
    p.free(b, a);
    checkLibc(p.machine);
  });

  test('beyond the last block: malloc(): corrupted top size', () => {
    const p = begin();
    const a = p.malloc(100);
    granted(p.machine, p.pid, { call: 'write', addr: a, length: 120, value: 0xff });
    const answer = refused(p.machine, p.pid, { call: 'malloc', size: 3000 });
    expect(answer).toMatchObject({ signal: 'SIGABRT', why: { code: 'LIBC_ABORT', text: 'malloc(): corrupted top size' } });
  });
});

test('fork copies the heap; saved and restored it is the same', () => {
  const p = begin();
  const blocks = Array.from({ length: 20 }, (_, i) => p.malloc(i * 100));
  p.free(...blocks.slice(3, 17));
  const child = granted(p.machine, p.pid, { call: 'fork' }).pid!;
  expect(cat(p.machine, `/proc/${child}/freelist`)).toBe(p.list());
  const again = restore(snapshot(p.machine));
  for (const size of [5, 300, 900, 40_000])
    expect(call(again, child, { call: 'malloc', size })).toEqual(call(p.machine, child, { call: 'malloc', size }));
  expect(hash(again)).toBe(hash(p.machine));
  checkLibc(p.machine);
  expect(call(p.machine, KERNEL, { call: 'malloc', size: 1 })).toMatchObject({ ok: false, errno: 'EINVAL' });
});

test('memory that the program unmapped itself may be given to another block; the old one is gone', () => {
  const { machine, pid, malloc, free } = begin();
  const first = malloc(200_000);
  granted(machine, pid, { call: 'munmap', addr: first - (first % PAGE), length: 50 * PAGE });
  const second = malloc(150_000);
  expect(second).toBeGreaterThanOrEqual(first);
  checkLibc(machine);
  free(second);
  checkLibc(machine);
  checkMachine(machine);
});
