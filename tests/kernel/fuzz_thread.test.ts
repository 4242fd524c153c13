/** Random threads, locks, words and smart pointers alone, deep: with and without watchers, over all kinds of libc; checked after every step, saved and restored. */
import { describe, expect, test } from 'vitest';
import { one } from '../helpers/chance.ts';
import { checkMachine } from '../helpers/check.ts';
import { checkLibc } from '../helpers/check_libc.ts';
import { checkThreads } from '../helpers/check_thread.ts';
import { fuzzPart, type Part } from '../helpers/fuzz_part.ts';
import { someSmartPointer } from '../helpers/makers_smart.ts';
import { someHome, someThread, someTid } from '../helpers/makers_thread.ts';
import { seeds } from '../helpers/seeds.ts';

const KINDS: readonly [string, Record<string, unknown>][] = [
  ['i386', {}],
  ['x86_64, races are told', { arch: 'x86_64', races: 'report' }],
  ['races and red zones', { races: 'halt', libc: { allocator: 'glibc', sanitize: true } }],
  ['a list, races are told', { races: 'report', libc: { allocator: 'list', fit: 'best' } }],
  ['little memory and swap', { frames: 160, zones: { normal: 160 }, swap: { slots: 256 } }],
  ['sixteen pages a process', { arch: 'toy16', races: 'report' }],
];
const STEPS = Math.min(1500, Number(process.env.FUZZ_STEPS ?? 1500));

const PART: Part = {
  step(machine, pick) {
    const pids = [...machine.tasks.keys()];
    if (pids.length < 2) return { pid: 0, call: 'spawn' };
    const pid = one(pids, pick);
    const dice = pick(80);
    if (dice === 0) return pids.length > 4 ? { pid, call: 'exit' } : { pid, call: 'fork' };
    if (dice === 1) return { restore: true };
    if (dice === 2) return someHome(machine, pid, pick);
    const step = pick(2) === 0 ? someSmartPointer(machine, pid, pick) : someThread(machine, pid, pick);
    return 'call' in step && step.pid !== 0 ? { ...step, pid: someTid(machine, step.pid, pick) } : step;
  },
  againOneIn: 0,
  check(machine) {
    checkMachine(machine);
    checkLibc(machine);
    checkThreads(machine);
  },
};

describe.each(KINDS)('%s', (_name, config) => {
  test.each(seeds(3))('seed %i', (seed) => {
    const whole = { frames: 2048, zones: { normal: 2048 }, mobility: false, minFreeKbytes: 0, ...config };
    const broken = fuzzPart(PART, whole, seed, STEPS);
    if (broken !== null) expect.fail(broken);
  });
});
