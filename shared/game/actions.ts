/** What players do, from an input to its effect. Whatever comes in, nothing is thrown: what cannot be taken is ignored with a reason. */
import { hasBlock } from '#kernel/mm/blocks.ts';
import { vmaAt } from '#kernel/mm/vma.ts';
import { PAGE_SIZE, type Call } from '#kernel/types.ts';
import { charge, isStalled, UNIT_US } from './stall.ts';
import { cardOf, discard } from './hand.ts';
import { canReuse, free, freeDone, refuse, reuse } from './holdings.ts';
import { kernelCall } from './process.ts';
import { ticksOf } from './pulse.ts';
import { isAlive, type Holding, type Round, type SeatState } from './state.ts';
import { use } from './tools.ts';
import { countChildren, settle } from './release.ts';
import type { IgnoredReason, SeatView, ToolId } from './types.ts';

type Fields = Readonly<Record<string, unknown>>;
type Outcome = IgnoredReason | null;

/** Tenths of an action: five a second, ten at once. */
const TOKENS_MAX = 100;
const TOKENS_PER_TICK = 5;
const TOKENS_EACH = 10;
/** Pages that one call outside the tray may touch, so that a hundred seats stay within a tick's bound (work.ts). */
export const CALL_TOUCHES = 256;
const ORDER_MAX = 31;
/** One lowering of oom_score_adj a round, for so long and no lower. */
const ROOT_SECONDS = 30;
const ROOT_FLOOR = -500;
const ADJ_MAX = 1000;
const ADJ_COST_UNITS = 1;

