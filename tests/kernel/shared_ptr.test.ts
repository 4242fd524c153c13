/** shared_ptr, weak_ptr and unique_ptr as libstdc++ lays them out (bits/shared_ptr_base.h, bits/unique_ptr.h; C++20 [util.smartptr]); offsets, counts and block sizes of x86_64 measured with g++ 12. */
import { describe, expect, test } from 'vitest';
import { type Machine, call, hash, restore, snapshot } from '#kernel/machine.ts';
import { PAGE, boot, granted, mmap, refused, spawn } from '../helpers/boot.ts';
import { checkMachine } from '../helpers/check.ts';

interface Program {
  machine: Machine;
  pid: number;
  /** Address of the n-th variable, 16 bytes each, empty at first. */
  at: (n: number) => number;
  run: (name: string, args: Record<string, unknown>) => Told;
  word: (addr: number, size?: number) => number;
  blocks: () => number;
}
interface Told {
  addr: number;
  control: number;
  use: number;
  weak: number;
  destroyed: number[];
}

function program(config: Record<string, unknown> = {}): Program {
  const machine = boot(config);
  const pid = spawn(machine);
  const page = mmap(machine, pid, 1);
  const size = config.arch === 'x86_64' ? 8 : 4;
  return {
    machine,
    pid,
    at: (n) => page + 16 * n,
    run: (name, args) => granted(machine, pid, { call: name, ...args }) as unknown as Told,
    word: (addr, bytes = size) =>
      granted(machine, pid, { call: 'peek', addr, length: bytes }).bytes!.reduceRight((value, byte) => value * 256 + byte, 0),
    blocks: () => granted(machine, pid, { call: 'leak_scan', roots: [] }).blocks as number,
  };
}

describe('make_shared', () => {
  test.each([
    ['i386', 12, 4],
    ['x86_64', 16, 8],
  ])('%s: one block, in which vptr and both counts stand before the object', (arch, header, size) => {
    const p = program({ arch });
    const { addr, control, use, weak } = p.run('make_shared', { at: p.at(0), size: 20 });
    expect(addr - control).toBe(header);
    expect([use, weak]).toEqual([1, 1]);
    expect(p.word(p.at(0))).toBe(addr);
    expect(p.word(p.at(0) + size)).toBe(control);
    expect(p.word(control + size, 4)).toBe(1);
    expect(p.word(control + size + 4, 4)).toBe(1);
    expect(p.blocks()).toBe(1);
    expect(granted(p.machine, p.pid, { call: 'malloc_usable_size', addr: control }).size).toBe(arch === 'i386' ? 44 : 40);
  });

  test('a copy counts, a move does not, and the last that goes frees', () => {
    const p = program();
    const { addr } = p.run('make_shared', { at: p.at(0), size: 8 });
    expect(p.run('shared_ptr_copy', { to: p.at(1), from: p.at(0) })).toMatchObject({ addr, use: 2, weak: 1, destroyed: [] });
    expect(p.run('shared_ptr_move', { to: p.at(2), from: p.at(0) })).toMatchObject({ use: 2 });
    expect(p.word(p.at(0))).toBe(0);
    expect(p.run('shared_ptr_reset', { at: p.at(1) })).toMatchObject({ addr: 0, use: 0, destroyed: [] });
    expect(p.run('shared_ptr_reset', { at: p.at(2) })).toMatchObject({ destroyed: [addr] });
    expect(p.blocks()).toBe(0);
    checkMachine(p.machine);
  });

  test('to and from oneself nothing changes', () => {
    const p = program();
    p.run('make_shared', { at: p.at(0), size: 8 });
    for (const name of ['shared_ptr_copy', 'shared_ptr_move'])
      expect(p.run(name, { to: p.at(0), from: p.at(0) })).toMatchObject({ use: 1, weak: 1, destroyed: [] });
    p.run('make_unique', { at: p.at(1), size: 8 });
    expect(p.run('unique_ptr_move', { to: p.at(1), from: p.at(1) }).destroyed).toEqual([]);
    expect(p.blocks()).toBe(2);
  });

  test('members go with their object, last declared first', () => {
    const p = program();
    const list = p.run('make_shared', { at: p.at(0), size: 24, shared: [0, 8], unique: [16] });
    const [left, right] = [0, 8].map((offset) => p.run('make_shared', { at: list.addr + offset, size: 4 }).addr);
    const own = p.run('make_unique', { at: list.addr + 16, size: 100 }).addr;
    expect(p.blocks()).toBe(4);
    expect(p.run('shared_ptr_reset', { at: p.at(0) }).destroyed).toEqual([list.addr, own, right, left]);
    expect(p.blocks()).toBe(0);
  });

  test('a pointer that cannot be assigned to ends the process, and without memory nothing is made', () => {
    const p = program();
    expect(call(p.machine, p.pid, { call: 'make_shared', at: p.at(0), size: 2 ** 40 })).toMatchObject({ errno: 'ENOMEM' });
    expect(p.word(p.at(0))).toBe(0);
    expect(refused(p.machine, p.pid, { call: 'make_shared', at: 16, size: 8 })).toMatchObject({ signal: 'SIGSEGV' });
  });

  test('members lie in their object, at whole words', () => {
    const p = program();
    const before = hash(p.machine);
    for (const members of [{ shared: [2] }, { shared: [4] }, { weak: [8] }, { unique: [9] }, { unique: [12] }])
      expect(refused(p.machine, p.pid, { call: 'make_shared', at: p.at(0), size: 11, ...members })).toMatchObject({
        errno: 'EINVAL',
        why: { code: 'BAD_ARGUMENT', argument: Object.keys(members)[0] },
      });
    expect(hash(p.machine)).toBe(before);
  });
});

