/** Plays a list of calls on one machine, in Node and, bundled, in a browser: what the machine is and what it answered, again and again. */
import { type Call, call, createMachine, hash, restore, snapshot, tick } from '#kernel/machine.ts';
import type { Step } from '../helpers/fuzz.ts';

export interface CallLog {
  name: string;
  config: Record<string, unknown>;
  steps: Step[];
}

/** After how many steps the machine is hashed. */
export const EVERY = 1000;

/** The digest with one more text in it (FNV-1a over its code units). */
function digestOf(digest: number, text: string): number {
  let sum = digest;
  for (let n = 0; n < text.length; n++) sum = Math.imul(sum ^ text.charCodeAt(n), 0x01000193);
  return sum;
}

/** Hash of the machine and digest of all answers so far, after every 1,000 steps and at the end. The log comes as JSON. */
export function playCalls(json: string): string[] {
  const { config, steps } = JSON.parse(json) as CallLog;
  const seen: string[] = [];
  let machine = createMachine(config);
  let answers = 0x811c9dc5;
  steps.forEach((step, n) => {
    if ('tick' in step) for (let left = step.tick as number; left > 0; left--) tick(machine);
    else if ('restore' in step) machine = restore(snapshot(machine));
    else {
      const { pid, ...request } = step;
      answers = digestOf(answers, JSON.stringify(call(machine, pid, request as Call)));
    }
    if ((n + 1) % EVERY === 0 || n + 1 === steps.length) seen.push(`${hash(machine)} ${(answers >>> 0).toString(16)}`);
  });
  return seen;
}

Object.assign(globalThis, { playCalls });
