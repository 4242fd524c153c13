/** What a seat may see: every number that a screen shows is made here, on demand, and read back by no rule. */
import { nrFree } from '#kernel/mm/buddy.ts';
import { areaSizes, fourSizes } from '#kernel/fs/proc/task_mmu.ts';
import { oomScore, totalPages } from '#kernel/mm/oom_badness.ts';
import { VM } from '#kernel/mm/vma.ts';
import type { Mm, Task, Vma } from '#kernel/types.ts';
import { adjRange } from './actions.ts';
import { citizenMilli, medianJobs } from './citizen.ts';
import { classFigure, unusableMilli } from './figures.ts';
import { canReuse } from './holdings.ts';
import { patienceLeft } from './hand.ts';
import { FAMILIES } from './jobs.ts';
import { payNow, shown, times } from './score.ts';
import { killLine, standings, type KillLine, type Standing } from './standings.ts';
import { stallTicks } from './stall.ts';
import { isAlive, type Card, type Holding, type Round, type SeatState } from './state.ts';
import { TOOLS } from './tools.ts';
import type {
  AreaView,
  CardView,
  ClassView,
  HoldingView,
  MachineView,
  Podium,
  ProcessRow,
  Seat,
  SeatView,
  ToolId,
  ToolView,
} from './types.ts';

const KEYS = ['q', 'w', 'e', 'r', 'a', 's', 'd', 'f'] as const;
const BYTES_PER_KIB = 1024;
const PAGE_BYTES = 4096;

function patternOf(card: Card): CardView['pattern'] {
  if (card.family === 'worker') return card.writesMilli >= 1000 ? 'written100' : card.writesMilli >= 500 ? 'written50' : 'written5';
  return card.needed < card.frames ? 'sparse' : 'all';
}

function textOf(card: Card): CardView['text'] {
  const kib = Math.ceil(card.bytes / BYTES_PER_KIB);
  const numbers = {
    frames: card.frames,
    kib,
    count: card.count,
    each: card.each,
    used: card.needed,
    share: Math.trunc(card.writesMilli / 10),
  };
  if (card.family === 'capture') return { key: 'cards.capture', numbers };
  if (card.family === 'worker') return { key: 'cards.worker', numbers };
  if (card.needed < card.frames) return { key: 'cards.bufferSparse', numbers };
  return { key: card.count > 1 ? 'cards.bufferMany' : 'cards.bufferOne', numbers };
}

export function cardView(round: Round, seat: SeatState, card: Card, isNext = false): CardView {
  const row = FAMILIES[card.family];
  const left = isNext ? card.patienceTicks : patienceLeft(round, seat, card);
  const reusable = isNext ? [] : [...seat.holdings.values()].filter((holding) => canReuse(card, holding)).map((holding) => holding.id);
  return {
    id: card.id,
    frames: card.frames,
    bytes: card.bytes,
    count: card.count,
    each: card.each,
    toucher: row.toucher,
    contiguous: row.contiguous,
    maySleep: true,
    mayFail: false,
    holdSeconds: Math.ceil(card.holdTicks / 10),
    pattern: patternOf(card),
    text: textOf(card),
    pay: Math.trunc(card.baseMilli / 1000),
    payNow: Math.trunc(payNow(round.scenario.economy, card, card.offeredAt + card.patienceTicks - left) / 1000),
    patienceLeftTicks: left,
    patienceTicks: card.patienceTicks,
    misfits: card.misfits,
    reusable,
    why: card.why,
  };
}

export function holdingView(round: Round, holding: Holding): HoldingView {
  const isRunning = holding.state === 'running';
  const { economy } = round.scenario;
  return {
    id: holding.id,
    state: holding.state,
    tool: holding.tool,
    frames: holding.frames,
    needed: isRunning ? holding.needed : 0,
    ticksLeft: isRunning ? Math.max(0, holding.endsAt - round.now) : 0,
    ticks: holding.endsAt === 0 ? 0 : holding.endsAt - holding.startedAt,
    rentMilli: isRunning ? 0 : holding.frames * economy.rentMilliPerFrameSecond,
    pending: Math.trunc((isRunning ? holding.payMilli - times(holding.payMilli, economy.doneShareMilli) : holding.pendingMilli) / 1000),
    family: holding.state === 'done' ? holding.family : null,
    addr: holding.ranges[0] ?? 0,
    pfn: holding.pfn,
    blocked: holding.released,
  };
}

