/**
 * What glibc finds when it looks at a control block that the program wrote over. A program that writes beyond its block
 * lands on the size of the next one; nobody notices until malloc or free reads it, often much later and elsewhere.
 */
// Simplified: damage is noticed at the size words. Links of free chunks that were overwritten are not followed.
import type { Addr } from '../types.ts';
import { ALIGN, chunkAround, minSize } from './chunks.ts';
import { CHUNK, type GlibcHeap, type Heap } from './types.ts';

const PREV_INUSE = 1;
const IS_MMAPPED = 2;

/** The size word as glibc wrote it: bytes, and whether the chunk before is in use, and whether it is a mapping. */
function trueWord(heap: GlibcHeap, slot: number): number {
  const { chunks } = heap;
  const state = chunks.state[slot];
  if (state === CHUNK.mmapped) return chunks.size[slot]! + IS_MMAPPED;
  const prev = chunks.prev[slot]!;
  const free = prev >= 0 && (chunks.state[prev] === CHUNK.unsorted || chunks.state[prev] === CHUNK.binned);
  return chunks.size[slot]! + (free ? 0 : PREV_INUSE);
}

/** The size word that stands in memory now. */
export function sizeWord(heap: GlibcHeap, slot: number): number {
  return heap.damage.size > 0 ? (heap.damage.get(slot) ?? trueWord(heap, slot)) : trueWord(heap, slot);
}

export function isDamaged(heap: GlibcHeap, slot: number): boolean {
  return heap.damage.size > 0 && heap.damage.has(slot);
}

/** Bytes that the size word claims. */
export const claimedSize = (word: number): number => word - (word % 8);
/** Could a chunk have that size at all? */
export function isPlausible(heap: GlibcHeap, word: number): boolean {
  const size = claimedSize(word);
  return size >= minSize(heap) && size % ALIGN === 0 && size < heap.systemMem;
}
export const saysPrevInUse = (word: number): boolean => word % 2 === PREV_INUSE;
export const saysMmapped = (word: number): boolean => word % 4 >= IS_MMAPPED;

function overwriteWord(heap: GlibcHeap, slot: number, from: Addr, bytes: (at: Addr) => number, end: Addr): void {
  const field = heap.chunks.addr[slot]! + heap.word;
  const before = sizeWord(heap, slot);
  let [word, scale, left] = [0, 1, before];
  // The lowest six bytes: sizes end there.
  for (let n = 0; n < Math.min(6, heap.word); n++) {
    const at = field + n;
    word += scale * (at >= from && at < end ? bytes(at) : left % 256);
    left = Math.floor(left / 256);
    scale *= 256;
  }
  if (word === trueWord(heap, slot)) heap.damage.delete(slot);
  else if (word !== before) heap.damage.set(slot, word);
}

/** The program wrote bytes at [addr, addr + length): control blocks among them are no longer what glibc wrote. */
export function noticeWrite(held: Heap | null, addr: Addr, length: number, bytes: (at: Addr) => number): void {
  if (held?.kind !== 'glibc') return;
  const heap = held;
  const end = addr + length;
  let slot = chunkAround(heap, addr);
  while (slot >= 0 && heap.chunks.addr[slot]! < end) {
    const field = heap.chunks.addr[slot]! + heap.word;
    if (field < end && field + heap.word > addr) overwriteWord(heap, slot, addr, bytes, end);
    slot = heap.chunks.next[slot]!;
  }
}
