/** Plays random calls on the slab allocators and pools, with some of everything else, and checks them after each. */
import { createMachine, type Machine } from '#kernel/machine.ts';
import { ownBlocks } from './blocks.ts';
import { PAGE } from './check_base.ts';
import { checkMachine } from './check.ts';
import { checkSlab } from './check_slab.ts';
import { playStep, type Step } from './fuzz.ts';
import { GFPS, one, SLAB_MAKERS, type Maker } from './makers_slab.ts';
import { picker } from './seeds.ts';

type Pick = (n: number) => number;

/** What else happens meanwhile: pages come and go, processes too, and time passes. */
const OTHERS: readonly [number, Maker][] = [
  [3, (_m, pid, pick) => ({ pid, call: 'alloc_pages', order: pick(4), gfp: one(GFPS, pick) })],
  [
    3,
    (machine, pid, pick) => ({
      pid,
      call: 'free_pages',
      pfn: one([...ownBlocks(machine, pid), pick(machine.frames.count)], pick),
      order: pick(3),
    }),
  ],
  [
    3,
    (_m, pid, pick) => ({
      pid,
      call: 'mmap',
      length: (1 + pick(30)) * PAGE,
      prot: 'PROT_READ|PROT_WRITE',
      flags: 'MAP_PRIVATE|MAP_ANONYMOUS|MAP_POPULATE',
    }),
  ],
  [2, () => ({ pid: 0, call: 'spawn' })],
  [1, (_m, pid) => ({ pid, call: 'exit' })],
  [1, (_m, pid, pick) => ({ pid, call: 'cat', path: one(['/proc/slabinfo', '/proc/meminfo', '/proc/vmstat'], pick) })],
  [1, () => ({ pid: 0, call: 'run', argv: ['slabtop', '-s', 'c'] })],
  [1, () => ({ restore: true })],
  [3, (_m, _pid, pick) => ({ tick: 1 + pick(30) })],
];
const MAKERS = [...SLAB_MAKERS, ...OTHERS];
const WEIGHT = MAKERS.reduce((sum, [weight]) => sum + weight, 0);

function randomStep(machine: Machine, pick: Pick): Step {
  const pids = [...machine.tasks.keys()];
  if (pids.length < 3) return { pid: 0, call: 'spawn' };
  if (pids.length > 6) return { pid: one(pids, pick), call: 'exit' };
  let at = pick(WEIGHT);
  for (const [weight, make] of MAKERS) {
    if (at < weight) return make(machine, pick(8) === 0 ? 0 : one(pids, pick), pick);
    at -= weight;
  }
  throw new Error('weights');
}

/** Our own structures after every step, the whole machine after every eighth. */
function check(machine: Machine, step: number): void {
  checkSlab(machine);
  if (step % 8 === 0) checkMachine(machine);
}

function breaks(config: Record<string, unknown>, steps: readonly Step[]): string | null {
  let machine = createMachine(config);
  try {
    for (const step of steps) {
      machine = playStep(machine, step);
      check(machine, 0);
    }
  } catch (error) {
    return error instanceof Error ? (error.stack ?? String(error)) : String(error);
  }
  return null;
}

function shortest(config: Record<string, unknown>, failing: Step[]): Step[] {
  let steps = failing;
  for (let size = Math.ceil(steps.length / 2), tries = 0; size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let from = 0; from < steps.length && tries < 1500; tries++) {
      const shorter = steps.toSpliced(from, size);
      if (breaks(config, shorter) === null) from += size;
      else steps = shorter;
    }
  }
  return steps;
}

/** Plays `count` random steps, some of them again and again; what broke, with the shortest list of calls that breaks it, or null. */
export function fuzzSlab(
  config: Record<string, unknown>,
  seed: number,
  count: number,
  seen: Map<string, number> = new Map(),
): string | null {
  const pick = picker(seed);
  let machine = createMachine(config);
  const steps: Step[] = [];
  try {
    while (steps.length < count) {
      const again = pick(12) === 0 ? pick(60) : 1;
      const first = randomStep(machine, pick);
      for (let n = 0; n < again; n++) {
        const step = n === 0 || ('call' in first && !/create|exit|spawn|free/.test(first.call)) ? first : randomStep(machine, pick);
        steps.push(step);
        machine = playStep(machine, step);
        check(machine, steps.length);
        if ('call' in step) seen.set(step.call, (seen.get(step.call) ?? 0) + 1);
      }
    }
  } catch (error) {
    const short = shortest(config, steps);
    return `seed ${seed}: ${String(error)}\nshortest: ${breaks(config, short) ?? 'does not repeat'}\n${JSON.stringify({ machine: config })}\n${short.map((step) => JSON.stringify(step)).join('\n')}`;
  }
  return null;
}
