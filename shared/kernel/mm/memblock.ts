/**
 * Memory before the buddy has it (mm/memblock.c, alloc_bootmem): the kernel's image at the bottom, what drivers take at
 * boot above it, memory beyond `mem=` that nobody manages, and the region kept for the contiguous memory allocator.
 * The rest goes to the buddy, lowest first.
 */
import { MIGRATE, PG, type Frames, type Machine, type Pfn, type Zone } from '../types.ts';
import { freeOnePage, setPageblockType } from './buddy.ts';
import { createCma, placeCma } from './cma_area.ts';
import { freeOnePage26, setupMigrateReserve } from './mobility26.ts';
import { createFrames, createZones, setupZones } from './mmzone.ts';

/** Gives the buddy all frames of [start, end) in the largest aligned blocks, lowest first, each to the tail (__free_pages_memory); of 2.6.32 to the head, so that the highest block is given out first (free_all_bootmem). */
export function freeRange(frames: Frames, zone: Zone, start: Pfn, end: Pfn): void {
  for (let pfn = start; pfn < end;) {
    let order = 0;
    while (order < zone.maxOrder && (pfn & (1 << order)) === 0 && pfn + (2 << order) <= end) order += 1;
    if (zone.k26) freeOnePage26(frames, zone, pfn, order, null);
    else freeOnePage(frames, zone, pfn, order, true, null);
    pfn += 1 << order;
  }
  zone.managed += end - start;
}

function freeZone(machine: Machine, zone: Zone, from: Pfn): void {
  const start = Math.max(zone.start, from);
  const { cma } = machine;
  if (cma === null || cma.base < start || cma.base >= zone.end) {
    if (start < zone.end) freeRange(machine.frames, zone, start, zone.end);
    return;
  }
  const end = cma.base + cma.count;
  zone.cmaPages = cma.count;
  for (let block = cma.base; block < end; block += 1 << machine.frames.pageblockOrder) {
    setPageblockType(machine.frames, block, machine.frames.pageblockOrder, MIGRATE.cma);
  }
  for (const [low, high] of [
    [start, cma.base],
    [cma.base, end],
    [end, zone.end],
  ] as const) {
    if (low < high) freeRange(machine.frames, zone, low, high);
  }
}

/** Marks and reserves of the zones as they are now; 2.6.32 keeps pageblocks by them. */
export function setMarks(machine: Machine): void {
  setupZones(machine);
  for (const zone of machine.zones) if (zone.k26) setupMigrateReserve(machine.frames, zone);
}

/** Hands memory to the buddy as at boot, from frame `reserved` on. Only for a machine that nothing has happened to yet. */
export function bootMemory(machine: Machine, reserved: number): void {
  const { config } = machine;
  Object.assign(machine.frames, createFrames(config));
  machine.zones.splice(0, machine.zones.length, ...createZones(config));
  machine.frames.flags.fill(PG.reserved, 0, reserved);
  machine.frames.flags.fill(PG.reserved, config.mem, config.frames);
  const place = config.cma > 0 ? placeCma(config, machine.zones) : null;
  machine.cma = place === null ? null : createCma(place.base, place.count);
  for (const zone of machine.zones) freeZone(machine, zone, reserved);
  machine.bootPages = reserved;
  setMarks(machine);
}

/** Has nothing happened to the machine since it booted? Then boot may still take memory. */
export function isUntouched(machine: Machine): boolean {
  return machine.now === 0 && machine.tasks.size === 0 && machine.nextPid === 2 && machine.vmstat.every((counter) => counter === 0);
}

/** A run of any length above what boot holds already; −1 when the lowest zones have none, or the buddy has the memory (alloc_bootmem). */
export function allocBootmem(machine: Machine, pages: number): Pfn {
  const pfn = machine.bootPages;
  const limit = machine.cma?.base ?? machine.zones.reduce((end, zone) => (zone.name === 'HighMem' ? end : Math.max(end, zone.end)), 0);
  if (pfn + pages >= limit) return -1;
  bootMemory(machine, pfn + pages);
  return pfn;
}
