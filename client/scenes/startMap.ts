/**
 * Puts the frame map into an element. The only door to Phaser: import this file lazily (`import('../scenes/startMap.ts')`),
 * so that Phaser stays in a chunk of its own.
 */
import * as Phaser from 'phaser';
import type { Pfn } from '#kernel/types.ts';
import { listen } from '../views/gestures.ts';
import type { MapColours } from '../views/palette.ts';
import { MapScene } from './MapScene.ts';
import type { Shot } from './MapScene.ts';

export type { Shot };

export interface MapHandle {
  show(shot: Shot): void;
  recolour(colours: MapColours): void;
  zoomBy(factor: number): void;
  /** CSS pixels. */
  pan(dx: number, dy: number): void;
  fitAll(): void;
  /** -1 for none. */
  setCursor(pfn: Pfn): void;
  moveCursor(dx: number, dy: number): void;
  /** Stops drawing while nobody looks. */
  sleep(asleep: boolean): void;
  readonly canvasOnly: boolean;
  destroy(): void;
}

export interface MapEvents {
  /** The frame under the cursor, -1 for none; called again when it changes. */
  onHover(pfn: Pfn): void;
  onTap(): void;
}

const DENSITY_MAX = 2;

/** The canvas' backing store is CSS size × density, so that one pixel of the game is one of the screen. */
export function startMap(host: HTMLElement, colours: MapColours, events: MapEvents): MapHandle {
  const density = (): number => Math.min(window.devicePixelRatio || 1, DENSITY_MAX);
  const width = (): number => Math.max(1, Math.round(host.clientWidth * density()));
  const height = (): number => Math.max(1, Math.round(host.clientHeight * density()));
  const scene = new MapScene(colours, density);
  const game = new Phaser.Game({
    type: Phaser.AUTO,
    parent: host,
    width: width(),
    height: height(),
    transparent: true,
    banner: false,
    audio: { noAudio: true },
    scale: { mode: Phaser.Scale.NONE, zoom: 1 / density() },
    render: { antialias: true, powerPreference: 'low-power' },
    input: { keyboard: false, mouse: false, touch: false, gamepad: false },
    fps: { limit: 30 },
    disableContextMenu: true,
    scene,
  });
  const sized = new ResizeObserver(() => {
    if (!game.isBooted || host.clientWidth === 0) return;
    if (width() !== game.scale.width || height() !== game.scale.height) game.scale.resize(width(), height());
    // Only this lays the canvas out anew, at the size of that moment.
    game.scale.setZoom(1 / density());
  });
  sized.observe(host);
  const unlisten = listen(host, density, {
    zoom: (x, y, factor) => scene.zoomBy(factor, x, y),
    pan: (dx, dy) => scene.pan(dx, dy),
    hover: (x, y) => scene.point(x, y),
    leave: () => scene.setCursor(-1),
    tap: (x, y) => {
      scene.point(x, y);
      events.onTap();
    },
  });
  scene.onHover = events.onHover;
  return handle(game, scene, density, () => {
    unlisten();
    sized.disconnect();
    game.destroy(true);
  });
}

function handle(game: Phaser.Game, scene: MapScene, density: () => number, destroy: () => void): MapHandle {
  return {
    show: (shot) => scene.show(shot),
    recolour: (colours) => scene.recolour(colours),
    zoomBy: (factor) => scene.zoomBy(factor),
    pan: (dx, dy) => scene.pan(dx * density(), dy * density()),
    fitAll: () => scene.fitAll(),
    setCursor: (pfn) => scene.setCursor(pfn),
    moveCursor: (dx, dy) => scene.moveCursor(dx, dy),
    sleep(asleep) {
      if (asleep) game.loop.sleep();
      else game.loop.wake();
    },
    get canvasOnly() {
      return game.renderer?.type === Phaser.CANVAS;
    },
    destroy,
  };
}
