/**
 * `npm run soak -- --calls 1000000 [--seed 1] [--shape 'three zones']`: so many random calls on each machine shape of the tests,
 * everything checked after every call up to 2,048 frames and every 1,000 calls above, saved and restored at random. A failure prints
 * its seed and its shortest list of calls, for `npm run -s sim`. Exit 0: every machine holds.
 */
import { parseArgs } from 'node:util';
import { random32 } from '#kernel/rng.ts';
import { asScript, breaksMachine, fuzz, shrink, type Shape } from '../helpers/fuzz.ts';
import { checkEvery, OLD_RECLAIM, OLD_RULES, SHAPES, TOY16 } from '../helpers/shapes.ts';

/** Calls of one seed: then a fresh machine begins. */
const RUN = 20_000;

const { values } = parseArgs({
  options: {
    calls: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: '1' },
    shape: { type: 'string', default: '' },
  },
});

function whole(name: 'calls' | 'seed', max: number): number {
  const value = Number(values[name]);
  if (Number.isInteger(value) && value >= 1 && value <= max) return value;
  console.error(`soak: --${name} is a number from 1 to ${max}, not ${values[name]}`);
  process.exit(2);
}

/** Plays a shape; false, with what broke it, when it does not hold. */
function soakShape(shape: Shape, calls: number, seed: number): boolean {
  const chance = { rng: seed };
  const started = performance.now();
  for (let done = 0; done < calls;) {
    const run = random32(chance);
    const count = Math.min(RUN, calls - done);
    const { failure } = fuzz(shape, run, count, checkEvery(shape));
    if (failure !== null) {
      const steps = shrink(shape.config, failure);
      console.error(`${shape.name}: seed ${run}, after ${failure.steps.length} calls: ${failure.message}\nshortest list:`);
      console.error(`${asScript(shape.config, steps)}\n→ ${breaksMachine(shape.config, steps)}`);
      return false;
    }
    done += count;
    const seconds = Math.round((performance.now() - started) / 1000);
    if (done % (5 * RUN) === 0 || done === calls) console.log(`${shape.name}: ${done} of ${calls} calls, ${seconds} s`);
  }
  return true;
}

const calls = whole('calls', 100_000_000);
const seed = whole('seed', 0xffff_ffff);
const wanted = [...SHAPES, OLD_RULES, OLD_RECLAIM, TOY16].filter(({ name }) => name.includes(values.shape));
if (wanted.length === 0) {
  console.error(`soak: no shape's name has ${JSON.stringify(values.shape)}`);
  process.exit(2);
}
console.log(`soak: ${calls} calls on each of ${wanted.length} machine shapes, seed ${seed}`);
const broken = wanted.filter((shape) => !soakShape(shape, calls, seed));
console.log(broken.length === 0 ? 'every machine holds' : `${broken.length} shapes broke`);
process.exit(broken.length === 0 ? 0 : 1);
