/** Page replacement as courses teach it: misses of the textbooks' reference strings (oracles G), run as real faults on a real machine. */
import { describe, expect, test } from 'vitest';
import { type Machine, createMachine, hash, restore, snapshot } from '#kernel/machine.ts';
import { PAGE, granted, mmap, spawn, touch } from '../helpers/boot.ts';
import { checkMachine } from '../helpers/check.ts';
import { checkReclaim } from '../helpers/check_reclaim.ts';

const STRINGS = {
  silberschatz: [7, 0, 1, 2, 0, 3, 0, 4, 2, 3, 0, 3, 2, 1, 2, 0, 1, 7, 0, 1],
  belady: [1, 2, 3, 4, 1, 2, 5, 1, 2, 3, 4, 5],
  tanenbaum: [0, 1, 2, 3, 0, 1, 4, 0, 1, 2, 3, 4],
  ostep: [0, 1, 2, 0, 1, 3, 0, 3, 1, 2, 1],
};
const BASE = 0x40000000;

function bootWith(policy: string, frames: number, future: [number, number][] = []): Machine {
  return createMachine({
    frames: 256,
    zones: { normal: 256 },
    minFreeKbytes: 0,
    mobility: false,
    replacement: { policy, frames, ...(policy === 'opt' ? { future } : {}) },
  });
}

/** Faults that a reference string takes, and the machine after it. */
function misses(policy: string, frames: number, refs: readonly number[], how: 'read' | 'write' = 'write') {
  const machine = bootWith(
    policy,
    frames,
    refs.map((ref): [number, number] => [2, BASE / PAGE + ref]),
  );
  const pid = spawn(machine);
  const addr = mmap(machine, pid, 16, undefined, undefined, BASE);
  let count = 0;
  for (const ref of refs) {
    const { minor, major } = touch(machine, pid, how, addr + ref * PAGE, 1);
    count += minor + major;
    const { mm } = machine.tasks.get(pid)!;
    expect(mm.rssAnon).toBeLessThanOrEqual(frames);
  }
  checkMachine(machine);
  checkReclaim(machine);
  return count;
}

describe('misses', () => {
  test.each([
    ['silberschatz', 'fifo', 3, 15],
    ['silberschatz', 'lru', 3, 12],
    ['silberschatz', 'opt', 3, 9],
    ['silberschatz', 'fifo', 4, 10],
    ['silberschatz', 'lru', 4, 8],
    ['silberschatz', 'opt', 4, 8],
    ['silberschatz', 'clock', 3, 14],
    ['silberschatz', 'clock', 4, 9],
    ['belady', 'fifo', 3, 9],
    ['belady', 'fifo', 4, 10],
    ['belady', 'lru', 3, 10],
    ['belady', 'lru', 4, 8],
    ['belady', 'opt', 3, 7],
    ['belady', 'opt', 4, 6],
    ['belady', 'clock', 3, 9],
    ['belady', 'clock', 4, 10],
    ['tanenbaum', 'fifo', 3, 9],
    ['tanenbaum', 'fifo', 4, 10],
    ['tanenbaum', 'lru', 3, 10],
    ['tanenbaum', 'lru', 4, 8],
    ['ostep', 'fifo', 3, 7],
    ['ostep', 'lru', 3, 5],
    ['ostep', 'opt', 3, 5],
  ] as const)('%s, %s, %i frames: %i', (name, policy, frames, expected) => {
    expect(misses(policy, frames, STRINGS[name])).toBe(expected);
    expect(misses(policy, frames, STRINGS[name], 'read')).toBe(expected);
  });

  test('a loop of 5 pages in 4 frames: FIFO and LRU miss always, OPT 16 times in 50', () => {
    const loop = Array.from({ length: 50 }, (_, n) => n % 5);
    expect([misses('fifo', 4, loop), misses('lru', 4, loop), misses('opt', 4, loop)]).toEqual([50, 50, 16]);
  });

  test('LRU never misses more with more frames (stack property); FIFO may (Belady)', () => {
    const counts = (policy: string) => [1, 2, 3, 4, 5].map((frames) => misses(policy, frames, STRINGS.belady));
    const lru = counts('lru');
    for (let n = 1; n < lru.length; n++) expect(lru[n]!).toBeLessThanOrEqual(lru[n - 1]!);
    const fifo = counts('fifo');
    expect(fifo[3]).toBeGreaterThan(fifo[2]!);
  });

  test('random is decided by the seed', () => {
    expect(misses('random', 3, STRINGS.silberschatz)).toBe(misses('random', 3, STRINGS.silberschatz));
  });
});

test('a page that had to go keeps what it holds; bringing it back is a major fault', () => {
  const machine = bootWith('fifo', 3);
  const pid = spawn(machine);
  const addr = mmap(machine, pid, 8);
  for (let n = 0; n < 8; n++) granted(machine, pid, { call: 'poke', addr: addr + n * PAGE, bytes: [n + 1] });
  for (let n = 0; n < 8; n++) {
    expect(granted(machine, pid, { call: 'peek', addr: addr + n * PAGE, length: 1 })).toMatchObject({
      bytes: [n + 1],
      faults: { major: 1, minor: 0 },
    });
  }
});

test("each process has a budget of its own, and a child begins with its parent's pages", () => {
  const machine = bootWith('lru', 4);
  const pid = spawn(machine);
  const addr = mmap(machine, pid, 8);
  touch(machine, pid, 'write', addr, 4);
  const child = granted(machine, pid, { call: 'fork' }).pid!;
  touch(machine, child, 'read', addr + 4 * PAGE, 2);
  checkMachine(machine);
  expect(machine.replacement!.resident.get(child)!.size).toBe(4);
  granted(machine, child, { call: 'exit' });
  expect(machine.replacement!.resident.has(child)).toBe(false);
});

test("files' pages count too, and are read again", () => {
  const machine = createMachine({
    frames: 256,
    zones: { normal: 256 },
    minFreeKbytes: 0,
    mobility: false,
    disk: { files: [{ path: '/f', bytes: 8 * PAGE }] },
    replacement: { policy: 'fifo', frames: 2 },
  });
  const pid = spawn(machine);
  const fd = granted(machine, pid, { call: 'open', path: '/f' }).fd as number;
  const addr = granted(machine, pid, { call: 'mmap', length: 8 * PAGE, prot: 'PROT_READ|PROT_WRITE', flags: 'MAP_SHARED', fd })
    .addr as number;
  expect(touch(machine, pid, 'read', addr, 3)).toEqual({ minor: 0, major: 3, cow: 0 });
  granted(machine, pid, { call: 'poke', addr, bytes: [5] });
  touch(machine, pid, 'read', addr + PAGE, 3);
  expect(granted(machine, pid, { call: 'peek', addr, length: 1 })).toMatchObject({ bytes: [5], faults: { major: 1 } });
  checkMachine(machine);
  checkReclaim(machine);
});

test('saved and restored, the policy goes on', () => {
  const machine = bootWith('clock', 3);
  const pid = spawn(machine);
  const addr = mmap(machine, pid, 16);
  for (const ref of STRINGS.silberschatz) touch(machine, pid, 'write', addr + ref * PAGE, 1);
  const again = restore(snapshot(machine));
  for (const each of [machine, again]) for (const ref of STRINGS.belady) touch(each, pid, 'write', addr + ref * PAGE, 1);
  expect(hash(again)).toBe(hash(machine));
});
