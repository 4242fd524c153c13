/** Memory bugs made visible (spec §17): red zones, quarantine, bytes never written, leaks by mark and sweep. */
import { describe, expect, test } from 'vitest';
import { type Machine, hash, restore, snapshot } from '#kernel/machine.ts';
import { PAGE, RW, SHARED, boot, cat, granted, mmap, refused, spawn } from '../helpers/boot.ts';
import { checkMachine } from '../helpers/check.ts';
import { checkLibc } from '../helpers/check_libc.ts';

function begin(libc: Record<string, unknown> = { allocator: 'glibc', sanitize: true }) {
  const machine = boot({ libc });
  const pid = spawn(machine);
  const ask = (request: Parameters<typeof granted>[2]) => granted(machine, pid, request);
  return {
    machine,
    pid,
    ask,
    malloc: (size: number) => ask({ call: 'malloc', size }).addr as number,
    free: (addr: number) => ask({ call: 'free', addr }),
    write: (addr: number, length: number) => ask({ call: 'write', addr, length }),
    point: (at: number, to: number) => ask({ call: 'poke', addr: at, bytes: [to & 255, (to >>> 8) & 255, (to >>> 16) & 255, to >>> 24] }),
    leaks: (...roots: number[]) =>
      ask({ call: 'leak_scan', roots }) as unknown as { count: number; leakedBytes: number; leaked: object[]; text: string },
    bug: (request: Parameters<typeof granted>[2]) => {
      const answer = refused(machine, pid, request);
      expect(answer.signal).toBe('SIGABRT');
      checkMachine(machine);
      return answer.why;
    },
  };
}

describe('with libc.sanitize', () => {
  test('a write beyond a block is stopped at once, and named: which block, how far, since when', () => {
    const p = begin();
    p.malloc(40);
    const a = p.malloc(100);
    p.write(a, 100);
    expect(p.bug({ call: 'write', addr: a + 96, length: 8 })).toEqual({
      code: 'HEAP_OVERFLOW',
      addr: a + 96,
      block: a,
      size: 100,
      offset: 100,
      born: 2,
    });
  });

  test('a read before it as well', () => {
    const p = begin();
    const a = p.malloc(100);
    expect(p.bug({ call: 'peek', addr: a - 1, length: 1 })).toMatchObject({ code: 'HEAP_OVERFLOW', block: a, offset: -1 });
  });

  test('a dangling pointer: the block is not given out again for a while, so that who uses it is found', () => {
    const p = begin();
    const a = p.malloc(100);
    p.write(a, 100);
    p.free(a);
    expect(p.malloc(100)).not.toBe(a);
    expect(p.bug({ call: 'read', addr: a + 50, length: 1 })).toEqual({
      code: 'USE_AFTER_FREE',
      addr: a + 50,
      block: a,
      size: 100,
      born: 1,
      freed: 2,
    });
  });

  test('the quarantine holds 256 KiB: then the memory is used again, and a pointer into it is wild', () => {
    const p = begin();
    const a = p.malloc(1000);
    p.free(a);
    for (let n = 0; n < 30; n++) p.free(p.malloc(10_000));
    expect(['WILD_POINTER', 'USE_AFTER_FREE', 'HEAP_OVERFLOW']).toContain(p.bug({ call: 'read', addr: a, length: 1 }).code);
    checkLibc(p.machine);
  });

  test('bytes that nobody wrote: reading them is a bug, and calloc wrote all', () => {
    const p = begin();
    const zeroed = p.ask({ call: 'calloc', nmemb: 10, size: 10 }).addr as number;
    p.ask({ call: 'read', addr: zeroed, length: 100 });
    const a = p.malloc(64);
    p.write(a, 16);
    p.write(a + 32, 16);
    p.write(a + 16, 16);
    p.ask({ call: 'read', addr: a, length: 48 });
    expect(p.bug({ call: 'read', addr: a + 40, length: 16 })).toEqual({
      code: 'UNINITIALISED',
      addr: a + 40,
      block: a,
      size: 64,
      offset: 40,
      born: 2,
    });
  });

  test('freed twice, and freed what is no block', () => {
    const p = begin();
    const a = p.malloc(10);
    p.free(a);
    expect(p.bug({ call: 'free', addr: a })).toEqual({ code: 'FREED_TWICE', addr: a, size: 10, born: 1, freed: 2 });
    const q = begin();
    const b = q.malloc(10);
    expect(q.bug({ call: 'free', addr: b + 4 })).toEqual({ code: 'WILD_FREE', addr: b + 4 });
  });

  test('an iterator into a vector that moved', () => {
    const p = begin();
    const vector = p.malloc(16);
    p.write(vector, 16);
    const iterator = vector + 8;
    const moved = p.ask({ call: 'realloc', addr: vector, size: 32 }).addr as number;
    p.ask({ call: 'read', addr: moved, length: 16 });
    expect(p.bug({ call: 'read', addr: iterator, length: 4 })).toMatchObject({ code: 'USE_AFTER_FREE', block: vector });
  });

  test('what is no heap is left alone; fork and restore keep the shadow', () => {
    const p = begin();
    const own = mmap(p.machine, p.pid, 1);
    p.ask({ call: 'read', addr: own, length: PAGE });
    const a = p.malloc(100);
    const child = p.ask({ call: 'fork' }).pid!;
    const again = restore(snapshot(p.machine));
    expect(hash(again)).toBe(hash(p.machine));
    expect(refused(again, child, { call: 'read', addr: a, length: 1 }).why.code).toBe('UNINITIALISED');
    p.write(a, 100);
    p.ask({ call: 'read', addr: a, length: 100 });
    checkLibc(p.machine);
  });
});

