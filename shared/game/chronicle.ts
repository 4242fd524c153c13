/**
 * What happened in a round, noted while its ticks are played once: marks for a timeline, free memory tick by tick, and what
 * debrief.ts needs to find the moments worth talking about. Nothing of it is read back by a rule.
 */
import { nrFree } from '#kernel/mm/buddy.ts';
import type { Machine } from '#kernel/types.ts';
import type { Round } from './state.ts';
import type { ClassView, RoundEvent, Seat, Tick } from './types.ts';

/** One thing on the timeline. */
export type Mark =
  | { kind: 'killed'; tick: number; seat: Seat | null; pid: number; asker: Seat | null; askerPid: number; badness: number; lost: number }
  /** Orders that the kernel refused, `count` in a row; the numbers are those of the first. */
  | {
      kind: 'failed';
      tick: number;
      seat: Seat;
      pid: number;
      fragmented: boolean;
      order: number;
      free: number;
      /** Frames of these that the kernel keeps for emergencies; 0 where that was not why. */
      kept: number;
      count: number;
      until: number;
    }
  | { kind: 'crashed'; tick: number; seat: Seat; pid: number; signal: string }
  | { kind: 'joined' | 'left'; tick: number; seat: Seat; pid: number }
  | { kind: 'phase'; tick: number; phase: ClassView['phase'] };

/** A request for frames in a row. */
export interface Ask {
  tick: number;
  seat: Seat;
  order: number;
  granted: boolean;
}

/** Somebody gave memory back, and the largest free block grew by that tick. */
export interface Opening {
  tick: number;
  seat: Seat;
  pid: number;
  frames: number;
  /** Largest free order before and after, -1 for none. */
  from: number;
  to: number;
}

export interface Shortage {
  tick: number;
  seat: Seat;
  pid: number;
  order: number;
  needed: number;
  free: number;
  largestRun: number;
}

/** What came before a kill, and what it took. */
export interface Cause {
  kind: 'low' | 'took' | 'kept' | 'asked';
  tick: number;
  /** Null: the kernel, or nobody any more. */
  seat: Seat | null;
  /** 0: nobody's. */
  pid: number;
  frames: number;
}

export interface Kill {
  mark: Extract<Mark, { kind: 'killed' }>;
  /** Oldest first, at most five. */
  causes: Cause[];
}

export interface Chronicle {
  /** Ticks that were played before noting began. */
  first: number;
  /** Frames that the buddy manages. */
  managed: number;
  /** Of tick first + 1 + index: free frames, and the largest order that has a free block (-1: none). */
  free: number[];
  largest: number[];
  marks: Mark[];
  asks: Ask[];
  openings: Opening[];
  shortages: Shortage[];
  kills: Kill[];
  recent: Recent;
}

/** Of the last ticks, for marks that grow and the causes of a kill. */
interface Recent {
  failing: Extract<Mark, { kind: 'failed' }> | null;
  largest: number;
  /** The last tick in which free memory fell below the low marks, and what was free then. */
  low: Cause | null;
  isLow: boolean;
  took: Cause[];
  /** Frames that a seat holds for nothing, and since when. */
  kept: Map<Seat, Cause>;
  /** The last process that each seat had. */
  pids: Map<Seat, number>;
}

/** Failures that stand as one mark: no further apart than this, and no longer in all. */
const GAP_TICKS = 20;
const ROW_TICKS = 100;
/** What was taken longer ago is no cause any more. */
const CAUSE_TICKS = 200;
const CAUSES_MAX = 5;

export function createChronicle(round: Round): Chronicle {
  return {
    first: round.now,
    managed: managedOf(round.machine),
    free: [],
    largest: [],
    marks: [],
    asks: [],
    openings: [],
    shortages: [],
    kills: [],
    recent: { failing: null, largest: largestOrder(round.machine), low: null, isLow: false, took: [], kept: new Map(), pids: new Map() },
  };
}

function managedOf({ zones }: Machine): number {
  return zones.reduce((sum, zone) => sum + zone.managed, 0);
}

function freeOf({ zones }: Machine): number {
  return zones.reduce((sum, zone) => sum + zone.free, 0);
}

function largestOrder({ zones }: Machine): number {
  let largest = -1;
  for (const zone of zones) for (let order = zone.maxOrder; order > largest; order--) if (nrFree(zone, order) > 0) largest = order;
  return largest;
}

/** The process that a seat has now, 0 for none. */
function pidOf({ game }: Round, seat: Seat): number {
  return game.seats.get(seat)?.pid ?? 0;
}

/** The tick has just been played on the round, and these events came of it. Ticks come in order, each once. */
export function note(chronicle: Chronicle, round: Round, tick: Tick, events: readonly RoundEvent[]): void {
  const { recent } = chronicle;
  chronicle.managed = managedOf(round.machine);
  const free = freeOf(round.machine);
  const largest = largestOrder(round.machine);
  noteLow(recent, round, free);
  for (const event of events) NOTES[event.type]?.(chronicle, round, event as never);
  noteAsks(chronicle, tick, events);
  noteOpening(chronicle, round, largest, events);
  noteKept(recent, round);
  chronicle.free.push(free);
  chronicle.largest.push(largest);
  recent.largest = largest;
  recent.took = recent.took.filter(({ tick: at }) => at > round.now - CAUSE_TICKS);
}

type Noted<T extends RoundEvent['type']> = (chronicle: Chronicle, round: Round, event: Extract<RoundEvent, { type: T }>) => void;

