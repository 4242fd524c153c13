/** free of glibc's malloc: tcache, fast bins, joining with free neighbours, trimming (_int_free, malloc_consolidate of malloc/malloc.c). */
import { zapRange } from '../mm/unmap.ts';
import { findVmaIndex, VM } from '../mm/vma.ts';
import { PAGE_SIZE, type Addr, type Machine, type Refused, type Task } from '../types.ts';
import { abort, tcacheHasRoom, tcachePut, writeHeader, writeLinks } from './arena.ts';
import { addUnsorted, unlinkChunk } from './bins.ts';
import { absorbNext, ALIGN, chunkAround, chunkOf, isBinned } from './chunks.ts';
import { claimedSize, isDamaged, isPlausible, saysMmapped, saysPrevInUse, sizeWord } from './corrupt.ts';
import { munmapChunk, systrim } from './morecore.ts';
import { CHUNK, type GlibcHeap } from './types.ts';
import { touch } from './user.ts';

/** A free of at least this much looks whether the top has grown too long (FASTBIN_CONSOLIDATION_THRESHOLD). */
const CONSOLIDATE = 65536;

/** Joins a chunk with its free neighbours and puts it on the unsorted list, or into the top. */
function consolidate(machine: Machine, task: Task, heap: GlibcHeap, given: number): { size: number; died: Refused | null } {
  let slot = given;
  const before = heap.chunks.prev[slot]!;
  if (isBinned(heap, before)) {
    unlinkChunk(heap, before);
    absorbNext(heap, before);
    slot = before;
  }
  let next = heap.chunks.next[slot]!;
  if (next >= 0 && next === heap.top) {
    absorbNext(heap, slot);
    heap.chunks.state[slot] = CHUNK.top;
    heap.top = slot;
    return { size: heap.chunks.size[slot]!, died: writeHeader(machine, task, heap, slot) };
  }
  if (isBinned(heap, next)) {
    unlinkChunk(heap, next);
    absorbNext(heap, slot);
    next = heap.chunks.next[slot]!;
  }
  addUnsorted(heap, slot);
  const died = writeHeader(machine, task, heap, slot) ?? writeLinks(machine, task, heap, slot);
  // Its size stands at its end too, in the first word of the next control block.
  return { size: heap.chunks.size[slot]!, died: died ?? (next < 0 ? null : touch(machine, task, heap.chunks.addr[next]!, heap.word)) };
}

/** Empties the fast bins: smallest sizes first, newest first (malloc_consolidate). */
export function consolidateFast(machine: Machine, task: Task, heap: GlibcHeap): Refused | null {
  heap.haveFast = false;
  for (let bin = 0; bin < heap.fast.length; bin++) {
    let slot = heap.fast[bin]!;
    heap.fast[bin] = -1;
    while (slot >= 0) {
      const next = heap.chunks.fd[slot]!;
      heap.chunks.fd[slot] = -1;
      const { died } = consolidate(machine, task, heap, slot);
      if (died !== null) return died;
      slot = next;
    }
  }
  return null;
}

/** What a look at the neighbour's control block finds, for a chunk that is to be joined. */
function neighbourFault(heap: GlibcHeap, slot: number): string | null {
  const next = heap.chunks.next[slot]!;
  if (next < 0 || !isDamaged(heap, next)) return null;
  const word = sizeWord(heap, next);
  if (!saysPrevInUse(word)) return 'double free or corruption (!prev)';
  return isPlausible(heap, word) ? 'corrupted size vs. prev_size' : 'free(): invalid next size (normal)';
}

/** Frees a chunk that is in use (_int_free). */
export function freeChunk(machine: Machine, task: Task, heap: GlibcHeap, slot: number): Refused | null {
  const { chunks, par } = heap;
  const size = chunks.size[slot]!;
  if (tcacheHasRoom(heap, size)) {
    tcachePut(heap, slot);
    return writeLinks(machine, task, heap, slot);
  }
  if (size <= par.maxFast) {
    const next = chunks.next[slot]!;
    const isBad = next >= 0 && isDamaged(heap, next) && claimedSize(sizeWord(heap, next)) <= 2 * heap.word;
    if (isBad) return abort(machine, task, 'free(): invalid next size (fast)', chunks.addr[slot]! + 2 * heap.word);
    chunks.state[slot] = CHUNK.fast;
    chunks.fd[slot] = heap.fast[size / ALIGN]!;
    heap.fast[size / ALIGN] = slot;
    heap.haveFast = true;
    return writeLinks(machine, task, heap, slot);
  }
  const fault = neighbourFault(heap, slot);
  if (fault !== null) return abort(machine, task, fault, chunks.addr[slot]! + 2 * heap.word);
  const joined = consolidate(machine, task, heap, slot);
  if (joined.died !== null || joined.size < CONSOLIDATE) return joined.died;
  const died = heap.haveFast ? consolidateFast(machine, task, heap) : null;
  if (died !== null) return died;
  if (heap.top >= 0 && heap.chunks.size[heap.top]! >= par.trimThreshold && systrim(machine, task, heap, par.topPad))
    return writeHeader(machine, task, heap, heap.top);
  return null;
}

