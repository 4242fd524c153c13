/**
 * Memory bugs made visible (spec §17): with `libc.sanitize` every block of the process stands between red zones, a freed block
 * waits in a quarantine before its memory is used again, and each access is looked up: what block it hits, whether it still
 * lives, and whether the bytes that it reads were ever written. The first bug ends the process, as with AddressSanitizer
 * and MemorySanitizer, and says which block it was and since when. `born` and `freed` count the heap's calls.
 */
import type { Addr, Machine, Refused, Task, Why } from '../types.ts';
import { doExit } from '../kernel/exit.ts';
import { chunkAround } from './chunks.ts';
import type { GlibcHeap, Shadow, ShadowBlock } from './types.ts';

const SIGABRT = 6;
/** Bytes of freed blocks that wait. */
export const QUARANTINE_MAX = 256 * 1024;

/** Red zones grow with what they guard (mm/kasan): up to 48 bytes 16, up to 96 32, … */
const RED_ZONES: readonly (readonly [upTo: number, bytes: number])[] = [
  [48, 16],
  [96, 32],
  [448, 64],
  [3968, 128],
  [16128, 256],
  [64512, 512],
  [261632, 1024],
];
const RED_ZONE_MAX = 2048;

export function redZone(size: number): number {
  for (const [upTo, bytes] of RED_ZONES) if (size <= upTo) return bytes;
  return RED_ZONE_MAX;
}

export function createShadow(): Shadow {
  return { blocks: new Map(), sorted: [], quarantine: [], quarantined: 0, calls: 0 };
}

export function copyShadow(shadow: Shadow): Shadow {
  const blocks: Shadow['blocks'] = new Map();
  for (const [addr, block] of shadow.blocks) blocks.set(addr, { ...block, written: [...block.written] });
  return { ...shadow, blocks, sorted: [...shadow.sorted], quarantine: [...shadow.quarantine] };
}

/** Place of the last block that starts at or below an address, -1 when none does. */
function floorIndex(sorted: readonly Addr[], addr: Addr): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! > addr) high = middle;
    else low = middle + 1;
  }
  return low - 1;
}

export function addBlock(shadow: Shadow, addr: Addr, size: number, isWritten: boolean): void {
  shadow.blocks.set(addr, { size, born: shadow.calls, freed: 0, written: isWritten && size > 0 ? [0, size] : [] });
  shadow.sorted.splice(floorIndex(shadow.sorted, addr) + 1, 0, addr);
}

export function dropBlock(shadow: Shadow, addr: Addr): void {
  shadow.blocks.delete(addr);
  const index = floorIndex(shadow.sorted, addr);
  if (shadow.sorted[index] === addr) shadow.sorted.splice(index, 1);
}

/** Adds [from, to) to the stretches that were written, ascending and apart. */
function markWritten(block: ShadowBlock, from: number, to: number): void {
  const { written } = block;
  let first = 0;
  while (first < written.length && written[first + 1]! < from) first += 2;
  let last = first;
  let [low, high] = [from, to];
  while (last < written.length && written[last]! <= to) {
    low = Math.min(low, written[last]!);
    high = Math.max(high, written[last + 1]!);
    last += 2;
  }
  written.splice(first, last - first, low, high);
}

function isWritten(block: ShadowBlock, from: number, to: number): boolean {
  const { written } = block;
  for (let i = 0; i < written.length; i += 2) if (written[i]! <= from && to <= written[i + 1]!) return true;
  return false;
}

/** The bug is the process's end. */
export function stop(machine: Machine, task: Task, why: Why): Refused {
  doExit(machine, task, SIGABRT);
  return { ok: false, signal: 'SIGABRT', why, cost: 0 };
}

/** What is wrong with an access that begins in the reach of a block. */
function faultIn(block: ShadowBlock, start: Addr, addr: Addr, length: number, isWrite: boolean): Why | null {
  const { size, born, freed } = block;
  const offset = addr - start;
  if (freed > 0) return { code: 'USE_AFTER_FREE', addr, block: start, size, born, freed };
  if (offset < 0 || offset + length > size)
    return { code: 'HEAP_OVERFLOW', addr, block: start, size, offset: offset < 0 ? offset : Math.max(offset, size), born };
  if (!isWrite && !isWritten(block, offset, offset + length)) return { code: 'UNINITIALISED', addr, block: start, size, offset, born };
  return null;
}

function faultOf(heap: GlibcHeap, shadow: Shadow, addr: Addr, length: number, isWrite: boolean): Why | null {
  const { sorted, blocks } = shadow;
  const index = floorIndex(sorted, addr);
  const start = sorted[index];
  const block = start === undefined ? undefined : blocks.get(start)!;
  if (block !== undefined && addr < start! + block.size + redZone(block.size)) return faultIn(block, start!, addr, length, isWrite);
  // Before the next block lies its red zone.
  const next = sorted[index + 1];
  const after = next === undefined ? undefined : blocks.get(next)!;
  if (after !== undefined && addr + length > next! - redZone(after.size)) return faultIn(after, next!, addr, length, isWrite);
  return chunkAround(heap, addr) >= 0 ? { code: 'WILD_POINTER', addr } : null;
}

/** Looks an access up before it is made; the end of the process, or null when nothing is wrong with it. */
export function checkAccess(machine: Machine, task: Task, addr: Addr, length: number, isWrite: boolean): Refused | null {
  const { heap } = task;
  if (heap?.kind !== 'glibc' || heap.shadow === null || length === 0) return null;
  const { shadow } = heap;
  const why = faultOf(heap, shadow, addr, length, isWrite);
  if (why !== null) return stop(machine, task, why);
  if (!isWrite) return null;
  const start = shadow.sorted[floorIndex(shadow.sorted, addr)];
  const block = start === undefined ? undefined : shadow.blocks.get(start)!;
  if (block !== undefined && addr < start! + block.size) markWritten(block, addr - start!, addr - start! + length);
  return null;
}