/** Memory that calls outside the tray took: it has no number, and is freed by calls. */
function otherView(round: Round, seat: SeatState): HoldingView[] {
  if (seat.other === 0) return [];
  const rentMilli = seat.other * round.scenario.economy.rentMilliPerFrameSecond;
  const none = { id: 0, ticksLeft: 0, ticks: 0, needed: 0, pending: 0, family: null, addr: 0, pfn: -1, blocked: false };
  return [{ ...none, state: 'unused', tool: 'call', frames: seat.other, rentMilli }];
}

export function tray(round: Round): ToolView[] {
  return round.scenario.tools.map((id: ToolId, index) => ({ id, key: KEYS[index]!, takesOrder: TOOLS[id].takesOrder }));
}

/** Whether a bot plays this seat now: one of its own, or one that stands in for a player. */
export function isHeldByBot(round: Round, number: Seat): boolean {
  return (round.game.seats.get(number)?.bot ?? null) !== null;
}

/** What a bot needs of a seat's view, without the walks over page tables. */
export type HandView = Pick<SeatView, 'seat' | 'alive' | 'stall' | 'hand' | 'holdings' | 'tray'>;

export function handView(round: Round, number: Seat): HandView | null {
  const seat = round.game.seats.get(number);
  if (!seat) return null;
  return {
    seat: number,
    alive: isAlive(seat),
    stall: stallView(round, seat),
    hand: seat.hand.map((card) => cardView(round, seat, card)),
    holdings: [...[...seat.holdings.values()].map((holding) => holdingView(round, holding)), ...otherView(round, seat)],
    tray: tray(round),
  };
}

function stallView(round: Round, seat: SeatState): SeatView['stall'] {
  const ticks = stallTicks(round, seat);
  return ticks === 0 ? null : { ticks, cause: seat.stallCause, numbers: { us: seat.stallUs, frames: seat.stallFrames } };
}

function areaView(round: Round, mm: Mm, vma: Vma): AreaView {
  const { start, end } = vma;
  const isHeap = start < mm.brk && end > mm.startBrk;
  const kind = vma.flags & VM.shared ? 'shared' : isHeap ? 'heap' : 'mmap';
  return { start, end, kind, pages: (end - start) / PAGE_BYTES, resident: areaSizes(round.machine, mm, vma).rss };
}

const NO_MEMORY: SeatView['memory'] = { vss: 0, rss: 0, pss: 0, uss: 0, kernel: 0, tables: 0 };

function memoryOf(round: Round, task: Task | undefined): SeatView['memory'] {
  if (!task) return NO_MEMORY;
  const { vss, rss, pssBytes, uss } = fourSizes(round.machine, task);
  return { vss, rss, pss: Math.round(pssBytes / PAGE_BYTES), uss, kernel: task.kernelPages, tables: task.mm.tables };
}

function totalsOf(holdings: readonly HoldingView[]): SeatView['totals'] {
  const done = holdings.filter(({ state }) => state === 'done');
  return {
    pending: done.reduce((sum, { pending, blocked }) => sum + (blocked ? 0 : pending), 0),
    rentMilli: holdings.reduce((sum, { rentMilli }) => sum + rentMilli, 0),
    done: done.length,
    doneFrames: done.reduce((sum, { frames }) => sum + frames, 0),
  };
}

/** Points from a seat to the last one of the next better third. */
function climbOf(mine: Standing, all: readonly Standing[]): number | null {
  const third = thirdOf(mine.rank, all.length);
  const last = all.filter(({ rank }) => thirdOf(rank, all.length) < third).at(-1);
  return last === undefined || mine.score !== mine.points || last.score !== last.points ? null : Math.max(1, last.score - mine.score + 1);
}

function thirdOf(rank: number, of: number): 1 | 2 | 3 {
  const third = Math.min(3, Math.ceil((rank * 3) / Math.max(1, of)));
  return third <= 1 ? 1 : third === 2 ? 2 : 3;
}

