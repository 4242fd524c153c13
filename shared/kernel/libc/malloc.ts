/**
 * malloc of glibc (_int_malloc of malloc/malloc.c, 2.36; spec §12): tcache, fast bins, small bins, the unsorted list, large
 * bins by best fit, the top, and the kernel last.
 */
import type { Machine, Refused, Task } from '../types.ts';
import { refused } from '../sys/answer.ts';
import {
  abort,
  TCACHE_BINS,
  tcacheBytes,
  tcacheGet,
  tcacheHasRoom,
  tcacheIndex,
  tcachePut,
  writeHeader,
  writeLinks,
  type SlotOr,
} from './arena.ts';
import { addToBin, addUnsorted, bestOf, binIndex, isSmall, nextFullBin, unlinkChunk, UNSORTED } from './bins.ts';
import { ALIGN, memOf, minSize, requestToSize, splitChunk } from './chunks.ts';
import { isDamaged, isPlausible, sizeWord } from './corrupt.ts';
import { consolidateFast } from './free.ts';
import { sysmalloc } from './sysmalloc.ts';
import { CHUNK, type GlibcHeap } from './types.ts';
import { touch } from './user.ts';

/** Chunks that one call sorts from the unsorted list at most. */
const SORT_MAX = 10000;

/** Cuts a free chunk for a request; what is left, if it can be a chunk, goes onto the unsorted list. */
function exhaustOrSplit(machine: Machine, task: Task, heap: GlibcHeap, slot: number, need: number, isLast: boolean): SlotOr {
  unlinkChunk(heap, slot);
  if (heap.chunks.size[slot]! - need < minSize(heap)) return writeHeader(machine, task, heap, slot) ?? slot;
  const rest = splitChunk(heap, slot, need, CHUNK.used);
  addUnsorted(heap, rest);
  if (isLast) heap.lastRemainder = heap.chunks.addr[rest]!;
  const died = writeHeader(machine, task, heap, rest) ?? writeLinks(machine, task, heap, rest);
  return died ?? writeHeader(machine, task, heap, slot) ?? slot;
}

/** More of the same size go into the tcache while one is at it. */
function stashFast(heap: GlibcHeap, size: number): void {
  while (heap.fast[size / ALIGN]! >= 0 && tcacheHasRoom(heap, size)) {
    const slot = heap.fast[size / ALIGN]!;
    heap.fast[size / ALIGN] = heap.chunks.fd[slot]!;
    tcachePut(heap, slot);
  }
}

function fromFast(heap: GlibcHeap, need: number): number {
  const slot = heap.fast[need / ALIGN]!;
  if (slot < 0) return -1;
  heap.fast[need / ALIGN] = heap.chunks.fd[slot]!;
  heap.chunks.fd[slot] = -1;
  heap.chunks.state[slot] = CHUNK.used;
  stashFast(heap, need);
  return slot;
}

/** The oldest of a small bin; more of it go into the tcache. */
function fromSmall(heap: GlibcHeap, need: number): number {
  const bin = binIndex(heap, need);
  const slot = heap.tail[bin]!;
  if (slot < 0) return -1;
  unlinkChunk(heap, slot);
  while (heap.tail[bin]! >= 0 && tcacheHasRoom(heap, need)) {
    const other = heap.tail[bin]!;
    unlinkChunk(heap, other);
    tcachePut(heap, other);
  }
  return slot;
}

/** Is the only unsorted chunk what the last small request left over, and long enough? Then small requests are cut from it, one beside the other. */
function isLastRemainder(heap: GlibcHeap, slot: number, need: number): boolean {
  const { chunks } = heap;
  const isOnly = chunks.bk[slot]! < 0 && chunks.fd[slot]! < 0;
  return isOnly && isSmall(heap, need) && chunks.addr[slot] === heap.lastRemainder && chunks.size[slot]! > need + minSize(heap);
}

const NOTHING = -1;

/** Sorts the unsorted list, oldest first; a chunk of exactly the size ends the search. */
function fromUnsorted(machine: Machine, task: Task, heap: GlibcHeap, need: number): SlotOr {
  const bin = tcacheIndex(heap, need);
  let cached = false;
  for (let n = 0; n < SORT_MAX; n++) {
    const slot = heap.tail[UNSORTED]!;
    if (slot < 0) break;
    if (isDamaged(heap, slot)) {
      const text = isPlausible(heap, sizeWord(heap, slot))
        ? 'malloc(): mismatching next->prev_size (unsorted)'
        : 'malloc(): invalid size (unsorted)';
      return abort(machine, task, text, memOf(heap, slot));
    }
    if (isLastRemainder(heap, slot, need)) return exhaustOrSplit(machine, task, heap, slot, need, true);
    unlinkChunk(heap, slot);
    if (heap.chunks.size[slot] !== need) {
      addToBin(heap, slot);
      const died = isSmall(heap, heap.chunks.size[slot]!) ? null : touch(machine, task, memOf(heap, slot), 4 * heap.word);
      if (died !== null) return died;
    } else if (tcacheHasRoom(heap, need)) {
      tcachePut(heap, slot);
      cached = true;
    } else {
      return slot;
    }
  }
  return cached ? tcacheGet(heap, bin) : NOTHING;
}

