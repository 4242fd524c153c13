/** The allocators that a machine's libc may have, as a table: one row each for the calls of malloc's family. */
import type { Addr, Machine, Refused, Task } from '../types.ts';
import { refused } from '../sys/answer.ts';
import { glibcHeap, type SlotOr } from './arena.ts';
import { chunkOf, memOf, usableSize } from './chunks.ts';
import { glibcFree } from './free.ts';
import { freelistText } from './freelist.ts';
import { listFree, listMalloc, listRealloc, listUsable, type ListBlock } from './list.ts';
import { glibcMalloc } from './malloc.ts';
import { glibcCalloc, glibcRealloc } from './realloc.ts';
import { guardedFree, guardedMalloc, guardedRealloc, shadowOf } from './sanitize.ts';
import { binsText } from './show.ts';
import { CHUNK, type GlibcRules, type Heap, type LibcRules, type ListRules } from './types.ts';
import { zero } from './user.ts';

/** What malloc answers: an address, and for the free list how many entries it looked at. */
export interface Block {
  addr: Addr;
  searched?: number;
}

interface Allocator<R> {
  malloc: (machine: Machine, task: Task, rules: R, bytes: number) => Block | Refused;
  calloc: (machine: Machine, task: Task, rules: R, bytes: number) => Block | Refused;
  realloc: (machine: Machine, task: Task, rules: R, addr: Addr, bytes: number) => Block | Refused;
  free: (machine: Machine, task: Task, rules: R, addr: Addr) => Refused | null;
  usable: (machine: Machine, task: Task, rules: R, addr: Addr) => number | Refused;
}

function listCalloc(machine: Machine, task: Task, rules: ListRules, bytes: number): ListBlock | Refused {
  const block = listMalloc(machine, task, rules, bytes);
  if ('ok' in block) return block;
  const isBacked = task.heap?.kind === 'list' && task.heap.backed;
  const stopped = isBacked && bytes > 0 ? zero(machine, task, block.addr + rules.header, bytes) : null;
  if (stopped === null) return block;
  if (stopped.signal === undefined) listFree(machine, task, rules, block.addr);
  return stopped;
}

const LIST: Allocator<ListRules> = {
  malloc: listMalloc,
  calloc: listCalloc,
  realloc: listRealloc,
  free: listFree,
  usable: (_machine, task, rules, addr) => listUsable(task, rules, addr),
};

function blockOf(machine: Machine, task: Task, slot: SlotOr): Block | Refused {
  return typeof slot === 'number' ? { addr: memOf(glibcHeap(machine, task), slot) } : slot;
}

/** malloc_usable_size: 0 for what is not in use. */
function glibcUsable(machine: Machine, task: Task, addr: Addr): number | Refused {
  const heap = glibcHeap(machine, task);
  const slot = heap.at.get(chunkOf(heap, addr));
  if (slot === undefined) return refused('EINVAL', { code: 'NOT_A_BLOCK', addr });
  const state = heap.chunks.state[slot]!;
  return state === CHUNK.used || state === CHUNK.mmapped ? usableSize(heap, slot) : 0;
}

const GLIBC: Allocator<GlibcRules> = {
  malloc: (machine, task, _rules, bytes) => blockOf(machine, task, glibcMalloc(machine, task, glibcHeap(machine, task), bytes)),
  calloc: (machine, task, _rules, bytes) => blockOf(machine, task, glibcCalloc(machine, task, glibcHeap(machine, task), bytes)),
  realloc: (machine, task, _rules, addr, bytes) =>
    blockOf(machine, task, glibcRealloc(machine, task, glibcHeap(machine, task), addr, bytes)),
  free: (machine, task, _rules, addr) => glibcFree(machine, task, glibcHeap(machine, task), addr),
  usable: (machine, task, _rules, addr) => glibcUsable(machine, task, addr),
};

function guarded(addr: Addr | Refused): Block | Refused {
  return typeof addr === 'number' ? { addr } : addr;
}

const SANITIZED: Allocator<GlibcRules> = {
  malloc: (machine, task, _rules, bytes) => guarded(guardedMalloc(machine, task, glibcHeap(machine, task), bytes)),
  calloc: (machine, task, _rules, bytes) => guarded(guardedMalloc(machine, task, glibcHeap(machine, task), bytes, true)),
  realloc: (machine, task, _rules, addr, bytes) => guarded(guardedRealloc(machine, task, glibcHeap(machine, task), addr, bytes)),
  free: (machine, task, _rules, addr) => guardedFree(machine, task, glibcHeap(machine, task), addr),
  usable: (machine, task, _rules, addr) => {
    const block = shadowOf(glibcHeap(machine, task)).blocks.get(addr);
    return block === undefined ? refused('EINVAL', { code: 'NOT_A_BLOCK', addr }) : block.freed > 0 ? 0 : block.size;
  },
};

/** The row of a machine's libc. */
export function allocatorOf(rules: LibcRules): Allocator<LibcRules> {
  if (rules.allocator === 'list') return LIST as Allocator<LibcRules>;
  return (rules.sanitize ? SANITIZED : GLIBC) as Allocator<LibcRules>;
}

/** Text of /proc/freelist. */
export function heapText(heap: Heap | null): string {
  if (heap === null) return '';
  return heap.kind === 'list' ? freelistText(heap) : binsText(heap);
}
