/**
 * `counter += 1` is a load, an addition and a store: who comes in between loses an update. LOCK XADD, LOCK CMPXCHG and a mutex
 * help (Intel SDM vol. 3, 9.1); a detector finds what is not ordered (C11 5.1.2.4; ThreadSanitizer, KCSAN).
 */
import { describe, expect, test } from 'vitest';
import { EVENTS_MAX } from '#kernel/libc/races.ts';
import { type Machine, createMachine, hash, restore, snapshot } from '#kernel/machine.ts';
import { KERNEL, PAGE, PRIVATE, RW, SHARED, boot, granted, mmap, refused, spawn } from '../helpers/boot.ts';
import { checkMachine } from '../helpers/check.ts';

interface Two {
  machine: Machine;
  a: number;
  b: number;
  addr: number;
}

/** Two threads of one process, or two processes with a shared page. */
function two(kind: 'threads' | 'processes', races?: 'report' | 'halt'): Two {
  const machine = boot(races === undefined ? {} : { races });
  const a = spawn(machine);
  const addr = mmap(machine, a, 1, RW, kind === 'threads' ? PRIVATE : SHARED);
  const b =
    kind === 'threads' ? (granted(machine, a, { call: 'pthread_create' }).tid as number) : granted(machine, a, { call: 'fork' }).pid!;
  return { machine, a, b, addr };
}
const kinds = ['threads', 'processes'] as const;
const value = ({ machine, a, addr }: Two) => granted(machine, a, { call: 'load', addr }).value;

describe.each(kinds)('two %s and a counter', (kind) => {
  test('one after the other: both count', () => {
    const at = two(kind);
    for (const who of [at.a, at.b])
      for (const request of [
        { call: 'load', addr: at.addr },
        { call: 'add', value: 1 },
        { call: 'store', addr: at.addr },
      ])
        granted(at.machine, who, request);
    expect(value(at)).toBe(2);
  });

  test('a switch between load and store: an update is lost', () => {
    const at = two(kind);
    for (const request of [
      { call: 'load', addr: at.addr },
      { call: 'add', value: 1 },
      { call: 'store', addr: at.addr },
    ])
      for (const who of [at.a, at.b]) granted(at.machine, who, request);
    expect(value(at)).toBe(1);
    checkMachine(at.machine);
  });

  test('xadd is one instruction: nothing comes in between', () => {
    const at = two(kind);
    expect(granted(at.machine, at.a, { call: 'xadd', addr: at.addr, value: 1 }).value).toBe(0);
    expect(granted(at.machine, at.b, { call: 'xadd', addr: at.addr, value: 1 }).value).toBe(1);
    expect(value(at)).toBe(2);
  });

  test('cmpxchg stores only where nobody was meanwhile, and says who was', () => {
    const at = two(kind);
    const swap = (who: number) => granted(at.machine, who, { call: 'cmpxchg', addr: at.addr, expected: 0, desired: 1 });
    expect(swap(at.a)).toMatchObject({ swapped: true, value: 0 });
    expect(swap(at.b)).toMatchObject({ swapped: false, value: 1 });
    expect(granted(at.machine, at.b, { call: 'add', value: 0 }).value).toBe(1);
  });

  test('a mutex lets one in: the other is told who has it, and nothing changes', () => {
    const { machine, a, b, addr } = two(kind);
    granted(machine, a, { call: 'pthread_mutex_lock', addr: addr + 64 });
    const before = hash(machine);
    // A page that b has not touched yet comes by a fault, as its own lock instruction would take it.
    expect(refused(machine, b, { call: 'pthread_mutex_lock', addr: addr + 64 })).toMatchObject({
      errno: 'EAGAIN',
      why: { code: 'MUTEX_HELD', addr: addr + 64, owner: a },
    });
    if (kind === 'threads') expect(hash(machine)).toBe(before);
    expect(refused(machine, b, { call: 'pthread_mutex_unlock', addr: addr + 64 })).toMatchObject({
      errno: 'EPERM',
      why: { code: 'NOT_MUTEX_OWNER', owner: a, tid: b },
    });
    granted(machine, a, { call: 'pthread_mutex_unlock', addr: addr + 64 });
    granted(machine, b, { call: 'pthread_mutex_lock', addr: addr + 64 });
    expect(granted(machine, b, { call: 'peek', addr: addr + 64, length: 12 }).bytes).toEqual([1, 0, 0, 0, 0, 0, 0, 0, b, 0, 0, 0]);
  });
});