/** One row an event that leaves something behind. */
const NOTES: { [T in RoundEvent['type']]?: Noted<T> } = {
  killed: noteKill,
  refused: noteRefusal,
  granted: ({ recent }, round, { seat, frames }) =>
    void recent.took.push({ kind: 'took', tick: round.now, seat, pid: pidOf(round, seat), frames }),
  crashed: ({ marks }, { now }, { seat, pid, signal }) => void marks.push({ kind: 'crashed', tick: now, seat, pid, signal }),
  joined: ({ marks, first }, { now }, { seat, pid }) => void (now > first + 1 && marks.push({ kind: 'joined', tick: now, seat, pid })),
  left: ({ marks, recent }, { now }, { seat }) => void marks.push({ kind: 'left', tick: now, seat, pid: recent.pids.get(seat) ?? 0 }),
  phase: ({ marks }, { now }, { phase }) => void marks.push({ kind: 'phase', tick: now, phase }),
};

function noteKill(chronicle: Chronicle, round: Round, event: Extract<RoundEvent, { type: 'killed' }>): void {
  const { seat, pid, asker, badness, lost } = event;
  const by = (seat === null ? undefined : round.game.seats.get(seat)?.killed?.asker) ?? { pid: 0, asked: 1 };
  const mark = { kind: 'killed', tick: round.now, seat, pid, asker, askerPid: by.pid, badness, lost } as const;
  chronicle.marks.push(mark);
  const asked: Cause = { kind: 'asked', tick: round.now, seat: asker, pid: by.pid, frames: by.asked };
  chronicle.kills.push({ mark, causes: causesOf(chronicle.recent, asked, seat) });
}

/** The request that nothing could serve, the fall below the marks, what the victim kept for nothing; then who took most. */
function causesOf({ low, took, kept }: Recent, asked: Cause, victim: Seat | null): Cause[] {
  const causes: Cause[] = [asked];
  if (low !== null) causes.push(low);
  const idle = victim === null ? undefined : kept.get(victim);
  if (idle !== undefined) causes.push(idle);
  const largest = [...took].sort((a, b) => b.frames - a.frames || b.tick - a.tick);
  causes.push(...largest.slice(0, CAUSES_MAX - causes.length));
  const last = (cause: Cause): number => (cause.kind === 'asked' ? 1 : 0);
  return causes.sort((a, b) => a.tick - b.tick || last(a) - last(b));
}

type Refused = Extract<RoundEvent, { type: 'refused' }>;

function noteRefusal({ marks, shortages, recent }: Chronicle, round: Round, { seat, why }: Refused): void {
  if (why.code !== 'FRAGMENTED' && why.code !== 'LOW_MEMORY') return;
  const { order, freePages: free } = why;
  const pid = pidOf(round, seat);
  const fragmented = why.code === 'FRAGMENTED';
  if (why.code === 'FRAGMENTED')
    shortages.push({ tick: round.now, seat, pid, order, needed: why.needed, free, largestRun: why.largestRun });
  const row = recent.failing;
  if (row !== null && row.fragmented === fragmented && round.now <= row.until + GAP_TICKS && round.now <= row.tick + ROW_TICKS) {
    row.count += 1;
    row.until = round.now;
    return;
  }
  const kept = why.code === 'LOW_MEMORY' ? why.mark : 0;
  recent.failing = { kind: 'failed', tick: round.now, seat, pid, fragmented, order, free, kept, count: 1, until: round.now };
  marks.push(recent.failing);
}

function noteAsks({ asks }: Chronicle, { n, inputs }: Tick, events: readonly RoundEvent[]): void {
  for (const input of inputs) {
    if (input.type !== 'act' || input.action.do !== 'use' || input.action.tool !== 'alloc_pages') continue;
    const { card, order = 0 } = input.action;
    const answer = events.find((event) => 'card' in event && event.card === card && 'seat' in event && event.seat === input.seat);
    if (answer?.type === 'granted') asks.push({ tick: n, seat: input.seat, order, granted: true });
    else if (answer?.type === 'refused' && answer.why.code === 'FRAGMENTED')
      asks.push({ tick: n, seat: input.seat, order, granted: false });
  }
}

/** A kill in the same tick is what made the room, not the one who freed. */
function noteOpening({ openings, recent }: Chronicle, round: Round, largest: number, events: readonly RoundEvent[]): void {
  if (largest <= recent.largest || events.some(({ type }) => type === 'killed')) return;
  let most: Extract<RoundEvent, { type: 'freed' }> | null = null;
  for (const event of events) if (event.type === 'freed' && event.frames > (most?.frames ?? 0)) most = event;
  if (most === null) return;
  const { seat, frames } = most;
  openings.push({ tick: round.now, seat, pid: pidOf(round, seat), frames, from: recent.largest, to: largest });
}

function noteLow(recent: Recent, { now, machine }: Round, free: number): void {
  const isLow = free < machine.zones.reduce((sum, zone) => sum + zone.watermark.low, 0);
  if (isLow && !recent.isLow) recent.low = { kind: 'low', tick: now, seat: null, pid: 0, frames: free };
  recent.isLow = isLow;
}

function noteKept({ kept, pids }: Recent, { now, game }: Round): void {
  for (const { seat, pid, idle } of game.seats.values()) {
    if (pid !== 0) pids.set(seat, pid);
    if (idle === 0) kept.delete(seat);
    else kept.set(seat, { kind: 'kept', tick: kept.get(seat)?.tick ?? now, seat, pid, frames: idle });
  }
}
