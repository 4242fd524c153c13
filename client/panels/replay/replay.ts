/** What the parts of a replay share: the session with its cursor, what is chosen, and the names of processes. */
import type { Signal } from '@preact/signals';
import type { ReplaySession } from '../../session/ReplaySession.ts';
import type { NameOf } from './marks.ts';

export const MOMENTS = ['fragmentation', 'freed', 'kill'] as const;
export type MomentName = (typeof MOMENTS)[number];

export interface Replay {
  readonly session: ReplaySession;
  /** The moment that is told at length. */
  readonly moment: Signal<MomentName | null>;
  readonly nameOf: NameOf;
}

/** The tick at which a moment is looked at; null where the round had none. */
export function tickOf({ session }: Replay, name: MomentName): number | null {
  const debrief = session.story.value?.debrief;
  if (name === 'kill') return debrief?.kill?.mark.tick ?? null;
  return debrief?.[name]?.tick ?? null;
}

/** Tells a moment, and stands still just before it happens. */
export function openMoment(replay: Replay, name: MomentName): void {
  const tick = tickOf(replay, name);
  if (tick === null) return;
  replay.moment.value = name;
  goTo(replay, tick - 1);
}

export function goTo({ session }: Replay, tick: number): void {
  session.pause();
  session.seek(tick);
}
