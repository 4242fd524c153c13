import { useComputed } from '@preact/signals';
import { useMemo } from 'preact/hooks';
import { classView } from '#game/round.ts';
import type { ClassView } from '#game/types.ts';
import type { Session } from '../session/Session.ts';

/** The figures change twice a second: faster cannot be read. */
const SAMPLE_TICKS = 5;

/** What the class sees of itself, twice a second. */
export function useClassView(session: Session): ClassView | null {
  const sample = useComputed(() => Math.ceil(session.tick.value / SAMPLE_TICKS));
  const round = session.round.value;
  return useMemo(() => (round === null ? null : classView(round)), [round, sample.value, session.room.value?.phase]);
}
