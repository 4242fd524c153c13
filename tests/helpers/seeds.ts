/** Chance for property tests: always the same seeds unless TEST_SEED names one, so that a failure repeats. */
import { random32, randomBelow } from '#kernel/rng.ts';

/** `count` seeds; only TEST_SEED when it is set. */
export function seeds(count: number): number[] {
  const wanted = process.env.TEST_SEED;
  if (wanted !== undefined) return [Number(wanted)];
  const state = { rng: 20261121 };
  return Array.from({ length: count }, () => random32(state));
}

/** A function that gives integers from 0 to n − 1. */
export function picker(seed: number): (n: number) => number {
  const state = { rng: seed >>> 0 };
  return (n) => randomBelow(state, n);
}
