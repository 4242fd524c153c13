/**
 * The blocks that a process was given by alloc_pages and its like, oldest first. They are linked through the `links` of their
 * heads, which only free blocks need otherwise: taking and giving back allocates nothing.
 */
import { PG, USE, type BlockList, type Frames, type Pfn, type Pid } from '../types.ts';

export function createBlockList(): BlockList {
  return { first: -1, last: -1 };
}

/** A block becomes the newest of a list. */
export function addBlock(frames: Frames, list: BlockList, pfn: Pfn): void {
  frames.links[pfn << 1] = -1;
  frames.links[(pfn << 1) | 1] = list.last;
  if (list.last < 0) list.first = pfn;
  else frames.links[list.last << 1] = pfn;
  list.last = pfn;
}

/** Takes a block out of the list that it is in. */
export function delBlock(frames: Frames, list: BlockList, pfn: Pfn): void {
  const after = frames.links[pfn << 1]!;
  const before = frames.links[(pfn << 1) | 1]!;
  if (before < 0) list.first = after;
  else frames.links[before << 1] = after;
  if (after < 0) list.last = before;
  else frames.links[(after << 1) | 1] = before;
}

/** Heads of the blocks of a list. */
export function blocksOf(frames: Frames, list: BlockList): Pfn[] {
  const blocks: Pfn[] = [];
  for (let pfn = list.first; pfn >= 0; pfn = frames.links[pfn << 1]!) blocks.push(pfn);
  return blocks;
}

/** Does a frame head a block that the process was given? Frames of vmalloc belong to their areas. */
export function hasBlock(frames: Frames, pid: Pid, pfn: Pfn): boolean {
  return frames.flags[pfn] === (PG.head | PG.kernel) && frames.owner[pfn] === pid && frames.index[pfn] !== USE.vmalloc;
}
