/**
 * The camera of the frame map as plain numbers: which part of the map is seen, and which cell lies under a point.
 * All lengths are in device pixels of the canvas; a cell is `zoom` of them.
 */
import type { Rect } from './morton.ts';

export interface Camera {
  /** Device pixels a cell. */
  zoom: number;
  /** The map's point, in cells, that lies in the canvas' top left corner. */
  left: number;
  top: number;
}

export interface Size {
  width: number;
  height: number;
}

/** Never closer than this many device pixels a cell. */
const ZOOM_MAX = 96;

/** The whole map, centred, as large as it goes. */
export function fit(map: Size, canvas: Size, margin: number): Camera {
  const zoom = Math.max(0.25, Math.min(ZOOM_MAX, (canvas.width - 2 * margin) / map.width, (canvas.height - 2 * margin) / map.height));
  // Whole pixels a cell where that costs little: edges then fall between pixels, not on them.
  const even = zoom >= 4 ? Math.floor(zoom) : zoom;
  return centred({ zoom: even, left: 0, top: 0 }, map, canvas);
}

function centred(camera: Camera, map: Size, canvas: Size): Camera {
  return {
    zoom: camera.zoom,
    left: -Math.floor((canvas.width - map.width * camera.zoom) / 2) / camera.zoom,
    top: -Math.floor((canvas.height - map.height * camera.zoom) / 2) / camera.zoom,
  };
}

/** Zooms by `factor` and keeps the map's point under (x, y) where it is. */
export function zoomAt(camera: Camera, x: number, y: number, factor: number, map: Size, canvas: Size, margin: number): Camera {
  const least = fit(map, canvas, margin).zoom;
  const zoom = Math.max(least, Math.min(ZOOM_MAX, camera.zoom * factor));
  const left = camera.left + x / camera.zoom - x / zoom;
  const top = camera.top + y / camera.zoom - y / zoom;
  return keepInside({ zoom, left, top }, map, canvas, margin);
}

export function panBy(camera: Camera, dx: number, dy: number, map: Size, canvas: Size, margin: number): Camera {
  return keepInside({ zoom: camera.zoom, left: camera.left - dx / camera.zoom, top: camera.top - dy / camera.zoom }, map, canvas, margin);
}

/** Keeps the map in sight: an axis that fits is centred, one that does not shows no more than the margin beyond the edge. */
export function keepInside(camera: Camera, map: Size, canvas: Size, margin: number): Camera {
  const middle = centred(camera, map, canvas);
  return {
    zoom: camera.zoom,
    left: axis(camera.left, map.width, canvas.width, camera.zoom, margin, middle.left),
    top: axis(camera.top, map.height, canvas.height, camera.zoom, margin, middle.top),
  };
}

function axis(start: number, cells: number, pixels: number, zoom: number, margin: number, middle: number): number {
  if (cells * zoom <= pixels) return middle;
  const least = -margin / zoom;
  const most = cells + margin / zoom - pixels / zoom;
  return Math.max(least, Math.min(most, start));
}

/** Moves the camera as little as needed for the rectangle (in cells) to be seen. */
export function reveal(camera: Camera, rect: Rect, map: Size, canvas: Size, margin: number): Camera {
  const seenWidth = canvas.width / camera.zoom;
  const seenHeight = canvas.height / camera.zoom;
  const left = Math.min(rect.x, Math.max(camera.left, rect.x + rect.width - seenWidth));
  const top = Math.min(rect.y, Math.max(camera.top, rect.y + rect.height - seenHeight));
  return keepInside({ zoom: camera.zoom, left, top }, map, canvas, margin);
}

/** The cell under a point of the canvas; may lie outside the map. */
export function cellAt(camera: Camera, x: number, y: number): { x: number; y: number } {
  return { x: Math.floor(camera.left + x / camera.zoom), y: Math.floor(camera.top + y / camera.zoom) };
}

/** The canvas' point of a cell's top left corner. */
export function pointOf(camera: Camera, x: number, y: number): { x: number; y: number } {
  return { x: (x - camera.left) * camera.zoom, y: (y - camera.top) * camera.zoom };
}
