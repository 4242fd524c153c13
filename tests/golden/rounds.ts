/** Golden rounds: the logs of three rounds of bots, and the hash that each had every 50 ticks. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { random32 } from '#kernel/rng.ts';
import { createBot } from '#game/bots/bots.ts';
import { createRound, playTick, RULES } from '#game/round.ts';
import { parseScenario } from '#game/scenario.ts';
import type { Input, Scenario } from '#game/types.ts';
import { encodeLog, type RoundLog } from '#protocol/log.ts';
import { BOTS, encodeTick } from '#protocol/tick.ts';
import { hashesOf } from './hashes.ts';

const FOLDER = join(import.meta.dirname, 'rounds');
const SCENARIOS = join(import.meta.dirname, '..', '..', 'assets', 'scenarios');
const SECONDS = 60;
/** Between two actions of a bot: many happen in a short round. */
const PAUSE_TICKS = 6;

export interface GoldenRound {
  name: string;
  log: Uint8Array;
  /** Lines of hashes.ts. */
  hashes: string;
}

export function goldenRounds(): GoldenRound[] {
  const names = readdirSync(FOLDER).filter((file) => file.endsWith('.oclg'));
  return names.toSorted().map((file) => {
    const name = basename(file, '.oclg');
    return { name, log: readFileSync(join(FOLDER, file)), hashes: readFileSync(join(FOLDER, `${name}.hashes`), 'utf8') };
  });
}

/** Every kind of bot, one that comes late and one that leaves, and all that a host can do to a round. */
function play(scenario: Scenario, seed: number): RoundLog {
  const chance = { rng: seed };
  const round = createRound(scenario, seed, BOTS.length);
  const bots = BOTS.map((name, seat) => ({ brain: createBot(name, seat, seed, PAUSE_TICKS), seq: 0 }));
  const ticks: Uint8Array[] = [];
  while (!round.over) {
    const n = round.now + 1;
    const inputs: Input[] = happenings(n);
    for (const bot of bots) {
      const action = bot.brain.act(round);
      if (action !== null) inputs.push({ type: 'act', seat: bot.brain.seat, seq: ++bot.seq, action });
    }
    const tick = { n, entropy: random32(chance), inputs };
    playTick(round, tick);
    ticks.push(encodeTick(tick));
  }
  return { rules: RULES, scenario, seed, seats: BOTS.length, ticks };
}

function happenings(n: number): Input[] {
  if (n === 1) return BOTS.slice(0, -1).map((bot, seat): Input => ({ type: 'join', seat, bot }));
  if (n === 100) return [{ type: 'join', seat: BOTS.length - 1, bot: null }];
  if (n === 200) return [{ type: 'cap', seat: 1, on: true }];
  if (n === 300) return [{ type: 'leave', seat: 0 }];
  if (n === 400) return [{ type: 'extend', ticks: 60 }];
  return [];
}

/** Returns the names. */
export function rewriteRounds(): string[] {
  const files = readdirSync(SCENARIOS).filter((file) => file.endsWith('.json'));
  return files.toSorted().map((file, index) => {
    const scenario = { ...parseScenario(JSON.parse(readFileSync(join(SCENARIOS, file), 'utf8'))), seconds: SECONDS };
    const log = encodeLog(play(scenario, index + 1));
    writeFileSync(join(FOLDER, `${scenario.id}.oclg`), log);
    writeFileSync(join(FOLDER, `${scenario.id}.hashes`), hashesOf(log));
    return scenario.id;
  });
}
