/**
 * The game's part of a round's state: plain objects, arrays and insertion-ordered Maps, so that one codec saves and
 * hashes all of it. Points are kept in thousandths (milli), time in ticks, memory in page frames.
 */
import type { Machine, Pid, Why } from '#kernel/types.ts';
import type {
  BotName,
  CardId,
  ClassView,
  Family,
  HoldingId,
  HoldingKind,
  MisfitWhy,
  RoundEvent,
  Row3,
  Scenario,
  Seat,
  StallCause,
  ToolId,
} from './types.ts';

export interface Round {
  readonly scenario: Scenario;
  readonly seed: number;
  /** Ticks played. */
  now: number;
  readonly machine: Machine;
  over: boolean;
  /** Private to shared/game; screens ask view.ts. */
  readonly game: GameState;
  /** What happened in the tick in hand; no part of the state. */
  events: RoundEvent[];
}

export interface GameState {
  /** The generator of what players must not foresee; each tick's entropy is mixed into it. */
  rng: number;
  seatsPlanned: number;
  endsAt: number;
  /** A round shorter than 90 s runs all its intervals faster by this much, in thousandths. */
  paceMilli: number;
  /** Frames × hold of a mean card (jobs.ts), in thousandths. */
  askHoldMilli: number;
  phase: ClassView['phase'];
  nextCard: CardId;
  nextHolding: HoldingId;
  seats: Map<Seat, SeatState>;
  /** Processes that live, children among them. */
  seatOf: Map<Pid, Seat>;
  /** The seat whose jobs touch their pages first in the coming tick. */
  turn: number;
  /** The kernel's counter of OOM kills as far as the game has seen it. */
  killsSeen: number;
  tally: Tally;
}

/** The class, all seats together. */
export interface Tally {
  dealt: number;
  settled: number;
  kills: number;
  /** alloc_pages of order 1 and more, and those that failed. */
  asks: number;
  failures: number;
  /** Cards dealt that need frames in a row, by the order that serves them. */
  orders: number[];
  /** Unusable free index at the order most asked, summed over samples. */
  indexMilli: number;
  samples: number;
}

export interface SeatState {
  seat: Seat;
  bot: BotName | null;
  /** 0 while it has no process. */
  pid: Pid;
  /** Joined and not left. */
  present: boolean;
  joinedAt: number;
  lastSeq: number;
  /** Tenths of an action that it may take now. */
  tokens: number;
  hand: Card[];
  next: Card | null;
  nextDealAt: number;
  holdings: Map<HoldingId, Holding>;
  /** Holdings on the heap from its start to its top. */
  heap: HoldingId[];
  /** Where its program's data lies. */
  homeAddr: number;
  milli: number;
  /** Rent that is not a whole thousandth yet, in tenths of one. */
  rentRest: number;
  /** Kernel time used and not yet paid for, µs. */
  spentUs: number;
  stallCause: StallCause;
  /** What the costliest call of this stall took: µs and frames. */
  stallUs: number;
  stallFrames: number;
  diedAt: number;
  /** 0: not waiting to come back. */
  respawnAt: number;
  /** Ticks of its kills, oldest first. */
  killTicks: number[];
  killed: KillRecord | null;
  adj: number;
  /** The tick at which a lowered oom_score_adj goes back to 0; 0 when none is under way. */
  adjUntil: number;
  rootTokens: number;
  capped: boolean;
  dealt: number;
  granted: number;
  settled: number;
  misfits: number;
  asks: number;
  failures: number;
  stalledTicks: number;
  /** Of this tick: frames held, held for nothing, needed by running jobs; and by calls outside the tray. */
  held: number;
  idle: number;
  needed: number;
  other: number;
  /** Frames × ticks since the start. */
  heldSum: number;
  neededSum: number;
}

export interface KillRecord {
  tick: number;
  asker: Row3;
  victim: Row3;
  next: Seat | null;
  lost: number;
}

export interface Card {
  id: CardId;
  family: Family;
  /** Asked. */
  frames: number;
  bytes: number;
  count: number;
  each: number;
  /** Frames that the job will really use; the p of its pay. */
  needed: number;
  writesMilli: number;
  holdTicks: number;
  baseMilli: number;
  /** The tick at which it came into the hand. */
  offeredAt: number;
  patienceTicks: number;
  misfits: number;
  why: Why | MisfitWhy | null;
}

/** Memory (or a child) that the tray gave. */
export interface Holding {
  id: HoldingId;
  tool: ToolId;
  kind: HoldingKind;
  state: 'running' | 'done' | 'unused';
  family: Family | null;
  needed: number;
  /** Frames that it holds now, by the kernel's faults and blocks. */
  frames: number;
  /** Pages granted. */
  pages: number;
  /** Address and pages of each run, in order; of a child: what it inherited. */
  ranges: number[];
  /** Of a block. */
  pfn: number;
  order: number;
  /** Of a child. */
  pid: Pid;
  toTouch: number;
  touched: number;
  payMilli: number;
  pendingMilli: number;
  startedAt: number;
  endsAt: number;
  /** Given back by its owner, and still held by what lies above it on the heap. */
  released: boolean;
}

export function createSeat(seat: Seat, bot: BotName | null, now: number): SeatState {
  return {
    seat,
    bot,
    pid: 0,
    present: true,
    joinedAt: now,
    lastSeq: 0,
    tokens: 100,
    hand: [],
    next: null,
    nextDealAt: now,
    holdings: new Map(),
    heap: [],
    homeAddr: 0,
    milli: 0,
    rentRest: 0,
    spentUs: 0,
    stallCause: 'faults',
    stallUs: 0,
    stallFrames: 0,
    diedAt: 0,
    respawnAt: 0,
    killTicks: [],
    killed: null,
    adj: 0,
    adjUntil: 0,
    rootTokens: 1,
    capped: false,
    dealt: 0,
    granted: 0,
    settled: 0,
    misfits: 0,
    asks: 0,
    failures: 0,
    stalledTicks: 0,
    held: 0,
    idle: 0,
    needed: 0,
    other: 0,
    heldSum: 0,
    neededSum: 0,
  };
}

export function isAlive(seat: SeatState): boolean {
  return seat.pid !== 0;
}
