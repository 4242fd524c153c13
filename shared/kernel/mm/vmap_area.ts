/**
 * Areas of the kernel's virtual space between VMALLOC_START and VMALLOC_END (mm/vmalloc.c, spec §8): who has which
 * addresses, where the next area goes, and how addresses come back.
 *
 * The areas are an array sorted by address. A new one takes the lowest hole that holds it and one guard page more, so
 * that a run over the end of an area faults. A freed area keeps its addresses until many have gathered or space runs out
 * (the TLBs are flushed once for all of them): lazily freed areas are in the array with `freed` set.
 *
 * A search need not start at the bottom every time: `hint.addr` is an address below which no hole is larger than
 * `hint.hole` (free_vmap_cache, which came after 2.6.32; today's kernels keep the holes in a tree, which finds the same
 * place). 2.6.32 leaves one page more free behind each area, beside the guard page that is a part of it.
 */
import { emit, FACT } from '../facts.ts';
import { PAGE_SHIFT, PAGE_SIZE, type Addr, type Machine, type Pid } from '../types.ts';
import { freePagesBlock } from './page_alloc.ts';
import type { KernelLayout, VmapArea, VmapSpace } from './vmap_types.ts';

export function createVmapSpace(layout: KernelLayout): VmapSpace {
  return { areas: [], lazyPages: 0, usedPages: 0, owned: new Map(), hint: { addr: layout.vmallocStart, hole: 0 } };
}

/** Pages of lazily freed areas that may gather: 32 MiB for each doubling of CPUs (lazy_max_pages). */
export function lazyMaxPages(cpus: number): number {
  return (32 - Math.clz32(cpus)) * ((32 << 20) / PAGE_SIZE);
}

const endOf = (area: VmapArea): Addr => area.start + area.size;

/** Bytes that stay free behind an area (alloc_vmap_area of 2.6.32: ALIGN(va_end + PAGE_SIZE, align)). */
const gapOf = ({ config }: Machine): number => (config.rules === '2.6.32' ? PAGE_SIZE : 0);

/** Place in the array of the first area that starts at `addr` or above. */
function lowerBound(areas: readonly VmapArea[], addr: Addr): number {
  let low = 0;
  let high = areas.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (areas[middle]!.start < addr) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The area that starts just at `addr` and is not freed. */
export function findArea(space: VmapSpace, addr: Addr): VmapArea | null {
  const area = space.areas[lowerBound(space.areas, addr)];
  return area !== undefined && area.start === addr && !area.freed ? area : null;
}

interface Place {
  index: number;
  addr: Addr;
}

/** The lowest hole for `size` bytes at a multiple of `align`; null when there is none. */
// Simplified: for align above a page Linux 6.x looks in its tree for size + align − 1 bytes, and so may pass by a hole that would just do.
function findPlace(machine: Machine, size: number, align: number): Place | null {
  const { areas, hint } = machine.vmap;
  const { vmallocStart, vmallocEnd } = machine.config.layout;
  const isBelowTooSmall = size > hint.hole;
  const gap = gapOf(machine);
  let low = isBelowTooSmall ? hint.addr : vmallocStart;
  let largest = isBelowTooSmall ? hint.hole : 0;
  const first = lowerBound(areas, low);
  if (first > 0) low = Math.max(low, endOf(areas[first - 1]!) + gap);
  for (let index = first; ; index++) {
    const area = areas[index];
    const high = area === undefined ? vmallocEnd : area.start;
    const addr = Math.ceil(low / align) * align;
    if (addr + size <= high) {
      hint.addr = addr + size;
      hint.hole = Math.max(largest, addr - low);
      return { index, addr };
    }
    if (area === undefined) return null;
    largest = Math.max(largest, high - low);
    low = endOf(area) + gap;
  }
}

/** Gives all lazily freed addresses back (__purge_vmap_area_lazy). */
function purge(machine: Machine): void {
  const { vmap } = machine;
  const { areas, hint } = vmap;
  let kept = 0;
  for (const area of areas) {
    if (!area.freed) areas[kept++] = area;
    else if (area.start < hint.addr) hint.addr = kept === 0 ? machine.config.layout.vmallocStart : endOf(areas[kept - 1]!);
  }
  if (machine.facts !== null) emit(machine.facts, FACT.areasPurged, areas.length - kept, vmap.lazyPages, 0);
  areas.length = kept;
  vmap.lazyPages = 0;
}

/**
 * An area for `pages` pages and a guard page at a multiple of `align` bytes, owned by `pid`; null when no hole is long
 * enough, even after lazily freed addresses came back (alloc_vmap_area).
 */
export function allocVmapArea(
  machine: Machine,
  pages: number,
  align: number,
  kind: VmapArea['kind'],
  phys: number,
  pid: Pid,
): VmapArea | null {
  const { vmap } = machine;
  const size = (pages + 1) * PAGE_SIZE;
  let place = findPlace(machine, size, align);
  if (place === null && vmap.lazyPages > 0) {
    purge(machine);
    place = findPlace(machine, size, align);
  }
  if (place === null) return null;
  const area: VmapArea = { start: place.addr, size, kind, phys, pid, frames: [], asked: 0, freed: false };
  vmap.areas.splice(place.index, 0, area);
  vmap.usedPages += pages + 1;
  const owned = vmap.owned.get(pid);
  if (owned) owned.add(area.start);
  else vmap.owned.set(pid, new Set([area.start]));
  if (machine.facts !== null) emit(machine.facts, FACT.areaMapped, area.start / PAGE_SIZE, pages, pid);
  return area;
}

/** Unmaps an area and gives its frames back; its addresses follow lazily (vfree, free_vmap_area_noflush). */
// Simplified: the worker that purges when too many have gathered runs at once.
export function freeVmapArea(machine: Machine, area: VmapArea): void {
  const { vmap } = machine;
  for (const pfn of area.frames) freePagesBlock(machine, pfn, 0);
  area.frames = [];
  area.asked = 0;
  area.freed = true;
  const owned = vmap.owned.get(area.pid)!;
  owned.delete(area.start);
  if (owned.size === 0) vmap.owned.delete(area.pid);
  const pages = area.size >>> PAGE_SHIFT;
  vmap.usedPages -= pages;
  vmap.lazyPages += pages;
  if (machine.facts !== null) emit(machine.facts, FACT.areaFreed, area.start / PAGE_SIZE, pages - 1, area.pid);
  if (vmap.lazyPages > lazyMaxPages(1)) purge(machine);
}

/** All areas of a process that ends. */
export function freeAreasOf(machine: Machine, pid: Pid): void {
  const owned = machine.vmap.owned.get(pid);
  if (owned === undefined) return;
  for (const start of owned) freeVmapArea(machine, findArea(machine.vmap, start)!);
}

/** The space in pages: all of it, what areas and their guard pages hold, and the longest hole, less `gap` bytes behind an area. Lazily freed addresses are free. */
export function vmapPages(machine: Machine, gap = gapOf(machine)): { total: number; used: number; largestHole: number } {
  const { vmallocStart, vmallocEnd } = machine.config.layout;
  let largest = 0;
  let low = vmallocStart;
  for (const area of machine.vmap.areas) {
    if (area.freed) continue;
    largest = Math.max(largest, area.start - low);
    low = endOf(area) + gap;
  }
  largest = Math.max(largest, vmallocEnd - low);
  return { total: (vmallocEnd - vmallocStart) / PAGE_SIZE, used: machine.vmap.usedPages, largestHole: largest / PAGE_SIZE };
}
