/** What work pays and what holding costs. All sums are in thousandths of a point. */
import type { Card, Round, SeatState } from './state.ts';
import type { Economy } from './types.ts';

export type Fit = 'best' | 'fair' | 'poor';

/** Most of what was granted may be waste before it is called so, in thousandths. */
export const BEST_WASTE_MILLI = 200;
export const FAIR_WASTE_MILLI = 500;
/** Reused memory may be larger than the card by this share of itself. */
export const REUSE_WASTE_MILLI = 250;

const times = (milli: number, shareMilli: number): number => Math.trunc((milli * shareMilli) / 1000);

export function fitShare(economy: Economy, fit: Fit): number {
  return fit === 'best' ? 1000 : fit === 'fair' ? economy.fairMilli : economy.poorMilli;
}

export function fitOfWaste(granted: number, needed: number): Fit {
  const waste = granted <= 0 ? 0 : Math.trunc(((granted - needed) * 1000) / granted);
  return waste <= BEST_WASTE_MILLI ? 'best' : waste <= FAIR_WASTE_MILLI ? 'fair' : 'poor';
}

/** What the card has cost in tries that did not serve. */
export function baseOf(economy: Economy, card: Card): number {
  return times(card.baseMilli, Math.max(0, 1000 - card.misfits * economy.missMilli));
}

/** What a best fit pays now: the longer it waits, the less. The clock stands still at `at`, which is earlier than now for the dead. */
export function payNow(economy: Economy, card: Card, at: number): number {
  const waited = Math.min(card.patienceTicks, Math.max(0, at - card.offeredAt));
  return times(baseOf(economy, card), 1000 - Math.trunc((economy.patienceFloorMilli * waited) / card.patienceTicks));
}

export function pay(seat: SeatState, milli: number): void {
  seat.milli += milli;
}

/** Points as they are shown. */
export function shown(seat: SeatState): number {
  return Math.max(0, Math.trunc(seat.milli / 1000));
}

/** A tick's rent for frames that serve nothing. */
export function payRent(round: Round, seat: SeatState): void {
  if (seat.idle === 0) return;
  const tenths = seat.idle * round.scenario.economy.rentMilliPerFrameSecond + seat.rentRest;
  const whole = Math.trunc(tenths / 10);
  seat.rentRest = tenths - whole * 10;
  seat.milli -= whole;
}

/** What a kill takes, whole points, beside the pending pay. */
export function killPenalty(round: Round, seat: SeatState): number {
  const { killShareMilli, killMax, graceSeconds } = round.scenario.economy;
  const fresh = round.now - seat.joinedAt < graceSeconds * 10;
  if (seat.killTicks.length === 0 && fresh) return 0;
  return Math.min(killMax, Math.trunc((shown(seat) * killShareMilli) / 1000));
}

export { times };
