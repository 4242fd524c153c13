import type { Seat } from '#game/types.ts';
import { swatchClass } from '../../views/owners.ts';
import { Swatch } from '../Swatch.tsx';
import type { Play } from './play.ts';

/** A seat's swatch in the hue that it has on this person's map. */
export function Mark({ play, seat }: { play: Play; seat: Seat }) {
  return <Swatch seat={seat} look={swatchClass(seat, play.seat, play.hues.value)} />;
}

/** "PID 1207 ▲ Ada", as text for log, map and screen readers. */
export function who(play: Play, seat: Seat | null, pid: number): string {
  const name = play.nameOf(seat);
  return name === '' ? `PID ${pid}` : `PID ${pid} ${name}`;
}
