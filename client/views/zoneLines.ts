/** Outlines of zones, as runs along cell edges. White with a dash of its own each, since hues belong to owners. */
import type { Machine } from '#kernel/types.ts';
import { cellToPfn } from './morton.ts';
import type { MapLayout } from './morton.ts';

export interface ZoneLine {
  zone: number;
  /** Corners of cells. */
  x1: number;
  y1: number;
  x2: number;
  y2: number;
  /** Which way the zone's own cells lie, so that two neighbours' lines stand side by side. */
  inX: -1 | 0 | 1;
  inY: -1 | 0 | 1;
}

/** Dash and gap in CSS pixels by zone name; an empty list is a full line. The legend draws the same. */
export const ZONE_DASH: Record<string, readonly number[]> = {
  DMA: [2, 3],
  DMA32: [8, 3, 2, 3],
  Normal: [],
  HighMem: [8, 5],
};

type Bounds = readonly Pick<Machine['zones'][number], 'start' | 'end'>[];

export function zoneLines(layout: MapLayout, zones: Bounds): ZoneLine[] {
  const zoneAt = (x: number, y: number): number => {
    const pfn = cellToPfn(layout, x, y);
    return pfn < 0 ? -1 : zones.findIndex((zone) => pfn >= zone.start && pfn < zone.end);
  };
  const lines: ZoneLine[] = [];
  for (let y = 0; y <= layout.height; y++) addRuns(lines, layout.width, (x) => [zoneAt(x, y - 1), zoneAt(x, y)], y, true);
  for (let x = 0; x <= layout.width; x++) addRuns(lines, layout.height, (y) => [zoneAt(x - 1, y), zoneAt(x, y)], x, false);
  return lines;
}

/** Adds the runs along one grid line, for the zone before it (above or left) and the zone after it. */
function addRuns(lines: ZoneLine[], length: number, sides: (at: number) => [number, number], across: number, flat: boolean): void {
  for (const side of [0, 1] as const) {
    let from = 0;
    let zone = -1;
    for (let at = 0; at <= length; at++) {
      const pair: [number, number] = at < length ? sides(at) : [-1, -1];
      const here = pair[0] === pair[1] ? -1 : pair[side];
      if (here === zone) continue;
      if (zone >= 0) lines.push(run(zone, from, at, across, flat, side === 0 ? -1 : 1));
      zone = here;
      from = at;
    }
  }
}

function run(zone: number, from: number, to: number, across: number, flat: boolean, inward: -1 | 1): ZoneLine {
  return flat
    ? { zone, x1: from, y1: across, x2: to, y2: across, inX: 0, inY: inward }
    : { zone, x1: across, y1: from, x2: across, y2: to, inX: inward, inY: 0 };
}
