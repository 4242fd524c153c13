/** Hash, snapshot, restore (architecture.md): the same calls make the same machine, saved or not, and a broken snapshot is refused. */
import { describe, expect, test } from 'vitest';
import { CodecError, type Machine, call, createMachine, hash, restore, snapshot, tick } from '#kernel/machine.ts';
import { createFacts } from '#kernel/facts.ts';
import { KERNEL, bootFlat, cat, granted, mmap, spawn, touch } from '../helpers/boot.ts';
import { checkMachine } from '../helpers/check.ts';
import { type Shape, playStep, randomStep } from '../helpers/fuzz.ts';
import { picker, seeds } from '../helpers/seeds.ts';
import { stage } from '../helpers/requests.ts';

const SHAPE: Shape = {
  name: 'three zones',
  processes: 5,
  config: { frames: 512, zones: { dma: 64, normal: 320, highmem: 128 }, minFreeKbytes: 64, mobility: false, maxFrames: 600 },
};

function played(seed: number, steps: number): Machine {
  const pick = picker(seed);
  let machine = createMachine(SHAPE.config);
  for (let n = 0; n < steps; n++) machine = playStep(machine, randomStep(machine, SHAPE, pick));
  return machine;
}

test.each(seeds(3))('seed %i: a restored machine has the same hash, the same files and the same future', (seed) => {
  const original = played(seed, 700);
  const copy = restore(snapshot(original));
  expect(hash(copy)).toBe(hash(original));
  checkMachine(copy);
  for (const file of ['buddyinfo', 'meminfo', 'zoneinfo', 'vmstat', 'kmsg'])
    expect(cat(copy, `/proc/${file}`)).toBe(cat(original, `/proc/${file}`));
  const picks = [picker(seed), picker(seed)];
  for (let n = 0; n < 300; n++) {
    const step = randomStep(original, SHAPE, picks[0]!);
    expect(randomStep(copy, SHAPE, picks[1]!)).toEqual(step);
    if ('restore' in step) continue;
    playStep(original, step);
    playStep(copy, step);
    if (n % 50 === 0) expect(hash(copy), `after ${n} steps`).toBe(hash(original));
  }
  expect(hash(copy)).toBe(hash(original));
});

test('a snapshot is a copy: what happens later changes neither it nor what was restored from it', () => {
  const { machine, pid, addr } = stage();
  const bytes = snapshot(machine);
  const before = hash(machine);
  const kept = bytes.slice();
  const copy = restore(bytes);
  granted(machine, pid, { call: 'write', addr, length: 8000, value: 3 });
  tick(machine);
  expect(bytes).toEqual(kept);
  expect(hash(copy)).toBe(before);
  bytes.fill(0);
  expect(hash(copy)).toBe(before);
});

test('equal machines have equal snapshots', () => {
  expect(snapshot(stage().machine)).toEqual(snapshot(stage().machine));
});

test('facts are for the screen: with and without a ring the machine is the same', () => {
  const [with_, without] = [createFacts(64), null].map((facts) => {
    const machine = createMachine(SHAPE.config, facts);
    const pid = spawn(machine);
    touch(machine, pid, 'write', mmap(machine, pid, 30), 30);
    return { hash: hash(machine), bytes: snapshot(machine) };
  });
  expect(with_).toEqual(without);
});

test('a restored machine writes its facts to the ring that it is given', () => {
  const facts = createFacts(64);
  const machine = restore(snapshot(bootFlat(64)), facts);
  spawn(machine);
  expect(facts.written).toBeGreaterThan(0);
});

