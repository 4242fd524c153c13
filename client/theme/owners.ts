/**
 * How a process is told from the others: a glyph by its seat, for everybody the same. It carries the meaning alone; the
 * hue beside it depends on who looks (views/owners.ts).
 */
import type { Seat } from '#game/types.ts';

const SHAPES = ['▲', '●', '■', '◆', '▼', '★', '△', '○', '□', '◇', '▽', '☆'];

/** Seats 0–11 have a shape; later ones the shape and a number ("▲2"). -1 is nobody. */
export function glyphOf(seat: Seat): string {
  if (seat < 0) return '';
  const round = Math.floor(seat / SHAPES.length);
  return SHAPES[seat % SHAPES.length]! + (round === 0 ? '' : String(round + 1));
}
