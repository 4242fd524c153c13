/** glibc's heap of a process: its beginning, its deaths, and the writing of its control blocks. */
import { pointerBytes } from './word.ts';
import { doExit } from '../kernel/exit.ts';
import type { Addr, Machine, Refused, Task } from '../types.ts';
import { ALIGN, createChunks } from './chunks.ts';
import { CHUNK, type GlibcHeap } from './types.ts';
import { touch } from './user.ts';

/** A slot, or the answer to a call that ends here. */
export type SlotOr = number | Refused;

export const TCACHE_BINS = 64;
/** Chunks of one size that a tcache holds (TCACHE_FILL_COUNT). */
export const TCACHE_COUNT = 7;
export const MMAP_THRESHOLD = 128 * 1024;
const SIGABRT = 6;

/** Below HEAP_MAX_SIZE / 2: the threshold of mmap never gets above it. */
export const mmapThresholdMax = (heap: GlibcHeap): number => (heap.word === 8 ? 32 * 1024 * 1024 : 512 * 1024);
/** Bytes of the tcache itself (tcache_perthread_struct): a count and an entry a bin. */
export const tcacheBytes = (heap: GlibcHeap): number => TCACHE_BINS * (2 + heap.word);

export function createGlibcHeap(machine: Machine): GlibcHeap {
  const word = pointerBytes(machine);
  return {
    kind: 'glibc',
    word,
    chunks: createChunks(),
    at: new Map(),
    starts: new Map(),
    mmaps: [],
    top: -1,
    tcacheReady: false,
    tcacheSlot: -1,
    tcacheHead: new Int32Array(TCACHE_BINS).fill(-1),
    tcacheCount: new Uint8Array(TCACHE_BINS),
    fast: new Int32Array(11).fill(-1),
    haveFast: false,
    head: new Int32Array(128).fill(-1),
    tail: new Int32Array(128).fill(-1),
    binmap: new Int32Array(4),
    lastRemainder: 0,
    par: {
      mmapThreshold: MMAP_THRESHOLD,
      trimThreshold: MMAP_THRESHOLD,
      // Simplified: glibc asks for 128 KiB more than it needs; on toy16, where there are 64, for nothing more.
      topPad: machine.tables.levels === 1 ? 0 : 128 * 1024,
      mmapMax: 65536,
      dynamic: true,
      maxFast: Math.floor((word * 16 + word) / ALIGN) * ALIGN,
    },
    sbrkBase: 0,
    base: 0,
    fenced: [],
    systemMem: 0,
    maxSystemMem: 0,
    contiguous: true,
    damage: new Map(),
    shadow: null,
  };
}

/** The process's glibc heap, made by the first call that needs one. */
export function glibcHeap(machine: Machine, task: Task): GlibcHeap {
  if (task.heap?.kind === 'glibc') return task.heap;
  const heap = createGlibcHeap(machine);
  task.heap = heap;
  return heap;
}

/** malloc_printerr: the text goes to standard error, and the process ends by SIGABRT. */
export function abort(machine: Machine, task: Task, text: string, addr: Addr): Refused {
  doExit(machine, task, SIGABRT);
  return { ok: false, signal: 'SIGABRT', why: { code: 'LIBC_ABORT', text, addr }, cost: 0 };
}

/** Writes the size word of a chunk's control block. */
export function writeHeader(machine: Machine, task: Task, heap: GlibcHeap, slot: number): Refused | null {
  return touch(machine, task, heap.chunks.addr[slot]! + heap.word, heap.word);
}

/** Writes links into the first two words of a free chunk's payload. */
export function writeLinks(machine: Machine, task: Task, heap: GlibcHeap, slot: number): Refused | null {
  return touch(machine, task, heap.chunks.addr[slot]! + 2 * heap.word, 2 * heap.word);
}

export const tcacheIndex = (heap: GlibcHeap, size: number): number => Math.ceil((size - heap.word * 4) / ALIGN);

export function tcacheHasRoom(heap: GlibcHeap, size: number): boolean {
  const bin = tcacheIndex(heap, size);
  return heap.tcacheReady && bin < TCACHE_BINS && heap.tcacheCount[bin]! < TCACHE_COUNT;
}

export function tcachePut(heap: GlibcHeap, slot: number): void {
  const bin = tcacheIndex(heap, heap.chunks.size[slot]!);
  heap.chunks.state[slot] = CHUNK.tcache;
  heap.chunks.fd[slot] = heap.tcacheHead[bin]!;
  heap.tcacheHead[bin] = slot;
  heap.tcacheCount[bin]! += 1;
}

/** The newest of the bin; -1 when it is empty. */
export function tcacheGet(heap: GlibcHeap, bin: number): number {
  const slot = heap.tcacheHead[bin]!;
  if (slot < 0) return -1;
  heap.tcacheHead[bin] = heap.chunks.fd[slot]!;
  heap.tcacheCount[bin]! -= 1;
  heap.chunks.fd[slot] = -1;
  heap.chunks.state[slot] = CHUNK.used;
  return slot;
}
