/**
 * Kernel time: each call costs what the kernel says; a process may use the scenario's budget a tick and waits when it
 * has used more, never longer than the scenario allows.
 */
import type { Round, SeatState } from './state.ts';
import type { StallCause } from './types.ts';

/** Microseconds of one unit of the budget: one order-0 page with its fault. */
export const UNIT_US = 2;

export function budgetUs(round: Round): number {
  return round.scenario.economy.budgetPerTick * UNIT_US;
}

export function charge(round: Round, seat: SeatState, costUs: number, cause: StallCause, frames: number): void {
  if (costUs === 0) return;
  const budget = budgetUs(round);
  const most = budget * (1 + round.scenario.economy.stallTicksMax) - 1;
  seat.spentUs = Math.min(most, seat.spentUs + costUs);
  if (costUs < seat.stallUs) return;
  seat.stallCause = cause;
  seat.stallUs = costUs;
  seat.stallFrames = frames;
}

export function isStalled(round: Round, seat: SeatState): boolean {
  return seat.spentUs >= budgetUs(round);
}

/** Ticks until it may act again. */
export function stallTicks(round: Round, seat: SeatState): number {
  return Math.trunc(seat.spentUs / budgetUs(round));
}

/** A tick's worth of the debt is paid. */
export function payDebt(round: Round, seat: SeatState): void {
  const budget = budgetUs(round);
  seat.spentUs = Math.max(0, seat.spentUs - budget);
  if (seat.spentUs >= budget) seat.stalledTicks += 1;
  else if (seat.spentUs === 0) seat.stallUs = 0;
}