describe('a cycle', () => {
  /** Two nodes that variables 0 and 1 hold, each with a shared_ptr at 0 and a weak_ptr at 8. */
  function nodes(config: Record<string, unknown> = {}): Program & { a: Told; b: Told } {
    const p = program(config);
    const [a, b] = [0, 1].map((n) => p.run('make_shared', { at: p.at(n), size: 32, shared: [0], weak: [16] }));
    return { ...p, a: a!, b: b! };
  }

  test('two that own each other outlive all variables, and leak_scan names them', () => {
    const p = nodes();
    p.run('shared_ptr_copy', { to: p.a.addr, from: p.at(1) });
    p.run('shared_ptr_copy', { to: p.b.addr, from: p.at(0) });
    for (const n of [0, 1]) expect(p.run('shared_ptr_reset', { at: p.at(n) })).toMatchObject({ destroyed: [] });
    expect(granted(p.machine, p.pid, { call: 'leak_scan', roots: [] })).toMatchObject({
      count: 2,
      cycles: [[p.a.control, p.b.control]],
    });
  });

  test('a list that only leaked is no cycle, one that bites itself is', () => {
    const p = nodes();
    p.run('shared_ptr_copy', { to: p.a.addr, from: p.at(1) });
    granted(p.machine, p.pid, { call: 'write', addr: p.at(0), length: 32, value: 0 });
    expect(granted(p.machine, p.pid, { call: 'leak_scan', roots: [] })).not.toHaveProperty('cycles');
    p.run('make_shared', { at: p.at(4), size: 32, shared: [0], weak: [16] });
    const own = p.run('shared_ptr_copy', { to: p.word(p.at(4)), from: p.at(4) });
    p.run('shared_ptr_reset', { at: p.at(4) });
    expect(granted(p.machine, p.pid, { call: 'leak_scan', roots: [] }).cycles).toEqual([[own.control]]);
  });

  test('a weak_ptr for the way back breaks it', () => {
    const p = nodes();
    p.run('shared_ptr_copy', { to: p.a.addr, from: p.at(1) });
    p.run('weak_ptr_copy', { to: p.b.addr + 16, from: p.at(0) });
    expect(p.run('shared_ptr_reset', { at: p.at(1) }).destroyed).toEqual([]);
    expect(p.run('shared_ptr_reset', { at: p.at(0) }).destroyed).toEqual([p.a.addr, p.b.addr]);
    expect(p.blocks()).toBe(0);
  });
});

