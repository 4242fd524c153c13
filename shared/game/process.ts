/**
 * Processes of seats: every call that the game makes goes through `kernelCall`, which charges its cost to the caller and
 * notices who died of it. A seat's process may die, come back as a new one, or leave; its children count to the seat.
 */
import { call, type Answer, type Call } from '#kernel/machine.ts';
import { oomBadness } from '#kernel/mm/oom_badness.ts';
import { managedPages } from '#kernel/mm/mmzone.ts';
import { VMSTAT } from '#kernel/mm/vmstat.ts';
import { PAGE_SIZE, type Pid } from '#kernel/types.ts';
import { ticksOf, TICKS_PER_SECOND } from './pulse.ts';
import { killPenalty } from './score.ts';
import { lateFrames } from './sizing.ts';
import { charge } from './stall.ts';
import { createSeat, isAlive, type Round, type SeatState } from './state.ts';
import type { BotName, Row3, Seat, StallCause } from './types.ts';

export const CHILDREN_MAX = 4;
/** Kernel pages of one seat, in thousandths of a fair share. */
const KERNEL_SHARE_MILLI = 1500;
/** RLIMIT_AS after the second kill, and of a seat that the host has capped. */
const LIMITED_SHARE_MILLI = 2500;
const CAPPED_SHARE_MILLI = 1000;
const MINUTE_TICKS = 600;

export const RW = 'PROT_READ|PROT_WRITE';
export const PRIVATE = 'MAP_PRIVATE|MAP_ANONYMOUS';

/** Frames of the machine divided by the processes of seats that live. */
export function fairShare(round: Round): number {
  let alive = 0;
  for (const seat of round.game.seats.values()) if (seat.present) alive += 1;
  return Math.trunc(managedPages(round.machine.zones) / Math.max(1, alive));
}

export function kernelPagesMax(round: Round, seat: SeatState): number {
  const milli = seat.capped ? CAPPED_SHARE_MILLI : KERNEL_SHARE_MILLI;
  return Math.trunc((fairShare(round) * milli) / 1000);
}

/** Makes a call as `pid` for a seat, which pays for it; with `seat` null the kernel itself asks. */
export function kernelCall(
  round: Round,
  seat: SeatState | null,
  pid: Pid,
  request: Call,
  cause: StallCause = 'faults',
  frames = 0,
): Answer {
  const { machine, game } = round;
  const answer = call(machine, pid, request);
  if (seat !== null) charge(round, seat, answer.cost, answer.ok ? cause : 'failed', frames);
  if (machine.vmstat[VMSTAT.oom_kill] !== game.killsSeen) noteKills(round, seat, pid);
  if (seat !== null && isAlive(seat) && !machine.tasks.has(seat.pid))
    endProcess(round, seat, 'crashed', answer.ok ? 'exit' : (answer.signal ?? 'exit'));
  return answer;
}

function rowOf(round: Round, seat: Seat | null, pid: Pid, asked: number): Row3 {
  const task = round.machine.tasks.get(pid);
  if (!task) return { seat, pid, rss: 0, badness: 0, asked };
  return { seat, pid, rss: task.mm.rssAnon + task.mm.rssShmem + task.mm.rssFile, badness: oomBadness(round.machine, task) ?? 0, asked };
}

/** The seat whose process is the OOM killer's next choice; of equals the later one, as the kernel has it. */
export function nextVictim(round: Round): Seat | null {
  let chosen: Pid = 0;
  let most = 0;
  for (const task of round.machine.tasks.values()) {
    const points = oomBadness(round.machine, task);
    if (points === null || (chosen !== 0 && points < most)) continue;
    chosen = task.pid;
    most = points;
  }
  return round.game.seatOf.get(chosen) ?? null;
}

/** The kernel has killed since the last look: the processes of seats that are gone are its victims. */
function noteKills(round: Round, asker: SeatState | null, askerPid: Pid): void {
  const { machine, game } = round;
  game.killsSeen = machine.vmstat[VMSTAT.oom_kill]!;
  const kills = machine.kills;
  const asked = 1 << (kills[kills.length - 1]?.order ?? 0);
  for (const kill of kills) {
    const seat = game.seats.get(game.seatOf.get(kill.pid) ?? -1);
    game.tally.kills += 1;
    if (!seat) {
      round.events.push({ type: 'killed', seat: null, pid: kill.pid, asker: asker?.seat ?? null, badness: kill.badness, lost: 0 });
      continue;
    }
    const victim: Row3 = { seat: seat.seat, pid: kill.pid, rss: kill.rss, badness: kill.badness, asked: seat === asker ? asked : 0 };
    const askerRow = kill.pid === askerPid ? victim : rowOf(round, asker?.seat ?? null, askerPid, asked);
    takeKill(round, seat, askerRow, victim);
  }
}

function takeKill(round: Round, seat: SeatState, asker: Row3, victim: Row3): void {
  const penalty = killPenalty(round, seat);
  let lost = penalty;
  seat.milli -= penalty * 1000;
  seat.killTicks.push(round.now);
  if (victim.pid === seat.pid) {
    lost += endProcess(round, seat, 'killed', 'SIGKILL');
  } else {
    round.game.seatOf.delete(victim.pid);
    for (const holding of seat.holdings.values()) {
      if (holding.kind !== 'child' || holding.pid !== victim.pid) continue;
      lost += pendingPoints(holding.state === 'running' ? holding.payMilli : holding.pendingMilli);
      seat.holdings.delete(holding.id);
    }
  }
  seat.killed = { tick: round.now, asker, victim, next: nextVictim(round), lost };
  round.events.push({ type: 'killed', seat: seat.seat, pid: victim.pid, asker: asker.seat, badness: victim.badness, lost });
}