export function seatView(round: Round, number: Seat): SeatView | null {
  const seat = round.game.seats.get(number);
  if (!seat) return null;
  const task = round.machine.tasks.get(seat.pid);
  const line = killLine(round);
  const all = standings(round);
  const mine = all.find((row) => row.seat === seat)!;
  const hand = handView(round, number)!;
  return {
    ...hand,
    pid: seat.pid,
    respawnTicks: isAlive(seat) ? 0 : Math.max(0, seat.respawnAt - round.now),
    next: seat.next === null ? null : cardView(round, seat, seat.next, true),
    nextDealTicks: Math.max(0, seat.nextDealAt - round.now),
    totals: totalsOf(hand.holdings),
    points: mine.points,
    rank: mine.rank,
    third: thirdOf(mine.rank, all.length),
    of: all.length,
    climb: climbOf(mine, all),
    memory: memoryOf(round, task),
    badness: line.badnessOf.get(seat.pid) ?? 0,
    oomScore: task ? oomScore(round.machine, task) : 0,
    oomScoreAdj: seat.adj,
    adjPages: Math.trunc(totalPages(round.machine) / 1000),
    adj: adjRange(round, seat),
    killRank: line.rankOf.get(number) ?? 0,
    killNext: line.next,
    areas: task ? task.mm.vmas.map((vma) => areaView(round, task.mm, vma)) : [],
    citizenMilli: mine.citizen,
    killed: seat.killed,
  };
}

export function machineView(round: Round): MachineView {
  const { machine } = round;
  const orders = Array.from({ length: machine.config.maxOrder + 1 }, (_, order) => order);
  const freeLists = orders.map((order) => machine.zones.reduce((sum, zone) => sum + nrFree(zone, order), 0));
  return {
    frames: machine.frames.count,
    managed: machine.zones.reduce((sum, zone) => sum + zone.managed, 0),
    free: machine.zones.reduce((sum, zone) => sum + zone.free, 0),
    zones: machine.zones.map(({ name, start, end, free, managed, watermark }) => ({ name, start, end, free, managed, ...watermark })),
    freeLists,
    unusableMilli: orders.map((order) => unusableMilli(machine, order)),
    largestOrder: freeLists.reduce((largest, blocks, order) => (blocks > 0 ? order : largest), -1),
  };
}

function processRow(round: Round, { seat, points, rank, citizen }: Standing, line: KillLine): ProcessRow {
  const task = round.machine.tasks.get(seat.pid);
  return {
    seat: seat.seat,
    pid: seat.pid,
    bot: seat.bot,
    alive: isAlive(seat),
    rss: task ? task.mm.rssAnon + task.mm.rssShmem + task.mm.rssFile : 0,
    held: seat.held,
    badness: line.badnessOf.get(seat.pid) ?? 0,
    killRank: line.rankOf.get(seat.seat) ?? 0,
    points,
    rank,
    kills: seat.killTicks.length,
    citizenMilli: citizen,
    stalledTicks: seat.stalledTicks,
    oomScoreAdj: seat.adj,
    capped: seat.capped,
  };
}

/** How few processes hold most: the smallest number of them that holds half of what all seats hold, at most five. */
function topHolders(round: Round): ClassView['topHolders'] {
  const held = [...round.game.seats.values()].map((seat) => seat.held).sort((a, b) => b - a);
  const all = held.reduce((sum, frames) => sum + frames, 0);
  let count = 0;
  let sum = 0;
  while (count < Math.min(5, held.length) && sum * 2 < all) sum += held[count++]!;
  return { count, shareMilli: all === 0 ? 0 : Math.trunc((sum * 1000) / all) };
}

export function classView(round: Round): ClassView {
  const { game, now } = round;
  const line = killLine(round);
  return {
    now,
    endsAt: game.endsAt,
    phase: game.phase,
    dealt: game.tally.dealt,
    settled: game.tally.settled,
    kills: game.tally.kills,
    failures: game.tally.failures,
    figure: classFigure(round),
    topHolders: topHolders(round),
    machine: machineView(round),
    processes: standings(round)
      .map((standing) => processRow(round, standing, line))
      .sort((a, b) => a.seat - b.seat),
  };
}

function citizensOf(all: readonly Standing[], jobs: number): Podium['citizen'] {
  const rows = all.map(({ seat }) => ({ seat: seat.seat, milli: citizenMilli(seat, jobs) })).filter(({ milli }) => milli > 0);
  rows.sort((a, b) => b.milli - a.milli || a.seat - b.seat);
  const percent = (row: { milli: number }) => Math.round(row.milli / 10);
  return rows.map((row) => ({ ...row, place: 1 + rows.findIndex((other) => percent(other) === percent(row)) }));
}

export function podium(round: Round): Podium {
  const line = killLine(round);
  const all = standings(round);
  const jobs = medianJobs(round);
  const { settled, dealt, kills } = round.game.tally;
  return {
    points: all.map(({ seat, rank }) => ({ seat: seat.seat, points: shown(seat), place: rank })),
    citizen: citizensOf(all, jobs),
    class: { figure: classFigure(round), settled, dealt, kills },
    rows: all.map((standing) => processRow(round, standing, line)),
  };
}