describe.each([['glibc'], ['sanitize'], ['list']])('leaks, %s', (which) => {
  const libc = which === 'sanitize' ? { allocator: 'glibc', sanitize: true } : { allocator: which };
  const header = which === 'list' ? 8 : 0;

  test('a list whose head is forgotten leaks whole; while one variable holds it, nothing does', () => {
    const p = begin(libc);
    const nodes = [p.malloc(16) + header, p.malloc(24) + header, p.malloc(32) + header];
    p.point(nodes[0]!, nodes[1]!);
    p.point(nodes[1]! + 4, nodes[2]! + 8);
    expect(p.leaks(nodes[0]!)).toMatchObject({ blocks: 3, count: 0, text: '' });
    expect(p.leaks(nodes[1]!)).toMatchObject({ count: 1, leaked: [{ addr: nodes[0] }] });
    expect(p.leaks()).toMatchObject({ count: 3 });
  });

  test('a pointer in memory that is not the heap’s holds a block', () => {
    const p = begin(libc);
    const block = p.malloc(16) + header;
    const global = mmap(p.machine, p.pid, 1);
    p.point(global + 100, block);
    expect(p.leaks().count).toBe(0);
    p.point(global + 100, 0);
    expect(p.leaks().count).toBe(1);
  });

  test('two that count references to each other: both counts are 1, nobody leads to them, both leak', () => {
    const p = begin(libc);
    const [parent, child] = [p.malloc(32) + header, p.malloc(32) + header];
    p.point(parent + 8, child);
    p.point(child + 8, parent);
    expect(p.leaks(parent).count).toBe(0);
    expect(p.leaks().count).toBe(2);
  });

  test('heap_check counts what is in use; the scan changes nothing that the heap has', () => {
    const p = begin(libc);
    p.malloc(16);
    const before = cat(p.machine, '/proc/freelist', p.pid);
    expect(p.ask({ call: 'heap_check' })).toMatchObject({ blocks: 1, damaged: [] });
    p.leaks();
    expect(cat(p.machine, '/proc/freelist', p.pid)).toBe(before);
  });
});

test('heap_check names a control block that was written over', () => {
  const p = begin({ allocator: 'glibc' });
  const a = p.malloc(20);
  const b = p.malloc(20);
  const length = (p.ask({ call: 'malloc_usable_size', addr: a }).size as number) + 4;
  p.ask({ call: 'write', addr: a, length, value: 0x41 });
  expect(p.ask({ call: 'heap_check' })).toMatchObject({ blocks: 2, damaged: [{ chunk: b - 8, size: 32, found: 0x41414140 }] });
});

/** counter += 1, in the three steps that a processor takes. */
function load(machine: Machine, pid: number, addr: number): number {
  return granted(machine, pid, { call: 'peek', addr, length: 1 }).bytes![0]!;
}
const store = (machine: Machine, pid: number, addr: number, value: number) => granted(machine, pid, { call: 'poke', addr, bytes: [value] });

test('an unlocked counter that two processes share loses an update', () => {
  const machine = boot();
  const parent = spawn(machine);
  const addr = mmap(machine, parent, 1, RW, SHARED);
  const child = granted(machine, parent, { call: 'fork' }).pid!;
  const [mine, theirs] = [load(machine, parent, addr), load(machine, child, addr)];
  store(machine, parent, addr, mine + 1);
  store(machine, child, addr, theirs + 1);
  expect(load(machine, parent, addr)).toBe(1);
});
