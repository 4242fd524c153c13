/**
 * The words of a round: what goes in (inputs, ticks), what a scenario is, what a seat may see.
 * A round is a pure function of (scenario, seed, ticks); nothing here knows sockets, names or pixels.
 */
import type { Call, Why } from '#kernel/types.ts';

/** A place in the round, from 0; it outlives the process that sits on it. */
export type Seat = number;
export type CardId = number;
/** What a seat holds: a job's memory, or memory that serves nothing. */
export type HoldingId = number;

/** What a player does. `seq` rises by at least 1 from action to action of a seat; others are ignored. */
export type Action =
  /** A call of the tray, for a card (0 = for none). `order` for tools that take one. */
  | { do: 'use'; tool: ToolId; card: CardId; order?: number }
  | { do: 'discard'; card: CardId }
  | { do: 'free'; holding: HoldingId }
  /** Frees all that is done, and what serves nothing. */
  | { do: 'freeDone' }
  /** Serves a card with memory that is held already. */
  | { do: 'reuse'; card: CardId; holding: HoldingId }
  /** Raises (or, with the root token, lowers) one's own oom_score_adj. */
  | { do: 'adj'; value: number }
  /** A kernel call outside the tray; the scenario says which are open. */
  | { do: 'call'; call: Call };

export type ToolId = 'mmap' | 'brk' | 'alloc_pages' | 'fork';

export type BotName = 'free' | 'never' | 'keep' | 'splinter' | 'spam' | 'guess' | 'half' | 'bigOnly' | 'smallOnly';

/** All that can change a round, in the order in which it counts. */
export type Input =
  | { type: 'join'; seat: Seat; bot: BotName | null }
  | { type: 'leave'; seat: Seat }
  | { type: 'act'; seat: Seat; seq: number; action: Action }
  /** The host: longer by so many ticks, end now, a seat held to one fair share. */
  | { type: 'extend'; ticks: number }
  | { type: 'end' }
  | { type: 'cap'; seat: Seat; on: boolean };

export interface Tick {
  /** From 1; a round plays each number once, in order. */
  n: number;
  /** 32 bits that nobody could foresee, from the server. */
  entropy: number;
  inputs: Input[];
}

/** `assets/scenarios/NAME.json` and what a teacher shares; schema and limits in scenario.ts. */
export interface Scenario {
  rules: number;
  id: string;
  title: { en: string; 'zh-CN': string };
  idea: { en: string; 'zh-CN': string };
  /** Seconds of game time. */
  seconds: number;
  seats: number;
  machine: {
    framesPerSeat: number;
    /** Frames of its program's data that each process holds from its first moment on; a fork inherits them. */
    homeFrames: number;
    /** Keys of calls.md handed to the kernel (maxOrder, minFreeKbytes, …). */
    kernel: Record<string, unknown>;
  };
  meanAsk: number;
  dealSeconds: number;
  hand: number;
  patienceSeconds: number;
  families: FamilySpec[];
  tools: ToolId[];
  /** Calls that `{do: 'call'}` may make. */
  calls: string[];
  economy: Economy;
  pulse: Pulse;
  /** Ranks shown: own rank in thirds and the top three, all, or none. */
  ranks: 'thirds' | 'full' | 'none';
}

export type Family = 'buffer' | 'capture' | 'worker';

export interface FamilySpec {
  family: Family;
  weight: number;
  variants: Variant[];
}

/** One kind of card of a family; what it does not need stays at its default. */
export interface Variant {
  weight: number;
  /** How long its memory is in use, in thousandths of the mean; above 1000 it counts as long. */
  holdMilli: number;
  /** buffer: objects of `bytes` bytes each (1). */
  count: number;
  bytes: number;
  /** buffer: share of its pages that are ever touched (1000). */
  touchMilli: number;
  /** capture: frames in a row. */
  frames: number;
  /** worker: share of the inherited pages that the child writes. */
  writesMilli: number;
}

/** The starred numbers of game.md; all integers, points in thousandths where the name says milli. */
export interface Economy {
  rentMilliPerFrameSecond: number;
  patienceFloorMilli: number;
  doneShareMilli: number;
  reuseBonusMilli: number;
  fairMilli: number;
  poorMilli: number;
  missMilli: number;
  killShareMilli: number;
  killMax: number;
  respawnSeconds: [number, number, number];
  graceSeconds: number;
  budgetPerTick: number;
  stallTicksMax: number;
  discardSeconds: number;
}

