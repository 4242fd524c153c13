/** Random threads, locks, words and smart pointers alone, deep: with and without watchers, over all kinds of libc; checked after every step, saved and restored. */
import { describe, expect, test } from 'vitest';
import { createMachine } from '#kernel/machine.ts';
import { checkMachine } from '../helpers/check.ts';
import { checkLibc } from '../helpers/check_libc.ts';
import { checkThreads } from '../helpers/check_thread.ts';
import { asScript, playStep, type Step } from '../helpers/fuzz.ts';
import { someSmartPointer } from '../helpers/makers_smart.ts';
import { someHome, someThread, someTid } from '../helpers/makers_thread.ts';
import { picker, seeds } from '../helpers/seeds.ts';

const KINDS: readonly [string, Record<string, unknown>][] = [
  ['i386', {}],
  ['x86_64, races are told', { arch: 'x86_64', races: 'report' }],
  ['races and red zones', { races: 'halt', libc: { allocator: 'glibc', sanitize: true } }],
  ['a list, races are told', { races: 'report', libc: { allocator: 'list', fit: 'best' } }],
  ['little memory and swap', { frames: 160, zones: { normal: 160 }, swap: { slots: 256 } }],
  ['sixteen pages a process', { arch: 'toy16', races: 'report' }],
];
const STEPS = Math.min(1500, Number(process.env.FUZZ_STEPS ?? 1500));

function randomStep(machine: ReturnType<typeof createMachine>, pick: (n: number) => number): Step {
  const pids = [...machine.tasks.keys()];
  if (pids.length < 2) return { pid: 0, call: 'spawn' };
  const pid = pids[pick(pids.length)]!;
  const dice = pick(80);
  if (dice === 0) return pids.length > 4 ? { pid, call: 'exit' } : { pid, call: 'fork' };
  if (dice === 1) return { restore: true };
  if (dice === 2) return someHome(machine, pid, pick);
  const step = pick(2) === 0 ? someSmartPointer(machine, pid, pick) : someThread(machine, pid, pick);
  return 'call' in step && step.pid !== 0 ? { ...step, pid: someTid(machine, step.pid, pick) } : step;
}

describe.each(KINDS)('%s', (_name, config) => {
  const whole = { frames: 2048, zones: { normal: 2048 }, mobility: false, minFreeKbytes: 0, ...config };

  test.each(seeds(3))('seed %i', (seed) => {
    const pick = picker(seed);
    let machine = createMachine(whole);
    const steps: Step[] = [];
    try {
      for (let n = 0; n < STEPS; n++) {
        const step = randomStep(machine, pick);
        steps.push(step);
        machine = playStep(machine, step);
        checkMachine(machine);
        checkLibc(machine);
        checkThreads(machine);
      }
    } catch (error) {
      expect.fail(`${String(error)}\n${asScript(whole, steps)}`);
    }
  });
});
