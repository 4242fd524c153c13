/**
 * Chunks of glibc's malloc (malloc/malloc.c): they tile the heap; each knows its neighbours. In memory a chunk begins with
 * its control block of two words (the size of a free chunk before it, its own size and three flags), and what malloc
 * answers is the address behind it. Here the sizes are kept in arrays beside; the pages of the control blocks are
 * touched as glibc touches them, and a program that overwrites one is noticed (corrupt.ts).
 */
import type { Addr } from '../types.ts';
import { CHUNK, type Chunks, type GlibcHeap } from './types.ts';

const PAGE = 4096;
export const ALIGN = 16;

export function createChunks(capacity = 32): Chunks {
  return {
    addr: new Float64Array(capacity),
    size: new Float64Array(capacity),
    state: new Uint8Array(capacity),
    prev: new Int32Array(capacity),
    next: new Int32Array(capacity),
    fd: new Int32Array(capacity),
    bk: new Int32Array(capacity),
    fdSize: new Int32Array(capacity),
    bkSize: new Int32Array(capacity),
    used: 0,
    free: -1,
  };
}

/** The same chunks with room for `capacity`. */
export function copyChunks(from: Chunks, capacity = from.addr.length): Chunks {
  const to = createChunks(capacity);
  to.addr.set(from.addr);
  to.size.set(from.size);
  to.state.set(from.state);
  for (const name of ['prev', 'next', 'fd', 'bk', 'fdSize', 'bkSize'] as const) to[name].set(from[name]);
  to.used = from.used;
  to.free = from.free;
  return to;
}

/** Smallest chunk: four words, and a multiple of 16. */
export const minSize = (heap: GlibcHeap): number => heap.word * 4;
export const memOf = (heap: GlibcHeap, slot: number): Addr => heap.chunks.addr[slot]! + 2 * heap.word;
export const chunkOf = (heap: GlibcHeap, mem: Addr): Addr => mem - 2 * heap.word;
/** Bytes that a chunk takes for a request: a word more, for of the next control block it may use the first word. */
export function requestToSize(heap: GlibcHeap, bytes: number): number {
  return Math.max(minSize(heap), Math.ceil((bytes + heap.word) / ALIGN) * ALIGN);
}
/** Bytes that the program may use of a chunk. */
export function usableSize(heap: GlibcHeap, slot: number): number {
  return heap.chunks.size[slot]! - (heap.chunks.state[slot] === CHUNK.mmapped ? 2 : 1) * heap.word;
}
/** Free for those who look from the neighbour: in a bin or on the unsorted list. */
export function isBinned(heap: GlibcHeap, slot: number): boolean {
  const state = slot < 0 ? CHUNK.none : heap.chunks.state[slot];
  return state === CHUNK.unsorted || state === CHUNK.binned;
}

function freshSlot(heap: GlibcHeap): number {
  const { chunks } = heap;
  if (chunks.free >= 0) {
    const slot = chunks.free;
    chunks.free = chunks.next[slot]!;
    return slot;
  }
  if (chunks.used === chunks.addr.length) heap.chunks = copyChunks(chunks, chunks.used * 2);
  return heap.chunks.used++;
}

/** A new chunk without neighbours. */
export function addChunk(heap: GlibcHeap, addr: Addr, size: number, state: number): number {
  const slot = freshSlot(heap);
  const { chunks } = heap;
  chunks.addr[slot] = addr;
  chunks.size[slot] = size;
  chunks.state[slot] = state;
  chunks.prev[slot] = chunks.next[slot] = chunks.fd[slot] = chunks.bk[slot] = chunks.fdSize[slot] = chunks.bkSize[slot] = -1;
  heap.at.set(addr, slot);
  const page = Math.floor(addr / PAGE);
  const first = heap.starts.get(page);
  if (first === undefined || chunks.addr[first]! > addr) heap.starts.set(page, slot);
  return slot;
}

/** The slot names nothing any more; its neighbours, if any, know each other. */
export function removeChunk(heap: GlibcHeap, slot: number): void {
  const { chunks } = heap;
  const [prev, next] = [chunks.prev[slot]!, chunks.next[slot]!];
  if (prev >= 0) chunks.next[prev] = next;
  if (next >= 0) chunks.prev[next] = prev;
  heap.at.delete(chunks.addr[slot]!);
  const page = Math.floor(chunks.addr[slot]! / PAGE);
  if (heap.starts.get(page) === slot) {
    if (next >= 0 && Math.floor(chunks.addr[next]! / PAGE) === page) heap.starts.set(page, next);
    else heap.starts.delete(page);
  }
  heap.damage.delete(slot);
  chunks.state[slot] = CHUNK.none;
  chunks.next[slot] = chunks.free;
  chunks.free = slot;
}

/** Cuts a chunk to `size` bytes; the slot of the rest, which is of `state`. */
export function splitChunk(heap: GlibcHeap, slot: number, size: number, state: number): number {
  const rest = addChunk(heap, heap.chunks.addr[slot]! + size, heap.chunks.size[slot]! - size, state);
  const { chunks } = heap;
  const next = chunks.next[slot]!;
  chunks.size[slot] = size;
  chunks.next[slot] = rest;
  chunks.prev[rest] = slot;
  chunks.next[rest] = next;
  if (next >= 0) chunks.prev[next] = rest;
  return rest;
}

/** The chunk takes in the one behind it. */
export function absorbNext(heap: GlibcHeap, slot: number): void {
  const next = heap.chunks.next[slot]!;
  heap.chunks.size[slot]! += heap.chunks.size[next]!;
  removeChunk(heap, next);
}

/** Start of the piece of the heap's memory that holds an address; -1 when none does. */
function pieceAround(heap: GlibcHeap, addr: Addr): Addr {
  const { chunks, top } = heap;
  if (top < 0) return -1;
  if (addr >= heap.base && addr < chunks.addr[top]! + chunks.size[top]!) return heap.base;
  for (const { start, end } of heap.fenced) if (addr >= start && addr < end) return start;
  return -1;
}

/** The chunk that holds an address, -1 when it lies in none. Looks page by page below it for one that starts there. */
export function chunkAround(heap: GlibcHeap, addr: Addr): number {
  const { chunks, mmaps } = heap;
  let [low, high] = [0, mmaps.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (mmaps[middle]! > addr) high = middle;
    else low = middle + 1;
  }
  const mapped = low > 0 ? heap.at.get(mmaps[low - 1]!)! : -1;
  if (mapped >= 0 && addr < chunks.addr[mapped]! + chunks.size[mapped]!) return mapped;
  const start = pieceAround(heap, addr);
  if (start < 0) return -1;
  const bottom = Math.floor(start / PAGE);
  for (let page = Math.floor(addr / PAGE); page >= bottom; page--) {
    let slot = heap.starts.get(page);
    if (slot === undefined || chunks.addr[slot]! > addr) continue;
    while (chunks.next[slot]! >= 0 && chunks.addr[chunks.next[slot]!]! <= addr) slot = chunks.next[slot]!;
    return addr < chunks.addr[slot]! + chunks.size[slot]! ? slot : -1;
  }
  return -1;
}
