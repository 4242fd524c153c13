/**
 * Who gets a hue on the map. Oneself is always the brightest; up to eight others have a hue (four plain, four hatched), the rest are
 * one neutral and told apart by glyph. A hue stays with its owner for as long as there is reason to watch it, so colours do not dance.
 */
import type { Pid } from '#kernel/types.ts';
import type { ClassView, ProcessRow, Seat } from '#game/types.ts';
import { shapeOf } from './glyphs.ts';
import { HUES, STYLE } from './palette.ts';
import type { LookOf, OwnerLook } from './texels.ts';

/** Hue number (0 to HUES − 1) by seat. */
export type Hues = ReadonlyMap<Seat, number>;

/** Places behind the eight most watched in which a seat still keeps its hue. */
const KEEPS = 6;

/**
 * Hues for the seats that come first in `watched` (most watched first), without `mine`. Who has one keeps it while among the
 * first HUES + KEEPS; free hues then go to the first without. Returns `before` itself when nothing changed.
 */
export function chooseHues(before: Hues, watched: readonly Seat[], mine: Seat): Hues {
  const others = watched.filter((seat) => seat !== mine);
  const keeping = new Set(others.slice(0, HUES + KEEPS));
  const after = new Map([...before].filter(([seat]) => keeping.has(seat)));
  const taken = new Set(after.values());
  for (const seat of others.slice(0, HUES)) {
    if (after.has(seat)) continue;
    const hue = firstFree(taken);
    if (hue < 0) break;
    after.set(seat, hue);
    taken.add(hue);
  }
  const same = after.size === before.size && [...after].every(([seat, hue]) => before.get(seat) === hue);
  return same ? before : after;
}

function firstFree(taken: ReadonlySet<number>): number {
  for (let hue = 0; hue < HUES; hue++) if (!taken.has(hue)) return hue;
  return -1;
}

/** Seats in the order in which the OOM killer would take them: whom to watch. Few enough processes keep their order of seats. */
export function watchedSeats(rows: readonly ProcessRow[], mine: Seat): Seat[] {
  if (rows.length <= HUES + 1) return rows.map((row) => row.seat).filter((seat) => seat !== mine);
  return rows
    .filter((row) => row.seat !== mine)
    .toSorted((a, b) => a.killRank - b.killRank || a.seat - b.seat)
    .map((row) => row.seat);
}

export function styleOf(seat: Seat | null, mine: Seat, hues: Hues): number {
  if (seat === null) return STYLE.kernel;
  if (seat === mine) return STYLE.mine;
  const hue = hues.get(seat);
  return hue === undefined ? STYLE.other : STYLE.hue + hue;
}

/** Class names of a seat's swatch in the DOM (theme/controls.css, play.css). */
export function swatchClass(seat: Seat, mine: Seat, hues: Hues): string {
  if (seat === mine) return 'swatch mine';
  const hue = hues.get(seat);
  if (hue === undefined) return 'swatch';
  return `swatch own-${(hue % 4) + 1}${hue >= 4 ? ' hatched' : ''}`;
}

const KERNEL_LOOK: OwnerLook = { style: STYLE.kernel, glyph: -1, lit: false };

/** A look by pid, worked out once for each pid that has a seat. */
export function looks(seatOfPid: (pid: Pid) => Seat | null, mine: Seat, hues: Hues, lit: Seat | null): LookOf {
  const known = new Map<Pid, OwnerLook>([[0, KERNEL_LOOK]]);
  return (pid) => {
    let look = known.get(pid);
    if (look === undefined) {
      const seat = seatOfPid(pid);
      look = { style: styleOf(seat, mine, hues), glyph: seat === null ? -1 : shapeOf(seat), lit: seat !== null && seat === lit };
      if (seat !== null) known.set(pid, look);
    }
    return look;
  };
}

/** The row of a process that is next for the OOM killer. */
export function nextVictim(view: ClassView): ProcessRow | null {
  return view.processes.find((row) => row.alive && row.killRank === 1) ?? null;
}
