/**
 * The frame map as one texel (RGBA) a frame, painted from the kernel's arrays. Pure: no Phaser, no screen.
 * After the first painting only blocks named by the kernel's facts are painted again, so a tick costs what changed, never what there is.
 *
 * R = style | kind << 4 · G = edges of the block and outline of one's own region (EDGE) · B = glyph + 1 on a block's first cell ·
 * A = 0, or 1 + the clock (modulo 255) at which the frame changed.
 */
import { FACT, readFacts } from '#kernel/facts.ts';
import type { FactKind, FactRing } from '#kernel/facts.ts';
import { PG } from '#kernel/types.ts';
import type { Frames, Pfn, Pid } from '#kernel/types.ts';
import { headOf, kindOf, orderOf } from './frameAt.ts';
import { blockHeight, blockWidth, cellIndex } from './morton.ts';
import type { MapLayout } from './morton.ts';
import { KIND, STYLE } from './palette.ts';

export const EDGE = { left: 1, top: 2, outlineLeft: 4, outlineTop: 8, outlineRight: 16, outlineBottom: 32, lit: 64 } as const;
const OUTLINE = EDGE.outlineLeft | EDGE.outlineTop | EDGE.outlineRight | EDGE.outlineBottom;

/** Steps of the flash clock after which a flash has ended; a step is 50 ms. */
export const FLASH_STEPS = 6;
const CLOCK_STEPS = 255;

/** How an owner is painted. */
export interface OwnerLook {
  style: number;
  /** Index in GLYPHS, -1 for none. */
  glyph: number;
  /** Selected: stays bright while all else is dimmed. */
  lit: boolean;
}
export type LookOf = (owner: Pid) => OwnerLook;

export interface Texels {
  readonly layout: MapLayout;
  readonly data: Uint8Array;
  /** Rows with changes since the last `clean`. */
  readonly dirtyRows: Uint8Array;
  dirty: boolean;
  /** Cells painted since creation, for benchmarks and tests of cost. */
  painted: number;
  /** Cells that flash, oldest first, and when they began. */
  flashing: { cell: number; clock: number }[];
}

const FREE: OwnerLook = { style: STYLE.free, glyph: -1, lit: false };
const IMAGE: OwnerLook = { style: STYLE.image, glyph: -1, lit: false };

export function createTexels(layout: MapLayout): Texels {
  return {
    layout,
    data: new Uint8Array(layout.width * layout.height * 4),
    dirtyRows: new Uint8Array(layout.height),
    dirty: false,
    painted: 0,
    flashing: [],
  };
}

/** Marks everything as drawn. */
export function clean(texels: Texels): void {
  texels.dirtyRows.fill(0);
  texels.dirty = false;
}

export function paintAll(texels: Texels, frames: Frames, lookOf: LookOf): void {
  const count = Math.min(frames.count, texels.layout.count);
  const cells: number[] = [];
  for (let pfn = 0; pfn < count;) {
    paintBlock(texels, frames, lookOf, pfn, -1, cells);
    pfn += 1 << orderOf(frames, pfn);
  }
  outline(texels, cells);
}

/**
 * Paints again what the facts since `mark` name, all of it when the ring has lost some. `held` blocks (a dead process' last
 * moments, shown by motion) keep what they look like. Returns the new mark.
 */
export function paintFacts(
  texels: Texels,
  frames: Frames,
  lookOf: LookOf,
  ring: FactRing,
  mark: number,
  clock: number,
  held: ReadonlySet<Pfn> = NONE,
): number {
  if (ring.written - mark > ring.size) {
    paintAll(texels, frames, lookOf);
    return ring.written;
  }
  const heads = new Set<Pfn>();
  const count = Math.min(frames.count, texels.layout.count);
  const next = readFacts(ring, mark, (kind, a, b) => {
    if (!CHANGES.has(kind) || a < 0 || a >= count) return;
    heads.add(headOf(frames, a));
    // A cut leaves two blocks; the half that stays free is named by no other fact.
    const half = kind === FACT.blockSplit && b > 0 ? a + (1 << (b - 1)) : a;
    if (half < count) heads.add(headOf(frames, half));
    if (kind === FACT.pageMigrated && b < count) heads.add(headOf(frames, b));
  });
  const cells: number[] = [];
  for (const head of heads) if (!touches(held, head, orderOf(frames, head))) paintBlock(texels, frames, lookOf, head, clock, cells);
  outline(texels, cells);
  return next;
}

const NONE: ReadonlySet<Pfn> = new Set();

function touches(held: ReadonlySet<Pfn>, head: Pfn, order: number): boolean {
  if (held.size === 0) return false;
  for (let n = 0; n < 1 << order; n++) if (held.has(head + n)) return true;
  return false;
}

