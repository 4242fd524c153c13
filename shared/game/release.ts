/** Giving memory back: areas, blocks and children at once; the heap only from its top, as the break moves. */
import { fourSizes } from '#kernel/fs/proc/task_mmu.ts';
import { PAGE_SIZE } from '#kernel/types.ts';
import { kernelCall } from './process.ts';
import { pay } from './score.ts';
import { isAlive, type Holding, type Round, type SeatState } from './state.ts';

/** The kernel has it back, or a card took it over: the other half is paid. */
export function settle(round: Round, seat: SeatState, holding: Holding): void {
  const { id, pendingMilli, family } = holding;
  seat.holdings.delete(id);
  if (family === null || holding.state !== 'done') return;
  pay(seat, pendingMilli);
  seat.settled += 1;
  round.game.tally.settled += 1;
  round.events.push({ type: 'settled', seat: seat.seat, holding: id, points: Math.trunc(pendingMilli / 1000), family });
}

function unmap(round: Round, seat: SeatState, holding: Holding): void {
  for (let i = 0; i < holding.ranges.length && isAlive(seat); i += 2) {
    const length = holding.ranges[i + 1]! * PAGE_SIZE;
    kernelCall(round, seat, seat.pid, { call: 'munmap', addr: holding.ranges[i]!, length });
  }
}

/** Moves the break down over what was released at the top of the heap; whatever it uncovers is settled. */
export function shrinkHeap(round: Round, seat: SeatState): void {
  const gone: Holding[] = [];
  let pages = 0;
  for (let id = seat.heap.at(-1); id !== undefined; id = seat.heap.at(-1)) {
    const holding = seat.holdings.get(id)!;
    if (!holding.released) break;
    seat.heap.pop();
    gone.push(holding);
    pages += holding.pages;
  }
  if (pages > 0) kernelCall(round, seat, seat.pid, { call: 'sbrk', increment: -pages * PAGE_SIZE });
  for (const holding of gone) {
    settle(round, seat, holding);
    round.events.push({ type: 'freed', seat: seat.seat, frames: holding.frames });
  }
}

/** Frees what a holding has; heap memory under a live block is only marked. */
export function release(round: Round, seat: SeatState, holding: Holding): void {
  if (holding.kind === 'heap') {
    holding.released = true;
    shrinkHeap(round, seat);
    return;
  }
  if (holding.kind === 'area') unmap(round, seat, holding);
  else if (holding.kind === 'block') kernelCall(round, seat, seat.pid, { call: 'free_pages', pfn: holding.pfn, order: holding.order });
  else {
    round.game.seatOf.delete(holding.pid);
    kernelCall(round, seat, holding.pid, { call: 'exit' });
  }
  settle(round, seat, holding);
  round.events.push({ type: 'freed', seat: seat.seat, frames: holding.frames });
  if (holding.kind !== 'child') countChildren(round, seat);
}

/** What a parent gives back stays with the children that still map it: their own frames are counted anew. */
export function countChildren(round: Round, seat: SeatState): void {
  for (const holding of seat.holdings.values()) {
    const child = holding.kind === 'child' ? round.machine.tasks.get(holding.pid) : undefined;
    if (child) holding.frames = child.mm.tables + fourSizes(round.machine, child).uss;
  }
}