export interface Pulse {
  calmSeconds: number;
  demandMilli: [number, number];
  rushSeconds: number;
  noLongCardsSeconds: number;
}

/* ---- what a seat may see: every number the client shows comes from here ---- */

export interface CardView {
  id: CardId;
  /** Memory asked, both units. For count × size cards, `count` and `each` too. */
  frames: number;
  bytes: number;
  count: number;
  each: number;
  /** Properties, never a call or a family: shown as six icons and at most 12 words. */
  toucher: 'cpu' | 'device' | 'processes';
  contiguous: boolean;
  maySleep: boolean;
  mayFail: boolean;
  /** Seconds the memory will be in use. */
  holdSeconds: number;
  pattern: 'all' | 'sparse' | 'written5' | 'written50' | 'written100' | 'execs';
  /** Key of the sentence in assets/lang, with its numbers. */
  text: { key: string; numbers: Record<string, number> };
  pay: number;
  /** Points it would pay now. */
  payNow: number;
  patienceLeftTicks: number;
  patienceTicks: number;
  misfits: number;
  /** Holdings that could serve it. */
  reusable: HoldingId[];
  /** Why the last try failed or did not serve, in the kernel's numbers. */
  why: Why | MisfitWhy | null;
}

/** Granted, but it does not serve. */
export type MisfitWhy =
  | { code: 'NOT_REACHABLE_BY_DEVICE'; needed: number }
  | { code: 'TOO_SMALL'; needed: number; granted: number }
  | { code: 'NOT_CONTIGUOUS'; needed: number }
  | { code: 'NO_PROCESS' }
  /** Kernel memory: the process' own instructions cannot reach it. */
  | { code: 'NOT_IN_ADDRESS_SPACE'; needed: number }
  /** A process is no memory. */
  | { code: 'GIVES_NO_MEMORY'; needed: number };

/** Addresses whose frames come at the first touch (an area of their own, or of the heap); frames in a row; a child. */
export type HoldingKind = 'area' | 'heap' | 'block' | 'child';

export interface HoldingView {
  id: HoldingId;
  state: 'running' | 'done' | 'unused';
  tool: ToolId | 'call';
  frames: number;
  /** Frames that the job needs (0: serves nothing). */
  needed: number;
  /** Of a running job: ticks to its end, and in all. */
  ticksLeft: number;
  ticks: number;
  /** Rent a second now, in milli-points. */
  rentMilli: number;
  /** Points that settling pays. */
  pending: number;
  /** Family's name once settled or done (it stands on the card's back). */
  family: string | null;
  addr: number;
  pfn: number;
  /** Freed by its owner, but a live block lies above it on the heap: the kernel has it back only when that goes. */
  blocked: boolean;
}

export interface ToolView {
  id: ToolId;
  key: 'q' | 'w' | 'e' | 'r' | 'a' | 's' | 'd' | 'f';
  takesOrder: boolean;
}

export interface AreaView {
  start: number;
  end: number;
  kind: 'heap' | 'mmap' | 'shared';
  pages: number;
  resident: number;
}

export interface ProcessRow {
  seat: Seat;
  pid: number;
  bot: BotName | null;
  alive: boolean;
  /** Pages. */
  rss: number;
  held: number;
  badness: number;
  /** 1 = the OOM killer's next victim. */
  killRank: number;
  points: number;
  rank: number;
  kills: number;
  citizenMilli: number;
  stalledTicks: number;
  oomScoreAdj: number;
  /** Held to one fair share by the host. */
  capped: boolean;
}

export interface MachineView {
  frames: number;
  managed: number;
  free: number;
  zones: { name: string; start: number; end: number; free: number; managed: number; min: number; low: number; high: number }[];
  /** Free blocks by order over all zones. */
  freeLists: number[];
  /** Unusable free index × 1000 by order. */
  unusableMilli: number[];
  largestOrder: number;
}

