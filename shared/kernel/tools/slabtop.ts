/** slabtop -o (procps): caches by size, from /proc/slabinfo. */
import { slabinfoLines, type SlabinfoLine } from '../fs/proc/slabinfo.ts';
import type { Machine } from '../types.ts';

const KIB = 1024;

const percent = (part: number, of: number): number => (of === 0 ? 0 : (100 * part) / of);
const cacheBytes = (line: SlabinfoLine): number => line.slabs * line.pagesPerSlab * 4096;
const use = (line: SlabinfoLine): number => (line.objects === 0 ? 0 : Math.floor((100 * line.activeObjects) / line.objects));

/** Sort keys of -s, each with the larger first; by name the other way round. */
const KEYS: Readonly<Record<string, (line: SlabinfoLine) => number>> = {
  a: (line) => line.activeObjects,
  b: (line) => line.objectsPerSlab,
  c: cacheBytes,
  l: (line) => line.slabs,
  o: (line) => line.objects,
  p: (line) => line.pagesPerSlab,
  s: (line) => line.objectSize,
  u: use,
  v: (line) => line.activeSlabs,
};

export const isSortKey = (key: string): boolean => key === 'n' || Object.hasOwn(KEYS, key);

function sorted(lines: SlabinfoLine[], key: string): SlabinfoLine[] {
  if (key === 'n') return [...lines].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  const value = KEYS[key]!;
  return [...lines].sort((a, b) => value(b) - value(a));
}

function share(label: string, part: number, of: number): string {
  return ` ${label.padEnd(35)}: ${part} / ${of} (${percent(part, of).toFixed(1)}%)\n`;
}

const kib = (bytes: number): string => `${(bytes / KIB).toFixed(2)}K`;

function head(lines: readonly SlabinfoLine[]): string {
  const sum = (value: (line: SlabinfoLine) => number): number => lines.reduce((total, line) => total + value(line), 0);
  const objects = sum((line) => line.objects);
  const activeBytes = sum((line) => line.activeObjects * line.objectSize);
  const bytes = sum((line) => line.objects * line.objectSize);
  const sizes = lines.map((line) => line.objectSize);
  const average = objects === 0 ? 0 : bytes / objects;
  return (
    share(
      'Active / Total Objects (% used)',
      sum((line) => line.activeObjects),
      objects,
    ) +
    share(
      'Active / Total Slabs (% used)',
      sum((line) => line.activeSlabs),
      sum((line) => line.slabs),
    ) +
    share('Active / Total Caches (% used)', lines.filter((line) => line.slabs > 0).length, lines.length) +
    ` ${'Active / Total Size (% used)'.padEnd(35)}: ${kib(activeBytes)} / ${kib(bytes)} (${percent(activeBytes, bytes).toFixed(1)}%)\n` +
    ` ${'Minimum / Average / Maximum Object'.padEnd(35)}: ${kib(Math.min(...sizes))} / ${kib(average)} / ${kib(Math.max(...sizes))}\n`
  );
}

function row(line: SlabinfoLine): string {
  const cells = [
    String(line.objects).padStart(6),
    String(line.activeObjects).padStart(6),
    `${String(use(line)).padStart(3)}%`,
    kib(line.objectSize).padStart(8),
    String(line.slabs).padStart(6),
    String(line.objectsPerSlab).padStart(8),
    `${String(cacheBytes(line) / KIB).padStart(9)}K`,
    line.name,
  ];
  return `${cells.join(' ')}\n`;
}

/** The text of `slabtop -o -s KEY`. */
export function slabtop(machine: Machine, key: string): string {
  const lines = slabinfoLines(machine);
  return `${head(lines)}\n  OBJS ACTIVE  USE OBJ SIZE  SLABS OBJ/SLAB CACHE SIZE NAME\n${sorted(lines, key).map(row).join('')}`;
}
