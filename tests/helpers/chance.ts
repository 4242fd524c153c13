/** Random choices of the makers of calls. */
import type { Machine } from '#kernel/machine.ts';
import type { Step } from './fuzz.ts';

/** A whole number below n. */
export type Pick = (n: number) => number;
/** Makes a call that fits what the machine has become. */
export type Maker = (machine: Machine, pid: number, pick: Pick) => Step;
/** What calls are made, and how often: [weight, maker]. */
export type Makers = readonly (readonly [number, Maker])[];

export const one = <T>(list: readonly T[], pick: Pick): T => list[pick(list.length)]!;

/** One of them, by weight. */
export function someOf(makers: Makers): Maker {
  const sum = makers.reduce((total, [weight]) => total + weight, 0);
  return (machine, pid, pick) => {
    let at = pick(sum);
    for (const [weight, make] of makers) {
      if (at < weight) return make(machine, pid, pick);
      at -= weight;
    }
    throw new Error('weights');
  };
}
