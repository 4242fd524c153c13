/**
 * The scene of the frame map: it owns texels, camera and motions, and draws them. It is told what to show once a tick and reads
 * nothing else; it knows frames, owners and colours, but no session and no panel.
 */
import * as Phaser from 'phaser';
import type { FactRing } from '#kernel/facts.ts';
import type { Machine, Pfn, Pid } from '#kernel/types.ts';
import { CanvasMapView } from '../views/CanvasMapView.ts';
import { frameFacts } from '../views/frameAt.ts';
import type { MapView } from '../views/MapView.ts';
import { bestLayout, blockRect, cellToPfn, pfnToCell } from '../views/morton.ts';
import type { Cell } from '../views/morton.ts';
import { motionsOf } from '../views/motions.ts';
import type { MapColours } from '../views/palette.ts';
import { cellAt, fit, keepInside, panBy, reveal, zoomAt } from '../views/picking.ts';
import type { Camera, Size } from '../views/picking.ts';
import { ShaderMapView } from '../views/ShaderMapView.ts';
import { createTexels, endFlashes, light, paintAll, paintFacts } from '../views/texels.ts';
import type { LookOf, Texels } from '../views/texels.ts';
import { MapOverlay } from './MapOverlay.ts';

/** What a tick shows. */
export interface Shot {
  machine: Machine;
  facts: FactRing;
  /** A new function when somebody's look has changed: all is painted anew. */
  lookOf: LookOf;
  isMine: (pid: Pid) => boolean;
  /** Frames that are lit one by one, whosever they are; empty for none. */
  spot: readonly Pfn[];
  /** 0 to 1: how far all that is not lit falls back. */
  dim: number;
}

const FLASH_MS = 50;
/** Milliseconds that a dead process' frames are left standing while all else is dark. */
const DEATH_MS = 300;
/** CSS pixels around the map. */
const MARGIN = 10;

export class MapScene extends Phaser.Scene {
  onHover: (pfn: Pfn) => void = () => {};
  onReady: () => void = () => {};

  private view: MapView | null = null;
  private overlay: MapOverlay | null = null;
  private texels: Texels | null = null;
  private camera: Camera = { zoom: 1, left: 0, top: 0 };
  private fitted = true;
  private shot: Shot | null = null;
  private mark = 0;
  private spotted: readonly Pfn[] = [];
  private held = new Set<Pfn>();
  private heldUntil = 0;
  private cursor: Pfn = -1;
  private readonly calm = window.matchMedia('(prefers-reduced-motion: reduce)');

  private colours: MapColours;
  private readonly density: () => number;

  constructor(colours: MapColours, density: () => number) {
    super('map');
    this.colours = colours;
    this.density = density;
  }

  create(): void {
    this.overlay = new MapOverlay(this, this.colours);
    this.scale.on(Phaser.Scale.Events.RESIZE, () => this.resized());
    this.onReady();
    if (this.shot !== null) this.show(this.shot);
  }

  /** Paints what changed since the last call. */
  show(shot: Shot): void {
    const before = this.shot;
    this.shot = shot;
    if (this.overlay === null) return;
    const { frames } = shot.machine;
    const other = before?.machine !== shot.machine || before.facts !== shot.facts;
    if (this.texels === null || this.texels.layout.count !== frames.count) {
      this.rebuild();
      this.fitted ||= other;
      this.refit();
    } else if (other) this.repaint();
    else {
      const from = this.mark;
      this.animate(shot, from);
      this.mark = paintFacts(this.texels, frames, shot.lookOf, shot.facts, from, this.calm.matches ? -1 : this.clock(), this.held);
      if (before.lookOf !== shot.lookOf && this.held.size === 0) paintAll(this.texels, frames, shot.lookOf);
    }
    this.spotlight(shot);
    if (this.cursor >= 0) this.onHover(this.cursor);
  }

  /** Lights the frames of the shot, and puts out those of the last one. */
  private spotlight({ machine, lookOf, spot }: Shot): void {
    const { spotted } = this;
    const isSame = spot.length === spotted.length && spot.every((pfn, n) => pfn === spotted[n]);
    if (!isSame && spotted.length > 0 && this.held.size === 0) paintAll(this.texels!, machine.frames, lookOf);
    for (const pfn of spot) light(this.texels!, pfn, 0);
    this.spotted = spot;
  }

  recolour(colours: MapColours): void {
    this.colours = colours;
    this.view?.recolour(colours);
    this.overlay?.recolour(colours);
  }

  override update(_time: number, delta: number): void {
    if (this.texels === null || this.view === null || this.overlay === null || this.shot === null) return;
    if (this.held.size > 0 && performance.now() >= this.heldUntil) this.bury();
    endFlashes(this.texels, this.clock());
    const dead = this.held.size > 0;
    this.view.draw(this.texels, this.camera, this.clock(), dead ? 0.75 : this.shot.dim);
    this.overlay.draw(this.texels.layout, this.camera, this.density(), delta, this.cursorBlock());
  }

