/**
 * The frame map as one data texture (a texel a frame) and one shader: one draw call, whatever the machine's size.
 * Colours and patterns come from a swatch atlas, edges from a table of 64 cases, so that the shader computes next to nothing.
 */
import type * as Phaser from 'phaser';
import { GLYPHS, GLYPH_BOX } from './glyphs.ts';
import { GLYPH_CELL, GLYPH_SHARE, lineWidth } from './MapView.ts';
import type { MapView } from './MapView.ts';
import { atlasPixels, KINDS, STYLES, SWATCH } from './palette.ts';
import type { MapColours, Rgb } from './palette.ts';
import type { Camera } from './picking.ts';
import { clean, EDGE, FLASH_STEPS } from './texels.ts';
import type { Texels } from './texels.ts';

const FRAGMENT = `
#pragma phaserTemplate(shaderName)
#ifdef GL_FRAGMENT_PRECISION_HIGH
precision highp float;
#else
precision mediump float;
#endif
varying vec2 outTexCoord;
uniform sampler2D uFrames; uniform sampler2D uSwatches; uniform sampler2D uEdges; uniform sampler2D uGlyphs;
uniform vec2 uGrid; uniform vec2 uInverse; uniform float uPixels; uniform float uLine; uniform float uClock; uniform float uDim;
uniform float uGlyphShare; uniform vec3 uPage; uniform vec3 uLineColour; uniform vec3 uOutline;
void main() {
  vec2 g = vec2(outTexCoord.x, 1.0 - outTexCoord.y) * uGrid;
  vec2 cell = floor(g);
  vec2 f = g - cell;
  vec4 d = floor(texture2D(uFrames, (cell + 0.5) * uInverse) * 255.0 + 0.5);
  float kind = floor(d.r / 16.0);
  float style = d.r - 16.0 * kind;
  vec2 p = floor(mod(g * uPixels, ${SWATCH}.0));
  vec3 colour = texture2D(uSwatches, (vec2(style, kind) * ${SWATCH}.0 + p + 0.5) * vec2(${1 / (STYLES * SWATCH)}, ${1 / (KINDS * SWATCH)})).rgb;
  float lit = step(${EDGE.lit}.0, d.g);
  if (d.a > 0.0) {
    float age = mod(uClock - d.a + 256.0, 255.0);
    colour = mix(colour, vec3(1.0), clamp(1.0 - age / ${FLASH_STEPS}.0, 0.0, 1.0) * (style < 1.5 ? 0.22 : 0.8));
  }
  if (uGlyphShare > 0.0 && d.b > 0.0) {
    vec2 q = (f - 0.5) / uGlyphShare + 0.5;
    vec2 inside = step(vec2(0.0), q) * step(q, vec2(1.0));
    float ink = texture2D(uGlyphs, vec2((d.b - 1.0 + q.x) / ${GLYPHS.length}.0, q.y)).a;
    colour = mix(colour, uPage, ink * inside.x * inside.y * 0.62);
  }
  float code = d.g - ${EDGE.lit}.0 * lit;
  vec2 third = step(vec2(uLine), f) + step(vec2(1.0 - uLine), f);
  float row = floor(code / 8.0);
  vec4 edge = texture2D(uEdges, (vec2(code - 8.0 * row, row) * 3.0 + third + 0.5) / 24.0);
  colour = mix(colour, uLineColour, edge.r);
  colour = mix(colour, uOutline, edge.g);
  colour = mix(colour, uPage, uDim * (1.0 - lit) * step(0.5, style));
  gl_FragColor = vec4(colour, 1.0);
}`;

const KEYS = ['map-frames', 'map-swatches', 'map-edges', 'map-glyphs'] as const;
/** Pixels of a glyph's side in the atlas. */
const GLYPH_PIXELS = 48;

type Renderer = Phaser.Renderer.WebGL.WebGLRenderer;
type GlTexture = Phaser.Renderer.WebGL.Wrappers.WebGLTextureWrapper;

export class ShaderMapView implements MapView {
  private readonly renderer: Renderer;
  private readonly frames: GlTexture;
  private readonly quad: Phaser.GameObjects.Shader;
  private readonly swatches: GlTexture;
  private colours: MapColours;
  private zoom = 1;
  private clock = 0;
  private dim = 0;
  private fresh = true;

  private readonly scene: Phaser.Scene;

  constructor(scene: Phaser.Scene, texels: Texels, colours: MapColours) {
    this.scene = scene;
    const { width, height } = texels.layout;
    this.renderer = scene.renderer as Renderer;
    this.colours = colours;
    this.frames = this.renderer.createUint8ArrayTexture(texels.data, width, height, false, false);
    this.swatches = this.swatchTexture(colours);
    for (const key of KEYS) if (scene.textures.exists(key)) scene.textures.remove(key);
    scene.textures.addGLTexture('map-frames', this.frames);
    scene.textures.addGLTexture('map-swatches', this.swatches);
    scene.textures.addGLTexture('map-edges', this.renderer.createUint8ArrayTexture(edgePixels(), 24, 24, false, false));
    scene.textures.addGLTexture(
      'map-glyphs',
      this.renderer.createUint8ArrayTexture(glyphPixels(), GLYPH_PIXELS * GLYPHS.length, GLYPH_PIXELS, false, false),
    );
    this.quad = scene.add
      .shader(
        {
          name: 'FrameMap',
          fragmentSource: FRAGMENT,
          initialUniforms: { uFrames: 0, uSwatches: 1, uEdges: 2, uGlyphs: 3, uGrid: [width, height], uInverse: [1 / width, 1 / height] },
          setupUniforms: (set: (name: string, value: unknown) => void) => this.setUniforms(set),
        } as Phaser.Types.GameObjects.Shader.ShaderQuadConfig,
        0,
        0,
        width,
        height,
        [...KEYS],
      )
      .setOrigin(0, 0);
  }

