/**
 * `npm run soak -- --kills 200 [--rooms 2] [--players 8] [--bots 4] [--seed 1]`: classes play on a real server that is killed
 * (SIGKILL) so many times at random moments. In the end the log on the disk, played without interruption, must give every tick,
 * hash and confirmed action that anybody was told of. Exit 0: it does.
 *
 * `npm run soak -- --calls 1000000 [--seed 1] [--shape NAME]`: random calls on each machine shape of the tests instead
 * (tests/soak/kernel.ts).
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { hunt } from './soak/hunt.ts';

/** R1 of docs/quality.md: everybody is back within. It depends on the machine, so it is printed and fails nothing. */
const BACK_MS = 5000;
/** Longest life of the server between two kills, ms. */
const LIFE_MS_MAX = 3000;

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '20' },
    rooms: { type: 'string', default: '2' },
    players: { type: 'string', default: '8' },
    bots: { type: 'string', default: '4' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    calls: { type: 'string' },
    shape: { type: 'string', default: '' },
  },
});

if (values.calls !== undefined) {
  const file = join(import.meta.dirname, '..', '..', 'tests/soak/kernel.ts');
  const words = ['--calls', values.calls, '--seed', values.seed, '--shape', values.shape];
  process.exit(spawnSync(process.execPath, [file, ...words], { stdio: 'inherit' }).status ?? 1);
}

function whole(name: keyof typeof values, min: number, max: number): number {
  const value = Number(values[name]);
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  console.error(`soak: --${name} is a number from ${min} to ${max}, not ${values[name]}`);
  process.exit(2);
}

const options = {
  kills: whole('kills', 0, 100_000),
  rooms: whole('rooms', 1, 50),
  players: whole('players', 1, 60),
  bots: whole('bots', 0, 40),
  seed: whole('seed', 0, 0xffff_ffff),
};
console.log(
  `soak: ${options.kills} kills, ${options.rooms} rooms of ${options.players} players and ${options.bots} bots, seed ${options.seed}`,
);
const { verdicts, backMs } = await hunt({ ...options, lifeMsMax: LIFE_MS_MAX, say: (line) => console.log(line) }).catch((error: Error) => {
  console.error(`soak: ${error.message}`);
  process.exit(1);
});
const sorted = backMs.toSorted((a, b) => a - b);
const at = (share: number): number => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0);
for (const { ticks, heard, told, inputs, confirmed } of verdicts)
  console.log(
    `a round of ${ticks} ticks: compared with its log ${heard} ticks that people heard, ${told} hashes, ${confirmed} confirmed actions of ${inputs}`,
  );
const late = backMs.filter((ms) => ms > BACK_MS).length;
console.log(
  `back after ${backMs.length} kills: median ${at(0.5)} ms, 95 % ${at(0.95)} ms, longest ${at(1)} ms; ${late} times above ${BACK_MS} ms`,
);
const faults = verdicts.flatMap((verdict) => verdict.faults);
for (const fault of faults) console.error(fault);
console.log(faults.length === 0 ? 'nothing is lost' : `${faults.length} faults`);
process.exit(faults.length === 0 ? 0 : 1);
