/** calloc, realloc and mallopt of glibc (malloc/malloc.c). */
import type { Addr, Machine, Refused, Task } from '../types.ts';
import { refused } from '../sys/answer.ts';
import { abort, mmapThresholdMax, writeHeader, type SlotOr } from './arena.ts';
import { unlinkChunk } from './bins.ts';
import { absorbNext, ALIGN, chunkOf, isBinned, memOf, minSize, requestToSize, splitChunk, usableSize } from './chunks.ts';
import { consolidateFast, freeChunk, glibcFree, pointerFault } from './free.ts';
import { glibcMalloc, intMalloc, readyTcache, requestMax } from './malloc.ts';
import { mmapLength, remapChunk } from './morecore.ts';
import { CHUNK, type GlibcHeap } from './types.ts';
import { copy, touch, zero } from './user.ts';

/** calloc: like malloc but past the tcache, and zeroed; what comes fresh from the kernel is zero already. */
export function glibcCalloc(machine: Machine, task: Task, heap: GlibcHeap, bytes: number): SlotOr {
  if (bytes > requestMax(heap)) return refused('ENOMEM', { code: 'NO_ADDRESS_SPACE', length: bytes });
  const died = readyTcache(machine, task, heap);
  if (died !== null) return died;
  const oldTop = heap.top < 0 ? 0 : heap.chunks.addr[heap.top]!;
  // Memory that was once the heap's, given back and got again, is new; glibc does not know and clears it.
  const everHeap = heap.sbrkBase + heap.maxSystemMem - oldTop;
  const oldSize = Math.max(heap.top < 0 ? 0 : heap.chunks.size[heap.top]!, heap.contiguous ? everHeap : 0);
  const slot = intMalloc(machine, task, heap, requestToSize(heap, bytes));
  if (typeof slot !== 'number' || heap.chunks.state[slot] === CHUNK.mmapped) return slot;
  const size = heap.chunks.size[slot]!;
  const clear = heap.chunks.addr[slot] === oldTop ? Math.min(size, oldSize) : size;
  const stopped = zero(machine, task, memOf(heap, slot), Math.max(0, clear - heap.word));
  if (stopped === null) return slot;
  if (stopped.signal === undefined) freeChunk(machine, task, heap, slot);
  return stopped;
}

/** What is longer than needed is cut off and freed. */
function cutTail(machine: Machine, task: Task, heap: GlibcHeap, slot: number, need: number): SlotOr {
  if (heap.chunks.size[slot]! - need < minSize(heap)) return writeHeader(machine, task, heap, slot) ?? slot;
  const rest = splitChunk(heap, slot, need, CHUNK.used);
  const died = writeHeader(machine, task, heap, slot) ?? writeHeader(machine, task, heap, rest);
  return died ?? freeChunk(machine, task, heap, rest) ?? slot;
}

/** Into the top, or into a free chunk behind it. */
function growInPlace(machine: Machine, task: Task, heap: GlibcHeap, slot: number, need: number): SlotOr | null {
  const { chunks } = heap;
  const next = chunks.next[slot]!;
  if (next < 0) return null;
  const both = chunks.size[slot]! + chunks.size[next]!;
  if (next === heap.top && both >= need + minSize(heap)) {
    absorbNext(heap, slot);
    heap.top = splitChunk(heap, slot, need, CHUNK.top);
    return writeHeader(machine, task, heap, slot) ?? writeHeader(machine, task, heap, heap.top) ?? slot;
  }
  if (next === heap.top || !isBinned(heap, next) || both < need) return null;
  unlinkChunk(heap, next);
  absorbNext(heap, slot);
  return cutTail(machine, task, heap, slot, need);
}

/** A new chunk, the bytes copied, the old one freed. */
function move(machine: Machine, task: Task, heap: GlibcHeap, slot: number, fresh: number): SlotOr {
  const stopped = copy(machine, task, memOf(heap, fresh), memOf(heap, slot), Math.min(usableSize(heap, slot), usableSize(heap, fresh)));
  if (stopped === null) return glibcFree(machine, task, heap, memOf(heap, slot)) ?? fresh;
  if (stopped.signal === undefined) glibcFree(machine, task, heap, memOf(heap, fresh));
  return stopped;
}

function reallocMmapped(machine: Machine, task: Task, heap: GlibcHeap, slot: number, need: number, bytes: number): SlotOr {
  const moved = remapChunk(machine, task, heap, slot, mmapLength(heap, need));
  if (moved !== null) return moved;
  if (heap.chunks.size[slot]! - heap.word >= need) return slot;
  const fresh = glibcMalloc(machine, task, heap, bytes);
  return typeof fresh === 'number' ? move(machine, task, heap, slot, fresh) : fresh;
}

/** realloc of something to more than nothing: where it is now. */
export function glibcRealloc(machine: Machine, task: Task, heap: GlibcHeap, mem: Addr, bytes: number): SlotOr {
  const addr = chunkOf(heap, mem);
  const slot = heap.at.get(addr) ?? -1;
  const died = touch(machine, task, Math.max(0, addr + heap.word), heap.word, 'read');
  if (died !== null) return died;
  const fault = pointerFault(heap, slot, mem, 'realloc');
  if (fault !== null) return abort(machine, task, fault, mem);
  if (bytes > requestMax(heap)) return refused('ENOMEM', { code: 'NO_ADDRESS_SPACE', length: bytes });
  const need = requestToSize(heap, bytes);
  if (heap.chunks.state[slot] === CHUNK.mmapped) return reallocMmapped(machine, task, heap, slot, need, bytes);
  if (heap.chunks.size[slot]! >= need) return cutTail(machine, task, heap, slot, need);
  const grown = growInPlace(machine, task, heap, slot, need);
  if (grown !== null) return grown;
  const fresh = intMalloc(machine, task, heap, need);
  if (typeof fresh !== 'number') return fresh;
  if (fresh !== heap.chunks.next[slot]) return move(machine, task, heap, slot, fresh);
  // The new chunk is the one behind: nothing need be copied.
  absorbNext(heap, slot);
  return cutTail(machine, task, heap, slot, need);
}

export const MALLOPT = ['M_MMAP_THRESHOLD', 'M_TRIM_THRESHOLD', 'M_TOP_PAD', 'M_MMAP_MAX', 'M_MXFAST'] as const;
export type MalloptName = (typeof MALLOPT)[number];

/** Sets a parameter; false where glibc would answer 0. Setting one of the first four ends the moving of the thresholds. */
export function mallopt(machine: Machine, task: Task, heap: GlibcHeap, name: MalloptName, value: number): boolean | Refused {
  const died = consolidateFast(machine, task, heap);
  if (died !== null) return died;
  const { par } = heap;
  // Sizes are unsigned: −1 is the largest.
  const size = value < 0 ? Number.MAX_SAFE_INTEGER : value;
  if (name === 'M_MXFAST') {
    if (size > heap.word * 20) return false;
    par.maxFast = size === 0 ? heap.word : Math.floor((size + heap.word) / ALIGN) * ALIGN;
    return true;
  }
  if (name === 'M_MMAP_THRESHOLD' && size > mmapThresholdMax(heap)) return false;
  if (name === 'M_MMAP_THRESHOLD') par.mmapThreshold = size;
  if (name === 'M_TRIM_THRESHOLD') par.trimThreshold = size;
  if (name === 'M_TOP_PAD') par.topPad = size;
  if (name === 'M_MMAP_MAX') par.mmapMax = Math.max(0, value);
  par.dynamic = false;
  return true;
}
