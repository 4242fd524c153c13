/** /proc/buddyinfo: free blocks by order, one line a zone (mm/vmstat.c, frag_show_print). */
import { nrFreeByOrder } from '../../mm/buddy.ts';
import { populated } from '../../mm/mmzone.ts';
import type { Machine } from '../../types.ts';

export function buddyinfo(machine: Machine): string {
  let text = '';
  for (const zone of populated(machine.zones)) {
    text += `Node 0, zone ${zone.name.padStart(8)} `;
    for (const blocks of nrFreeByOrder(zone)) text += `${String(blocks).padStart(6)} `;
    text += '\n';
  }
  return text;
}