test('registers are a thread’s own, and wrap at 2^32', () => {
  const { machine, a, b } = two('threads');
  expect(granted(machine, a, { call: 'add', value: -1 }).value).toBe(0xffffffff);
  expect(granted(machine, b, { call: 'add', value: 5 }).value).toBe(5);
  expect(granted(machine, a, { call: 'add', value: 2 }).value).toBe(1);
});

test('a word is little endian, may lie across two pages, and a read-only page refuses to be locked', () => {
  const machine = boot();
  const pid = spawn(machine);
  const addr = mmap(machine, pid, 2);
  granted(machine, pid, { call: 'store', addr: addr + PAGE - 2, value: 0x12345678 });
  expect(granted(machine, pid, { call: 'peek', addr: addr + PAGE - 2, length: 4 }).bytes).toEqual([0x78, 0x56, 0x34, 0x12]);
  expect(granted(machine, pid, { call: 'xadd', addr: addr + PAGE - 2, value: 1 }).value).toBe(0x12345678);
  expect(granted(machine, pid, { call: 'load', addr: addr + PAGE - 2 }).value).toBe(0x12345679);
  granted(machine, pid, { call: 'mprotect', addr, length: 2 * PAGE, prot: 'PROT_READ' });
  expect(refused(machine, pid, { call: 'xadd', addr, value: 0 })).toMatchObject({ signal: 'SIGSEGV', si_code: 2 });
});

test('the only pointer to a block may be in a register: leak_scan looks there', () => {
  const machine = boot();
  const pid = spawn(machine);
  const block = granted(machine, pid, { call: 'malloc', size: 40 }).addr as number;
  const { tid } = granted(machine, pid, { call: 'pthread_create' }) as unknown as { tid: number };
  expect(granted(machine, pid, { call: 'leak_scan', roots: [] }).count).toBe(1);
  granted(machine, tid, { call: 'add', value: block });
  expect(granted(machine, pid, { call: 'leak_scan', roots: [] }).count).toBe(0);
});

describe.each(kinds)('the detector, two %s', (kind) => {
  test('reads race with writes and writes with writes; who, where and how long ago', () => {
    const { machine, a, b, addr } = two(kind, 'report');
    const load = granted(machine, a, { call: 'load', addr });
    expect(load).not.toHaveProperty('race');
    expect(granted(machine, b, { call: 'load', addr })).not.toHaveProperty('race');
    expect(granted(machine, b, { call: 'store', addr, value: 1 }).race).toEqual({
      code: 'DATA_RACE',
      addr,
      access: 'write',
      tid: b,
      step: 3,
      other: a,
      otherAccess: 'read',
      otherStep: 1,
    });
    expect(granted(machine, a, { call: 'poke', addr: addr + 3, bytes: [1, 2] }).race).toMatchObject({ other: b, otherAccess: 'write' });
    expect(granted(machine, a, { call: 'write', addr: addr + 4, length: 9 })).not.toHaveProperty('race');
    expect(machine.races!.found).toBe(2);
    checkMachine(machine);
  });

  test('between unlock and lock of one mutex there is none; of two mutexes there is', () => {
    const { machine, a, b, addr } = two(kind, 'report');
    const locked = (who: number, mutex: number) => {
      granted(machine, who, { call: 'pthread_mutex_lock', addr: addr + mutex });
      const answer = granted(machine, who, { call: 'store', addr, value: who });
      granted(machine, who, { call: 'pthread_mutex_unlock', addr: addr + mutex });
      return answer;
    };
    for (const who of [a, b, a]) expect(locked(who, 64)).not.toHaveProperty('race');
    expect(locked(b, 128).race).toMatchObject({ other: a });
  });

  test('atomics do not race with each other, order what was done before, and race with plain accesses', () => {
    const { machine, a, b, addr } = two(kind, 'report');
    granted(machine, a, { call: 'store', addr: addr + 8, value: 42 });
    granted(machine, a, { call: 'xadd', addr, value: 1 });
    expect(granted(machine, b, { call: 'xadd', addr, value: 1 })).not.toHaveProperty('race');
    expect(granted(machine, b, { call: 'load', addr: addr + 8 })).not.toHaveProperty('race');
    granted(machine, b, { call: 'store', addr: addr + 8, value: 43 });
    expect(granted(machine, a, { call: 'load', addr: addr + 8 }).race).toMatchObject({ other: b });
    granted(machine, b, { call: 'xadd', addr, value: 1 });
    expect(granted(machine, a, { call: 'load', addr }).race).toMatchObject({ other: b, otherAccess: 'atomic' });
  });

  test('what was written before the other began is ordered', () => {
    const machine = boot({ races: 'halt' });
    const pid = spawn(machine);
    const addr = mmap(machine, pid, 1, RW, SHARED);
    granted(machine, pid, { call: 'store', addr, value: 10 });
    const other =
      kind === 'threads' ? (granted(machine, pid, { call: 'pthread_create' }).tid as number) : granted(machine, pid, { call: 'fork' }).pid!;
    granted(machine, other, { call: 'store', addr, value: 11 });
    expect(refused(machine, pid, { call: 'load', addr })).toMatchObject({ signal: 'SIGABRT', why: { code: 'DATA_RACE', tid: pid, other } });
    expect(machine.tasks.has(pid)).toBe(false);
  });
});