/** Cuts from the top. */
function fromTop(machine: Machine, task: Task, heap: GlibcHeap, need: number): SlotOr {
  const slot = heap.top;
  if (slot < 0 || heap.chunks.size[slot]! < need + minSize(heap)) return NOTHING;
  heap.top = splitChunk(heap, slot, need, CHUNK.top);
  heap.chunks.state[slot] = CHUNK.used;
  return writeHeader(machine, task, heap, slot) ?? writeHeader(machine, task, heap, heap.top) ?? slot;
}

/** From the bins of this size and above. */
function fromBins(machine: Machine, task: Task, heap: GlibcHeap, need: number): SlotOr {
  const bin = binIndex(heap, need);
  const own = isSmall(heap, need) ? -1 : bestOf(heap, bin, need);
  if (own >= 0) return exhaustOrSplit(machine, task, heap, own, need, false);
  const larger = nextFullBin(heap, bin + 1);
  return larger < 0 ? NOTHING : exhaustOrSplit(machine, task, heap, heap.tail[larger]!, need, isSmall(heap, need));
}

/** A chunk of `need` bytes (_int_malloc). */
export function intMalloc(machine: Machine, task: Task, heap: GlibcHeap, need: number): SlotOr {
  if (need <= heap.par.maxFast) {
    const slot = fromFast(heap, need);
    if (slot >= 0) return slot;
  }
  if (isSmall(heap, need)) {
    const slot = fromSmall(heap, need);
    if (slot >= 0) return slot;
  } else if (heap.haveFast) {
    const died = consolidateFast(machine, task, heap);
    if (died !== null) return died;
  }
  for (;;) {
    const sorted = fromUnsorted(machine, task, heap, need);
    if (sorted !== NOTHING) return sorted;
    const binned = fromBins(machine, task, heap, need);
    if (binned !== NOTHING) return binned;
    if (heap.top >= 0 && isDamaged(heap, heap.top) && !isPlausible(heap, sizeWord(heap, heap.top)))
      return abort(machine, task, 'malloc(): corrupted top size', memOf(heap, heap.top));
    const cut = fromTop(machine, task, heap, need);
    if (cut !== NOTHING) return cut;
    if (!heap.haveFast) break;
    const died = consolidateFast(machine, task, heap);
    if (died !== null) return died;
  }
  const grown = sysmalloc(machine, task, heap, need);
  if (grown !== heap.top) return grown;
  const cut = fromTop(machine, task, heap, need);
  return cut === NOTHING ? refused('ENOMEM', { code: 'NO_ADDRESS_SPACE', length: need }) : cut;
}

/** The tcache is a chunk like others, the first of the heap. */
export function readyTcache(machine: Machine, task: Task, heap: GlibcHeap): Refused | null {
  if (heap.tcacheReady) return null;
  const slot = intMalloc(machine, task, heap, requestToSize(heap, tcacheBytes(heap)));
  if (typeof slot !== 'number') return slot.signal === undefined ? null : slot;
  heap.tcacheReady = true;
  heap.tcacheSlot = slot;
  return touch(machine, task, memOf(heap, slot), tcacheBytes(heap));
}

/** Largest request: PTRDIFF_MAX. */
export const requestMax = (heap: GlibcHeap): number => (heap.word === 4 ? 0x7fff_ffff : 0xffff_ffff_ffff);

/** malloc(bytes): its chunk. */
export function glibcMalloc(machine: Machine, task: Task, heap: GlibcHeap, bytes: number): SlotOr {
  if (bytes > requestMax(heap)) return refused('ENOMEM', { code: 'NO_ADDRESS_SPACE', length: bytes });
  const died = readyTcache(machine, task, heap);
  if (died !== null) return died;
  const need = requestToSize(heap, bytes);
  const bin = tcacheIndex(heap, need);
  const cached = heap.tcacheReady && bin < TCACHE_BINS ? tcacheGet(heap, bin) : -1;
  return cached >= 0 ? cached : intMalloc(machine, task, heap, need);
}
