/** The families of cards: what each variant asks, what it pays, how long its memory is in use. */
import { randomBelow, type Seeded } from '#kernel/rng.ts';
import { PAGE_SIZE } from '#kernel/types.ts';
import { demandMilli, dealTicks, patienceTicks, TICKS_PER_SECOND, ticksOf } from './pulse.ts';
import { times } from './score.ts';
import type { Card, Round } from './state.ts';
import type { Family, FamilySpec, Scenario, Variant } from './types.ts';

interface FamilyRow {
  toucher: 'cpu' | 'device' | 'processes';
  contiguous: boolean;
  /** Points of the pay: base + perFrame × frames needed. */
  base: number;
  perFrame: number;
  /** Bytes and count of what a variant asks. */
  each(variant: Variant): number;
  count(variant: Variant): number;
  /** Frames that the job will use of those asked. */
  needed(variant: Variant, asked: number, scenario: Scenario): number;
}

/** Page directory and tables of a child. */
const CHILD_TABLES = 3;

export const FAMILIES: Readonly<Record<Family, FamilyRow>> = {
  buffer: {
    toucher: 'cpu',
    contiguous: false,
    base: 20,
    perFrame: 1,
    each: (variant) => variant.bytes,
    count: (variant) => variant.count,
    needed: (variant, asked) => Math.max(1, times(asked, variant.touchMilli)),
  },
  capture: {
    toucher: 'device',
    contiguous: true,
    base: 40,
    perFrame: 2,
    each: (variant) => variant.frames * PAGE_SIZE,
    count: () => 1,
    needed: (_variant, asked) => asked,
  },
  worker: {
    toucher: 'processes',
    contiguous: false,
    base: 40,
    perFrame: 1,
    each: (variant) => variant.bytes,
    count: () => 1,
    needed: (variant, asked) => CHILD_TABLES + times(asked, variant.writesMilli),
  },
};

/** Cards whose memory is in use for longer than the mean are not dealt in the last seconds. */
const LONG_MILLI = 1000;
/** Hold times vary by so much each way, in thousandths. */
const JITTER_MILLI = 200;
/** Seconds that a job leaves for being freed before the round ends. */
const MARGIN_SECONDS = 3;
const HOLD_SECONDS_MIN = 1;

/** Frames asked: a worker's are those of its parent's program data. */
export function askedFrames(family: Family, variant: Variant, scenario: Scenario): number {
  if (family === 'worker') return scenario.machine.homeFrames;
  const row = FAMILIES[family];
  return Math.ceil((row.each(variant) * row.count(variant)) / PAGE_SIZE);
}

export function neededFrames(family: Family, variant: Variant, scenario: Scenario): number {
  return FAMILIES[family].needed(variant, askedFrames(family, variant, scenario), scenario);
}

/** The mean over all cards of a number of theirs, by their weights, in thousandths. */
export function meanMilli(scenario: Scenario, of: (family: Family, variant: Variant) => number): number {
  let sum = 0;
  let weights = 0;
  for (const spec of scenario.families) {
    const inFamily = spec.variants.reduce((total, variant) => total + variant.weight, 0);
    for (const variant of spec.variants) {
      const share = Math.trunc((spec.weight * variant.weight * 1_000_000) / inFamily);
      sum += share * of(spec.family, variant);
      weights += share;
    }
  }
  return weights === 0 ? 0 : Math.trunc((sum * 1000) / weights);
}

/** Frames that the best call takes for a variant: a row of frames comes in a power of two. */
function takenFrames(family: Family, variant: Variant, scenario: Scenario): number {
  const needed = neededFrames(family, variant, scenario);
  return FAMILIES[family].contiguous ? 1 << orderFor(needed) : needed;
}

/** Frames × hold of the mean card, in thousandths: the cards of a deal interval then fill `demand` of a seat's frames. */
export function askHoldMilli(scenario: Scenario): number {
  const perMilli = meanMilli(scenario, (family, variant) => takenFrames(family, variant, scenario) * variant.holdMilli);
  return Math.max(1, Math.trunc(perMilli / 1000));
}

function pick<T extends { weight: number }>(chance: Seeded, rows: readonly T[]): T {
  let left = randomBelow(
    chance,
    rows.reduce((sum, row) => sum + row.weight, 0),
  );
  for (const row of rows) {
    left -= row.weight;
    if (left < 0) return row;
  }
  return rows[rows.length - 1]!;
}

/** Ticks for which a variant's memory is in use, at the demand of this moment. */
function holdTicks(round: Round, chance: Seeded, variant: Variant): number {
  const { game, scenario } = round;
  const mean = Math.trunc((demandMilli(round) * scenario.machine.framesPerSeat * dealTicksNow(round)) / game.askHoldMilli);
  const jitter = 1000 - JITTER_MILLI + randomBelow(chance, 2 * JITTER_MILLI + 1);
  const ticks = times(times(mean, variant.holdMilli), jitter);
  return Math.max(ticksOf(round, HOLD_SECONDS_MIN), ticks);
}

/** A rush deals faster and asks for more at once: its cards hold as long as those of the work before it. */
function dealTicksNow(round: Round): number {
  return round.game.phase === 'rush' ? ticksOf(round, round.scenario.dealSeconds) : dealTicks(round);
}

/** Ticks that a card dealt now may hold its memory and still be paid; 0 or less: none. */
export function ticksToWork(round: Round): number {
  return round.game.endsAt - round.now - ticksOf(round, MARGIN_SECONDS) - 1;
}

const mayDeal = (round: Round, variant: Variant): boolean => round.game.phase !== 'last' || variant.holdMilli <= LONG_MILLI;

/** A card nobody could foresee, or null when no work could end before the round does. */
export function drawCard(round: Round): Card | null {
  const { game, scenario } = round;
  const most = ticksToWork(round);
  if (most < ticksOf(round, HOLD_SECONDS_MIN)) return null;
  const open = scenario.families
    .map((spec) => ({ ...spec, variants: spec.variants.filter((variant) => mayDeal(round, variant)) }))
    .filter((spec: FamilySpec) => spec.variants.length > 0);
  if (open.length === 0) return null;
  const { family, variants } = pick(game, open);
  const variant = pick(game, variants);
  const row = FAMILIES[family];
  const frames = askedFrames(family, variant, scenario);
  const needed = row.needed(variant, frames, scenario);
  const each = family === 'worker' ? frames * PAGE_SIZE : row.each(variant);
  const count = row.count(variant);
  return {
    id: game.nextCard++,
    family,
    frames,
    bytes: each * count,
    count,
    each,
    needed,
    writesMilli: variant.writesMilli,
    holdTicks: Math.min(most, holdTicks(round, game, variant)),
    baseMilli: (row.base + row.perFrame * needed) * 1000,
    offeredAt: round.now,
    patienceTicks: patienceTicks(round),
    misfits: 0,
    why: null,
  };
}

/** The order of the smallest block that holds so many frames. */
export function orderFor(frames: number): number {
  return frames <= 1 ? 0 : 32 - Math.clz32(frames - 1);
}

export { TICKS_PER_SECOND };
