/** /proc/pagetypeinfo (mm/vmstat.c): free blocks by type and order, and how many pageblocks each type has. */
import { freeBlocks, nrFree } from '../../mm/buddy.ts';
import { populated } from '../../mm/mmzone.ts';
import { MIGRATE, type Machine, type Zone } from '../../types.ts';

interface Shown {
  name: string;
  type: number;
}

const NAMES = ['Unmovable', 'Movable', 'Reclaimable', 'HighAtomic', 'CMA', 'Isolate'];
const ROWS: readonly Shown[] = NAMES.map((name, type) => ({ name, type }));
/** 2.6.32 counts them in another order, has a reserve in place of HighAtomic, and no CMA. */
const ROWS_26: readonly Shown[] = [
  { name: 'Unmovable', type: MIGRATE.unmovable },
  { name: 'Reclaimable', type: MIGRATE.reclaimable },
  { name: 'Movable', type: MIGRATE.movable },
  { name: 'Reserve', type: MIGRATE.highatomic },
  { name: 'Isolate', type: MIGRATE.isolate },
];
const rowsOf = (machine: Machine): readonly Shown[] => (machine.config.rules === '2.6.32' ? ROWS_26 : ROWS);

function freeRows(zone: Zone, rows: readonly Shown[]): string {
  let text = '';
  rows.forEach(({ name, type }) => {
    text += `Node ${'0'.padStart(4)}, zone ${zone.name.padStart(8)}, type ${name.padStart(12)} `;
    for (let order = 0; order <= zone.maxOrder; order++) {
      const blocks = zone.types === 1 ? (type === MIGRATE.movable ? nrFree(zone, order) : 0) : freeBlocks(zone, order, type);
      text += `${blocks >= 100000 ? '>' : ''}${String(blocks >= 100000 ? 100000 : blocks).padStart(6)} `;
    }
    text += '\n';
  });
  return text;
}

function blockRow(machine: Machine, zone: Zone): string {
  const { pageblock, pageblockOrder, types } = machine.frames;
  const counts = NAMES.map(() => 0);
  const size = 1 << pageblockOrder;
  for (let pfn = zone.start & ~(size - 1); pfn < zone.end; pfn += size)
    counts[types === 1 ? MIGRATE.movable : pageblock[pfn >> pageblockOrder]!]! += 1;
  return `Node 0, zone ${zone.name.padStart(8)} ${rowsOf(machine)
    .map(({ type }) => `${String(counts[type]).padStart(12)} `)
    .join('')}\n`;
}

export function pagetypeinfo(machine: Machine): string {
  const { pageblockOrder } = machine.frames;
  const orders = Array.from({ length: machine.config.maxOrder + 1 }, (_, order) => `${String(order).padStart(6)} `).join('');
  const rows = rowsOf(machine);
  return (
    `Page block order: ${pageblockOrder}\nPages per block:  ${1 << pageblockOrder}\n\n` +
    `${'Free pages count per migrate type at order'.padEnd(43)} ${orders}\n` +
    populated(machine.zones)
      .map((zone) => freeRows(zone, rows))
      .join('') +
    `\n${'Number of blocks type'.padEnd(23)} ${rows.map(({ name }) => `${name.padStart(12)} `).join('')}\n` +
    populated(machine.zones)
      .map((zone) => blockRow(machine, zone))
      .join('')
  );
}