const CHANGES: ReadonlySet<FactKind> = new Set([
  FACT.pagesAllocated,
  FACT.pagesFreed,
  FACT.blockSplit,
  FACT.blockMerged,
  FACT.pageMapped,
  FACT.pageCopied,
  FACT.pageMigrated,
  FACT.pagesReturned,
]);

/** Paints the block that holds `pfn`; flashes what changed when `clock` ≥ 0. Painted cells are added to `cells`. */
export function paintBlock(texels: Texels, frames: Frames, lookOf: LookOf, pfn: Pfn, clock: number, cells: number[]): void {
  const head = headOf(frames, pfn);
  const flags = frames.flags[head]!;
  const order = orderOf(frames, head);
  const look = (flags & PG.reserved) !== 0 ? IMAGE : (flags & PG.buddy) !== 0 ? FREE : lookOf(frames.owner[head]!);
  const kind = (flags & PG.buddy) !== 0 ? KIND.page : kindOf(flags, frames.state[head]!);
  const red = look.style | (kind << 4);
  const lit = look.lit ? EDGE.lit : 0;
  const { layout } = texels;
  const corner = cellIndex(layout, head);
  const width = blockWidth(order);
  const height = blockHeight(order);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const cell = corner + y * layout.width + x;
      const edges = (x === 0 ? EDGE.left : 0) | (y === 0 ? EDGE.top : 0) | lit;
      paintCell(texels, cell, red, edges, x === 0 && y === 0 ? look.glyph + 1 : 0, clock);
      cells.push(cell);
    }
  }
}

function paintCell(texels: Texels, cell: number, red: number, edges: number, blue: number, clock: number): void {
  const { data } = texels;
  const at = cell * 4;
  texels.painted += 1;
  const changed = data[at] !== red;
  if (!changed && (data[at + 1]! & ~OUTLINE) === edges && data[at + 2] === blue) return;
  data[at] = red;
  data[at + 1] = edges | (data[at + 1]! & OUTLINE);
  data[at + 2] = blue;
  if (clock >= 0 && changed) {
    data[at + 3] = 1 + (clock % CLOCK_STEPS);
    texels.flashing.push({ cell, clock });
  }
  touch(texels, cell);
}

function touch(texels: Texels, cell: number): void {
  texels.dirtyRows[Math.floor(cell / texels.layout.width)] = 1;
  texels.dirty = true;
}

/** Marks a block's cells as lit, whoever owns them now. */
export function light(texels: Texels, pfn: Pfn, order: number): void {
  for (let n = 0; n < 1 << order; n++) {
    const cell = cellIndex(texels.layout, pfn + n);
    texels.data[cell * 4 + 1]! |= EDGE.lit;
    touch(texels, cell);
  }
}

/** Ends flashes that have run their time, before the clock comes round. */
export function endFlashes(texels: Texels, clock: number): void {
  let ended = 0;
  for (const flash of texels.flashing) {
    if (clock - flash.clock < FLASH_STEPS) break;
    ended += 1;
    if (texels.data[flash.cell * 4 + 3] !== 1 + (flash.clock % CLOCK_STEPS)) continue;
    texels.data[flash.cell * 4 + 3] = 0;
    touch(texels, flash.cell);
  }
  if (ended > 0) texels.flashing.splice(0, ended);
}

/** Draws the outline of one's own region anew around the given cells and their neighbours. */
function outline(texels: Texels, cells: readonly number[]): void {
  const { width } = texels.layout;
  for (const cell of cells) {
    outlineCell(texels, cell);
    outlineCell(texels, cell - width);
    outlineCell(texels, cell + width);
    if (cell % width > 0) outlineCell(texels, cell - 1);
    if (cell % width < width - 1) outlineCell(texels, cell + 1);
  }
}

function outlineCell(texels: Texels, cell: number): void {
  const { data, layout } = texels;
  const at = cell * 4;
  if (at < 0 || at >= data.length) return;
  let edges = data[at + 1]! & ~OUTLINE;
  if (isMine(data[at]!)) {
    const x = cell % layout.width;
    if (x === 0 || !isMine(data[at - 4]!)) edges |= EDGE.outlineLeft;
    if (x === layout.width - 1 || !isMine(data[at + 4]!)) edges |= EDGE.outlineRight;
    if (at < layout.width * 4 || !isMine(data[at - layout.width * 4]!)) edges |= EDGE.outlineTop;
    if (at + layout.width * 4 >= data.length || !isMine(data[at + layout.width * 4]!)) edges |= EDGE.outlineBottom;
  }
  if (edges === data[at + 1]) return;
  data[at + 1] = edges;
  touch(texels, cell);
}

function isMine(red: number): boolean {
  return (red & 15) === STYLE.mine;
}
