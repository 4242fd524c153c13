/** A seat's hand: cards come when there is a place, lose patience, and are thrown away. */
import { dealTicks, ticksOf } from './pulse.ts';
import { drawCard, FAMILIES, orderFor, ticksToWork } from './jobs.ts';
import { isAlive, type Card, type Round, type SeatState } from './state.ts';

/** The time that counts for a seat's cards: it stands still while the seat has no process. */
export function handTime(round: Round, seat: SeatState): number {
  return isAlive(seat) ? round.now : Math.min(round.now, seat.diedAt);
}

export function patienceLeft(round: Round, seat: SeatState, card: Card): number {
  return Math.max(0, card.patienceTicks - Math.max(0, handTime(round, seat) - card.offeredAt));
}

function expire(round: Round, seat: SeatState): void {
  for (let i = seat.hand.length - 1; i >= 0; i--) {
    const card = seat.hand[i]!;
    if (patienceLeft(round, seat, card) > 0) continue;
    seat.hand.splice(i, 1);
    round.events.push({ type: 'expired', seat: seat.seat, card: card.id });
  }
}

function count(round: Round, card: Card): void {
  const { tally } = round.game;
  tally.dealt += 1;
  if (FAMILIES[card.family].contiguous) tally.orders[Math.min(10, orderFor(card.needed))]! += 1;
}

function deal(round: Round, seat: SeatState): void {
  const card = seat.next;
  if (card === null || seat.hand.length >= round.scenario.hand || round.now < seat.nextDealAt) return;
  seat.next = drawCard(round);
  seat.nextDealAt = round.now + dealTicks(round);
  const most = ticksToWork(round);
  if (most <= 0) return;
  card.holdTicks = Math.min(card.holdTicks, most);
  card.offeredAt = round.now;
  seat.hand.push(card);
  seat.dealt += 1;
  count(round, card);
  round.events.push({ type: 'dealt', seat: seat.seat, card: card.id });
}

/** A tick of a hand. */
export function tickHand(round: Round, seat: SeatState): void {
  if (!seat.present || !isAlive(seat)) return;
  if (seat.hand.length > 0) expire(round, seat);
  if (seat.next === null) seat.next = drawCard(round);
  deal(round, seat);
}

export function cardOf(seat: SeatState, id: number): Card | undefined {
  return seat.hand.find((card) => card.id === id);
}

export function takeFromHand(seat: SeatState, card: Card): void {
  seat.hand.splice(seat.hand.indexOf(card), 1);
}

/** Thrown away: its place stays empty for longer. */
export function discard(round: Round, seat: SeatState, card: Card): void {
  takeFromHand(seat, card);
  seat.nextDealAt = Math.max(seat.nextDealAt, round.now + ticksOf(round, round.scenario.economy.discardSeconds));
}
