/** What becomes of a heap when its process forks: the child has the same blocks at the same addresses. */
import type { Heap } from './types.ts';

export function copyHeap(heap: Heap | null): Heap | null {
  if (heap === null) return null;
  return { ...heap, addr: heap.addr.slice(), size: heap.size.slice(), blocks: new Map(heap.blocks) };
}
