/** What a frame is, read from the kernel's arrays: the block it belongs to, its owner, its use. */
import { PGS } from '#kernel/mm/swap.ts';
import { PG } from '#kernel/types.ts';
import type { Frames, Machine, Pfn, Zone } from '#kernel/types.ts';
import { KIND } from './palette.ts';

const HEADS = PG.buddy | PG.head;
const ORDER_MAX = 10;

/** The first frame of the free or allocated block that holds `pfn`; `pfn` itself where no block does (the kernel's image). */
export function headOf(frames: Frames, pfn: Pfn): Pfn {
  for (let order = 0; order <= ORDER_MAX; order++) {
    const head = pfn & ~((1 << order) - 1);
    if ((frames.flags[head]! & HEADS) !== 0 && frames.order[head]! >= order) return head;
  }
  return pfn;
}

/** Order of the block that `head` begins; 0 for a frame that heads none. */
export function orderOf(frames: Frames, head: Pfn): number {
  return (frames.flags[head]! & HEADS) === 0 ? 0 : frames.order[head]!;
}

/** A page of a file's cache has the flag of shared memory; `frames.state` tells them apart. */
const isFile = (state: number): boolean => (state & PGS.file) !== 0;

/** The row of the swatch atlas for a block's first frame, by its `flags` and its `state`. */
export function kindOf(flags: number, state: number): number {
  if ((flags & PG.table) !== 0) return KIND.table;
  if ((flags & PG.shmem) !== 0) return isFile(state) ? KIND.file : KIND.shared;
  return (flags & PG.kernel) !== 0 ? KIND.block : KIND.page;
}

export type FrameUse = 'image' | 'free' | 'anon' | 'shmem' | 'file' | 'table' | 'block';

export interface FrameFacts {
  pfn: Pfn;
  zone: Zone['name'];
  use: FrameUse;
  head: Pfn;
  order: number;
  /** Pid that it was allocated for; 0 = the kernel. -1 while free. */
  owner: number;
  /** User page-table entries that map it. */
  mapcount: number;
}

export function frameFacts(machine: Machine, pfn: Pfn): FrameFacts | null {
  const { frames } = machine;
  if (pfn < 0 || pfn >= frames.count) return null;
  const head = headOf(frames, pfn);
  const flags = frames.flags[head]!;
  const use = useOf(flags, frames.state[head]!);
  return {
    pfn,
    zone: machine.zones.find((zone) => pfn >= zone.start && pfn < zone.end)?.name ?? 'Normal',
    use,
    head,
    order: orderOf(frames, head),
    owner: use === 'free' ? -1 : frames.owner[head]!,
    mapcount: use === 'free' ? 0 : frames.mapcount[pfn]!,
  };
}

function useOf(flags: number, state: number): FrameUse {
  if ((flags & PG.reserved) !== 0) return 'image';
  if ((flags & PG.buddy) !== 0) return 'free';
  if ((flags & PG.table) !== 0) return 'table';
  if ((flags & PG.shmem) !== 0) return isFile(state) ? 'file' : 'shmem';
  return (flags & PG.anon) !== 0 ? 'anon' : 'block';
}
