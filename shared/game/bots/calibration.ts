/** Plays a scenario with all bots in equal shares: is the game's lesson the winning way to play it (game.md, calibration gate)? */
import { random32 } from '#kernel/rng.ts';
import { citizenMilli, medianJobs } from '../citizen.ts';
import { createRound, playTick, type Round } from '../round.ts';
import { shown } from '../score.ts';
import type { BotName, Input, Scenario } from '../types.ts';
import { createBot, BOTS, type Bot } from './bots.ts';

export interface BotRow {
  bot: BotName;
  /** Means over its seats. */
  points: number;
  /** Points ÷ those of *free*. */
  relative: number;
  kills: number;
  settled: number;
  citizen: number;
  failures: number;
}

export interface Calibration {
  seeds: number;
  seats: number;
  rows: BotRow[];
  /** Means a round. */
  kills: number;
  failureMilli: number;
  stallMilli: number;
}

export interface GateLine {
  rule: string;
  holds: boolean;
  value: number;
}

const NAMES = Object.keys(BOTS) as BotName[];

/** A whole round with a bot on each seat; bots act in the order of seats. */
export function playBots(scenario: Scenario, seed: number, names: readonly BotName[], see: (round: Round) => void = () => {}): Round {
  const round = createRound(scenario, seed, names.length);
  const bots: Bot[] = names.map((name, seat) => createBot(name, seat, seed));
  const seqs = names.map(() => 0);
  const chance = { rng: seed ^ 0x6a09e667 };
  while (!round.over) {
    const inputs: Input[] = [];
    if (round.now === 0) names.forEach((bot, seat) => inputs.push({ type: 'join', seat, bot }));
    for (const bot of bots) {
      const action = bot.act(round);
      if (action !== null) inputs.push({ type: 'act', seat: bot.seat, seq: ++seqs[bot.seat]!, action });
    }
    playTick(round, { n: round.now + 1, entropy: random32(chance), inputs });
    see(round);
  }
  return round;
}

interface Sums {
  seats: number;
  points: number;
  kills: number;
  settled: number;
  dealt: number;
  citizen: number;
  failures: number;
}

function median(values: number[]): number {
  const sorted = values.sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? 0;
}

/** Seats are dealt to the bots in turn, and the turn begins elsewhere with each seed. */
export function calibrate(scenario: Scenario, seeds: number, seats = 30, firstSeed = 1): Calibration {
  const sums = new Map<BotName, Sums>(
    NAMES.map((name) => [name, { seats: 0, points: 0, kills: 0, settled: 0, dealt: 0, citizen: 0, failures: 0 }]),
  );
  let kills = 0;
  let asks = 0;
  let failures = 0;
  let stallMilli = 0;
  for (let n = 0; n < seeds; n++) {
    const names = Array.from({ length: seats }, (_, seat) => NAMES[(seat + n * seats) % NAMES.length]!);
    const round = playBots(scenario, firstSeed + n * 7919, names);
    const jobs = medianJobs(round);
    for (const [number, seat] of round.game.seats) {
      const sum = sums.get(names[number]!)!;
      sum.seats += 1;
      sum.points += shown(seat);
      sum.kills += seat.killTicks.length;
      sum.settled += seat.settled;
      sum.dealt += seat.dealt;
      sum.citizen += citizenMilli(seat, jobs) / 1000;
      sum.failures += seat.failures;
    }
    kills += round.game.tally.kills / seeds;
    asks += round.game.tally.asks;
    failures += round.game.tally.failures;
    stallMilli += (median([...round.game.seats.values()].map((seat) => seat.stalledTicks)) * 1000) / round.now / seeds;
  }
  const of = (name: BotName) => sums.get(name)!.points / Math.max(1, sums.get(name)!.seats);
  const rows = NAMES.map((bot): BotRow => {
    const sum = sums.get(bot)!;
    const each = Math.max(1, sum.seats);
    return {
      bot,
      points: sum.points / each,
      relative: of(bot) / Math.max(1, of('free')),
      kills: sum.kills / each,
      settled: sum.settled / Math.max(1, sum.dealt),
      citizen: sum.citizen / each,
      failures: sum.failures / each,
    };
  });
  return { seeds, seats, rows, kills, failureMilli: asks === 0 ? 0 : (failures * 1000) / asks, stallMilli };
}

/** The conditions of game.md. */
export function gateOf({ rows }: Calibration): GateLine[] {
  const of = (name: BotName) => rows.find(({ bot }) => bot === name)!.relative;
  const most = Math.max(...rows.map(({ relative }) => relative));
  return [
    { rule: 'none above 1.15 of free', holds: most <= 1.15, value: most },
    { rule: 'never ≤ 0.4', holds: of('never') <= 0.4, value: of('never') },
    { rule: 'splinter ≤ 0.4', holds: of('splinter') <= 0.4, value: of('splinter') },
    { rule: 'guess ≤ 0.7', holds: of('guess') <= 0.7, value: of('guess') },
    { rule: 'half above spam (half − spam)', holds: of('half') > of('spam'), value: of('half') - of('spam') },
    { rule: 'bigOnly ≤ 1.05', holds: of('bigOnly') <= 1.05, value: of('bigOnly') },
    { rule: 'smallOnly ≤ 1.05', holds: of('smallOnly') <= 1.05, value: of('smallOnly') },
  ];
}
