/** What becomes of a heap when its process forks: the child has the same blocks at the same addresses. */
import { copyChunks } from './chunks.ts';
import { copyShadow } from './shadow.ts';
import type { Heap } from './types.ts';

export function copyHeap(heap: Heap | null): Heap | null {
  if (heap === null) return null;
  if (heap.kind === 'list') return { ...heap, addr: heap.addr.slice(), size: heap.size.slice(), blocks: new Map(heap.blocks) };
  return {
    ...heap,
    chunks: copyChunks(heap.chunks),
    at: new Map(heap.at),
    starts: new Map(heap.starts),
    mmaps: [...heap.mmaps],
    fenced: heap.fenced.map((piece) => ({ ...piece })),
    tcacheHead: heap.tcacheHead.slice(),
    tcacheCount: heap.tcacheCount.slice(),
    fast: heap.fast.slice(),
    head: heap.head.slice(),
    tail: heap.tail.slice(),
    binmap: heap.binmap.slice(),
    par: { ...heap.par },
    damage: new Map(heap.damage),
    shadow: heap.shadow === null ? null : copyShadow(heap.shadow),
  };
}
