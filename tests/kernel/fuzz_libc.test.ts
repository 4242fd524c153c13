/** Random calls on heaps alone, deep: each kind of libc, with processes that fork and die, checked after every step, saved and restored. */
import { describe, expect, test } from 'vitest';
import { one } from '../helpers/chance.ts';
import { checkMachine } from '../helpers/check.ts';
import { checkLibc } from '../helpers/check_libc.ts';
import { fuzzPart, type Part } from '../helpers/fuzz_part.ts';
import { someLibc } from '../helpers/makers_libc.ts';
import { someSmartPointer } from '../helpers/makers_smart.ts';
import { seeds } from '../helpers/seeds.ts';

const KINDS: readonly [string, Record<string, unknown>][] = [
  ['glibc, i386', {}],
  ['glibc, x86_64', { arch: 'x86_64' }],
  ['glibc with red zones', { libc: { allocator: 'glibc', sanitize: true } }],
  ['glibc, little memory and swap', { frames: 220, zones: { normal: 220 }, swap: { slots: 512 } }],
  ['a list, best fit, by size', { libc: { allocator: 'list', fit: 'best', order: 'size+', coalesce: false } }],
  ['a list, next fit, newest first, joined', { libc: { allocator: 'list', fit: 'next', order: 'front', header: 0, align: 1 } }],
  ['a list of fixed size', { libc: { allocator: 'list', fit: 'worst', heap: { base: 0x30000000, size: 100_000 } } }],
];
const STEPS = Math.min(1500, Number(process.env.FUZZ_STEPS ?? 1500));

const PART: Part = {
  step(machine, pick) {
    const pids = [...machine.tasks.keys()];
    if (pids.length < 3) return { pid: 0, call: 'spawn' };
    const pid = one(pids, pick);
    const dice = pick(60);
    if (dice === 0) return pids.length > 5 ? { pid, call: 'exit' } : { pid, call: 'fork' };
    if (dice === 1) return { pid, call: 'sbrk', increment: pick(20_000) - 4000 };
    if (dice === 2) return { restore: true };
    return pick(6) === 0 ? someSmartPointer(machine, pid, pick) : someLibc(machine, pid, pick);
  },
  againOneIn: 0,
  check(machine, step) {
    checkLibc(machine);
    if (step % 50 === 0) checkMachine(machine);
  },
};

describe.each(KINDS)('%s', (_name, config) => {
  test.each(seeds(3))('seed %i', (seed) => {
    const whole = { frames: 2048, zones: { normal: 2048 }, mobility: false, minFreeKbytes: 0, ...config };
    const broken = fuzzPart(PART, whole, seed, STEPS);
    if (broken !== null) expect.fail(broken);
  });
});
