/** Taking pageblocks out of use while their pages are moved away (mm/page_isolation.c): free pages wait on lists that nobody is served from. */
import { emit, FACT } from '../facts.ts';
import { MIGRATE, PG, type Machine, type Pfn, type Zone } from '../types.ts';
import { addToFreeList, blockOf, delFromFreeList, freeOnePage, pageblockType, setPageblockType } from './buddy.ts';
import { moveFreepagesBlock } from './mobility.ts';

/** Cuts a free block that reaches over the pageblock at `start` until no free block does. */
function splitAround(machine: Machine, zone: Zone, start: Pfn): void {
  const { frames } = machine;
  for (;;) {
    const block = blockOf(frames, start);
    if (block === null || !block.free || block.order <= frames.pageblockOrder) return;
    const type = pageblockType(frames, block.head);
    const half = block.order - 1;
    delFromFreeList(frames, zone, block.head, block.order, type);
    addToFreeList(frames, zone, block.head + (1 << half), half, type, false);
    addToFreeList(frames, zone, block.head, half, type, false);
    emit(machine.facts, FACT.blockSplit, block.head, block.order, 0);
  }
}

/** Moves the free blocks of a pageblock between lists and tags it; isolated pages do not count as free. */
function retag({ frames }: Machine, zone: Zone, start: Pfn, type: number): void {
  const moved = moveFreepagesBlock(frames, zone, start, start + (1 << frames.pageblockOrder), type);
  zone.free += type === MIGRATE.isolate ? -moved : moved;
}

/** Isolates the pageblocks of [start, end), which are aligned to pageblocks; false when one is isolated already. */
export function startIsolatePageRange(machine: Machine, zone: Zone, start: Pfn, end: Pfn): boolean {
  const size = 1 << machine.frames.pageblockOrder;
  for (let block = start; block < end; block += size) if (pageblockType(machine.frames, block) === MIGRATE.isolate) return false;
  for (let block = start; block < end; block += size) {
    splitAround(machine, zone, block);
    retag(machine, zone, block, MIGRATE.isolate);
  }
  return true;
}

/** Is this free block's buddy free, too, and of a pageblock that is in use? Then both are one block again once this one is freed anew. */
function mayMerge({ frames }: Machine, zone: Zone, pfn: Pfn): boolean {
  const order = frames.order[pfn]!;
  if (frames.flags[pfn] !== PG.buddy || order < frames.pageblockOrder || order === zone.maxOrder) return false;
  const buddy = pfn ^ (1 << order);
  const isFree = buddy >= zone.start && buddy < zone.end && frames.flags[buddy] === PG.buddy && frames.order[buddy] === order;
  return isFree && pageblockType(frames, buddy) !== MIGRATE.isolate;
}

/** Gives the pageblocks back to a type; free blocks that isolation kept apart join (unset_migratetype_isolate). */
export function undoIsolatePageRange(machine: Machine, zone: Zone, start: Pfn, end: Pfn, type: number): void {
  const { frames, facts } = machine;
  for (let block = start; block < end; block += 1 << frames.pageblockOrder) {
    if (!mayMerge(machine, zone, block)) {
      retag(machine, zone, block, type);
      continue;
    }
    const order = frames.order[block]!;
    delFromFreeList(frames, zone, block, order, MIGRATE.isolate);
    setPageblockType(frames, block, order, type);
    freeOnePage(frames, zone, block, order, true, facts);
  }
}

/** First frame of the range that is not free, -1 when all are. */
export function firstNotFree(machine: Machine, start: Pfn, end: Pfn): Pfn {
  for (let pfn = start; pfn < end;) {
    const block = blockOf(machine.frames, pfn);
    if (block === null || !block.free) return pfn;
    pfn = block.head + (1 << block.order);
  }
  return -1;
}
