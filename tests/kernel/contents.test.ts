/**
 * What programs see: whatever is mapped, forked, shared, unmapped, grown and killed in whatever order, every byte that a process
 * reads is the one that was last written there. Compared with a memory of plain arrays that knows no frames.
 */
import { describe, expect, test } from 'vitest';
import { wayOf, WAY } from '#kernel/kernel/entry.ts';
import { type Call, type Machine, call, createMachine } from '#kernel/machine.ts';
import { FIXED, PAGE, RW, SHARED, boot, granted, mmap, spawn, touch } from '../helpers/boot.ts';
import { checkMachine } from '../helpers/check.ts';
import { type Shape, type Step, asScript, randomStep, shrink } from '../helpers/fuzz.ts';
import { picker, seeds } from '../helpers/seeds.ts';
import { Shadow } from '../helpers/shadow.ts';

const SHAPES: readonly Shape[] = [
  { name: 'room for all', processes: 5, config: { frames: 4096, zones: { normal: 4096 }, minFreeKbytes: 0, mobility: false } },
  { name: 'kills all the time', processes: 5, config: { frames: 200, zones: { normal: 200 }, minFreeKbytes: 0, mobility: false } },
];

/** Instructions that the shadow follows. */
const ACCESSES = ['read', 'write', 'exec', 'peek', 'poke', 'translate'];

/** What a library does to memory by itself (it clears, copies, moves the break, unmaps), and what the shadow does not follow: words, other segments, threads. */
function isBeyond(name: string): boolean {
  const way = wayOf(name);
  return way === WAY.library || (way === WAY.instruction && !ACCESSES.includes(name)) || name.startsWith('pthread_');
}

/** The shadow knows one space of addresses, and only what programs write: registers stay flat, the libc rests. */
function flat(step: Step): Step {
  return 'call' in step && isBeyond(step.call) ? { tick: 1 } : step;
}

/** Half of the steps write or read where something was written, the others are anything. */
function nextStep(machine: Machine, shape: Shape, shadow: Shadow, pick: (n: number) => number): Step {
  const pids = [...machine.tasks.keys()];
  const pid = pids[pick(pids.length)] ?? 1;
  const addr = shadow.someByte(pid, pick);
  if (addr === null || pick(2) === 0) return flat(randomStep(machine, shape, pick));
  if (pick(3) === 0) return { pid, call: 'poke', addr, bytes: Array.from({ length: 1 + pick(4) }, () => pick(256)) };
  return { pid, call: 'peek', addr, length: 1 + pick(4) };
}

/** Plays steps with a shadow beside them; what the two disagree about, or null. */
function disagreement(config: Record<string, unknown>, steps: readonly Step[]): string | null {
  const machine = createMachine(config);
  const shadow = new Shadow();
  try {
    for (const step of steps) noted(machine, shadow, step);
  } catch (error) {
    return String(error);
  }
  return null;
}

function noted(machine: Machine, shadow: Shadow, step: Step): void {
  if (!('call' in step)) return;
  const { pid, ...request } = step;
  shadow.note(machine, pid, request as Call, call(machine, pid, request as Call));
}

function play(shape: Shape, seed: number, count: number): void {
  const pick = picker(seed);
  const machine = createMachine(shape.config);
  const shadow = new Shadow();
  const steps: Step[] = [];
  for (let n = 0; n < count; n++) {
    const step = nextStep(machine, shape, shadow, pick);
    steps.push(step);
    try {
      noted(machine, shadow, step);
    } catch (error) {
      const shortest = shrink(shape.config, { message: String(error), steps }, disagreement);
      expect.fail(
        `seed ${seed}: ${String(error)}\nshortest list:\n${asScript(shape.config, shortest)}\n→ ${disagreement(shape.config, shortest)}`,
      );
    }
  }
  checkMachine(machine);
}

describe.each(SHAPES)('$name', (shape) => {
  test.each(seeds(10))('seed %i: 2,000 calls', (seed) => play(shape, seed, 2000));
});

test('a page that was written stays with its area when a new one joins it from below: the child has it', () => {
  const machine = boot();
  const pid = spawn(machine);
  const high = mmap(machine, pid, 1);
  granted(machine, pid, { call: 'poke', addr: high, bytes: [77] });
  expect(mmap(machine, pid, 1)).toBe(high - PAGE); // one area now, its lower page never written
  const child = granted(machine, pid, { call: 'fork' }).pid!;
  expect(granted(machine, child, { call: 'peek', addr: high, length: 1 })).toMatchObject({ bytes: [77], faults: { minor: 0 } });
});

test('two shared memories side by side stay two, even where their pages would count on', () => {
  const machine = boot();
  const pid = spawn(machine);
  const base = mmap(machine, pid, 8, RW, SHARED);
  granted(machine, pid, { call: 'poke', addr: base + 4 * PAGE, bytes: [5] });
  mmap(machine, pid, 4, RW, `${SHARED}|MAP_FIXED`, base); // pages 0 to 3 of another object, before pages 4 to 7 of the first
  touch(machine, pid, 'write', base, 8);
  expect(machine.tasks.get(pid)!.mm.vmas).toHaveLength(2);
  expect(granted(machine, pid, { call: 'peek', addr: base + 4 * PAGE, length: 1 }).bytes).toEqual([5]);
  checkMachine(machine);
});

test('a private page put over a shared one hides it from this process only', () => {
  const machine = boot();
  const pid = spawn(machine);
  const addr = mmap(machine, pid, 2, RW, SHARED);
  granted(machine, pid, { call: 'poke', addr, bytes: [1] });
  const child = granted(machine, pid, { call: 'fork' }).pid!;
  mmap(machine, child, 1, RW, FIXED, addr);
  granted(machine, child, { call: 'poke', addr, bytes: [2] });
  expect(granted(machine, pid, { call: 'peek', addr, length: 1 }).bytes).toEqual([1]);
  expect(granted(machine, child, { call: 'peek', addr, length: 1 }).bytes).toEqual([2]);
});
