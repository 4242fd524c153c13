/**
 * /proc/vmallocinfo (mm/vmalloc.c): one line an area, by address; sizes count the guard page. Where Linux names the
 * function that asked, this one names the process. Lazily freed areas come last; 2.6.32 does not show them.
 */
import { addressDigits } from '../../arch/address.ts';
import type { VmapArea } from '../../mm/vmap_types.ts';
import { PAGE_SIZE, type Machine, type Pid } from '../../types.ts';

const hex = (value: number): string => `0x${addressDigits(value)}`;
const range = (area: VmapArea): string => `${hex(area.start)}-${hex(area.start + area.size)} ${String(area.size).padStart(7)}`;

/** Who asked: a process by its name, or the kernel. */
export function askerName(machine: Machine, pid: Pid): string {
  return pid === 0 ? 'kernel' : (machine.tasks.get(pid)?.comm ?? `pid${pid}`);
}

function line(machine: Machine, area: VmapArea): string {
  const phys = machine.config.rules === '2.6.32' ? area.phys.toString(16) : hex(area.phys);
  const what = area.kind === 'vmalloc' ? `pages=${area.size / PAGE_SIZE - 1} vmalloc` : `phys=${phys} ioremap`;
  return `${range(area)} ${askerName(machine, area.pid)} ${what}\n`;
}

export function vmallocinfo(machine: Machine): string {
  let text = '';
  let unpurged = '';
  for (const area of machine.vmap.areas) {
    if (area.freed) unpurged += `${range(area)} unpurged vm_area\n`;
    else text += line(machine, area);
  }
  return machine.config.rules === '2.6.32' ? text : text + unpurged;
}