export function isPlain(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** An integer in a range; −0 is none, because a log would lose its sign. */
export function isWhole(value: unknown, low: number, high: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= low && value <= high && !Object.is(value, -0);
}

const isId = (value: unknown): value is number => isWhole(value, 0, 0xffff_ffff);

function doUse(round: Round, seat: SeatState, { tool, card, order }: Fields): Outcome {
  if (typeof tool !== 'string' || !isId(card) || (order !== undefined && !isWhole(order, 0, ORDER_MAX))) return 'MALFORMED';
  if (!round.scenario.tools.includes(tool as ToolId)) return 'NOT_OPEN';
  const wanted = card === 0 ? null : cardOf(seat, card);
  if (wanted === undefined) return 'NO_SUCH_CARD';
  use(round, seat, tool as ToolId, wanted, order ?? 0);
  return null;
}

function doDiscard(round: Round, seat: SeatState, { card }: Fields): Outcome {
  const wanted = isId(card) ? cardOf(seat, card) : undefined;
  if (!wanted) return isId(card) ? 'NO_SUCH_CARD' : 'MALFORMED';
  discard(round, seat, wanted);
  return null;
}

function doFree(round: Round, seat: SeatState, { holding }: Fields): Outcome {
  return isId(holding) ? free(round, seat, holding) : 'MALFORMED';
}

function doFreeDone(round: Round, seat: SeatState): Outcome {
  freeDone(round, seat);
  return null;
}

function doReuse(round: Round, seat: SeatState, { card, holding }: Fields): Outcome {
  if (!isId(card) || !isId(holding)) return 'MALFORMED';
  const wanted = cardOf(seat, card);
  if (!wanted) return 'NO_SUCH_CARD';
  const held = seat.holdings.get(holding);
  if (!held) return 'NO_SUCH_HOLDING';
  if (held.state === 'running') return 'STILL_RUNNING';
  if (!canReuse(wanted, held)) return 'DOES_NOT_FIT';
  reuse(round, seat, wanted, held);
  return null;
}

/** What `doAdj` takes now. */
export function adjRange(round: Round, seat: SeatState): SeatView['adj'] {
  const own = round.machine.tasks.get(seat.pid)?.oomScoreAdjMin ?? 0;
  return { value: seat.adj, min: seat.rootTokens > 0 ? Math.min(ROOT_FLOOR, own) : own, max: ADJ_MAX, tokens: seat.rootTokens };
}

/** Raising is free; lowering takes the root token and lasts 30 seconds. */
function doAdj(round: Round, seat: SeatState, { value }: Fields): Outcome {
  if (!isWhole(value, -ADJ_MAX, ADJ_MAX)) return 'MALFORMED';
  const lowers = value < round.machine.tasks.get(seat.pid)!.oomScoreAdjMin;
  if (lowers && (seat.rootTokens === 0 || value < ROOT_FLOOR)) return 'LIMIT';
  if (lowers) {
    seat.rootTokens -= 1;
    seat.adjUntil = round.now + ticksOf(round, ROOT_SECONDS);
  }
  seat.adj = value;
  charge(round, seat, ADJ_COST_UNITS * UNIT_US, 'others', 0);
  kernelCall(round, null, lowers ? 0 : seat.pid, { call: 'oom_score_adj', target: seat.pid, value });
  return null;
}

/** The time of a lowered adjustment is over. */
export function endAdj(round: Round, seat: SeatState): void {
  if (seat.adjUntil === 0 || round.now < seat.adjUntil) return;
  seat.adjUntil = 0;
  seat.adj = 0;
  kernelCall(round, null, 0, { call: 'oom_score_adj', target: seat.pid, value: 0 });
}

/** Memory of a holding that a call outside the tray has given away is no memory of a job any more. */
function stillHas(round: Round, seat: SeatState, holding: Holding): boolean {
  const task = round.machine.tasks.get(seat.pid)!;
  if (holding.kind === 'block')
    return hasBlock(round.machine.frames, seat.pid, holding.pfn) && round.machine.frames.order[holding.pfn] === holding.order;
  if (holding.kind === 'child') return round.machine.tasks.has(holding.pid);
  for (let i = 0; i < holding.ranges.length; i += 2) {
    let addr = holding.ranges[i]!;
    const end = addr + holding.ranges[i + 1]! * PAGE_SIZE;
    while (addr < end) {
      const vma = vmaAt(task.mm, addr);
      if (vma === null) return false;
      addr = vma.end;
    }
  }
  return true;
}

/** Whether a call would touch more pages at once than one may; what is not a number the kernel refuses. */
function touchesTooMany({ call, length, flags }: Fields): boolean {
  const touches = call === 'read' || call === 'write' || (call === 'mmap' && /MAP_(POPULATE|LOCKED)/.test(String(flags)));
  return touches && typeof length === 'number' && length > CALL_TOUCHES * PAGE_SIZE;
}

function doCall(round: Round, seat: SeatState, { call }: Fields): Outcome {
  if (!isPlain(call) || typeof call.call !== 'string') return 'MALFORMED';
  if (!round.scenario.calls.includes(call.call)) return 'NOT_OPEN';
  if (touchesTooMany(call)) return 'LIMIT';
  const answer = kernelCall(round, seat, seat.pid, call as Call, 'others');
  if (!answer.ok && answer.why) refuse(round, seat, null, answer.why);
  if (!isAlive(seat)) return null;
  for (const holding of seat.holdings.values()) {
    if (stillHas(round, seat, holding)) continue;
    holding.state = 'unused';
    settle(round, seat, holding);
    seat.heap = seat.heap.filter((id) => id !== holding.id);
  }
  countChildren(round, seat);
  return null;
}

const ACTIONS: ReadonlyMap<string, (round: Round, seat: SeatState, fields: Fields) => Outcome> = new Map([
  ['use', doUse],
  ['discard', doDiscard],
  ['free', doFree],
  ['freeDone', doFreeDone],
  ['reuse', doReuse],
  ['adj', doAdj],
  ['call', doCall],
]);

export function refillTokens(seat: SeatState): void {
  seat.tokens = Math.min(TOKENS_MAX, seat.tokens + TOKENS_PER_TICK);
}

function take(round: Round, seat: SeatState, action: unknown): Outcome {
  if (!isPlain(action) || typeof action.do !== 'string') return 'MALFORMED';
  const run = ACTIONS.get(action.do);
  if (!run) return 'MALFORMED';
  if (round.over) return 'ROUND_OVER';
  if (seat.tokens < TOKENS_EACH) return 'TOO_FAST';
  seat.tokens -= TOKENS_EACH;
  if (action.do === 'discard') return run(round, seat, action);
  if (!isAlive(seat)) return 'DEAD';
  return isStalled(round, seat) ? 'STALLED' : run(round, seat, action);
}

/** Takes an action whose seq is new; older ones were applied already. */
export function act(round: Round, seat: SeatState, seq: unknown, action: unknown): void {
  if (!isWhole(seq, 1, 0xffff_ffff) || seq <= seat.lastSeq) return;
  seat.lastSeq = seq;
  const reason = take(round, seat, action);
  if (reason !== null) round.events.push({ type: 'ignored', seat: seat.seat, seq, reason });
}