describe('the hash sees every part of the state', () => {
  const base = () => stage();
  const CHANGES: [string, (at: ReturnType<typeof stage>) => void][] = [
    ['time', ({ machine }) => tick(machine)],
    ['a page given', ({ machine }) => granted(machine, KERNEL, { call: 'alloc_pages', order: 0, gfp: 'GFP_KERNEL' })],
    ['an area', ({ machine, pid }) => mmap(machine, pid, 1, 'PROT_NONE')],
    ['the break, within its page', ({ machine, pid }) => granted(machine, pid, { call: 'sbrk', increment: 1 })],
    ['a zero page mapped', ({ machine, pid, addr }) => granted(machine, pid, { call: 'read', addr: addr + 4096, length: 1 })],
    ['a byte of contents', ({ machine, pid, addr }) => granted(machine, pid, { call: 'poke', addr, bytes: [1] })],
    ['a score adjustment', ({ machine, pid }) => granted(machine, pid, { call: 'oom_score_adj', target: pid, value: 1 })],
    [
      'what a score may be lowered to',
      ({ machine, pid }) => {
        granted(machine, KERNEL, { call: 'oom_score_adj', target: pid, value: -1 });
        granted(machine, pid, { call: 'oom_score_adj', target: pid, value: 0 });
      },
    ],
    ['a limit', ({ machine, pid }) => granted(machine, pid, { call: 'setrlimit', resource: 'RLIMIT_AS', limit: 1 << 30 })],
    ['a process more', ({ machine }) => granted(machine, KERNEL, { call: 'spawn' })],
    [
      'the order of a free list',
      ({ machine }) => {
        // Two single frames back in the other order: the same sets, other lists.
        const pfns = [0, 0, 0, 0].map(() => granted(machine, KERNEL, { call: 'alloc_pages', order: 0, gfp: 'GFP_KERNEL' }).pfn!);
        for (const pfn of [pfns[2]!, pfns[0]!]) granted(machine, KERNEL, { call: 'free_pages', pfn, order: 0 });
      },
    ],
    ['a memory hot-plugged', ({ machine }) => granted(machine, KERNEL, { call: 'add_memory', count: 1 })],
  ];

  test.each(CHANGES)('%s', (_what, change) => {
    const changed = base();
    change(changed);
    expect(hash(changed.machine)).not.toBe(hash(base().machine));
    expect(hash(restore(snapshot(changed.machine)))).toBe(hash(changed.machine));
  });

  test('all hashes of these are different from each other', () => {
    const hashes = CHANGES.map(([, change]) => {
      const at = base();
      change(at);
      return hash(at.machine);
    });
    expect(new Set(hashes).size).toBe(CHANGES.length);
  });

  test('the configuration counts: two machines that differ only in a cost differ', () => {
    const hashes = [
      {},
      { costs: { fork: 5 } },
      { seed: 2 },
      { root: [7] },
      { chargeKernel: true },
      { minFreeKbytes: 4 },
      { maxOrder: 9 },
    ].map((config) => hash(bootFlat(1024, config)));
    expect(new Set(hashes).size).toBe(hashes.length);
  });
});

describe('bytes that no snapshot made', () => {
  const good = snapshot(stage().machine);

  test('cut short anywhere', () => {
    for (let length = 0; length < good.length; length += 1 + Math.floor(length / 20))
      expect(() => restore(good.slice(0, length)), `${length} bytes`).toThrow(CodecError);
  });

  test('longer than they should be', () => {
    expect(() => restore(new Uint8Array([...good, 0]))).toThrow(CodecError);
  });

  test('other things', () => {
    for (const bytes of [
      new Uint8Array(0),
      new Uint8Array(100),
      new TextEncoder().encode('{"frames": 64}'),
      new Uint8Array(1000).fill(255),
    ]) {
      expect(() => restore(bytes)).toThrow(CodecError);
    }
  });

  test.each(seeds(4))('seed %i: a changed byte is found, or changes nothing that counts', (seed) => {
    const below = picker(seed);
    const expected = hash(stage().machine);
    for (let n = 0; n < 60; n++) {
      const bytes = good.slice();
      const at = below(bytes.length);
      bytes[at]! ^= 1 << below(8);
      let machine: Machine | null = null;
      try {
        machine = restore(bytes);
      } catch (error) {
        expect(error, `byte ${at}`).toBeInstanceOf(CodecError);
      }
      if (machine !== null) expect(hash(machine), `byte ${at} was changed and nobody noticed`).toBe(expected);
    }
  });
});

test('a call by a machine that was saved in the middle of things answers alike', () => {
  const { machine, pid, addr } = stage();
  const copy = restore(snapshot(machine));
  for (const request of [
    { call: 'write', addr, length: 8192 },
    { call: 'mmap', length: 4096, prot: 'PROT_READ', flags: 'MAP_SHARED|MAP_ANONYMOUS' },
    { call: 'fork' },
    { call: 'cat', path: `/proc/${pid}/smaps` },
    { call: 'read', addr: 0, length: 1 },
  ]) {
    expect(call(copy, pid, request)).toEqual(call(machine, pid, request));
  }
  expect(hash(copy)).toBe(hash(machine));
});
