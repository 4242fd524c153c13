/** The break and mappings as glibc's malloc uses them: moved, mapped, given back (systrim, munmap_chunk of malloc/malloc.c). */
import { doBrk, doMmap, doMunmap, MAP } from '../mm/mmap.ts';
import { doMremap, MREMAP, MREMAP_KILLED } from '../mm/mremap.ts';
import { pageAlign, VM } from '../mm/vma.ts';
import { oomKilled, refusedBy } from '../sys/answer.ts';
import { PAGE_SIZE, type Addr, type Machine, type Refused, type Task } from '../types.ts';
import { abort, mmapThresholdMax, writeHeader, type SlotOr } from './arena.ts';
import { addChunk, ALIGN, minSize, removeChunk } from './chunks.ts';
import { CHUNK, type GlibcHeap } from './types.ts';

const isRoot = (machine: Machine, task: Task): boolean => machine.config.root.includes(task.pid);

/** sbrk: the old break, or why it stays. */
export function sbrk(machine: Machine, task: Task, bytes: number): Addr | Refused {
  const old = task.mm.brk;
  machine.cost += machine.config.costs.area!;
  const moved = doBrk(machine, task, old + bytes, isRoot(machine, task));
  return typeof moved === 'number' ? old : refusedBy(moved);
}

export function anonymous(machine: Machine, task: Task, length: number): Addr | Refused {
  machine.cost += machine.config.costs.area!;
  const request = { addr: 0, length, prot: VM.read | VM.write, flags: MAP.private | MAP.anonymous };
  const addr = doMmap(machine, task, request, isRoot(machine, task));
  return typeof addr === 'number' ? addr : refusedBy(addr);
}

/** Bytes before an mmapped chunk that alignment costs: 8 on i386. */
export const mmapOffset = (heap: GlibcHeap): number => ALIGN - 2 * heap.word;

/** Bytes of a mapping that serves a chunk of `need` bytes. */
export const mmapLength = (heap: GlibcHeap, need: number): number => pageAlign(need + heap.word + (heap.word === 8 ? 0 : ALIGN - 1));

export function addMmapped(heap: GlibcHeap, start: Addr, length: number): number {
  forgetUnder(heap, start, start + length);
  const offset = mmapOffset(heap);
  const slot = addChunk(heap, start + offset, length - offset, CHUNK.mmapped);
  const addr = start + offset;
  let at = heap.mmaps.length;
  while (at > 0 && heap.mmaps[at - 1]! > addr) at -= 1;
  heap.mmaps.splice(at, 0, addr);
  return slot;
}

function forgetMmapped(heap: GlibcHeap, slot: number): void {
  heap.mmaps.splice(heap.mmaps.indexOf(heap.chunks.addr[slot]!), 1);
  removeChunk(heap, slot);
}

/**
 * The kernel gave [start, end) anew: what the heap knows to be mapped there, the program has unmapped behind its back.
 * // Simplified: glibc keeps no list; there the old control block is gone only where the new memory covers it.
 */
export function forgetUnder(heap: GlibcHeap, start: Addr, end: Addr): void {
  const { addr, size } = heap.chunks;
  for (let n = heap.mmaps.length - 1; n >= 0; n--) {
    const slot = heap.at.get(heap.mmaps[n]!)!;
    if (addr[slot]! < end && addr[slot]! + size[slot]! > start) forgetMmapped(heap, slot);
  }
}

/** Does [start, end), which the kernel gave anew, cover a piece of the heap? Then the program has unmapped that behind malloc's back. */
function coversHeap(heap: GlibcHeap, start: Addr, end: Addr): boolean {
  const { chunks, top, base, fenced } = heap;
  if (top >= 0 && start < chunks.addr[top]! + chunks.size[top]! && end > base) return true;
  return fenced.some((piece) => start < piece.end && end > piece.start);
}

/** The same as a death. */
// Simplified: glibc would find the zeros where its control blocks were at the next look at one of them.
export function abortIfCovered(machine: Machine, task: Task, heap: GlibcHeap, start: Addr, end: Addr): Refused | null {
  return coversHeap(heap, start, end) ? abort(machine, task, 'malloc(): corrupted top size', start) : null;
}

/** A chunk that is a mapping of its own (sysmalloc_mmap). */
export function sysMmapChunk(machine: Machine, task: Task, heap: GlibcHeap, need: number): SlotOr {
  const length = mmapLength(heap, need);
  const start = anonymous(machine, task, length);
  if (typeof start !== 'number') return start;
  const died = abortIfCovered(machine, task, heap, start, start + length);
  if (died !== null) return died;
  const slot = addMmapped(heap, start, length);
  return writeHeader(machine, task, heap, slot) ?? slot;
}

/** Gives a mapping back. While the thresholds are free to move, the next block of its size will come from the heap. */
export function munmapChunk(machine: Machine, task: Task, heap: GlibcHeap, slot: number): Refused | null {
  const { chunks, par } = heap;
  const size = chunks.size[slot]!;
  if (par.dynamic && size > par.mmapThreshold && size <= mmapThresholdMax(heap)) {
    par.mmapThreshold = size;
    par.trimThreshold = 2 * size;
  }
  const start = chunks.addr[slot]! - mmapOffset(heap);
  forgetMmapped(heap, slot);
  machine.cost += machine.config.costs.area!;
  const failed = doMunmap(machine, task, start, size + mmapOffset(heap));
  return failed ? refusedBy(failed) : null;
}

/** mremap of a chunk of its own to another length: its slot, where it is now; null when it stays as it was (mremap_chunk). */
export function remapChunk(machine: Machine, task: Task, heap: GlibcHeap, slot: number, length: number): SlotOr | null {
  const offset = mmapOffset(heap);
  const addr = heap.chunks.addr[slot]! - offset;
  const oldLength = heap.chunks.size[slot]! + offset;
  if (length === oldLength) return slot;
  machine.cost += machine.config.costs.area!;
  const request = { addr, oldLength, newLength: length, flags: MREMAP.mayMove };
  const moved = doMremap(machine, task, request, isRoot(machine, task));
  if (moved === MREMAP_KILLED) return oomKilled(machine);
  if (typeof moved !== 'number') return null;
  forgetMmapped(heap, slot);
  const died = abortIfCovered(machine, task, heap, moved, moved + length);
  if (died !== null) return died;
  const fresh = addMmapped(heap, moved, length);
  return writeHeader(machine, task, heap, fresh) ?? fresh;
}

/** Gives pages at the end of the top back, all but `pad` bytes; were there any? */
export function systrim(machine: Machine, task: Task, heap: GlibcHeap, pad: number): boolean {
  const { chunks, top } = heap;
  if (top < 0) return false;
  const spare = chunks.size[top]! - minSize(heap) - 1;
  if (spare <= pad) return false;
  const extra = Math.floor((spare - pad) / PAGE_SIZE) * PAGE_SIZE;
  if (extra === 0 || task.mm.brk !== chunks.addr[top]! + chunks.size[top]!) return false;
  const moved = sbrk(machine, task, -extra);
  if (typeof moved !== 'number' || task.mm.brk !== moved - extra) return false;
  heap.systemMem -= extra;
  chunks.size[top]! -= extra;
  return true;
}
