/**
 * vmalloc: memory that is contiguous in the kernel's virtual space only (mm/vmalloc.c, spec §8). Its frames come one by
 * one from any zone, high memory first, so fragmented memory is no obstacle; what can run out is the virtual space.
 */
import { GFP_BIT, GFP_KERNEL } from '../gfp.ts';
import { PAGE_SIZE, PG, USE, type Machine, type Task } from '../types.ts';
import type { Failure } from './mmap.ts';
import { freePages, managedPages } from './mmzone.ts';
import { allocPages, allocWhy, ASKER_KILLED } from './slowpath.ts';
import { allocVmapArea, freeVmapArea, vmapPages } from './vmap_area.ts';
import type { VmapArea } from './vmap_types.ts';

const GFP_VMALLOC = GFP_KERNEL | GFP_BIT.__GFP_HIGHMEM | GFP_BIT.__GFP_NOWARN;
/** The asker died of the OOM killer while it asked. */
export const VMALLOC_KILLED = 'killed';

/** Why no hole of the virtual space held `pages` pages and their guard page. */
export function noHole(machine: Machine, pages: number): Failure {
  const { total, used, largestHole } = vmapPages(machine);
  const numbers = { needed: pages + 1, freeSpace: total - used, largestHole, freePages: freePages(machine.zones) };
  const code = numbers.freeSpace > pages ? 'VMALLOC_FRAGMENTED' : 'VMALLOC_FULL';
  return { errno: 'ENOMEM', why: { code, ...numbers } };
}

/** Fills an area with frames; why it failed, or that the asker was killed, with the area freed (__vmalloc_area_node). */
function vmallocPages(machine: Machine, task: Task | null, area: VmapArea, pages: number): Failure | typeof VMALLOC_KILLED | null {
  const pid = task?.pid ?? 0;
  while (area.frames.length < pages) {
    const pfn = allocPages(machine, 0, GFP_VMALLOC, pid, PG.kernel);
    if (pfn >= 0) {
      machine.frames.index[pfn] = USE.vmalloc;
      area.frames.push(pfn);
      if (task) task.kernelPages += 1;
      continue;
    }
    // The end of the asker has freed the area with all else that it held.
    if (pfn === ASKER_KILLED) return VMALLOC_KILLED;
    const why = allocWhy(machine, 0, GFP_VMALLOC);
    vfree(machine, area);
    return { errno: 'ENOMEM', why };
  }
  return null;
}

/** An area of at least `size` bytes with frames behind it, for a task or (null) for the kernel. */
// Simplified: the array that lists an area's frames takes no memory of the machine.
export function vmalloc(machine: Machine, task: Task | null, size: number): VmapArea | Failure | typeof VMALLOC_KILLED {
  const pages = Math.ceil(size / PAGE_SIZE);
  const total = managedPages(machine.zones);
  if (pages > total) return { errno: 'ENOMEM', why: { code: 'VMALLOC_TOO_LARGE', needed: pages, total } };
  const area = allocVmapArea(machine, pages, PAGE_SIZE, 'vmalloc', 0, task?.pid ?? 0);
  if (area === null) return noHole(machine, pages);
  area.asked = size;
  return vmallocPages(machine, task, area, pages) ?? area;
}

/** Gives an area of vmalloc back, whoever has it. */
export function vfree(machine: Machine, area: VmapArea): void {
  const holder = machine.tasks.get(area.pid);
  if (holder) holder.kernelPages -= area.frames.length;
  freeVmapArea(machine, area);
}