  draw(texels: Texels, camera: Camera, clock: number, dim: number): void {
    this.zoom = camera.zoom;
    this.clock = clock;
    this.dim = dim;
    this.quad.setPosition(-camera.left * camera.zoom, -camera.top * camera.zoom).setScale(camera.zoom);
    this.upload(texels);
  }

  recolour(colours: MapColours): void {
    this.colours = colours;
    const pixels = atlasPixels(colours);
    this.swatches.pixels = pixels;
    this.write(this.swatches, 0, STYLES * SWATCH, KINDS * SWATCH, pixels);
  }

  destroy(): void {
    this.quad.destroy();
    for (const key of KEYS) this.scene.textures.remove(key);
  }

  private swatchTexture(colours: MapColours): GlTexture {
    return this.renderer.createUint8ArrayTexture(atlasPixels(colours), STYLES * SWATCH, KINDS * SWATCH, false, false);
  }

  private setUniforms(set: (name: string, value: unknown) => void): void {
    const density = Math.max(1, Math.round(window.devicePixelRatio || 1));
    set('uPixels', this.zoom / density);
    set('uLine', lineWidth(this.zoom) / this.zoom);
    set('uClock', (this.clock % 255) + 1);
    set('uDim', this.dim);
    set('uGlyphShare', this.zoom / density >= GLYPH_CELL ? GLYPH_SHARE : 0);
    set('uPage', unit(this.colours.page));
    set('uLineColour', unit(this.colours.line));
    set('uOutline', unit(this.colours.outline));
  }

  /** Sends bands of changed rows into the texture that is there: Phaser's own update would send all of it (stack-phaser.md §3). */
  private upload(texels: Texels): void {
    if (!texels.dirty && !this.fresh) return;
    this.fresh = false;
    const { width, height } = texels.layout;
    for (let y = 0; y < height; y++) {
      if (texels.dirtyRows[y] === 0) continue;
      let last = y;
      while (last + 1 < height && texels.dirtyRows[last + 1] === 1) last += 1;
      const band = texels.data.subarray(y * width * 4, (last + 1) * width * 4);
      this.write(this.frames, y, width, last - y + 1, band);
      y = last;
    }
    clean(texels);
  }

  private write(texture: GlTexture, y: number, width: number, rows: number, pixels: Uint8Array): void {
    const gl = this.renderer.gl as WebGLRenderingContext;
    this.renderer.glTextureUnits.bind(texture, 0);
    this.renderer.glWrapper.updateTexturing({ texturing: { flipY: false, premultiplyAlpha: false } } as never);
    gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, y, width, rows, gl.RGBA, gl.UNSIGNED_BYTE, pixels);
  }
}

function unit([r, g, b]: Rgb): [number, number, number] {
  return [r / 255, g / 255, b / 255];
}

/** 64 codes of EDGE as 8 × 8 squares of 3 × 3 texels (near edge, middle, far edge): R = line between blocks, G = one's own outline. */
function edgePixels(): Uint8Array {
  const pixels = new Uint8Array(24 * 24 * 4);
  for (let code = 0; code < 64; code++) {
    for (let y = 0; y < 3; y++) {
      for (let x = 0; x < 3; x++) {
        const at = ((Math.floor(code / 8) * 3 + y) * 24 + (code % 8) * 3 + x) * 4;
        pixels[at] = isLine(code, x, y) ? 255 : 0;
        pixels[at + 1] = isOutline(code, x, y) ? 255 : 0;
        pixels[at + 3] = 255;
      }
    }
  }
  return pixels;
}

function isLine(code: number, x: number, y: number): boolean {
  return ((code & EDGE.left) !== 0 && x === 0) || ((code & EDGE.top) !== 0 && y === 0);
}

function isOutline(code: number, x: number, y: number): boolean {
  return (
    ((code & EDGE.outlineLeft) !== 0 && x === 0) ||
    ((code & EDGE.outlineTop) !== 0 && y === 0) ||
    ((code & EDGE.outlineRight) !== 0 && x === 2) ||
    ((code & EDGE.outlineBottom) !== 0 && y === 2)
  );
}

/** All glyphs side by side, as alpha. */
function glyphPixels(): Uint8Array {
  const canvas = document.createElement('canvas');
  canvas.width = GLYPH_PIXELS * GLYPHS.length;
  canvas.height = GLYPH_PIXELS;
  const pen = canvas.getContext('2d', { willReadFrequently: true })!;
  GLYPHS.forEach((path, n) => {
    pen.setTransform(GLYPH_PIXELS / GLYPH_BOX, 0, 0, GLYPH_PIXELS / GLYPH_BOX, n * GLYPH_PIXELS, 0);
    pen.fill(new Path2D(path), 'evenodd');
  });
  return new Uint8Array(pen.getImageData(0, 0, canvas.width, canvas.height).data.buffer);
}
