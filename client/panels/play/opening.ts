/**
 * Which panels stand open. Somebody who has never played sees few, and each opens when something happens that it explains
 * (game.md, "First ten seconds"); who has played before sees all.
 */
import type { RoundEvent, Seat } from '#game/types.ts';

export const PANELS = ['processes', 'memory', 'lists', 'you', 'space', 'held', 'log'] as const;
export type PanelName = (typeof PANELS)[number];

const FIRST: readonly PanelName[] = ['memory', 'you', 'processes'];

/** What an event of a round opens, for whom it concerns (`mine`: only when it is one's own). */
const OPENS: Partial<Record<RoundEvent['type'], { panels: readonly PanelName[]; mine: boolean }>> = {
  granted: { panels: ['held', 'space', 'log'], mine: true },
  refused: { panels: ['lists', 'log'], mine: true },
  killed: { panels: ['log', 'processes'], mine: false },
};

export function openedBy(
  allOpen: boolean,
  before: ReadonlySet<PanelName> = new Set(allOpen ? PANELS : FIRST),
  events: readonly RoundEvent[] = [],
  seat: Seat = -1,
): ReadonlySet<PanelName> {
  let after: Set<PanelName> | null = null;
  for (const event of events) {
    const opens = OPENS[event.type];
    if (opens === undefined || (opens.mine && !('seat' in event && event.seat === seat))) continue;
    for (const panel of opens.panels) {
      if ((after ?? before).has(panel)) continue;
      after ??= new Set(before);
      after.add(panel);
    }
  }
  return after ?? before;
}

const KEY = 'overcommit.played';

export function hasPlayed(): boolean {
  try {
    return localStorage.getItem(KEY) !== null;
  } catch {
    return false;
  }
}

export function rememberPlayed(): void {
  try {
    localStorage.setItem(KEY, '1');
  } catch {
    // Then the panels open by events next time, too.
  }
}
