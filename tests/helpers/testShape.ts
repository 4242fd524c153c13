/** The test of one machine shape by random calls (quality.md, R3). */
import { describe, expect, test } from 'vitest';
import { type Shape, asScript, breaksMachine, fuzz, shrink } from './fuzz.ts';
import { seeds } from './seeds.ts';
import { checkEvery } from './shapes.ts';

const STEPS = Number(process.env.FUZZ_STEPS ?? 100_000);
const SEEDS = 10;
/** A guard against a walk that never ends, no limit of speed: a slow machine takes a minute for a seed. */
const TIMEOUT_MS = 900_000;

/**
 * Any list of calls keeps the invariants of the fidelity spec §19: 100,000 calls, saved and restored at random, everything
 * checked after every step up to 2,048 frames and every 1,000 steps above. A failure prints its seed and its shortest list
 * of calls, ready for `npm run -s sim`. TEST_SEED=n plays one seed, FUZZ_STEPS=n another length.
 */
export function testShape(shape: Shape): void {
  describe.each([shape])('$name', () => {
    test.each(seeds(SEEDS))(
      'seed %i',
      (seed) => {
        const { failure } = fuzz(shape, seed, Math.ceil(STEPS / SEEDS), checkEvery(shape));
        if (failure === null) return;
        const steps = shrink(shape.config, failure);
        expect.fail(
          `seed ${seed}, after ${failure.steps.length} steps: ${failure.message}\nshortest list:\n${asScript(shape.config, steps)}\n→ ${breaksMachine(shape.config, steps)}`,
        );
      },
      TIMEOUT_MS,
    );
  });
}
