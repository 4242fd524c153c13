/**
 * The blocks that a process was given by alloc_pages and its like, oldest first. They are linked through `next` and `prev` of their
 * heads, which only free blocks need otherwise: taking and giving back allocates nothing.
 */
import { PG, USE, type BlockList, type Frames, type Pfn, type Pid } from '../types.ts';

export function createBlockList(): BlockList {
  return { first: -1, last: -1 };
}

/** A block becomes the newest of a list. */
export function addBlock(frames: Frames, list: BlockList, pfn: Pfn): void {
  frames.next[pfn] = -1;
  frames.prev[pfn] = list.last;
  if (list.last < 0) list.first = pfn;
  else frames.next[list.last] = pfn;
  list.last = pfn;
}

/** Takes a block out of the list that it is in. */
export function delBlock(frames: Frames, list: BlockList, pfn: Pfn): void {
  const after = frames.next[pfn]!;
  const before = frames.prev[pfn]!;
  if (before < 0) list.first = after;
  else frames.next[before] = after;
  if (after < 0) list.last = before;
  else frames.prev[after] = before;
}

/** Heads of the blocks of a list. */
export function blocksOf(frames: Frames, list: BlockList): Pfn[] {
  const blocks: Pfn[] = [];
  for (let pfn = list.first; pfn >= 0; pfn = frames.next[pfn]!) blocks.push(pfn);
  return blocks;
}

/** Does a frame head a block that the process was given? Frames of vmalloc belong to their areas. */
export function hasBlock(frames: Frames, pid: Pid, pfn: Pfn): boolean {
  return frames.flags[pfn] === (PG.head | PG.kernel) && frames.owner[pfn] === pid && frames.index[pfn] !== USE.vmalloc;
}
