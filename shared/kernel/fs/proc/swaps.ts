/** /proc/swaps (mm/swapfile.c, swap_show): the area, sizes in kB; nothing but the head while it is off. */
import type { Machine } from '../../types.ts';

export function swaps(machine: Machine): string {
  const head = 'Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n';
  const { swap } = machine;
  if (swap === null || !swap.on) return head;
  const column = (kb: number) => `${kb}\t${kb < 10000000 ? '\t' : ''}`;
  return `${head}${'/dev/sdb1'.padEnd(40)}partition\t${column(swap.slots * 4)}${column(swap.used * 4)}-2\n`;
}