/** Texts for what is free already, by its state. */
// Simplified: a chunk freed twice into tcache or fast bin is found wherever it stands; glibc looks at the tcache's key, and at the newest of a fast bin.
const FREED_TWICE: Readonly<Record<number, string>> = {
  [CHUNK.tcache]: 'free(): double free detected in tcache 2',
  [CHUNK.fast]: 'double free or corruption (fasttop)',
  [CHUNK.unsorted]: 'double free or corruption (!prev)',
  [CHUNK.binned]: 'double free or corruption (!prev)',
  [CHUNK.top]: 'double free or corruption (top)',
};

/** What is wrong with an address that free or realloc was given; null when a chunk in use starts there. */
export function pointerFault(heap: GlibcHeap, slot: number, mem: Addr, caller: 'free' | 'realloc'): string | null {
  if (slot < 0) {
    // Where a chunk once stood, its old control block still says so; what is around it is free or in use again.
    const around = mem % ALIGN === 0 ? chunkAround(heap, chunkOf(heap, mem)) : -1;
    if (isBinned(heap, around)) return 'double free or corruption (!prev)';
    if (around >= 0 && around === heap.top) return 'double free or corruption (out)';
    return `${caller}(): invalid pointer`;
  }
  const state = heap.chunks.state[slot]!;
  if (state !== CHUNK.used && state !== CHUNK.mmapped) return FREED_TWICE[state] ?? `${caller}(): invalid pointer`;
  if (!isDamaged(heap, slot)) return null;
  const word = sizeWord(heap, slot);
  if (saysMmapped(word) || state === CHUNK.mmapped) return 'munmap_chunk(): invalid pointer';
  if (claimedSize(word) === 0) return `${caller}(): invalid pointer`;
  // Simplified: a size that could be one would go into the wrong bin and be found later; here it is found at once.
  return isPlausible(heap, word) ? `${caller}(): invalid next size` : `${caller}(): invalid size`;
}

/** free(mem). Whatever mem is, its control block is read first. */
export function glibcFree(machine: Machine, task: Task, heap: GlibcHeap, mem: Addr): Refused | null {
  const addr = chunkOf(heap, mem);
  const slot = heap.at.get(addr) ?? -1;
  const died = touch(machine, task, Math.max(0, addr + heap.word), heap.word, 'read');
  if (died !== null) return died;
  const fault = pointerFault(heap, slot, mem, 'free');
  if (fault !== null) return abort(machine, task, fault, mem);
  return heap.chunks.state[slot] === CHUNK.mmapped ? munmapChunk(machine, task, heap, slot) : freeChunk(machine, task, heap, slot);
}

/** malloc_trim: whole pages within free chunks go back to the kernel, then the end of the top. 1 when anything did. */
export function mallocTrim(machine: Machine, task: Task, heap: GlibcHeap, pad: number): { value: number; died: Refused | null } {
  const died = consolidateFast(machine, task, heap);
  if (died !== null) return { value: 0, died };
  let released = false;
  const header = heap.word * 6;
  for (let bin = 1; bin < heap.head.length; bin++) {
    for (let slot = heap.tail[bin]!; slot >= 0; slot = heap.chunks.bk[slot]!) {
      const { addr, size } = heap.chunks;
      const from = Math.ceil((addr[slot]! + header) / PAGE_SIZE) * PAGE_SIZE;
      const left = size[slot]! - (from - addr[slot]!);
      if (left < PAGE_SIZE) continue;
      dontNeed(machine, task, from, from + Math.floor(left / PAGE_SIZE) * PAGE_SIZE);
      released = true;
    }
  }
  if (systrim(machine, task, heap, pad)) return { value: 1, died: writeHeader(machine, task, heap, heap.top) };
  return { value: released ? 1 : 0, died: null };
}

/** madvise(MADV_DONTNEED) on what is mapped there; locked areas stay. */
function dontNeed(machine: Machine, task: Task, start: Addr, end: Addr): void {
  machine.cost += machine.config.costs.area!;
  const { vmas } = task.mm;
  for (let i = findVmaIndex(task.mm, start); i < vmas.length && vmas[i]!.start < end; i++) {
    const vma = vmas[i]!;
    if ((vma.flags & (VM.locked | VM.shared)) === 0) zapRange(machine, task.mm, Math.max(start, vma.start), Math.min(end, vma.end));
  }
}
