/** What glibc's malloc does when its top is too small (sysmalloc of malloc/malloc.c): a mapping, a larger top, or another heap elsewhere. */
import { pageAlign } from '../mm/vma.ts';
import type { Addr, Machine, Refused, Task } from '../types.ts';
import { abort, writeHeader, type SlotOr } from './arena.ts';
import { addChunk, ALIGN, minSize, splitChunk } from './chunks.ts';
import { freeChunk } from './free.ts';
import { abortIfCovered, anonymous, forgetUnder, sbrk, sysMmapChunk } from './morecore.ts';
import { CHUNK, type GlibcHeap } from './types.ts';

/** What mmap gives instead of the break, at least (MMAP_AS_MORECORE_SIZE); on toy16 a page. */
const MORECORE_MMAP = 1024 * 1024;

/** The memory behind the old top is not ours: what is left of it is freed, and a fence stays (sysmalloc's fenceposts). */
function fenceOff(machine: Machine, task: Task, heap: GlibcHeap, old: number): Refused | null {
  const { size, state } = heap.chunks;
  const keep = Math.floor((size[old]! - 4 * heap.word) / ALIGN) * ALIGN;
  if (keep < minSize(heap)) {
    state[old] = CHUNK.fence;
    return null;
  }
  splitChunk(heap, old, keep, CHUNK.fence);
  heap.chunks.state[old] = CHUNK.used;
  return freeChunk(machine, task, heap, old);
}

/** A new top at [start, end), which does not follow the old one. */
function newTop(machine: Machine, task: Task, heap: GlibcHeap, start: Addr, end: Addr): Refused | null {
  const old = heap.top;
  if (old >= 0) heap.fenced.push({ start: heap.base, end: heap.chunks.addr[old]! + heap.chunks.size[old]! });
  const aligned = Math.ceil((start + 2 * heap.word) / ALIGN) * ALIGN - 2 * heap.word;
  heap.base = aligned;
  heap.top = addChunk(heap, aligned, end - aligned, CHUNK.top);
  if (heap.sbrkBase === 0 || start < heap.sbrkBase) heap.sbrkBase = start;
  return writeHeader(machine, task, heap, heap.top) ?? (old >= 0 ? fenceOff(machine, task, heap, old) : null);
}

/** More memory by the break. Somebody else may have moved it, or begun it at an odd address: then a correction follows. */
function growBreak(machine: Machine, task: Task, heap: GlibcHeap, size: number, brk: Addr): Refused | null {
  const { chunks, top } = heap;
  const oldSize = top < 0 ? 0 : chunks.size[top]!;
  const oldEnd = top < 0 ? 0 : chunks.addr[top]! + oldSize;
  heap.systemMem += size;
  if (top >= 0 && brk === oldEnd) {
    const died = abortIfCovered(machine, task, heap, brk, brk + size);
    if (died !== null) return died;
    forgetUnder(heap, brk, brk + size);
    chunks.size[top] = oldSize + size;
    return writeHeader(machine, task, heap, top);
  }
  if (top >= 0 && heap.contiguous && brk < oldEnd) return abort(machine, task, 'malloc(): break adjusted to free malloc space', brk);
  const front = (ALIGN - ((brk + 2 * heap.word) % ALIGN)) % ALIGN;
  const wanted = (heap.contiguous ? oldSize : 0) + front;
  const correction = pageAlign(brk + size + wanted) - (brk + size);
  const more = sbrk(machine, task, correction);
  const end = typeof more === 'number' ? more + correction : brk + size;
  if (typeof more === 'number') heap.systemMem += correction;
  const died = abortIfCovered(machine, task, heap, brk, end);
  if (died !== null) return died;
  forgetUnder(heap, brk, end);
  return newTop(machine, task, heap, brk, end);
}

/** The break cannot move: a mapping serves as heap, and from now on the pieces do not follow each other. */
function growByMmap(machine: Machine, task: Task, heap: GlibcHeap, size: number): Refused | null {
  const oldSize = heap.top < 0 || !heap.contiguous ? 0 : heap.chunks.size[heap.top]!;
  const length = Math.max(Math.min(MORECORE_MMAP, task.mm.taskSize / 16), pageAlign(size + oldSize));
  const start = anonymous(machine, task, length);
  if (typeof start !== 'number') return start;
  const died = abortIfCovered(machine, task, heap, start, start + length);
  if (died !== null) return died;
  forgetUnder(heap, start, start + length);
  heap.contiguous = false;
  heap.systemMem += length;
  return newTop(machine, task, heap, start, start + length);
}

/** The top is too small for `need` bytes: a mapping for a large request, else a larger top. */
export function sysmalloc(machine: Machine, task: Task, heap: GlibcHeap, need: number): SlotOr {
  const { par } = heap;
  if (need >= par.mmapThreshold && heap.mmaps.length < par.mmapMax) {
    const slot = sysMmapChunk(machine, task, heap, need);
    if (typeof slot === 'number' || slot.signal !== undefined) return slot;
  }
  const oldSize = heap.top < 0 ? 0 : heap.chunks.size[heap.top]!;
  const size = pageAlign(need + par.topPad + minSize(heap) - (heap.contiguous ? oldSize : 0));
  const brk = sbrk(machine, task, size);
  const failed = typeof brk === 'number' ? growBreak(machine, task, heap, size, brk) : growByMmap(machine, task, heap, size);
  if (failed !== null) return failed;
  heap.maxSystemMem = Math.max(heap.maxSystemMem, heap.systemMem);
  return heap.top;
}