describe('weak_ptr', () => {
  test('lock gives an owner while the object lives, then nothing; the block stays as long as somebody looks on', () => {
    const p = program();
    const { addr, control } = p.run('make_shared', { at: p.at(0), size: 1000 });
    expect(p.run('weak_ptr_copy', { to: p.at(1), from: p.at(0) })).toMatchObject({ addr, use: 1, weak: 2 });
    expect(p.run('weak_ptr_copy', { to: p.at(2), from: p.at(1) })).toMatchObject({ weak: 3 });
    expect(p.run('weak_ptr_lock', { to: p.at(3), from: p.at(1) })).toMatchObject({ addr, use: 2 });
    p.run('shared_ptr_reset', { at: p.at(3) });
    expect(p.run('shared_ptr_reset', { at: p.at(0) }).destroyed).toEqual([addr]);
    expect(p.run('weak_ptr_lock', { to: p.at(3), from: p.at(1) })).toMatchObject({ addr: 0, control: 0 });
    expect(p.word(control + 8, 4)).toBe(2);
    expect(p.blocks()).toBe(1);
    p.run('weak_ptr_reset', { at: p.at(1) });
    expect(p.blocks()).toBe(1);
    p.run('weak_ptr_reset', { at: p.at(2) });
    expect(p.blocks()).toBe(0);
  });

  test('with a control block of its own the object’s memory is free at once', () => {
    const p = program();
    const block = granted(p.machine, p.pid, { call: 'malloc', size: 1000 }).addr as number;
    p.run('shared_ptr_reset', { at: p.at(0), addr: block });
    p.run('weak_ptr_copy', { to: p.at(1), from: p.at(0) });
    expect(p.blocks()).toBe(2);
    expect(p.run('shared_ptr_reset', { at: p.at(0) }).destroyed).toEqual([block]);
    expect(p.blocks()).toBe(1);
  });
});

describe('what goes wrong', () => {
  test('two owners made of one raw pointer free it twice', () => {
    const p = program();
    const block = granted(p.machine, p.pid, { call: 'malloc', size: 1000 }).addr as number;
    for (const n of [0, 1]) expect(p.run('shared_ptr_reset', { at: p.at(n), addr: block }).use).toBe(1);
    p.run('shared_ptr_reset', { at: p.at(0) });
    expect(refused(p.machine, p.pid, { call: 'shared_ptr_reset', at: p.at(1) })).toMatchObject({
      signal: 'SIGABRT',
      why: { code: 'LIBC_ABORT' },
    });
  });

  test('a count that somebody wrote over frees too early; a raw pointer that was kept dangles', () => {
    const p = program({ libc: { allocator: 'glibc', sanitize: true } });
    const { addr } = p.run('make_shared', { at: p.at(0), size: 40 });
    p.run('shared_ptr_reset', { at: p.at(0) });
    expect(refused(p.machine, p.pid, { call: 'load', addr })).toMatchObject({ why: { code: 'USE_AFTER_FREE' } });
  });

  test('a control block that somebody wrote over names no class', () => {
    const p = program();
    const { control } = p.run('make_shared', { at: p.at(0), size: 40 });
    granted(p.machine, p.pid, { call: 'store', addr: control, value: 0x41414141 });
    expect(refused(p.machine, p.pid, { call: 'shared_ptr_reset', at: p.at(0) })).toMatchObject({
      signal: 'SIGSEGV',
      why: { code: 'NOT_A_CONTROL_BLOCK', addr: control, found: 0x41414141 },
    });
    expect(p.machine.tasks.has(p.pid)).toBe(false);
  });

  test('so many kinds of objects and no more', () => {
    const p = program();
    for (let n = 0; n < 64; n++) p.run('make_shared', { at: p.at(0), size: 600, shared: [8 * n] });
    expect(refused(p.machine, p.pid, { call: 'make_shared', at: p.at(0), size: 600, weak: [8] })).toMatchObject({
      errno: 'ENOMEM',
      why: { code: 'TOO_MANY_CLASSES', limit: 64 },
    });
    expect(p.run('make_shared', { at: p.at(0), size: 600, shared: [16] }).use).toBe(1);
    expect(p.blocks()).toBe(1);
  });
});

