/** /proc/fragmentation: no file of Linux. What is lost inside of what was given out, and what free memory is worth to each order. */
import { externalUse, internalUse, reserveUse, type ExternalUse, type InternalUse } from '../../mm/fragmentation.ts';
import type { Machine } from '../../types.ts';
import { decimal } from './extfrag.ts';

const wide = (value: number | string, width = 12): string => String(value).padStart(width);

/** Per cent of what is held that nobody asked for, with one decimal, rounded down. */
function lost({ asked, held }: InternalUse): string {
  const tenths = held === 0 ? 0 : Math.floor(((held - asked) * 1000) / held);
  return `${Math.floor(tenths / 10)}.${tenths % 10}%`;
}

function internalLine(use: InternalUse): string {
  const { name, blocks, asked, given, held } = use;
  return `${name.padEnd(20)}${wide(blocks, 8)} ${wide(asked)} ${wide(given)} ${wide(held)} ${wide(lost(use), 7)}\n`;
}

function total(uses: readonly InternalUse[]): InternalUse {
  const sum = { name: 'total', blocks: 0, asked: 0, given: 0, held: 0 };
  for (const { blocks, asked, given, held } of uses) {
    sum.blocks += blocks;
    sum.asked += asked;
    sum.given += given;
    sum.held += held;
  }
  return sum;
}

function zoneText({ zone, freePages, orders }: ExternalUse): string {
  const lines = orders.map(
    ({ blocks, usable, unusable, index }, order) =>
      `${wide(order, 5)} ${wide(blocks, 8)} ${wide(usable, 8)} ${wide(decimal(unusable), 8)} ${wide(decimal(index), 8)}\n`,
  );
  return `Node 0, zone ${zone.padStart(8)}, free pages ${freePages}\norder   blocks   usable unusable    index\n${lines.join('')}`;
}

export function fragmentation(machine: Machine): string {
  const uses = internalUse(machine);
  const { elements, bytes } = reserveUse(machine);
  return (
    `Internal, in bytes: asked for, given for it, held in pages\n` +
    `${'allocator'.padEnd(20)}${wide('blocks', 8)} ${wide('asked')} ${wide('given')} ${wide('held')} ${wide('lost', 7)}\n` +
    [...uses, total(uses)].map(internalLine).join('') +
    `mempools keep ${elements} elements of ${bytes} bytes in reserve\n\n` +
    `External, in pages: those in blocks that are large enough for the order\n` +
    externalUse(machine).map(zoneText).join('')
  );
}
