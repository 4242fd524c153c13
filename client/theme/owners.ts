/**
 * How a process is told from the others: a glyph by its seat, for everybody the same, and a hue by who looks.
 * Eight hues are the limit of what can be told apart (look.md), so hues go to oneself and to a few neighbours;
 * the glyph carries the meaning alone.
 */
import type { Seat } from '#game/types.ts';

const SHAPES = ['▲', '●', '■', '◆', '▼', '★', '△', '○', '□', '◇', '▽', '☆'];

/** Seats 0–11 have a shape; later ones the shape and a number ("▲2"). -1 is nobody. */
export function glyphOf(seat: Seat): string {
  if (seat < 0) return '';
  const round = Math.floor(seat / SHAPES.length);
  return SHAPES[seat % SHAPES.length]! + (round === 0 ? '' : String(round + 1));
}

export type Hue = 'mine' | 'own-1' | 'own-2' | 'own-3' | 'own-4' | 'other';
const NEIGHBOURS: Hue[] = ['own-1', 'own-2', 'own-3', 'own-4'];

/** The hue of a seat for one who looks from `mine` (-1: a watcher): the given neighbours get hues in order, the rest one neutral. */
export function hueOf(seat: Seat, mine: Seat, neighbours: readonly Seat[]): Hue {
  if (seat === mine) return 'mine';
  return NEIGHBOURS[neighbours.indexOf(seat)] ?? 'other';
}
