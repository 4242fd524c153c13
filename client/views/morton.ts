/**
 * Where a page frame lies on the map. A tile is 32 × 32 cells = 1,024 frames = one block of order 10, filled along the Z-order
 * (Morton) curve: even bits of the frame's number give x, odd bits y. So every buddy block is a square (even order) or a
 * 2:1 rectangle (odd order), a split is a cut through its middle, and a merge is that cut vanishing. Tiles go row by row.
 */
import type { Pfn } from '#kernel/types.ts';

/** Log2 of the frames in a tile. */
export const TILE_ORDER = 10;
/** Cells along a tile's side. */
export const TILE_SIDE = 32;

const TILE_FRAMES = 1 << TILE_ORDER;

export interface MapLayout {
  /** Frames on the map. */
  count: number;
  /** Tiles in a row. */
  columns: number;
  /** Cells of the smallest rectangle that holds all frames. */
  width: number;
  height: number;
}

export interface Cell {
  x: number;
  y: number;
}

/** In cells. */
export interface Rect {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Keeps every other bit of `n`, from bit 0, closed up: 0b…d0c0b0a becomes 0b…dcba. */
function everyOtherBit(n: number): number {
  let bits = n & 0x55555555;
  bits = (bits | (bits >>> 1)) & 0x33333333;
  bits = (bits | (bits >>> 2)) & 0x0f0f0f0f;
  return (bits | (bits >>> 4)) & 0x00ff00ff;
}

/** The opposite: bit k of `n` goes to bit 2k. */
function spreadBits(n: number): number {
  let bits = n & 0xff;
  bits = (bits | (bits << 4)) & 0x0f0f;
  bits = (bits | (bits << 2)) & 0x3333;
  return (bits | (bits << 1)) & 0x5555;
}

/** x of each frame inside its tile, y of each frame inside its tile: looked up, since painting asks for every cell. */
const TILE_X = Uint8Array.from({ length: TILE_FRAMES }, (_, n) => everyOtherBit(n));
const TILE_Y = Uint8Array.from({ length: TILE_FRAMES }, (_, n) => everyOtherBit(n >> 1));

export function blockWidth(order: number): number {
  return 1 << ((order + 1) >> 1);
}

export function blockHeight(order: number): number {
  return 1 << (order >> 1);
}

/** Lays out `count` frames with `columns` tiles in a row. */
export function layoutOf(count: number, columns: number): MapLayout {
  const layout: MapLayout = { count, columns: Math.max(1, columns), width: 0, height: 0 };
  for (let tile = 0; tile * TILE_FRAMES < count; tile++) {
    const corner = tileCorner(layout, tile);
    const inside = Math.min(TILE_FRAMES, count - tile * TILE_FRAMES);
    layout.width = Math.max(layout.width, corner.x + spanX(inside));
    layout.height = Math.max(layout.height, corner.y + spanY(inside));
  }
  return layout;
}

/** The layout whose cells come out largest in a box of the given size (any unit). */
export function bestLayout(count: number, boxWidth: number, boxHeight: number): MapLayout {
  const tiles = Math.max(1, Math.ceil(count / TILE_FRAMES));
  let best = layoutOf(count, 1);
  let bestCell = cellIn(best, boxWidth, boxHeight);
  for (let columns = 2; columns <= tiles; columns++) {
    const layout = layoutOf(count, columns);
    const cell = cellIn(layout, boxWidth, boxHeight);
    if (cell > bestCell) [best, bestCell] = [layout, cell];
  }
  return best;
}

function cellIn(layout: MapLayout, boxWidth: number, boxHeight: number): number {
  return Math.min(boxWidth / layout.width, boxHeight / layout.height);
}

function tileCorner(layout: MapLayout, tile: number): Cell {
  return { x: (tile % layout.columns) * TILE_SIDE, y: Math.floor(tile / layout.columns) * TILE_SIDE };
}

function spanX(frames: number): number {
  if (frames === TILE_FRAMES) return TILE_SIDE;
  let span = 0;
  for (let n = 0; n < frames; n++) span = Math.max(span, TILE_X[n]! + 1);
  return span;
}

function spanY(frames: number): number {
  if (frames === TILE_FRAMES) return TILE_SIDE;
  let span = 0;
  for (let n = 0; n < frames; n++) span = Math.max(span, TILE_Y[n]! + 1);
  return span;
}

export function pfnToCell(layout: MapLayout, pfn: Pfn): Cell {
  const corner = tileCorner(layout, pfn >> TILE_ORDER);
  const within = pfn & (TILE_FRAMES - 1);
  return { x: corner.x + TILE_X[within]!, y: corner.y + TILE_Y[within]! };
}

/** Index y × width + x of a frame's cell; what the painter needs, without an object. */
export function cellIndex(layout: MapLayout, pfn: Pfn): number {
  const tile = pfn >> TILE_ORDER;
  const within = pfn & (TILE_FRAMES - 1);
  const x = (tile % layout.columns) * TILE_SIDE + TILE_X[within]!;
  const y = Math.floor(tile / layout.columns) * TILE_SIDE + TILE_Y[within]!;
  return y * layout.width + x;
}

/** The frame in a cell, or -1 where there is none. */
export function cellToPfn(layout: MapLayout, x: number, y: number): Pfn {
  if (x < 0 || y < 0 || x >= layout.width || y >= layout.height) return -1;
  const tile = Math.floor(y / TILE_SIDE) * layout.columns + Math.floor(x / TILE_SIDE);
  const pfn = tile * TILE_FRAMES + spreadBits(x % TILE_SIDE) + (spreadBits(y % TILE_SIDE) << 1);
  return pfn < layout.count ? pfn : -1;
}

/** The rectangle of a block of at most order 10 whose first frame is `pfn`. */
export function blockRect(layout: MapLayout, pfn: Pfn, order: number): Rect {
  const { x, y } = pfnToCell(layout, pfn);
  return { x, y, width: blockWidth(order), height: blockHeight(order) };
}
