/**
 * How well what the kernel gave serves a card. It looks at frames, areas and processes, never at the name of the call:
 * who can reach the memory, does it lie in a row, how much of it is waste.
 */
import { vmaAt } from '#kernel/mm/vma.ts';
import { PAGE_SIZE, PG } from '#kernel/types.ts';
import { FAMILIES } from './jobs.ts';
import { fitOfWaste, times, type Fit } from './score.ts';
import type { Card, Holding, Round, SeatState } from './state.ts';
import type { MisfitWhy } from './types.ts';

export interface Served {
  fit: Fit;
  /** Frames that the job needs, and pages of the holding that it will touch. */
  needed: number;
  toTouch: number;
  /** Frames that it takes beyond what is needed: all that a fit below the best is about. */
  wasted: number;
}

/** A device sees frames, not addresses: only a block that stays where it is, and is long enough, serves it. */
function forDevice(round: Round, card: Card, given: Holding): Served | MisfitWhy {
  const { flags, order } = round.machine.frames;
  const needed = card.needed;
  const isBlock = given.pfn >= 0 && (flags[given.pfn]! & PG.kernel) !== 0;
  if (!isBlock) return given.pid !== 0 ? { code: 'GIVES_NO_MEMORY', needed } : { code: 'NOT_REACHABLE_BY_DEVICE', needed };
  const run = 1 << order[given.pfn]!;
  if (run < needed) return { code: 'TOO_SMALL', needed, granted: run };
  return { fit: fitOfWaste(run, needed), needed, toTouch: 0, wasted: run - needed };
}

/** The process' instructions reach what its areas hold. */
function forCpu(round: Round, seat: SeatState, card: Card, given: Holding): Served | MisfitWhy {
  const { needed } = card;
  if (given.pid !== 0) return { code: 'GIVES_NO_MEMORY', needed };
  if (given.pfn >= 0) return { code: 'NOT_IN_ADDRESS_SPACE', needed };
  const { mm } = round.machine.tasks.get(seat.pid)!;
  let pages = 0;
  for (let i = 0; i < given.ranges.length; i += 2) if (vmaAt(mm, given.ranges[i]!)) pages += given.ranges[i + 1]!;
  if (pages < card.frames) return { code: 'TOO_SMALL', needed: card.frames, granted: pages };
  // Pages that objects share are touched once; those that only one object lies on are touched for it alone.
  const touched = card.needed < card.frames ? needed : pages;
  return { fit: fitOfWaste(touched, needed), needed, toTouch: touched, wasted: touched - needed };
}

/** A second process: what it inherits is shared until it writes, and what its parent held for nothing is waste. */
function forProcess(round: Round, seat: SeatState, card: Card, given: Holding): Served | MisfitWhy {
  const child = given.pid === 0 ? undefined : round.machine.tasks.get(given.pid);
  if (!child) return { code: 'NO_PROCESS' };
  const parent = round.machine.tasks.get(seat.pid)!;
  const { tables } = child.mm;
  const inherited = child.mm.rssAnon;
  const idle = Math.min(inherited, Math.max(0, seat.idle - parent.kernelPages));
  const toTouch = times(inherited, card.writesMilli);
  const needed = tables + times(inherited - idle, card.writesMilli);
  return { fit: fitOfWaste(tables + toTouch, needed), needed, toTouch, wasted: tables + toTouch - needed };
}

/** Does it serve, and how well; or why not. */
export function fitOf(round: Round, seat: SeatState, card: Card, given: Holding): Served | MisfitWhy {
  const { toucher } = FAMILIES[card.family];
  if (toucher === 'device') return forDevice(round, card, given);
  return toucher === 'cpu' ? forCpu(round, seat, card, given) : forProcess(round, seat, card, given);
}

/** Pages that so many objects of `each` bytes lie on when each has a mapping of its own. */
export function pagesEach(each: number): number {
  return Math.ceil(each / PAGE_SIZE);
}
