/** What moves above the map and around it: zone outlines, the cursor, cuts, joins and what was just given. Lines only, redrawn a frame. */
import type * as Phaser from 'phaser';
import type { Machine, Pfn } from '#kernel/types.ts';
import { blockRect } from '../views/morton.ts';
import type { MapLayout, Rect } from '../views/morton.ts';
import type { Motion } from '../views/motions.ts';
import { packed } from '../views/palette.ts';
import type { MapColours } from '../views/palette.ts';
import { pointOf } from '../views/picking.ts';
import type { Camera } from '../views/picking.ts';
import { ZONE_DASH, zoneLines } from '../views/zoneLines.ts';
import type { ZoneLine } from '../views/zoneLines.ts';

/** Milliseconds a motion takes. */
const MOTION_MS = 260;
const ALIVE_MAX = 24;

interface Running extends Motion {
  age: number;
}

export class MapOverlay {
  private readonly lines: Phaser.GameObjects.Graphics;
  private readonly moving: Phaser.GameObjects.Graphics;
  private zones: ZoneLine[] = [];
  private dashes: (readonly number[])[] = [];
  private running: Running[] = [];
  /** The camera that the zone outlines were drawn for. */
  private drawnFor = '';

  private colours: MapColours;

  constructor(scene: Phaser.Scene, colours: MapColours) {
    this.colours = colours;
    this.lines = scene.add.graphics().setDepth(10);
    this.moving = scene.add.graphics().setDepth(11);
  }

  recolour(colours: MapColours): void {
    this.colours = colours;
    this.drawnFor = '';
  }

  machine(layout: MapLayout, zones: Machine['zones']): void {
    this.zones = zoneLines(layout, zones);
    this.dashes = zones.map((zone) => ZONE_DASH[zone.name] ?? []);
    this.running = [];
    this.drawnFor = '';
  }

  add(motions: readonly Motion[]): void {
    for (const motion of motions) this.running.push({ ...motion, age: 0 });
    if (this.running.length > ALIVE_MAX) this.running.splice(0, this.running.length - ALIVE_MAX);
  }

  draw(layout: MapLayout, camera: Camera, density: number, delta: number, cursor: { pfn: Pfn; order: number; at: Pfn } | null): void {
    this.drawZones(camera, density);
    this.moving.clear();
    for (const motion of this.running) {
      motion.age += delta / MOTION_MS;
      if (motion.age < 1) this.drawMotion(motion, layout, camera, density);
    }
    this.running = this.running.filter((motion) => motion.age < 1);
    if (cursor === null) return;
    this.frame(blockRect(layout, cursor.pfn, cursor.order), camera, 2 * density, packed(this.colours.outline), 1, 0);
    if (cursor.order > 0) this.frame(blockRect(layout, cursor.at, 0), camera, density, packed(this.colours.outline), 0.8, 0);
  }

  private drawMotion(motion: Running, layout: MapLayout, camera: Camera, density: number): void {
    const rect = blockRect(layout, motion.pfn, motion.order);
    const white = packed(this.colours.outline);
    if (motion.type === 'given') {
      // A frame that closes around the block: something came to you.
      this.frame(rect, camera, 2 * density, white, 1 - motion.age * 0.5, (1 - motion.age) * 10 * density);
      return;
    }
    const { x, y } = pointOf(camera, rect.x, rect.y);
    const width = rect.width * camera.zoom;
    const height = rect.height * camera.zoom;
    // A cut grows from one side to the other; a join shrinks towards its middle.
    const share = motion.type === 'cut' ? Math.min(1, motion.age * 1.6) : 1 - motion.age;
    const start = motion.type === 'cut' ? 0 : (1 - share) / 2;
    this.moving.lineStyle(2 * density, white, motion.type === 'cut' ? 1 - motion.age * 0.6 : 0.9 * (1 - motion.age * 0.5));
    if (motion.order % 2 === 0) line(this.moving, x + width * start, y + height / 2, x + width * (start + share), y + height / 2);
    else line(this.moving, x + width / 2, y + height * start, x + width / 2, y + height * (start + share));
  }

  private frame(rect: Rect, camera: Camera, thick: number, colour: number, alpha: number, away: number): void {
    const { x, y } = pointOf(camera, rect.x, rect.y);
    this.moving.lineStyle(thick, colour, alpha);
    this.moving.strokeRect(x - away, y - away, rect.width * camera.zoom + 2 * away, rect.height * camera.zoom + 2 * away);
  }

  private drawZones(camera: Camera, density: number): void {
    const key = `${camera.zoom} ${camera.left} ${camera.top} ${density}`;
    if (key === this.drawnFor) return;
    this.drawnFor = key;
    this.lines.clear();
    this.lines.lineStyle(density, packed(this.colours.outline), 0.7);
    // Outside the map, so that no line hides a frame's own edge; between two zones each line takes its own side.
    const off = 2 * density;
    for (const zone of this.zones) {
      const from = pointOf(camera, zone.x1, zone.y1);
      const to = pointOf(camera, zone.x2, zone.y2);
      const dx = zone.inX * off;
      const dy = zone.inY * off;
      dashed(this.lines, from.x + dx, from.y + dy, to.x + dx, to.y + dy, this.dashes[zone.zone]!, density);
    }
  }
}

function line(pen: Phaser.GameObjects.Graphics, x1: number, y1: number, x2: number, y2: number): void {
  pen.lineBetween(x1, y1, x2, y2);
}

function dashed(
  pen: Phaser.GameObjects.Graphics,
  x1: number,
  y1: number,
  x2: number,
  y2: number,
  dash: readonly number[],
  density: number,
): void {
  if (dash.length === 0) return line(pen, x1, y1, x2, y2);
  const length = Math.abs(x2 - x1) + Math.abs(y2 - y1);
  const ux = Math.sign(x2 - x1);
  const uy = Math.sign(y2 - y1);
  for (let at = 0, n = 0; at < length; n++) {
    const step = Math.min(dash[n % dash.length]! * density, length - at);
    if (n % 2 === 0) line(pen, x1 + ux * at, y1 + uy * at, x1 + ux * (at + step), y1 + uy * (at + step));
    at += step;
  }
}
