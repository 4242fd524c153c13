import type { Seeded } from '#kernel/rng.ts';
import { randomBelow } from '#kernel/rng.ts';
import type { Action, CardView, HoldingView, SeatView, ToolId } from '../types.ts';

/** What a bot looks at: its hand, its holdings, its tray and the clock. */
export type Seen = Pick<SeatView, 'seat' | 'alive' | 'stall' | 'hand' | 'holdings' | 'tray'> & { ticksLeft: number };
export type Mind = (seen: Seen, chance: Seeded) => Action | null;

export function pickOne<T>(chance: Seeded, rows: readonly T[]): T | undefined {
  return rows.length === 0 ? undefined : rows[randomBelow(chance, rows.length)];
}

/** The order of the smallest block that holds so many frames. */
export function orderOf(frames: number): number {
  return frames <= 1 ? 0 : 32 - Math.clz32(frames - 1);
}

export function hasTool(seen: Seen, tool: ToolId): boolean {
  return seen.tray.some(({ id }) => id === tool);
}

export function isIdle(holding: HoldingView): boolean {
  return holding.state !== 'running' && !holding.blocked && holding.id !== 0;
}

export function useFor(card: CardView, tool: ToolId, order = 0): Action {
  return tool === 'alloc_pages' ? { do: 'use', tool, card: card.id, order } : { do: 'use', tool, card: card.id };
}

/** The call that serves a card best: a row of frames for a device, the heap for many small objects, a child for a process. */
export function rightCall(seen: Seen, card: CardView): Action | null {
  if (card.toucher === 'device') return hasTool(seen, 'alloc_pages') ? useFor(card, 'alloc_pages', orderOf(card.frames)) : null;
  if (card.toucher === 'processes') return hasTool(seen, 'fork') ? useFor(card, 'fork') : null;
  const packed = card.count > 1 && card.each % 4096 !== 0;
  const tool: ToolId = packed && hasTool(seen, 'brk') ? 'brk' : hasTool(seen, 'mmap') ? 'mmap' : 'brk';
  return hasTool(seen, tool) ? useFor(card, tool) : null;
}

/** Cards whose work can still end, the least patient first. */
export function playable(seen: Seen): CardView[] {
  return seen.hand
    .filter((card) => card.holdSeconds * 10 < seen.ticksLeft)
    .sort((a, b) => a.patienceLeftTicks - b.patienceLeftTicks || a.id - b.id);
}
