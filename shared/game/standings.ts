/** Who is ahead: points, then fewer misfits, then the better citizen; and who is next to be killed. */
import { oomBadness } from '#kernel/mm/oom_badness.ts';
import type { Pid } from '#kernel/types.ts';
import { citizenMilli, medianJobs } from './citizen.ts';
import { shown } from './score.ts';
import type { Round, SeatState } from './state.ts';
import type { Seat } from './types.ts';

/** A seat that came later than this share of the round is ranked by what it makes of the cards it was dealt. */
const LATE_MILLI = 100;
const LATE_CARDS_MIN = 5;

export interface Standing {
  seat: SeatState;
  points: number;
  /** What the rank is made of: equals points for those who were there from the start. */
  score: number;
  citizen: number;
  rank: number;
}

function medianDealt(seats: readonly SeatState[]): number {
  const dealt = seats.map((seat) => seat.dealt).sort((a, b) => a - b);
  return dealt[dealt.length >> 1] ?? 0;
}

/** All seats that ever had a process, best first; equals share a rank. */
export function standings(round: Round): Standing[] {
  const seats = [...round.game.seats.values()];
  const jobs = medianJobs(round);
  const isLate = (seat: SeatState) => seat.joinedAt * 1000 > round.game.endsAt * LATE_MILLI;
  const usual = medianDealt(seats.filter((seat) => !isLate(seat)));
  const rows = seats.map((seat) => {
    const points = shown(seat);
    const byCard = isLate(seat) && seat.dealt >= LATE_CARDS_MIN && usual > 0;
    const score = byCard ? Math.trunc((points * usual) / seat.dealt) : points;
    return { seat, points, score, citizen: citizenMilli(seat, jobs), rank: 0 };
  });
  const compare = (a: Standing, b: Standing) => b.score - a.score || a.seat.misfits - b.seat.misfits || b.citizen - a.citizen;
  rows.sort((a, b) => compare(a, b) || a.seat.seat - b.seat.seat);
  rows.forEach((row, index) => {
    const before = rows[index - 1];
    row.rank = before && compare(before, row) === 0 ? before.rank : index + 1;
  });
  return rows;
}

export interface KillLine {
  /** Place in the OOM killer's order, 1 first; a seat stands where its worst process stands. */
  rankOf: Map<Seat, number>;
  badnessOf: Map<Pid, number>;
  next: Seat | null;
}

/** The order in which the OOM killer would take the processes: badness, of equals the later task. */
export function killLine(round: Round): KillLine {
  const { machine, game } = round;
  const badnessOf = new Map<Pid, number>();
  const line: { pid: Pid; points: number; at: number }[] = [];
  for (const task of machine.tasks.values()) {
    const points = oomBadness(machine, task);
    badnessOf.set(task.pid, points ?? 0);
    if (points !== null) line.push({ pid: task.pid, points, at: line.length });
  }
  line.sort((a, b) => b.points - a.points || b.at - a.at);
  const rankOf = new Map<Seat, number>();
  for (const { pid } of line) {
    const seat = game.seatOf.get(pid);
    if (seat !== undefined && !rankOf.has(seat)) rankOf.set(seat, rankOf.size + 1);
  }
  const first = rankOf.keys().next();
  return { rankOf, badnessOf, next: first.done ? null : first.value };
}