describe('unique_ptr', () => {
  test('one owner: a move empties the other, what is replaced is deleted', () => {
    const p = program();
    const first = p.run('make_unique', { at: p.at(0), size: 40 }).addr;
    expect(p.run('unique_ptr_move', { to: p.at(1), from: p.at(0) })).toMatchObject({ addr: first, destroyed: [] });
    expect(p.word(p.at(0))).toBe(0);
    expect(p.run('make_unique', { at: p.at(1), size: 40 }).destroyed).toEqual([first]);
    const raw = granted(p.machine, p.pid, { call: 'malloc', size: 10 }).addr as number;
    expect(p.run('unique_ptr_reset', { at: p.at(1), addr: raw }).addr).toBe(raw);
    expect(p.run('unique_ptr_reset', { at: p.at(1) }).destroyed).toEqual([raw]);
    expect(p.blocks()).toBe(0);
  });
});

describe('with threads and processes', () => {
  test('counts are atomic: two threads may copy and drop one object’s pointers, but not assign to one pointer', () => {
    const p = program({ races: 'report' });
    const tid = granted(p.machine, p.pid, { call: 'pthread_create' }).tid as number;
    p.run('make_shared', { at: p.at(0), size: 8 });
    granted(p.machine, p.pid, { call: 'pthread_mutex_lock', addr: p.at(20) });
    granted(p.machine, p.pid, { call: 'pthread_mutex_unlock', addr: p.at(20) });
    granted(p.machine, tid, { call: 'pthread_mutex_lock', addr: p.at(20) });
    const by = (who: number, name: string, args: Record<string, unknown>) => granted(p.machine, who, { call: name, ...args });
    expect(by(p.pid, 'shared_ptr_copy', { to: p.at(1), from: p.at(0) })).not.toHaveProperty('race');
    expect(by(tid, 'shared_ptr_copy', { to: p.at(2), from: p.at(0) })).not.toHaveProperty('race');
    expect(by(p.pid, 'shared_ptr_reset', { at: p.at(1) })).not.toHaveProperty('race');
    expect(by(tid, 'shared_ptr_reset', { at: p.at(2) })).not.toHaveProperty('race');
    by(p.pid, 'shared_ptr_reset', { at: p.at(3) });
    expect(by(tid, 'shared_ptr_copy', { to: p.at(3), from: p.at(0) })).toMatchObject({ race: { code: 'DATA_RACE', other: p.pid } });
  });

  test('a child has copies of all of it, counts and classes', () => {
    const p = program();
    const { addr } = p.run('make_shared', { at: p.at(0), size: 8 });
    const child = granted(p.machine, p.pid, { call: 'fork' }).pid!;
    expect(granted(p.machine, child, { call: 'shared_ptr_reset', at: p.at(0) }).destroyed).toEqual([addr]);
    expect(p.run('shared_ptr_copy', { to: p.at(1), from: p.at(0) }).use).toBe(2);
    const again = restore(snapshot(p.machine));
    expect(hash(again)).toBe(hash(p.machine));
    checkMachine(p.machine);
  });

  test.each([{ allocator: 'list' }, { allocator: 'list', fit: 'best', header: 0 }, { allocator: 'glibc', sanitize: true }])(
    'with the libc %j too',
    (libc) => {
      const p = program({ libc });
      const { addr } = p.run('make_shared', { at: p.at(0), size: 40, shared: [0] });
      p.run('make_shared', { at: addr, size: PAGE });
      expect(p.blocks()).toBe(2);
      expect(p.run('shared_ptr_reset', { at: p.at(0) }).destroyed).toHaveLength(2);
      expect(p.blocks()).toBe(0);
    },
  );
});
