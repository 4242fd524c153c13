/** The frame map where there is no WebGL: the same texels, cell by cell on a 2D canvas, changed cells only. */
import * as Phaser from 'phaser';
import { GLYPHS, GLYPH_BOX } from './glyphs.ts';
import { GLYPH_CELL, GLYPH_SHARE, lineWidth } from './MapView.ts';
import type { MapView } from './MapView.ts';
import { css, KINDS, STYLE, STYLES, SWATCH, swatchColour } from './palette.ts';
import type { MapColours } from './palette.ts';
import type { Camera } from './picking.ts';
import { clean, EDGE, FLASH_STEPS } from './texels.ts';
import type { Texels } from './texels.ts';

const KEY = 'map-canvas';
/** Neither side of the canvas becomes longer, in pixels: what every browser can hold. */
const SIDE_MAX = 4096;

export class CanvasMapView implements MapView {
  private readonly texture: Phaser.Textures.CanvasTexture;
  private readonly image: Phaser.GameObjects.Image;
  private readonly glyphs = GLYPHS.map((path) => new Path2D(path));
  private swatches: CanvasPattern[] = [];
  private colours: MapColours;
  private dim = 0;
  private all = true;

  private readonly scene: Phaser.Scene;
  /** Canvas pixels a cell. */
  private readonly side: number;

  constructor(scene: Phaser.Scene, texels: Texels, colours: MapColours, side: number) {
    this.scene = scene;
    const { width, height } = texels.layout;
    this.side = Math.max(1, Math.min(side, Math.floor(SIDE_MAX / Math.max(width, height))));
    if (scene.textures.exists(KEY)) scene.textures.remove(KEY);
    this.texture = scene.textures.createCanvas(KEY, width * this.side, height * this.side)!;
    this.texture.setFilter(Phaser.Textures.FilterMode.NEAREST);
    this.image = scene.add.image(0, 0, KEY).setOrigin(0, 0);
    this.colours = colours;
    this.recolour(colours);
  }

  draw(texels: Texels, camera: Camera, clock: number, dim: number): void {
    this.image.setPosition(-camera.left * camera.zoom, -camera.top * camera.zoom).setScale(camera.zoom / this.side);
    if (dim !== this.dim) this.all = true;
    this.dim = dim;
    const { width, height } = texels.layout;
    if (this.all || texels.dirty) {
      for (let y = 0; y < height; y++) {
        if (!this.all && texels.dirtyRows[y] === 0) continue;
        for (let x = 0; x < width; x++) this.cell(texels, y * width + x, clock);
      }
    }
    for (const flash of texels.flashing) this.cell(texels, flash.cell, clock);
    this.all = false;
    clean(texels);
  }

  recolour(colours: MapColours): void {
    this.colours = colours;
    this.swatches = [];
    for (let n = 0; n < STYLES * KINDS; n++) this.swatches.push(this.pattern(n % STYLES, Math.floor(n / STYLES)));
    this.all = true;
  }

  destroy(): void {
    this.image.destroy();
    this.scene.textures.remove(KEY);
  }

  private pattern(style: number, kind: number): CanvasPattern {
    const tile = document.createElement('canvas');
    tile.width = tile.height = SWATCH;
    const pen = tile.getContext('2d')!;
    for (let n = 0; n < SWATCH * SWATCH; n++) {
      pen.fillStyle = css(swatchColour(style, kind, n % SWATCH, Math.floor(n / SWATCH), this.colours));
      pen.fillRect(n % SWATCH, Math.floor(n / SWATCH), 1, 1);
    }
    return this.texture.context.createPattern(tile, 'repeat')!;
  }

  private cell(texels: Texels, cell: number, clock: number): void {
    const { data, layout } = texels;
    const pen = this.texture.context;
    const { side } = this;
    const at = cell * 4;
    const x = (cell % layout.width) * side;
    const y = Math.floor(cell / layout.width) * side;
    const style = data[at]! & 15;
    const edges = data[at + 1]!;
    pen.fillStyle = this.swatches[(data[at]! >> 4) * STYLES + style]!;
    pen.fillRect(x, y, side, side);
    if (style === STYLE.hole) return;
    const flash = flashOf(data[at + 3]!, clock) * (style === STYLE.free ? 0.22 : 0.8);
    if (flash > 0) this.veil(x, y, `rgba(255, 255, 255, ${flash})`);
    if (data[at + 2]! > 0 && side >= GLYPH_CELL) this.glyph(data[at + 2]! - 1, x, y);
    this.edges(edges, x, y);
    if (this.dim > 0 && (edges & EDGE.lit) === 0) this.veil(x, y, css(this.colours.page), this.dim);
  }

  private veil(x: number, y: number, colour: string, alpha = 1): void {
    const pen = this.texture.context;
    pen.globalAlpha = alpha;
    pen.fillStyle = colour;
    pen.fillRect(x, y, this.side, this.side);
    pen.globalAlpha = 1;
  }

  private glyph(glyph: number, x: number, y: number): void {
    const pen = this.texture.context;
    const size = this.side * GLYPH_SHARE;
    pen.save();
    pen.translate(x + (this.side - size) / 2, y + (this.side - size) / 2);
    pen.scale(size / GLYPH_BOX, size / GLYPH_BOX);
    pen.globalAlpha = 0.62;
    pen.fillStyle = css(this.colours.page);
    pen.fill(this.glyphs[glyph]!, 'evenodd');
    pen.restore();
  }

  private edges(edges: number, x: number, y: number): void {
    const pen = this.texture.context;
    const { side } = this;
    const line = lineWidth(side);
    pen.fillStyle = css(this.colours.line);
    if ((edges & EDGE.left) !== 0) pen.fillRect(x, y, line, side);
    if ((edges & EDGE.top) !== 0) pen.fillRect(x, y, side, line);
    pen.fillStyle = css(this.colours.outline);
    if ((edges & EDGE.outlineLeft) !== 0) pen.fillRect(x, y, line, side);
    if ((edges & EDGE.outlineTop) !== 0) pen.fillRect(x, y, side, line);
    if ((edges & EDGE.outlineRight) !== 0) pen.fillRect(x + side - line, y, line, side);
    if ((edges & EDGE.outlineBottom) !== 0) pen.fillRect(x, y + side - line, side, line);
  }
}

/** 1 just after the change, 0 when it is over. */
function flashOf(alpha: number, clock: number): number {
  if (alpha === 0) return 0;
  const age = ((clock % 255) + 1 - alpha + 255) % 255;
  return Math.max(0, 1 - age / FLASH_STEPS);
}
