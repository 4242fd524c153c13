/** Plays random calls on one part of the kernel, with pages and processes that come and go meanwhile, and finds the shortest list that breaks it. */
import { createMachine, type Machine } from '#kernel/machine.ts';
import { one, someOf, type Makers, type Pick } from './chance.ts';
import { PAGE } from './check_base.ts';
import { asScript, breaksBy, playStep, shrink, type Step } from './fuzz.ts';
import { picker } from './seeds.ts';

export interface Part {
  /** The next step, for what the machine has become. */
  step: (machine: Machine, pick: Pick) => Step;
  /** One step in so many is made again and again, if it is none that births or ends something; 0: none. */
  againOneIn: number;
  /** After each step; `step` is its number, 0 when a list is played again. */
  check: (machine: Machine, step: number) => void;
}

/** What else happens meanwhile. */
const OTHERS: Makers = [
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
];

/** Calls of these makers among others, by `crowd` processes at most; one in `kernelOneIn` is the kernel's own. */
export function amongOthers(makers: Makers, crowd: number, kernelOneIn: number): Part['step'] {
  const someCall = someOf([...makers, ...OTHERS]);
  return (machine, pick) => {
    const pids = [...machine.tasks.keys()];
    if (pids.length < 3) return { pid: 0, call: 'spawn' };
    if (pids.length > crowd) return { pid: one(pids, pick), call: 'exit' };
    return someCall(machine, pick(kernelOneIn) === 0 ? 0 : one(pids, pick), pick);
  };
}

const mayRepeat = (step: Step): boolean => 'call' in step && !/create|exit|spawn|free/.test(step.call);

/** Plays `count` random steps; what broke, with the shortest list of calls that breaks it, or null. `seen` counts the calls. */
export function fuzzPart(
  part: Part,
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
      const first = part.step(machine, pick);
      const times = part.againOneIn > 0 && pick(part.againOneIn) === 0 && mayRepeat(first) ? 1 + pick(60) : 1;
      for (let n = 0; n < times; n++) {
        steps.push(first);
        machine = playStep(machine, first);
        part.check(machine, steps.length);
        if ('call' in first) seen.set(first.call, (seen.get(first.call) ?? 0) + 1);
      }
    }
  } catch (error) {
    const breaks = breaksBy((again) => part.check(again, 0));
    const list = shrink(config, { message: String(error), steps }, breaks);
    return `seed ${seed}: ${String(error)}\n${asScript(config, list)}\n→ ${breaks(config, list) ?? 'does not repeat'}`;
  }
  return null;
}
