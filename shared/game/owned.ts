/** Whose memory is whose: the seat that a process counts to, and the frames that a holding has. Asked by maps, frame by frame. */
import { frameAt } from '#kernel/arch/mmu.ts';
import { PAGE_SIZE, type Mm, type Pfn, type Pid } from '#kernel/types.ts';
import type { Holding, Round } from './state.ts';
import type { HoldingId, Seat } from './types.ts';

/** The seat that a process or a child of it counts to; null for the kernel and for the dead. O(1). */
export function seatOfPid(round: Round, pid: Pid): Seat | null {
  return round.game.seatOf.get(pid) ?? null;
}

/** Every page of some ranges ([address, pages] …) that has a frame, for which `counts` is so. */
function framesIn(round: Round, mm: Mm, ranges: readonly number[], counts: (pfn: Pfn) => boolean): Pfn[] {
  const pfns: Pfn[] = [];
  for (let i = 0; i < ranges.length; i += 2) {
    for (let page = 0; page < ranges[i + 1]!; page++) {
      const pfn = frameAt(round.machine, mm, ranges[i]! + page * PAGE_SIZE);
      if (pfn >= 0 && counts(pfn)) pfns.push(pfn);
    }
  }
  return pfns;
}

/** A child has what nobody else maps; its page tables are not listed. */
function framesOfChild(round: Round, holding: Holding): Pfn[] {
  const child = round.machine.tasks.get(holding.pid);
  if (!child) return [];
  const ranges = child.mm.vmas.flatMap(({ start, end }) => [start, (end - start) / PAGE_SIZE]);
  return framesIn(round, child.mm, ranges, (pfn) => round.machine.frames.mapcount[pfn] === 1);
}

/** The frames of a holding as they lie now, O(its pages); none for what is gone or was never touched. */
export function framesOfHolding(round: Round, number: Seat, id: HoldingId): Pfn[] {
  const seat = round.game.seats.get(number);
  const holding = seat?.holdings.get(id);
  const task = seat && round.machine.tasks.get(seat.pid);
  if (!holding || !task) return [];
  if (holding.kind === 'child') return framesOfChild(round, holding);
  if (holding.kind === 'block') return Array.from({ length: 1 << holding.order }, (_, n) => holding.pfn + n);
  return framesIn(round, task.mm, holding.ranges, () => true);
}
