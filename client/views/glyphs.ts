/**
 * The shapes of theme/owners.ts (▲ ● ■ ◆ ▼ ★ and the same six as outlines) as paths for the map: no font has to have them there.
 * In the DOM the characters stand. Past twelve seats shapes come again; the number beside them is left to the text.
 */
import type { Seat } from '#game/types.ts';

/** Side of the box that the paths are drawn in. */
export const GLYPH_BOX = 16;

/** Path data (SVG) to be filled by the even-odd rule, by seat modulo 12. */
export const GLYPHS: readonly string[] = [
  'M8 1.5 15 14H1Z',
  'M8 1.5A6.5 6.5 0 1 1 8 14.5A6.5 6.5 0 1 1 8 1.5Z',
  'M2 2H14V14H2Z',
  'M8 .8 15.2 8 8 15.2 .8 8Z',
  'M8 14.5 1 2H15Z',
  'M8 .8 10.1 5.8 15.4 6.2 11.3 9.7 12.6 15 8 12.1 3.4 15 4.7 9.7 .6 6.2 5.9 5.8Z',
  'M8 1.5 15 14H1ZM8 6 5 11.8H11Z',
  'M8 1.5A6.5 6.5 0 1 1 8 14.5A6.5 6.5 0 1 1 8 1.5ZM8 4.5A3.5 3.5 0 1 0 8 11.5A3.5 3.5 0 1 0 8 4.5Z',
  'M2 2H14V14H2ZM5 5V11H11V5Z',
  'M8 .8 15.2 8 8 15.2 .8 8ZM8 5 5 8 8 11 11 8Z',
  'M8 14.5 1 2H15ZM8 10 11 4.2H5Z',
  'M8 .8 10.1 5.8 15.4 6.2 11.3 9.7 12.6 15 8 12.1 3.4 15 4.7 9.7 .6 6.2 5.9 5.8ZM8 6 5.8 8.2 7 11 10 10 10.4 7.6Z',
];

/** Index of a seat's shape in GLYPHS. */
export function shapeOf(seat: Seat): number {
  return seat < 0 ? -1 : seat % GLYPHS.length;
}
