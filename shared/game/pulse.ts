/** The pulse of a round: its phases, how much memory the cards ask for, and how fast things go when a round is short. */
import type { Round } from './state.ts';
import type { ClassView, Scenario } from './types.ts';

export const TICKS_PER_SECOND = 10;
/** Rounds shorter than this run their intervals faster, so that a round of 10 s still deals, works and pays. */
const FULL_PACE_SECONDS = 90;
/** Calm, rush and last seconds together take at most this share of a round. */
const PHASES_MILLI = 500;
/** The rush begins at this share of the round. */
const RUSH_AT_MILLI = 550;
/** Cards of the calm beginning ask for this share of what follows it. */
const CALM_SHARE_MILLI = 700;
const RUSH_DEAL_MILLI = 750;

export function paceOf(scenario: Scenario): number {
  return Math.min(1000, Math.trunc((scenario.seconds * 1000) / FULL_PACE_SECONDS));
}

/** Seconds of the rules in ticks of this round, at least one. */
export function ticksOf(round: Round, seconds: number): number {
  return Math.max(1, Math.trunc((seconds * TICKS_PER_SECOND * round.game.paceMilli) / 1000));
}

/** Patience is stretched less than the rest: nobody can read ten times as fast. */
export function patienceTicks(round: Round): number {
  const pace = Math.max(500, round.game.paceMilli);
  return Math.max(1, Math.trunc((round.scenario.patienceSeconds * TICKS_PER_SECOND * pace) / 1000));
}

/** A phase's seconds in ticks: in a short round all phases shrink alike, so that work is left between them. */
function phaseTicks(round: Round, seconds: number): number {
  const { calmSeconds, rushSeconds, noLongCardsSeconds } = round.scenario.pulse;
  const all = Math.max(1, calmSeconds + rushSeconds + noLongCardsSeconds);
  const share = Math.min(1000, Math.trunc((round.scenario.seconds * PHASES_MILLI) / all));
  return Math.trunc((seconds * TICKS_PER_SECOND * share) / 1000);
}

export function phaseAt(round: Round, tick: number): ClassView['phase'] {
  const { game, scenario } = round;
  const { calmSeconds, rushSeconds, noLongCardsSeconds } = scenario.pulse;
  if (tick >= game.endsAt) return 'over';
  if (tick >= game.endsAt - phaseTicks(round, noLongCardsSeconds)) return 'last';
  if (tick < phaseTicks(round, calmSeconds)) return 'calm';
  const rush = Math.trunc((game.endsAt * RUSH_AT_MILLI) / 1000);
  return tick >= rush && tick < rush + phaseTicks(round, rushSeconds) ? 'rush' : 'work';
}

/** Share of the machine that the cards dealt now ask for, in thousandths. */
export function demandMilli(round: Round): number {
  const { game, scenario } = round;
  const [from, to] = scenario.pulse.demandMilli;
  if (game.phase === 'calm') return Math.trunc((from * CALM_SHARE_MILLI) / 1000);
  const start = phaseTicks(round, scenario.pulse.calmSeconds);
  const span = Math.max(1, game.endsAt - start);
  const gone = Math.min(span, Math.max(0, round.now - start));
  return from + Math.trunc(((to - from) * gone) / span);
}

/** Ticks between two cards of a seat. */
export function dealTicks(round: Round): number {
  const ticks = ticksOf(round, round.scenario.dealSeconds);
  return round.game.phase === 'rush' ? Math.max(1, Math.trunc((ticks * RUSH_DEAL_MILLI) / 1000)) : ticks;
}
