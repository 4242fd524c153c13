/** Plays a scenario with all bots in equal shares: is the game's lesson the winning way to play it (game.md, calibration gate)? */
import { random32 } from '#kernel/rng.ts';
import { citizenMilli, medianJobs } from '../citizen.ts';
import { classFigure } from '../figures.ts';
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

/** Means over the rounds played. */
export interface Pressure {
  kills: number;
  failureMilli: number;
  stallMilli: number;
  /** Frames in use ÷ frames managed, over the middle of the round. */
  usedMilli: number;
  figure: number;
}

/** An ordinary class: some free at once, some are slow, some keep, some do not know the calls yet. */
const CLASS: readonly BotName[] = ['free', 'half', 'keep', 'half', 'guess', 'free'];

const noSums = (): Sums => ({ seats: 0, points: 0, kills: 0, settled: 0, dealt: 0, citizen: 0, failures: 0 });
const seedOf = (n: number, firstSeed: number): number => firstSeed + n * 7919;

function median(values: number[]): number {
  const sorted = values.sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? 0;
}

function addRound(sums: Map<BotName, Sums>, round: Round): void {
  const jobs = medianJobs(round);
  for (const seat of round.game.seats.values()) {
    const sum = sums.get(seat.bot!)!;
    sum.seats += 1;
    sum.points += shown(seat);
    sum.kills += seat.killTicks.length;
    sum.settled += seat.settled;
    sum.dealt += seat.dealt;
    sum.citizen += citizenMilli(seat, jobs) / 1000;
    sum.failures += seat.failures;
  }
}

function rowsOf(sums: Map<BotName, Sums>): BotRow[] {
  const pointsOf = (sum: Sums) => sum.points / Math.max(1, sum.seats);
  return NAMES.map((bot): BotRow => {
    const sum = sums.get(bot)!;
    const each = Math.max(1, sum.seats);
    return {
      bot,
      points: pointsOf(sum),
      relative: pointsOf(sum) / Math.max(1, pointsOf(sums.get('free')!)),
      kills: sum.kills / each,
      settled: sum.settled / Math.max(1, sum.dealt),
      citizen: sum.citizen / each,
      failures: sum.failures / each,
    };
  });
}

/** Seats are dealt to the bots in turn, and the turn begins elsewhere with each seed. */
export function calibrate(scenario: Scenario, seeds: number, seats = 30, firstSeed = 1): Calibration {
  const sums = new Map<BotName, Sums>(NAMES.map((name) => [name, noSums()]));
  for (let n = 0; n < seeds; n++) {
    const names = Array.from({ length: seats }, (_, seat) => NAMES[(seat + n * seats) % NAMES.length]!);
    addRound(sums, playBots(scenario, seedOf(n, firstSeed), names));
  }
  return { seeds, seats, rows: rowsOf(sums) };
}

/** What an ordinary class does to the machine, and the machine to it. */
export function pressureOf(scenario: Scenario, seeds: number, seats = 30, firstSeed = 1): Pressure {
  const sum = { kills: 0, asks: 0, failures: 0, stall: 0, used: 0, samples: 0, figure: 0 };
  for (let n = 0; n < seeds; n++) {
    const names = Array.from({ length: seats }, (_, seat) => CLASS[(seat + n * seats) % CLASS.length]!);
    const round = playBots(scenario, seedOf(n, firstSeed), names, ({ now, machine, game }) => {
      if (now % 10 !== 0 || now * 4 < game.endsAt || now * 4 > game.endsAt * 3) return;
      const managed = machine.zones.reduce((all, zone) => all + zone.managed, 0);
      const free = machine.zones.reduce((all, zone) => all + zone.free, 0);
      sum.used += ((managed - free) * 1000) / managed;
      sum.samples += 1;
    });
    const { kills, asks, failures } = round.game.tally;
    sum.kills += kills;
    sum.asks += asks;
    sum.failures += failures;
    sum.stall += (median([...round.game.seats.values()].map((seat) => seat.stalledTicks)) * 1000) / round.now;
    sum.figure += classFigure(round);
  }
  return {
    kills: sum.kills / seeds,
    failureMilli: sum.asks === 0 ? 0 : (sum.failures * 1000) / sum.asks,
    stallMilli: sum.stall / seeds,
    usedMilli: sum.used / Math.max(1, sum.samples),
    figure: sum.figure / seeds,
  };
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
