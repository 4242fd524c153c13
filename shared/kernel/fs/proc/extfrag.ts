/** The two files of debugfs that measure fragmentation by order (mm/vmstat.c, extfrag/…). */
import { nrFreeByOrder } from '../../mm/buddy.ts';
import { fragmentationIndex, unusableFreeIndex } from '../../mm/indices.ts';
import { populated } from '../../mm/mmzone.ts';
import type { Machine } from '../../types.ts';

/** An index × 1000 as "0.123"; −1000 as "-1.000". */
export function decimal(index: number): string {
  return `${Math.trunc(index / 1000)}.${String(Math.abs(index % 1000)).padStart(3, '0')}`;
}

function table(machine: Machine, index: (nrFree: Int32Array, order: number) => number): string {
  return populated(machine.zones)
    .map((zone) => {
      const free = nrFreeByOrder(zone);
      return `Node 0, zone ${zone.name.padStart(8)} ${Array.from(free, (_, order) => `${decimal(index(free, order))} `).join('')}\n`;
    })
    .join('');
}

/** They came with compaction, in 2.6.35. */
const isThere = ({ config }: Machine): boolean => config.rules !== '2.6.32';
export const unusableIndex = (machine: Machine): string | null => (isThere(machine) ? table(machine, unusableFreeIndex) : null);
export const extfragIndex = (machine: Machine): string | null => (isThere(machine) ? table(machine, fragmentationIndex) : null);
