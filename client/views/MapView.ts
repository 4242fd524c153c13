/** What the scene needs of a frame map, whichever renderer draws it (ShaderMapView, CanvasMapView). */
import type { Camera } from './picking.ts';
import type { MapColours } from './palette.ts';
import type { Texels } from './texels.ts';

export interface MapView {
  /** Brings the screen up to the texels; `clock` is the flash clock (50 ms steps). */
  draw(texels: Texels, camera: Camera, clock: number, dim: number): void;
  recolour(colours: MapColours): void;
  destroy(): void;
}

/** Device pixels between blocks at a zoom; 0 where cells are too small for lines. */
export function lineWidth(zoom: number): number {
  if (zoom < 3) return 0;
  return Math.max(1, Math.round(zoom * 0.08));
}

/** Cells of at least so many CSS pixels show their owner's glyph. */
export const GLYPH_CELL = 13;
/** Share of the cell that a glyph fills. */
export const GLYPH_SHARE = 0.5;
