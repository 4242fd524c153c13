/** Plays random calls on the kernel's virtual space, with pages and processes that come and go meanwhile, and finds the shortest list that breaks it. */
import { createMachine, type Machine } from '#kernel/machine.ts';
import { PAGE } from './check_base.ts';
import { checkMachine } from './check.ts';
import { checkVirtual } from './check_virtual.ts';
import { playStep, type Step } from './fuzz.ts';
import { one, somePage, VIRTUAL_MAKERS, type Maker, type Pick } from './makers_virtual.ts';
import { picker } from './seeds.ts';

/** What else happens meanwhile: pages come and go, processes too. */
const OTHERS: readonly [number, Maker][] = [
  [12, (_m, pid, pick) => ({ pid, call: 'alloc_pages', order: pick(3), gfp: one(['GFP_HIGHUSER', 'GFP_HIGHUSER', 'GFP_KERNEL'], pick) })],
  [8, (machine, pid, pick) => ({ pid, call: 'free_pages', pfn: somePage(machine, pid, pick), order: pick(3) })],
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
  [1, () => ({ restore: true })],
  [1, () => ({ tick: 1 })],
];

const MAKERS = [...VIRTUAL_MAKERS, ...OTHERS];
const WEIGHT = MAKERS.reduce((sum, [weight]) => sum + weight, 0);

function randomStep(machine: Machine, pick: Pick): Step {
  const pids = [...machine.tasks.keys()];
  if (pids.length < 3) return { pid: 0, call: 'spawn' };
  if (pids.length > 7) return { pid: one(pids, pick), call: 'exit' };
  let at = pick(WEIGHT);
  for (const [weight, make] of MAKERS) {
    if (at < weight) return make(machine, pick(10) === 0 ? 0 : one(pids, pick), pick);
    at -= weight;
  }
  throw new Error('weights');
}

const check = (machine: Machine): void => {
  checkMachine(machine);
  checkVirtual(machine);
};

/** Plays these steps, checking after each; what broke, or null. */
function breaks(config: Record<string, unknown>, steps: readonly Step[]): string | null {
  let machine = createMachine(config);
  try {
    for (const step of steps) {
      machine = playStep(machine, step);
      check(machine);
    }
  } catch (error) {
    return String(error);
  }
  return null;
}

function shortest(config: Record<string, unknown>, failing: Step[]): Step[] {
  let steps = failing;
  for (let size = Math.ceil(steps.length / 2), tries = 0; size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let from = 0; from < steps.length && tries < 3000; tries++) {
      const shorter = steps.toSpliced(from, size);
      if (breaks(config, shorter) === null) from += size;
      else steps = shorter;
    }
  }
  return steps;
}

/** Plays `count` random steps; what broke, with the shortest list of calls that breaks it, or null. */
export function fuzzVirtual(config: Record<string, unknown>, seed: number, count: number): string | null {
  const pick = picker(seed);
  let machine = createMachine(config);
  const steps: Step[] = [];
  for (let n = 0; n < count; n++) {
    const step = randomStep(machine, pick);
    steps.push(step);
    try {
      machine = playStep(machine, step);
      check(machine);
    } catch (error) {
      const list = shortest(config, steps);
      return `seed ${seed}: ${String(error)}\n${[{ machine: config }, ...list].map((line) => JSON.stringify(line)).join('\n')}\n→ ${breaks(config, list)}`;
    }
  }
  return null;
}