  zoomBy(factor: number, x = this.scale.width / 2, y = this.scale.height / 2): void {
    if (this.texels === null) return;
    this.camera = zoomAt(this.camera, x, y, factor, this.texels.layout, this.canvas(), this.margin());
    this.fitted = this.camera.zoom <= fit(this.texels.layout, this.canvas(), this.margin()).zoom;
  }

  pan(dx: number, dy: number): void {
    if (this.texels !== null) this.camera = panBy(this.camera, dx, dy, this.texels.layout, this.canvas(), this.margin());
  }

  fitAll(): void {
    this.fitted = true;
    this.refit();
  }

  /** Device pixels of the canvas → the frame there, which becomes the cursor. */
  point(x: number, y: number): void {
    if (this.texels === null) return;
    const cell = cellAt(this.camera, x, y);
    this.setCursor(cellToPfn(this.texels.layout, cell.x, cell.y));
  }

  setCursor(pfn: Pfn): void {
    if (pfn === this.cursor) return;
    this.cursor = pfn;
    this.onHover(pfn);
  }

  /** Moves the cursor by cells, skipping places without a frame, and keeps it in sight. */
  moveCursor(dx: number, dy: number): void {
    if (this.texels === null) return;
    const { layout } = this.texels;
    const from: Cell = this.cursor < 0 ? { x: 0, y: 0 } : pfnToCell(layout, this.cursor);
    const x = Math.max(0, Math.min(layout.width - 1, from.x + (this.cursor < 0 ? 0 : dx)));
    const y = Math.max(0, Math.min(layout.height - 1, from.y + (this.cursor < 0 ? 0 : dy)));
    const pfn = cellToPfn(layout, x, y);
    if (pfn < 0) return;
    this.setCursor(pfn);
    if (!this.fitted) this.camera = reveal(this.camera, blockRect(layout, pfn, 0), layout, this.canvas(), this.margin());
  }

  private clock(): number {
    return Math.floor(performance.now() / FLASH_MS);
  }

  private canvas(): Size {
    return { width: this.scale.width, height: this.scale.height };
  }

  private margin(): number {
    return MARGIN * this.density();
  }

  private animate(shot: Shot, from: number): void {
    const { motions, deaths } = motionsOf(shot.facts, from, shot.isMine);
    if (deaths.length > 0 && !this.calm.matches) {
      for (const death of deaths) for (const [pfn, order] of death.blocks) this.hold(pfn, order);
      this.heldUntil = performance.now() + DEATH_MS;
    } else if (!this.calm.matches) this.overlay!.add(motions);
  }

  /** Leaves a dead process' block as it was, bright, for a moment. */
  private hold(pfn: Pfn, order: number): void {
    light(this.texels!, pfn, order);
    for (let n = 0; n < 1 << order; n++) this.held.add(pfn + n);
  }

  /** The dead process' frames become what they are now. */
  private bury(): void {
    this.held.clear();
    paintAll(this.texels!, this.shot!.machine.frames, this.shot!.lookOf);
  }

  private cursorBlock(): { pfn: Pfn; order: number; at: Pfn } | null {
    if (this.cursor < 0 || this.shot === null) return null;
    const facts = frameFacts(this.shot.machine, this.cursor);
    return facts === null ? null : { pfn: facts.head, order: facts.order, at: this.cursor };
  }

  private resized(): void {
    if (this.shot === null || this.texels === null) return;
    if (!this.fitted) {
      this.camera = keepInside(this.camera, this.texels.layout, this.canvas(), this.margin());
      return;
    }
    const { columns, count } = this.texels.layout;
    if (bestLayout(count, this.scale.width, this.scale.height).columns !== columns) this.rebuild();
    this.refit();
  }

  private refit(): void {
    if (this.texels !== null && this.fitted) this.camera = fit(this.texels.layout, this.canvas(), this.margin());
  }

  /** Another machine of the same size, such as the same one at another time: the camera stays. */
  private repaint(): void {
    const { machine, lookOf, facts } = this.shot!;
    this.held.clear();
    paintAll(this.texels!, machine.frames, lookOf);
    this.mark = facts.written;
    this.overlay!.machine(this.texels!.layout, machine.zones);
  }

  /** A map from nothing: more frames, or another shape of the window. */
  private rebuild(): void {
    const { machine, lookOf, facts } = this.shot!;
    this.held.clear();
    this.texels = createTexels(bestLayout(machine.frames.count, this.scale.width, this.scale.height));
    paintAll(this.texels, machine.frames, lookOf);
    this.mark = facts.written;
    this.view?.destroy();
    this.view =
      this.renderer.type === Phaser.WEBGL
        ? new ShaderMapView(this, this.texels, this.colours)
        : new CanvasMapView(this, this.texels, this.colours, fit(this.texels.layout, this.canvas(), this.margin()).zoom);
    this.overlay!.machine(this.texels.layout, machine.zones);
  }
}
