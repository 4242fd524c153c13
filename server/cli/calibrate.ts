/**
 * `npm run -s calibrate -- [--seeds n] [--scenario id] [--seats n]`: plays every shipped scenario with all bots in equal
 * shares at equal speed and prints what each makes of it, relative to the one that frees, and which conditions of the
 * gate hold. Exit 0 when all hold.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { calibrate, gateOf, pressureOf, type BotRow } from '#game/bots/calibration.ts';
import { parseScenario } from '#game/scenario.ts';
import type { Scenario } from '#game/types.ts';

const FOLDER = fileURLToPath(new URL('../../assets/scenarios/', import.meta.url));

function scenarios(wanted: string | undefined): Scenario[] {
  const names = readdirSync(FOLDER).filter((name) => name.endsWith('.json'));
  const all = names.sort().map((name) => parseScenario(JSON.parse(readFileSync(FOLDER + name, 'utf8'))));
  return wanted === undefined ? all : all.filter(({ id }) => id === wanted);
}

const HEAD = 'bot        points  of free  kills/seat  settled/dealt  citizen  failed rows';

function line(row: BotRow): string {
  const cells = [
    row.bot.padEnd(10),
    row.points.toFixed(0).padStart(6),
    row.relative.toFixed(2).padStart(8),
    row.kills.toFixed(1).padStart(11),
    row.settled.toFixed(2).padStart(14),
    row.citizen.toFixed(2).padStart(8),
    row.failures.toFixed(1).padStart(12),
  ];
  return cells.join(' ');
}

function print(scenario: Scenario, seeds: number, seats: number): boolean {
  const result = calibrate(scenario, seeds, seats);
  console.log(`\n${scenario.id}: ${seeds} seeds, ${seats} seats, ${scenario.seconds} s\n${HEAD}`);
  for (const row of result.rows) console.log(line(row));
  const gate = gateOf(result);
  for (const { rule, holds, value } of gate) console.log(`${holds ? 'holds ' : 'FAILS '} ${rule}: ${value.toFixed(2)}`);
  const { kills, failureMilli, stallMilli, usedMilli, figure } = pressureOf(scenario, seeds, seats);
  const percent = (milli: number) => `${(milli / 10).toFixed(1)} %`;
  console.log(
    `an ordinary class: ${kills.toFixed(1)} kills, ${percent(failureMilli)} of rows failed, median stall ${percent(stallMilli)}, ` +
      `memory in use ${percent(usedMilli)}, class figure ${figure.toFixed(0)}`,
  );
  return gate.every(({ holds }) => holds);
}

const { values } = parseArgs({
  options: { seeds: { type: 'string', default: '8' }, scenario: { type: 'string' }, seats: { type: 'string', default: '30' } },
});
const chosen = scenarios(values.scenario);
if (chosen.length === 0) throw new Error(`no scenario ${values.scenario} in assets/scenarios`);
let ok = true;
for (const scenario of chosen) ok = print(scenario, Number(values.seeds), Number(values.seats)) && ok;
process.exitCode = ok ? 0 : 1;
