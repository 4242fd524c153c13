/** What a seat holds and what of it is needed: the frames of each tick, for rent and for the figure of good citizens. */
import type { Round, SeatState } from './state.ts';

/** From so many jobs on a figure is shown. */
export const CITIZEN_JOBS_MIN = 5;

/** Counts the frames of a seat anew: those of its holdings, and what the kernel has given it beside them. */
export function countFrames(round: Round, seat: SeatState): void {
  let held = 0;
  let idle = 0;
  let needed = 0;
  let own = 0;
  for (const holding of seat.holdings.values()) {
    held += holding.frames;
    if (holding.kind !== 'child') own += holding.frames;
    if (holding.state === 'running') needed += Math.min(holding.needed, holding.frames);
    else idle += holding.frames;
  }
  const task = round.machine.tasks.get(seat.pid);
  const actual = task ? task.mm.rssAnon + task.mm.rssShmem + task.kernelPages - round.scenario.machine.homeFrames : 0;
  seat.other = Math.max(0, actual - own);
  seat.held = held + seat.other;
  seat.idle = idle + seat.other;
  seat.needed = needed;
}

export function sumFrames(seat: SeatState): void {
  seat.heldSum += seat.held;
  seat.neededSum += seat.needed;
}

/** Jobs served by the median seat. */
export function medianJobs(round: Round): number {
  const jobs = [...round.game.seats.values()].map((seat) => seat.granted).sort((a, b) => a - b);
  return jobs.length === 0 ? 0 : jobs[jobs.length >> 1]!;
}

/** Needed ÷ held, less for those who served fewer jobs than the median, in thousandths; 0 before the fifth job. */
export function citizenMilli(seat: SeatState, median: number): number {
  if (seat.granted < CITIZEN_JOBS_MIN || seat.heldSum === 0) return 0;
  const share = Math.trunc((seat.neededSum * 1000) / seat.heldSum);
  return median === 0 ? share : Math.trunc((share * Math.min(seat.granted, median)) / median);
}
