/**
 * Jobs at work: what was granted is touched page by page, as a program would, and each touch is a kernel access with its
 * faults. A tick's touches are bounded over the whole machine; the rest carries over, and another seat begins.
 */
import { PAGE_SIZE } from '#kernel/types.ts';
import { kernelCall } from './process.ts';
import { isStalled } from './stall.ts';
import { isAlive, type Holding, type Round, type SeatState } from './state.ts';
import { countChildren } from './release.ts';

/** Pages that all jobs of the machine touch in a tick at most (quality.md, P14). */
export const TOUCHES_PER_TICK = 20_000;
/** Pages that one job touches in a tick. */
export const JOB_TOUCHES = 16;

/** Address of the n-th page of a holding's runs, and how many pages of that run follow it, itself counted. */
function placeOf(ranges: readonly number[], n: number): [addr: number, run: number] {
  let left = n;
  for (let i = 0; i < ranges.length; i += 2) {
    const pages = ranges[i + 1]!;
    if (left < pages) return [ranges[i]! + left * PAGE_SIZE, pages - left];
    left -= pages;
  }
  return [0, 0];
}

/** Touches up to `most` pages of a job; pages that it does not use lie evenly between those that it uses. */
function touch(round: Round, seat: SeatState, holding: Holding, most: number): number {
  const pid = holding.kind === 'child' ? holding.pid : seat.pid;
  const dense = holding.toTouch >= holding.pages;
  let done = 0;
  while (done < most && holding.touched < holding.toTouch) {
    const page = dense ? holding.touched : Math.trunc((holding.touched * holding.pages) / holding.toTouch);
    const [addr, run] = placeOf(holding.ranges, page);
    if (run === 0) {
      holding.touched = holding.toTouch;
      break;
    }
    const pages = dense ? Math.min(run, most - done, holding.toTouch - holding.touched) : 1;
    const answer = kernelCall(round, seat, pid, { call: 'write', addr, length: dense ? pages * PAGE_SIZE : 1 }, 'faults', pages);
    if (!isAlive(seat) || !seat.holdings.has(holding.id)) return done + pages;
    const fresh = (answer.faults?.minor ?? 0) - (holding.kind === 'child' ? 0 : (answer.faults?.cow ?? 0));
    holding.frames = Math.min(holding.kind === 'child' ? holding.frames + fresh : holding.pages, holding.frames + fresh);
    if (!answer.ok) return done + pages;
    holding.touched += pages;
    done += pages;
  }
  if (holding.kind === 'child' && holding.touched >= holding.toTouch) countChildren(round, seat);
  return done;
}

function workOf(round: Round, seat: SeatState, budget: number): number {
  let done = 0;
  for (const holding of seat.holdings.values()) {
    if (holding.state !== 'running' || holding.touched >= holding.toTouch || !seat.holdings.has(holding.id)) continue;
    if (!isAlive(seat) || isStalled(round, seat) || done >= budget) break;
    done += touch(round, seat, holding, Math.min(JOB_TOUCHES, budget - done));
  }
  return done;
}

const hasWork = (seat: SeatState): boolean => {
  for (const holding of seat.holdings.values()) if (holding.state === 'running' && holding.touched < holding.toTouch) return true;
  return false;
};

/** A tick's work of all jobs; the seat that begins moves on by one, so that a bound hits nobody for ever. */
export function workAll(round: Round): void {
  const seats = [...round.game.seats.values()];
  if (seats.length === 0) return;
  let budget = TOUCHES_PER_TICK;
  const first = round.game.turn % seats.length;
  for (let i = 0; i < seats.length && budget > 0; i++) {
    const seat = seats[(first + i) % seats.length]!;
    if (isAlive(seat) && hasWork(seat)) budget -= workOf(round, seat, budget);
  }
  round.game.turn = (first + 1) % seats.length;
}