export interface ClassView {
  now: number;
  endsAt: number;
  phase: 'calm' | 'work' | 'rush' | 'last' | 'over';
  dealt: number;
  settled: number;
  kills: number;
  failures: number;
  figure: number;
  /** "5 processes hold 61 %". */
  topHolders: { count: number; shareMilli: number };
  machine: MachineView;
  processes: ProcessRow[];
}

export interface SeatView {
  seat: Seat;
  pid: number;
  alive: boolean;
  respawnTicks: number;
  stall: { ticks: number; cause: StallCause; numbers: Record<string, number> } | null;
  hand: CardView[];
  next: CardView | null;
  nextDealTicks: number;
  tray: ToolView[];
  holdings: HoldingView[];
  /** Sums over what is held: points that freeing pays now, rent a second, and of what is done its number and frames. */
  totals: { pending: number; rentMilli: number; done: number; doneFrames: number };
  points: number;
  rank: number;
  third: 1 | 2 | 3;
  of: number;
  /** Points to the next better third; null in the first, and where cards and not points make the rank. */
  climb: number | null;
  memory: { vss: number; rss: number; pss: number; uss: number; kernel: number; tables: number };
  badness: number;
  oomScore: number;
  oomScoreAdj: number;
  /** Pages of badness that one point of oom_score_adj adds: ⌊managed ÷ 1000⌋, so nothing on a machine of less than 1,000 frames. */
  adjPages: number;
  /** What `adj` takes now, and the root tokens left: without one it cannot go below `min`. */
  adj: { value: number; min: number; max: number; tokens: number };
  killRank: number;
  killNext: Seat | null;
  areas: AreaView[];
  citizenMilli: number;
  /** The newest kill of this seat. */
  killed: { tick: number; asker: Row3; victim: Row3; next: Seat | null; lost: number } | null;
}

export interface Row3 {
  seat: Seat | null;
  pid: number;
  rss: number;
  badness: number;
  asked: number;
}

export type StallCause = 'faults' | 'contiguous' | 'failed' | 'reclaim' | 'respawn' | 'others';

/** What happened in a tick, for logs, sounds and motion; never read back by the rules. */
export type RoundEvent =
  | { type: 'dealt'; seat: Seat; card: CardId }
  | { type: 'expired'; seat: Seat; card: CardId }
  | { type: 'granted'; seat: Seat; card: CardId; fit: 'best' | 'fair' | 'poor'; frames: number; wasted: number; kind: HoldingKind }
  | { type: 'refused'; seat: Seat; card: CardId; why: Why | MisfitWhy }
  /** The action itself could not be taken (stalled, too fast, no such card…). */
  | { type: 'ignored'; seat: Seat; seq: number; reason: IgnoredReason }
  | { type: 'done'; seat: Seat; holding: HoldingId; points: number }
  | { type: 'settled'; seat: Seat; holding: HoldingId; points: number; family: string }
  | { type: 'freed'; seat: Seat; frames: number }
  /** A process ended otherwise than by the OOM killer: a signal of its own making, or it left. */
  | { type: 'crashed'; seat: Seat; pid: number; signal: string }
  | { type: 'left'; seat: Seat }
  | { type: 'killed'; seat: Seat | null; pid: number; asker: Seat | null; badness: number; lost: number }
  | { type: 'respawned'; seat: Seat; pid: number }
  | { type: 'joined'; seat: Seat; pid: number }
  | { type: 'phase'; phase: ClassView['phase'] }
  | { type: 'over' };

export type IgnoredReason =
  | 'STALLED'
  | 'DEAD'
  | 'TOO_FAST'
  | 'NO_SUCH_CARD'
  | 'NO_SUCH_HOLDING'
  | 'NOT_OPEN'
  | 'STILL_RUNNING'
  | 'DOES_NOT_FIT'
  | 'ROUND_OVER'
  | 'LIMIT'
  | 'MALFORMED';

export interface Podium {
  /** Best first; equals share a place. */
  points: { seat: Seat; points: number; place: number }[];
  /** Who served enough jobs for the figure, best first; equal whole percents share a place. */
  citizen: { seat: Seat; milli: number; place: number }[];
  class: { figure: number; settled: number; dealt: number; kills: number };
  rows: ProcessRow[];
}
