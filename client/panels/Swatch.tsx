import type { Seat } from '#game/types.ts';
import { glyphOf } from '../theme/owners.ts';

/** The mark of a process, the same in roster, map, legend and podium. `look`: class names of theme/controls.css. */
export function Swatch({ seat, look = 'swatch' }: { seat: Seat; look?: string }) {
  return (
    <span class={look} aria-hidden="true">
      {glyphOf(seat)}
    </span>
  );
}
