/**
 * The contiguous memory allocator (mm/cma.c, alloc_contig_range; spec §7): a region kept at boot, lent to movable pages
 * in the meantime, and emptied by moving them when a driver asks for a run of frames.
 */
import { emit, FACT } from '../facts.ts';
import { GFP_BIT, GFP_USER } from '../gfp.ts';
import { MIGRATE, PG, type Cma, type Machine, type Pfn, type Pid, type Zone } from '../types.ts';
import { blockOf, delFromFreeList, freeOnePage, pageblockType } from './buddy.ts';
import { isMigratable, migratePage } from './migrate.ts';
import { zoneOf } from './mmzone.ts';
import { freePagesBlock } from './page_alloc.ts';
import { firstNotFree, startIsolatePageRange, undoIsolatePageRange } from './page_isolation.ts';
import { allocPages } from './slowpath.ts';
import { count, VMSTAT } from './vmstat.ts';

const MIGRATE_TRIES = 5;

/** First run of `pages` unused frames from `from` on whose number is a multiple of 2^align; −1 if none (bitmap_find_next_zero_area). */
function findRun(cma: Cma, from: number, pages: number, align: number): number {
  const step = 1 << align;
  let at = Math.ceil((cma.base + from) / step) * step - cma.base;
  while (at + pages <= cma.count) {
    let blocked = -1;
    for (let i = at + pages - 1; i >= at && blocked < 0; i--) if (cma.used[i] !== 0) blocked = i;
    if (blocked < 0) return at;
    at = Math.ceil((cma.base + blocked + 1) / step) * step - cma.base;
  }
  return -1;
}

export interface Busy {
  /** Frame that would not move, and whose page it is. */
  pfn: Pfn;
  owner: Pid;
}

/** Moves the used pages of [start, end) out; the frame in the way when one stays (__alloc_contig_migrate_range). */
function migrateRange(machine: Machine, start: Pfn, end: Pfn): Busy | null {
  const { frames } = machine;
  for (let tries = 0; tries < MIGRATE_TRIES; tries++) {
    for (let pfn = start; pfn < end; pfn++) {
      if (!isMigratable(frames, pfn)) continue;
      const to = allocPages(machine, 0, GFP_USER | GFP_BIT.__GFP_MOVABLE | GFP_BIT.__GFP_RETRY_MAYFAIL, 0, 0);
      if (to < 0) return { pfn, owner: frames.owner[pfn]! };
      // Reclaim may have freed the page itself while it looked for room.
      if (isMigratable(frames, pfn)) migratePage(machine, pfn, to);
      else freePagesBlock(machine, to, 0);
    }
    if (firstNotFree(machine, start, end) < 0) return null;
  }
  const pfn = firstNotFree(machine, start, end);
  count(machine, VMSTAT.pgmigrate_fail, 1);
  return { pfn, owner: frames.owner[pfn]! };
}

/** Takes the free blocks over [start, end) out of the buddy, giving back what they hold beyond it. */
function takeRange(machine: Machine, zone: Zone, start: Pfn, end: Pfn): void {
  const { frames } = machine;
  for (let pfn = start; pfn < end;) {
    const block = blockOf(frames, pfn)!;
    const after = block.head + (1 << block.order);
    delFromFreeList(frames, zone, block.head, block.order, pageblockType(frames, block.head));
    for (let spare = block.head; spare < start; spare++) returnSpare(machine, zone, spare);
    for (let spare = end; spare < after; spare++) returnSpare(machine, zone, spare);
    pfn = after;
  }
}

/** A frame that came along in a block goes back to the isolated lists, uncounted. */
function returnSpare(machine: Machine, zone: Zone, pfn: Pfn): void {
  freeOnePage(machine.frames, zone, pfn, 0, false, machine.facts);
  emit(machine.facts, FACT.pagesReturned, pfn, 0, 0);
}

/** Making room for the pages that are moved away may cost the asker its life. */
const isAlive = (machine: Machine, pid: Pid): boolean => pid === 0 || machine.tasks.has(pid);

/** Empties [start, end) of its pages and takes it (alloc_contig_range); the frame in the way when that fails. */
function allocContigRange(machine: Machine, pid: Pid, start: Pfn, end: Pfn): Busy | null {
  const zone = zoneOf(machine.zones, start);
  const size = 1 << machine.frames.pageblockOrder;
  const from = start & ~(size - 1);
  const to = Math.ceil(end / size) * size;
  if (!startIsolatePageRange(machine, zone, from, to)) return { pfn: start, owner: 0 };
  const moved = migrateRange(machine, start, end);
  const busy = moved ?? (isAlive(machine, pid) ? null : { pfn: start, owner: 0 });
  if (busy === null) takeRange(machine, zone, start, end);
  undoIsolatePageRange(machine, zone, from, to, MIGRATE.cma);
  return busy;
}

function giveOut(machine: Machine, pid: Pid, pfn: Pfn, pages: number): void {
  const { frames } = machine;
  const cma = machine.cma!;
  for (let i = 0; i < pages; i++) {
    frames.flags[pfn + i] = PG.head | PG.contig;
    frames.order[pfn + i] = 0;
    frames.owner[pfn + i] = pid;
    frames.mapcount[pfn + i] = 0;
    frames.refcount[pfn + i] = 1;
    if (machine.facts !== null) emit(machine.facts, FACT.pagesAllocated, pfn + i, 0, pid);
  }
  cma.used.fill(1, pfn - cma.base, pfn - cma.base + pages);
  cma.runs.set(pfn, { pages, pid });
}

/** A run of `pages` frames; `busy` names the last frame that stood in the way, null when no part of the region was long enough. */
export function cmaAlloc(machine: Machine, pid: Pid, pages: number, align: number): { pfn: Pfn } | { busy: Busy | null } {
  const { cma } = machine;
  let busy: Busy | null = null;
  if (cma === null) return { busy };
  for (let from = 0; ;) {
    const at = findRun(cma, from, pages, align);
    if (at < 0) break;
    const pfn = cma.base + at;
    busy = allocContigRange(machine, pid, pfn, pfn + pages);
    if (busy === null) {
      giveOut(machine, pid, pfn, pages);
      count(machine, VMSTAT.cma_alloc_success, 1);
      return { pfn };
    }
    if (!isAlive(machine, pid)) break;
    from = at + (1 << align);
  }
  count(machine, VMSTAT.cma_alloc_fail, 1);
  return { busy };
}
