/** The class as a whole: how much of what was dealt was settled, on a machine kept in what order. */
import { nrFree } from '#kernel/mm/buddy.ts';
import type { Machine } from '#kernel/types.ts';
import type { Round } from './state.ts';

const SAMPLE_TICKS = 10;
const KILL_POINTS = 2;

/** Unusable free index over all zones × 1000: the share of free memory that cannot serve an order (mm/vmstat.c). */
export function unusableMilli(machine: Machine, order: number): number {
  let free = 0;
  let usable = 0;
  for (const zone of machine.zones) {
    free += zone.free;
    for (let o = order; o <= zone.maxOrder; o++) usable += nrFree(zone, o) << o;
  }
  return free === 0 ? 1000 : Math.trunc(((free - usable) * 1000) / free);
}

/** The order that most cards in a row were dealt for; 0 while there are none. */
export function orderMostAsked(round: Round): number {
  const { orders } = round.game.tally;
  let most = 0;
  for (let order = 1; order < orders.length; order++) if (orders[order]! > orders[most]!) most = order;
  return orders[most] === 0 ? 0 : most;
}

export function sampleIndex(round: Round): void {
  if (round.now % SAMPLE_TICKS !== 0) return;
  const { tally } = round.game;
  tally.indexMilli += unusableMilli(round.machine, orderMostAsked(round));
  tally.samples += 1;
}

/** 100 × settled ÷ dealt × (1 − mean unusable index) − 2 a kill. */
export function classFigure(round: Round): number {
  const { dealt, settled, kills, indexMilli, samples } = round.game.tally;
  if (dealt === 0) return 0;
  const order = 1000 - (samples === 0 ? 0 : Math.trunc(indexMilli / samples));
  return Math.trunc((100 * settled * order) / (dealt * 1000)) - KILL_POINTS * kills;
}