const pendingPoints = (milli: number): number => Math.trunc(milli / 1000);

/** The process is gone: what it held and was still to be paid goes with it. Returns the points that it forfeits. */
function endProcess(round: Round, seat: SeatState, how: 'killed' | 'crashed' | 'left', signal: string): number {
  const { game } = round;
  const gone = seat.pid;
  let lost = 0;
  for (const holding of seat.holdings.values()) lost += holding.state === 'running' ? holding.payMilli : holding.pendingMilli;
  const children = [...seat.holdings.values()].filter((holding) => holding.kind === 'child').map((holding) => holding.pid);
  game.seatOf.delete(gone);
  seat.pid = 0;
  seat.holdings.clear();
  seat.heap = [];
  seat.adj = 0;
  seat.adjUntil = 0;
  seat.diedAt = round.now;
  seat.spentUs = 0;
  seat.stallUs = 0;
  for (const pid of children) {
    game.seatOf.delete(pid);
    call(round.machine, pid, { call: 'exit' });
  }
  if (how === 'crashed') round.events.push({ type: 'crashed', seat: seat.seat, pid: gone, signal });
  if (how !== 'left') seat.respawnAt = round.now + respawnTicks(round, seat);
  return pendingPoints(lost);
}

/** The wait before coming back grows with the kills of the last minute. */
function respawnTicks(round: Round, seat: SeatState): number {
  const { respawnSeconds } = round.scenario.economy;
  const recent = seat.killTicks.filter((tick) => round.now - tick < MINUTE_TICKS).length;
  return ticksOf(round, respawnSeconds[Math.min(2, Math.max(0, recent - 1))]!);
}

/** Gives the seat a process with its program's data; tries again a second later when the kernel has no page for it. */
export function startProcess(round: Round, seat: SeatState): void {
  const answer = kernelCall(round, null, 0, { call: 'spawn' });
  if (!answer.ok) {
    seat.respawnAt = round.now + TICKS_PER_SECOND;
    return;
  }
  const pid = answer.pid!;
  seat.pid = pid;
  round.game.seatOf.set(pid, seat.seat);
  const back = seat.respawnAt !== 0 && seat.diedAt !== 0;
  if (back) for (const card of seat.hand) card.offeredAt += round.now - seat.diedAt;
  seat.respawnAt = 0;
  round.events.push({ type: back ? 'respawned' : 'joined', seat: seat.seat, pid });
  call(round.machine, pid, { call: 'setrlimit', resource: 'RLIMIT_NPROC', limit: CHILDREN_MAX });
  limitAddressSpace(round, seat);
  const length = round.scenario.machine.homeFrames * PAGE_SIZE;
  if (length === 0) return;
  const home = kernelCall(round, null, pid, { call: 'mmap', length, prot: RW, flags: PRIVATE });
  if (!home.ok || seat.pid !== pid) return;
  seat.homeAddr = home.addr as number;
  kernelCall(round, seat, pid, { call: 'write', addr: seat.homeAddr, length });
  seat.spentUs = 0;
}

/** Limits hold for what is asked from now on, as setrlimit's do; a later, larger limit comes with the next process. */
function limitAddressSpace(round: Round, seat: SeatState): void {
  const milli = seat.capped ? CAPPED_SHARE_MILLI : seat.killTicks.length >= 2 ? LIMITED_SHARE_MILLI : 0;
  if (milli === 0 || !isAlive(seat)) return;
  const pages = Math.trunc((fairShare(round) * milli) / 1000);
  call(round.machine, seat.pid, { call: 'setrlimit', resource: 'RLIMIT_AS', limit: pages * PAGE_SIZE });
}

/** Joins, or comes back after it left. A seat beyond the planned ones brings its memory along. */
export function join(round: Round, number: Seat, bot: BotName | null): void {
  const { game } = round;
  const known = game.seats.get(number);
  if (known?.present) {
    known.bot = bot;
    return;
  }
  if (known) {
    Object.assign(known, { bot, present: true, nextDealAt: round.now });
    startProcess(round, known);
    return;
  }
  const seat = createSeat(number, bot, round.now);
  game.seats.set(number, seat);
  if (game.seats.size > game.seatsPlanned) call(round.machine, 0, { call: 'add_memory', count: lateFrames(round.scenario) });
  startProcess(round, seat);
}

/** The process ends for good; its points stay. */
export function leave(round: Round, seat: SeatState): void {
  if (!seat.present) return;
  seat.present = false;
  seat.respawnAt = 0;
  seat.hand = [];
  seat.next = null;
  if (isAlive(seat)) {
    const { pid } = seat;
    endProcess(round, seat, 'left', '');
    call(round.machine, pid, { call: 'exit' });
  }
  round.events.push({ type: 'left', seat: seat.seat });
}

export function cap(round: Round, seat: SeatState, on: boolean): void {
  seat.capped = on;
  if (on) limitAddressSpace(round, seat);
}
