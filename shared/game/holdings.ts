/** What a seat holds, from the call that gave it to the one that gives it back: offered → running → done → settled. */
import { fitOf, type Served } from './fit.ts';
import { takeFromHand } from './hand.ts';
import { FAMILIES } from './jobs.ts';
import { countChildren, release, settle, shrinkHeap } from './release.ts';
import { fitShare, pay, payNow, REUSE_WASTE_MILLI, times } from './score.ts';
import { isAlive, type Card, type Holding, type Round, type SeatState } from './state.ts';
import type { HoldingId, MisfitWhy, ToolId } from './types.ts';
import type { Why } from '#kernel/types.ts';

/** What a tool got from the kernel. */
export interface Taken {
  kind: Holding['kind'];
  pages: number;
  ranges: number[];
  pfn: number;
  order: number;
  pid: number;
}

export const NOTHING: Taken = { kind: 'area', pages: 0, ranges: [], pfn: -1, order: -1, pid: 0 };

export function hold(round: Round, seat: SeatState, tool: ToolId, taken: Taken): Holding {
  const holding: Holding = {
    id: round.game.nextHolding++,
    tool,
    kind: taken.kind,
    state: 'unused',
    family: null,
    needed: 0,
    frames: taken.kind === 'block' ? taken.pages : 0,
    pages: taken.pages,
    ranges: taken.ranges,
    pfn: taken.pfn,
    order: taken.order,
    pid: taken.pid,
    toTouch: 0,
    touched: 0,
    payMilli: 0,
    pendingMilli: 0,
    startedAt: round.now,
    endsAt: 0,
    released: false,
  };
  seat.holdings.set(holding.id, holding);
  if (taken.kind === 'heap') seat.heap.push(holding.id);
  if (taken.kind === 'child') countChildren(round, seat);
  return holding;
}

export function refuse(round: Round, seat: SeatState, card: Card | null, why: Why | MisfitWhy): void {
  if (card !== null) card.why = why;
  round.events.push({ type: 'refused', seat: seat.seat, card: card?.id ?? 0, why });
}

const isMisfit = (served: Served | MisfitWhy): served is MisfitWhy => 'code' in served;

/** The card's work begins with this memory, or the try is a misfit and the memory serves nothing. */
export function serve(round: Round, seat: SeatState, card: Card, holding: Holding, bonusMilli: number): void {
  const served = fitOf(round, seat, card, holding);
  if (isMisfit(served)) {
    card.misfits += 1;
    seat.misfits += 1;
    refuse(round, seat, card, served);
    return;
  }
  const { economy } = round.scenario;
  const best = times(payNow(economy, card, round.now), fitShare(economy, served.fit));
  takeFromHand(seat, card);
  seat.granted += 1;
  holding.state = 'running';
  holding.family = card.family;
  holding.needed = served.needed;
  holding.toTouch = served.toTouch;
  holding.payMilli = times(best, 1000 + bonusMilli);
  holding.startedAt = round.now;
  holding.endsAt = round.now + card.holdTicks;
  const { fit, wasted } = served;
  round.events.push({ type: 'granted', seat: seat.seat, card: card.id, fit, frames: holding.pages, wasted, kind: holding.kind });
}

/** Could this memory serve the card as it is? The same reach, large enough, and not much larger. */
export function canReuse(card: Card, holding: Holding): boolean {
  if (holding.state === 'running') return false;
  const { toucher } = FAMILIES[card.family];
  const reach = toucher === 'device' ? holding.kind === 'block' : toucher === 'cpu' && holding.kind !== 'block' && holding.kind !== 'child';
  if (!reach || (toucher === 'cpu' && holding.ranges.length !== 2)) return false;
  return holding.pages >= card.frames && (holding.pages - card.frames) * 1000 <= REUSE_WASTE_MILLI * holding.pages;
}

/** The card takes the memory over: what was to be paid for giving it back is paid, and no allocation costs anything. */
export function reuse(round: Round, seat: SeatState, card: Card, old: Holding): void {
  const taken: Taken = { kind: old.kind, pages: old.pages, ranges: old.ranges, pfn: old.pfn, order: old.order, pid: 0 };
  const place = seat.heap.indexOf(old.id);
  settle(round, seat, old);
  const holding = hold(round, seat, old.tool, taken);
  if (place >= 0) {
    seat.heap.pop();
    seat.heap[place] = holding.id;
  }
  holding.frames = old.frames;
  serve(round, seat, card, holding, round.scenario.economy.reuseBonusMilli);
}

/** Its time is over and all its pages were touched: half of the pay, the other half waits for the memory. */
function finish(round: Round, seat: SeatState, holding: Holding): void {
  const half = times(holding.payMilli, round.scenario.economy.doneShareMilli);
  holding.state = 'done';
  holding.pendingMilli = holding.payMilli - half;
  pay(seat, half);
  round.events.push({ type: 'done', seat: seat.seat, holding: holding.id, points: Math.trunc(half / 1000) });
}

export function finishJobs(round: Round, seat: SeatState): void {
  for (const holding of seat.holdings.values()) {
    if (holding.state === 'running' && round.now >= holding.endsAt && holding.touched >= holding.toTouch) finish(round, seat, holding);
  }
}

export function free(round: Round, seat: SeatState, id: HoldingId): 'NO_SUCH_HOLDING' | 'STILL_RUNNING' | null {
  const holding = seat.holdings.get(id);
  if (!holding || holding.released) return 'NO_SUCH_HOLDING';
  if (holding.state === 'running') return 'STILL_RUNNING';
  release(round, seat, holding);
  return null;
}

/** All that serves nothing; the heap first marks all of its blocks, so that their order does not matter. */
export function freeDone(round: Round, seat: SeatState): void {
  const idle = [...seat.holdings.values()].filter((holding) => holding.state !== 'running' && !holding.released);
  for (const holding of idle) if (holding.kind === 'heap') holding.released = true;
  shrinkHeap(round, seat);
  for (const holding of idle) if (holding.kind !== 'heap' && isAlive(seat) && seat.holdings.has(holding.id)) release(round, seat, holding);
}
