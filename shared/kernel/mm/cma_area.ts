/** The region of the contiguous memory allocator: where it lies, who has which run, and giving runs back (mm/cma.c). */
import { emit, FACT } from '../facts.ts';
import { MIGRATE, type Cma, type Machine, type MachineConfig, type Pfn, type Zone } from '../types.ts';
import { freeOnePage } from './buddy.ts';
import { freePagesOfType } from './mobility.ts';
import { zoneOf } from './mmzone.ts';
import { count, VMSTAT } from './vmstat.ts';

/** Where the region lies: at the top of the highest zone that the kernel maps directly, aligned to pageblocks; null if it does not fit. */
export function placeCma(config: MachineConfig, zones: readonly Zone[]): { base: Pfn; count: number; zone: Zone } | null {
  const size = 1 << config.pageblockOrder;
  const wanted = Math.ceil(config.cma / size) * size;
  for (let i = zones.length - 1; i >= 0; i--) {
    const zone = zones[i]!;
    if (zone.name === 'HighMem') continue;
    const base = Math.floor(zone.end / size) * size - wanted;
    if (base >= Math.max(zone.start, config.reserved) && wanted > 0) return { base, count: wanted, zone };
  }
  return null;
}

export function createCma(base: Pfn, pages: number): Cma {
  return { base, count: pages, used: new Uint8Array(pages), runs: new Map() };
}

/** Gives a run back; its pages may be lent again. */
export function cmaRelease(machine: Machine, pfn: Pfn): void {
  const cma = machine.cma!;
  const { pages } = cma.runs.get(pfn)!;
  cma.runs.delete(pfn);
  cma.used.fill(0, pfn - cma.base, pfn - cma.base + pages);
  const zone = zoneOf(machine.zones, pfn);
  for (let i = 0; i < pages; i++) {
    if (machine.facts !== null) emit(machine.facts, FACT.pagesFreed, pfn + i, 0, machine.frames.owner[pfn + i]!);
    machine.frames.owner[pfn + i] = 0;
    machine.frames.refcount[pfn + i] = 0;
    machine.contents.delete(pfn + i);
    freeOnePage(machine.frames, zone, pfn + i, 0, false, machine.facts);
  }
  count(machine, VMSTAT.pgfree, pages);
}

/** The longest run of the region that no driver holds. */
export function largestCmaRun(cma: Cma | null): number {
  let longest = 0;
  let run = 0;
  for (const used of cma?.used ?? []) {
    run = used === 0 ? run + 1 : 0;
    if (run > longest) longest = run;
  }
  return longest;
}

/** Pages of the region that nobody has: neither a driver nor, by loan, anybody else. */
export function freeCmaPages(machine: Machine): number {
  return machine.zones.reduce((pages, zone) => pages + freePagesOfType(zone, MIGRATE.cma), 0);
}
