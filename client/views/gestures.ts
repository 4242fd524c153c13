/** Wheel, drag, pinch, tap and hover on the map's element, as wishes for the camera. No Phaser: the DOM's pointer events do. */

/** Points are in device pixels of the canvas. */
export interface MapWishes {
  zoom(x: number, y: number, factor: number): void;
  pan(dx: number, dy: number): void;
  hover(x: number, y: number): void;
  leave(): void;
  tap(x: number, y: number): void;
}

/** A finger or a mouse may tremble so many device pixels before a tap is a drag. */
const TREMBLE = 8;
const WHEEL_STEP = 1.0015;

interface Point {
  x: number;
  y: number;
}

/** Listens until the returned function is called. `density` is device pixels a CSS pixel. */
export function listen(element: HTMLElement, density: () => number, wishes: MapWishes): () => void {
  const down = new Map<number, Point>();
  let dragged = false;
  let start: Point = { x: 0, y: 0 };

  const at = (event: MouseEvent): Point => {
    const box = element.getBoundingClientRect();
    return { x: (event.clientX - box.left) * density(), y: (event.clientY - box.top) * density() };
  };
  const press = (event: PointerEvent): void => {
    if (event.button > 0) return;
    if (down.size === 0) {
      dragged = false;
      start = at(event);
    }
    down.set(event.pointerId, at(event));
    element.setPointerCapture(event.pointerId);
  };
  const move = (event: PointerEvent): void => {
    const to = at(event);
    const from = down.get(event.pointerId);
    if (from === undefined) return wishes.hover(to.x, to.y);
    if (!dragged && Math.hypot(to.x - start.x, to.y - start.y) > TREMBLE) dragged = true;
    if (down.size >= 2) pinch(down, event.pointerId, to, wishes);
    else if (dragged) wishes.pan(to.x - from.x, to.y - from.y);
    down.set(event.pointerId, to);
  };
  const release = (event: PointerEvent): void => {
    if (!down.delete(event.pointerId)) return;
    if (down.size > 0) dragged = true;
    else if (!dragged && event.type === 'pointerup') wishes.tap(start.x, start.y);
  };
  const wheel = (event: WheelEvent): void => {
    event.preventDefault();
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 30 : 1;
    const { x, y } = at(event);
    wishes.zoom(x, y, WHEEL_STEP ** -(event.deltaY * lines));
  };
  const leave = (event: PointerEvent): void => {
    // A finger that is lifted leaves, too; what it tapped stays named.
    if (event.pointerType === 'mouse') wishes.leave();
  };

  const stop = new AbortController();
  const { signal } = stop;
  element.addEventListener('pointerdown', press, { signal });
  element.addEventListener('pointermove', move, { signal });
  element.addEventListener('pointerup', release, { signal });
  element.addEventListener('pointercancel', release, { signal });
  element.addEventListener('pointerleave', leave, { signal });
  element.addEventListener('wheel', wheel, { signal, passive: false });
  return () => stop.abort();
}

/** One of two fingers moves: zoom by their distance, pan by their middle. */
function pinch(down: ReadonlyMap<number, Point>, moving: number, to: Point, wishes: MapWishes): void {
  const from = down.get(moving)!;
  const other = [...down].find(([id]) => id !== moving)?.[1];
  if (other === undefined) return;
  const before = Math.hypot(from.x - other.x, from.y - other.y);
  const after = Math.hypot(to.x - other.x, to.y - other.y);
  wishes.pan((to.x - from.x) / 2, (to.y - from.y) / 2);
  if (before > 0) wishes.zoom((to.x + other.x) / 2, (to.y + other.y) / 2, after / before);
}
