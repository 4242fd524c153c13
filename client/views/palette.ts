/**
 * The colours of the map. A style is a column of the swatch atlas: what a frame's owner looks like. A kind is a row: what the frame
 * is used for, as a pattern. The atlas is laid over the screen at one swatch pixel a device pixel, so patterns stay readable at any zoom.
 */
export const STYLE = {
  /** No frame here. */
  hole: 0,
  free: 1,
  /** The kernel's image. */
  image: 2,
  kernel: 3,
  mine: 4,
  /** The first of HUES owners that are told apart by hue: four hues, then the same four hatched. */
  hue: 5,
  other: 13,
} as const;
export const STYLES = 16;
export const HUES = 8;
const HUES_PLAIN = 4;

export const KIND = {
  /** A page of a process. */
  page: 0,
  table: 1,
  /** A block of alloc_pages. */
  block: 2,
  shared: 3,
  /** A page of a file's cache. */
  file: 4,
} as const;
export const KINDS = 5;

/** Device pixels of a swatch's side. */
export const SWATCH = 8;

export type Rgb = readonly [number, number, number];

/** The roles of theme/tokens.css that the map is painted in. */
export interface MapColours {
  page: Rgb;
  free: Rgb;
  kernel: Rgb;
  mine: Rgb;
  other: Rgb;
  hues: readonly [Rgb, Rgb, Rgb, Rgb];
  /** Between blocks. */
  line: Rgb;
  /** Around one's own. */
  outline: Rgb;
}

/** '#0b1018', or '#fff' as a minifier writes it, as three bytes; black for anything else. */
export function rgb(hex: string): Rgb {
  const long = /^#[0-9a-f]{3}$/i.test(hex) ? hex.replace(/[0-9a-f]/gi, '$&$&') : hex;
  const n = /^#[0-9a-f]{6}$/i.test(long) ? parseInt(long.slice(1), 16) : 0;
  return [n >> 16, (n >> 8) & 255, n & 255];
}

export function css([r, g, b]: Rgb): string {
  return `rgb(${r}, ${g}, ${b})`;
}

/** 0xRRGGBB, as Phaser takes colours. */
export function packed([r, g, b]: Rgb): number {
  return (r << 16) | (g << 8) | b;
}

export function styleColour(style: number, colours: MapColours): Rgb {
  if (style >= STYLE.hue && style < STYLE.hue + HUES) return colours.hues[(style - STYLE.hue) % HUES_PLAIN]!;
  if (style === STYLE.hole) return colours.page;
  if (style === STYLE.free) return colours.free;
  if (style === STYLE.mine) return colours.mine;
  return style === STYLE.other ? colours.other : colours.kernel;
}

/** True where a pattern's ink lies; x and y from 0 to 7. */
type Pattern = (x: number, y: number) => boolean;

const solid: Pattern = () => false;
const hatched: Pattern = (x, y) => (x + y) % 4 === 0;
/** Light dots on the kernel's grey. */
const dots: Pattern = (x, y) => x % 4 === 0 && (y + ((x >> 2) & 1) * 2) % 4 === 0;

const KIND_PATTERNS: readonly Pattern[] = [
  solid,
  (x, y) => x % 4 < 2 && y % 4 < 2,
  (x, y) => (x - y + 8) % 8 < 3,
  (_, y) => y % 4 < 2,
  (x) => x % 4 < 2,
];

/** How dark a kind's ink is: blocks are large areas and need less. */
const KIND_INK: readonly number[] = [0, 0.45, 0.26, 0.4, 0.4];

function mix(a: Rgb, b: Rgb, share: number): Rgb {
  const part = (n: 0 | 1 | 2): number => Math.round(a[n] + (b[n] - a[n]) * share);
  return [part(0), part(1), part(2)];
}

const BLACK: Rgb = [0, 0, 0];
const WHITE: Rgb = [0xff, 0xff, 0xff];

/** The colour of one swatch pixel. */
export function swatchColour(style: number, kind: number, x: number, y: number, colours: MapColours): Rgb {
  const base = styleColour(style, colours);
  if (style === STYLE.hole || style === STYLE.free) return base;
  // A page of a file's cache is nobody's: it has the kernel's grey, and its own pattern.
  const isKernel = style === STYLE.image || style === STYLE.kernel;
  if (isKernel && kind !== KIND.file) return dots(x, y) ? mix(base, WHITE, 0.45) : mix(base, BLACK, kind === KIND.table ? 0.25 : 0);
  if (KIND_PATTERNS[kind]!(x, y)) return mix(base, BLACK, KIND_INK[kind]!);
  return style >= STYLE.hue + HUES_PLAIN && style < STYLE.hue + HUES && hatched(x, y) ? mix(base, BLACK, 0.5) : base;
}

/** RGBA of the whole atlas, STYLES × SWATCH wide and KINDS × SWATCH high. */
export function atlasPixels(colours: MapColours): Uint8Array {
  const width = STYLES * SWATCH;
  const pixels = new Uint8Array(width * KINDS * SWATCH * 4);
  for (let y = 0; y < KINDS * SWATCH; y++) {
    for (let x = 0; x < width; x++) {
      const [r, g, b] = swatchColour(Math.floor(x / SWATCH), Math.floor(y / SWATCH), x % SWATCH, y % SWATCH, colours);
      pixels.set([r, g, b, 255], (y * width + x) * 4);
    }
  }
  return pixels;
}
