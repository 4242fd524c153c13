/**
 * ioremap: addresses for the registers and memory of devices (arch/x86/mm/ioremap.c, spec §3). It takes addresses from
 * the vmalloc space and not one frame: mapping is not allocating.
 */
import { allocVmapArea, freeVmapArea } from '../mm/vmap_area.ts';
import { noHole } from '../mm/vmalloc.ts';
import type { Failure } from '../mm/mmap.ts';
import type { VmapArea } from '../mm/vmap_types.ts';
import { PAGE_SIZE, PG, type Addr, type Machine, type Pid } from '../types.ts';

/** Areas are aligned to their size, up to what one page table spans, on x86_64 one PMD table; in 2.6.32 up to 128 pages (IOREMAP_MAX_ORDER). */
const IOREMAP_MAX_ALIGN = { i386: 4 << 20, toy16: 4 << 20, x86_64: 1 << 30 } as const;
const OLD_MAX_ALIGN = 128 * PAGE_SIZE;

/** The first frame of [first, last] that the kernel manages as RAM, −1 if none: its attributes would clash with the direct map's. */
function firstRamFrame(machine: Machine, first: number, last: number): number {
  const { frames } = machine;
  for (let pfn = first; pfn <= last && pfn < frames.count; pfn++) if ((frames.flags[pfn]! & PG.reserved) === 0) return pfn;
  return -1;
}

/** The smallest power of two ≥ `size` bytes, at least a page; in 2.6.32 the smallest above it (get_count_order, fls). */
function alignmentFor({ config }: Machine, size: number): number {
  const isOld = config.rules === '2.6.32';
  const most = isOld ? OLD_MAX_ALIGN : IOREMAP_MAX_ALIGN[config.arch];
  let align = PAGE_SIZE;
  while (align < (isOld ? size + 1 : size) && align < most) align *= 2;
  return align;
}

/** The virtual address of `phys`, of which `size` bytes are mapped from there on. */
export function ioremap(machine: Machine, pid: Pid, phys: number, size: number): Addr | Failure {
  const offset = phys % PAGE_SIZE;
  const start = phys - offset;
  const pages = Math.ceil((offset + size) / PAGE_SIZE);
  const ram = firstRamFrame(machine, start / PAGE_SIZE, start / PAGE_SIZE + pages - 1);
  if (ram >= 0) return { errno: 'ENOMEM', why: { code: 'IS_RAM', pfn: ram, owner: machine.frames.owner[ram]! } };
  const area = allocVmapArea(machine, pages, alignmentFor(machine, pages * PAGE_SIZE), 'ioremap', start, pid);
  return area === null ? noHole(machine, pages) : area.start + offset;
}

export function iounmap(machine: Machine, area: VmapArea): void {
  freeVmapArea(machine, area);
}
