/** The bins of glibc's malloc: the unsorted list, 62 small bins of one size each, 63 large bins by size, best fit first (malloc/malloc.c). */
import { ALIGN } from './chunks.ts';
import { CHUNK, type GlibcHeap } from './types.ts';

export const UNSORTED = 1;
const BINS = 127;

/** Chunks below this are in bins of one size: 1,024 on x86_64, 1,008 on i386. */
export const minLarge = (heap: GlibcHeap): number => (heap.word === 8 ? 1024 : 1008);
export const isSmall = (heap: GlibcHeap, size: number): boolean => size < minLarge(heap);

/** Steps of the large bins: they hold sizes of 64, 512, 4,096, 32,768 and 262,144 bytes' width. */
const LARGE: readonly (readonly [width: number, last: number, base: number])[] = [
  [512, 20, 91],
  [4096, 10, 110],
  [32768, 4, 119],
  [262144, 2, 124],
];

export function binIndex(heap: GlibcHeap, size: number): number {
  if (isSmall(heap, size)) return size / ALIGN + (heap.word === 8 ? 0 : 1);
  const by64 = Math.floor(size / 64);
  if (by64 <= (heap.word === 8 ? 48 : 45)) return by64 + (heap.word === 8 ? 48 : 49);
  for (const [width, last, base] of LARGE) {
    const step = Math.floor(size / width);
    if (step <= last) return base + step;
  }
  return 126;
}

/** Links a chunk between two others of a bin; -1 is the bin itself. */
function linkBetween(heap: GlibcHeap, bin: number, slot: number, bck: number, fwd: number): void {
  const { fd, bk } = heap.chunks;
  fd[slot] = fwd;
  bk[slot] = bck;
  if (bck < 0) heap.head[bin] = slot;
  else fd[bck] = slot;
  if (fwd < 0) heap.tail[bin] = slot;
  else bk[fwd] = slot;
}

/** Onto the unsorted list, newest first. */
export function addUnsorted(heap: GlibcHeap, slot: number): void {
  heap.chunks.state[slot] = CHUNK.unsorted;
  heap.chunks.fdSize[slot] = heap.chunks.bkSize[slot] = -1;
  linkBetween(heap, UNSORTED, slot, -1, heap.head[UNSORTED]!);
}

/** Into the ring of different sizes, before `at`. */
function addSize(heap: GlibcHeap, slot: number, at: number): void {
  const { fdSize, bkSize } = heap.chunks;
  fdSize[slot] = at;
  bkSize[slot] = bkSize[at]!;
  bkSize[at] = slot;
  fdSize[bkSize[slot]!] = slot;
}

/** Into a large bin: descending by size; among equals as the second, so that the ring of sizes stays as it is. */
function addLarge(heap: GlibcHeap, bin: number, slot: number): void {
  const { size, fd, bk, fdSize, bkSize } = heap.chunks;
  const first = heap.head[bin]!;
  if (first < 0) {
    fdSize[slot] = bkSize[slot] = slot;
    return linkBetween(heap, bin, slot, -1, -1);
  }
  const last = heap.tail[bin]!;
  if (size[slot]! < size[last]!) {
    addSize(heap, slot, first);
    return linkBetween(heap, bin, slot, last, -1);
  }
  let fwd = first;
  while (size[slot]! < size[fwd]!) fwd = fdSize[fwd]!;
  if (size[slot] === size[fwd]) {
    fdSize[slot] = bkSize[slot] = -1;
    return linkBetween(heap, bin, slot, fwd, fd[fwd]!);
  }
  addSize(heap, slot, fwd);
  linkBetween(heap, bin, slot, bk[fwd]!, fwd);
}

/** From the unsorted list into the bin of its size. */
export function addToBin(heap: GlibcHeap, slot: number): void {
  const size = heap.chunks.size[slot]!;
  const bin = binIndex(heap, size);
  heap.chunks.state[slot] = CHUNK.binned;
  heap.binmap[bin >>> 5]! |= 1 << (bin & 31);
  if (isSmall(heap, size)) linkBetween(heap, bin, slot, -1, heap.head[bin]!);
  else addLarge(heap, bin, slot);
}

/** Its place in the ring of sizes goes to the next of its size, or is closed. */
function unlinkSize(heap: GlibcHeap, slot: number): void {
  const { fd, fdSize, bkSize } = heap.chunks;
  const heir = fd[slot]!;
  if (heir < 0 || fdSize[heir]! >= 0) {
    fdSize[bkSize[slot]!] = fdSize[slot]!;
    bkSize[fdSize[slot]!] = bkSize[slot]!;
  } else if (fdSize[slot] === slot) {
    fdSize[heir] = bkSize[heir] = heir;
  } else {
    fdSize[heir] = fdSize[slot]!;
    bkSize[heir] = bkSize[slot]!;
    bkSize[fdSize[slot]!] = heir;
    fdSize[bkSize[slot]!] = heir;
  }
  fdSize[slot] = bkSize[slot] = -1;
}

/** Takes a chunk off its bin or off the unsorted list (unlink_chunk). */
export function unlinkChunk(heap: GlibcHeap, slot: number): void {
  const { chunks } = heap;
  const bin = chunks.state[slot] === CHUNK.unsorted ? UNSORTED : binIndex(heap, chunks.size[slot]!);
  if (chunks.fdSize[slot]! >= 0) unlinkSize(heap, slot);
  const [fwd, bck] = [chunks.fd[slot]!, chunks.bk[slot]!];
  if (bck < 0) heap.head[bin] = fwd;
  else chunks.fd[bck] = fwd;
  if (fwd < 0) heap.tail[bin] = bck;
  else chunks.bk[fwd] = bck;
  chunks.state[slot] = CHUNK.used;
  chunks.fd[slot] = chunks.bk[slot] = -1;
}

/** The smallest chunk of a large bin that is large enough; of several of a size the second. -1: none. */
export function bestOf(heap: GlibcHeap, bin: number, need: number): number {
  const { size, fd, bkSize } = heap.chunks;
  const first = heap.head[bin]!;
  if (first < 0 || size[first]! < need) return -1;
  let slot = bkSize[first]!;
  while (size[slot]! < need) slot = bkSize[slot]!;
  return slot !== heap.tail[bin] && size[slot] === size[fd[slot]!] ? fd[slot]! : slot;
}

/** The first bin from `bin` on that holds something, by the map of bins; -1 when none does. Bins found empty leave the map. */
export function nextFullBin(heap: GlibcHeap, bin: number): number {
  for (let at = bin; at < BINS;) {
    const bits = heap.binmap[at >>> 5]! >>> (at & 31);
    if (bits === 0) {
      at = ((at >>> 5) + 1) * 32;
      continue;
    }
    at += 31 - Math.clz32(bits & -bits);
    if (at >= BINS) return -1;
    if (heap.head[at]! >= 0) return at;
    heap.binmap[at >>> 5]! &= ~(1 << (at & 31));
    at += 1;
  }
  return -1;
}