describe('the detector', () => {
  test('what a thread did before it was joined is ordered', () => {
    const { machine, a, b, addr } = two('threads', 'report');
    granted(machine, b, { call: 'store', addr, value: 1 });
    granted(machine, b, { call: 'pthread_exit' });
    granted(machine, a, { call: 'pthread_join', target: b });
    expect(granted(machine, a, { call: 'load', addr })).not.toHaveProperty('race');
  });

  test('private memory of two processes is not shared', () => {
    const machine = boot({ races: 'halt' });
    const [a, b] = [spawn(machine), spawn(machine)];
    for (const pid of [a, b]) granted(machine, pid, { call: 'store', addr: mmap(machine, pid, 1), value: 1 });
    const child = granted(machine, a, { call: 'fork' }).pid!;
    for (const pid of [a, child]) granted(machine, pid, { call: 'store', addr: 0xb7fff000, value: 1 });
  });

  test('shared pages are one place at all their addresses', () => {
    const machine = boot({ races: 'report' });
    const [a, b] = [spawn(machine), spawn(machine)];
    const { shmid } = granted(machine, a, { call: 'shmget', key: 7, size: PAGE, shmflg: 'IPC_CREAT' });
    mmap(machine, b, 5);
    const at = [a, b].map((pid) => granted(machine, pid, { call: 'shmat', shmid }).addr as number);
    expect(at[0]).not.toBe(at[1]);
    granted(machine, a, { call: 'store', addr: at[0]! + 8, value: 1 });
    expect(granted(machine, b, { call: 'load', addr: at[1]! + 8 }).race).toMatchObject({ addr: at[1]! + 8, other: a });
  });

  test('a block that malloc gives out again, and a mapping made anew, have no past', () => {
    const { machine, a, b } = two('threads', 'report');
    const first = granted(machine, a, { call: 'malloc', size: 40 }).addr as number;
    granted(machine, a, { call: 'write', addr: first, length: 40 });
    granted(machine, a, { call: 'free', addr: first });
    expect(granted(machine, b, { call: 'malloc', size: 40 }).addr).toBe(first);
    expect(granted(machine, b, { call: 'write', addr: first, length: 40 })).not.toHaveProperty('race');
    const page = mmap(machine, a, 1);
    granted(machine, a, { call: 'store', addr: page, value: 1 });
    granted(machine, a, { call: 'munmap', addr: page, length: PAGE });
    expect(mmap(machine, b, 1)).toBe(page);
    expect(granted(machine, b, { call: 'store', addr: page, value: 1 })).not.toHaveProperty('race');
  });

  test('it remembers so many events and no more, and is saved with the machine', () => {
    const { machine, a, b, addr } = two('threads', 'report');
    granted(machine, a, { call: 'store', addr, value: 1 });
    for (let n = 1; n < EVENTS_MAX; n++) granted(machine, a, { call: 'load', addr: addr + 8 });
    const again = restore(snapshot(machine));
    expect(hash(again)).toBe(hash(machine));
    expect(granted(again, b, { call: 'load', addr }).race).toMatchObject({ other: a });
    granted(machine, a, { call: 'load', addr: addr + 8 });
    expect(granted(machine, b, { call: 'load', addr })).not.toHaveProperty('race');
    expect(machine.races!.events).toHaveLength(EVENTS_MAX);
  });

  test('a machine has it by its key', () => {
    expect(() => createMachine({ races: 'yes' })).toThrow('races is "report" or "halt"');
    expect(boot().races).toBeNull();
    granted(boot({ races: 'report' }), KERNEL, { call: 'spawn' });
  });
});
