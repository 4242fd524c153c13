/**
 * malloc and free of the allocator for lessons. The heap is a run of the process's own memory, got by sbrk or, where
 * `heap.base` is elsewhere, by mmap. A control block of `header` bytes stands before each payload and is written on
 * malloc and free; with a header of 0 the allocator keeps its records outside of the heap, as OSTEP's simulator does.
 */
import { doBrk, doMmap, MAP, type Failure } from '../mm/mmap.ts';
import { minAddr, VM } from '../mm/vma.ts';
import { refused, refusedBy } from '../sys/answer.ts';
import { PAGE_SIZE, type Addr, type Machine, type Refused, type Task } from '../types.ts';
import { findFit, freeBytes, giveBack, takeFrom, type Found } from './freelist.ts';
import type { ListHeap, ListRules } from './types.ts';
import { copy, touch } from './user.ts';

const isRoot = (machine: Machine, task: Task): boolean => machine.config.root.includes(task.pid);

/** More memory by sbrk; where it begins. Foreign moves of the break leave a gap, which is nobody's. */
function moreByBrk(machine: Machine, task: Task, bytes: number): Addr | Failure {
  const start = task.mm.brk;
  const end = task.heap?.kind === 'list' && task.heap.backed ? task.heap.end : 0;
  if (start < end) return { errno: 'ENOMEM', why: { code: 'BREAK_MOVED', brk: start, end } };
  const moved = doBrk(machine, task, start + bytes, isRoot(machine, task));
  machine.cost += machine.config.costs.area!;
  return typeof moved === 'number' ? start : moved;
}

/** Memory at an address of one's own choice. Below vm.mmap_min_addr no page may lie: such a heap is numbers only. */
function fixedHeap(machine: Machine, task: Task, base: Addr, size: number): Failure | boolean {
  if (base < minAddr(task.mm)) return false;
  const addr = base - (base % PAGE_SIZE);
  const request = { addr, length: base + size - addr, prot: VM.read | VM.write, flags: MAP.private | MAP.anonymous | MAP.fixedNoreplace };
  const mapped = doMmap(machine, task, request, isRoot(machine, task));
  machine.cost += machine.config.costs.area!;
  return typeof mapped === 'number' ? true : mapped;
}

/** The process's heap, made by its first request. */
function createListHeap(machine: Machine, task: Task, rules: ListRules): ListHeap | Failure {
  const heap: ListHeap = {
    kind: 'list',
    addr: new Float64Array(16),
    size: new Float64Array(16),
    count: 0,
    blocks: new Map(),
    rover: 0,
    end: 0,
    total: 0,
    backed: true,
  };
  const { base, size } = rules.heap;
  if (size === 0) return heap;
  if (base === 0 || base === task.mm.brk) {
    const start = moreByBrk(machine, task, size);
    if (typeof start !== 'number') return start;
    addMemory(heap, rules, start, size);
    return heap;
  }
  const backed = fixedHeap(machine, task, base, size);
  if (typeof backed !== 'boolean') return backed;
  heap.backed = backed;
  addMemory(heap, rules, base, size);
  return heap;
}

function addMemory(heap: ListHeap, rules: ListRules, start: Addr, size: number): void {
  giveBack(heap, rules, start, size);
  heap.end = start + size;
  heap.total += size;
}

/** Writes the control block at the start of a block. */
function writeHeader(machine: Machine, task: Task, heap: ListHeap, rules: ListRules, addr: Addr): Refused | null {
  return rules.header > 0 && heap.backed ? touch(machine, task, addr, rules.header) : null;
}

export interface ListBlock {
  addr: Addr;
  searched: number;
}

/** Bytes that a request takes: rounded up, and its control block. */
export function blockBytes(rules: ListRules, bytes: number): number {
  return Math.ceil(Math.max(1, bytes) / rules.align) * rules.align + rules.header;
}

function noFit(heap: ListHeap, need: number, found: Found): Refused {
  const { free, largest } = freeBytes(heap);
  return refused('ENOMEM', { code: free >= need ? 'HEAP_FRAGMENTED' : 'HEAP_FULL', size: need, free, largest, searched: found.searched });
}

/** A block for `bytes` bytes; its address is that of its control block. */
export function listMalloc(machine: Machine, task: Task, rules: ListRules, bytes: number): ListBlock | Refused {
  const made = task.heap === null ? createListHeap(machine, task, rules) : task.heap;
  if ('errno' in made) return refusedBy(made);
  if (made.kind !== 'list') return refused('EINVAL', { code: 'BAD_ARGUMENT', argument: 'call', rule: 'of this libc' });
  const heap = made;
  const need = blockBytes(rules, bytes);
  let found = findFit(heap, rules.fit, need);
  if (found.index < 0 && rules.heap.size === 0) {
    const more = Math.ceil(need / PAGE_SIZE) * PAGE_SIZE;
    const start = moreByBrk(machine, task, more);
    if (typeof start !== 'number') return refusedBy(start);
    addMemory(heap, rules, start, more);
    found = findFit(heap, rules.fit, need);
  }
  task.heap = heap;
  if (found.index < 0) return noFit(heap, need, found);
  const isSplit = heap.size[found.index]! > need;
  const addr = takeFrom(heap, found.index, need);
  const died = writeHeader(machine, task, heap, rules, addr) ?? (isSplit ? writeHeader(machine, task, heap, rules, addr + need) : null);
  return died ?? { addr, searched: found.searched };
}

function notABlock(addr: Addr): Refused {
  return refused('EINVAL', { code: 'NOT_A_BLOCK', addr });
}

export function listFree(machine: Machine, task: Task, rules: ListRules, addr: Addr): Refused | null {
  const heap = task.heap?.kind === 'list' ? task.heap : null;
  const size = heap?.blocks.get(addr);
  if (heap === null || size === undefined) return notABlock(addr);
  heap.blocks.delete(addr);
  giveBack(heap, rules, addr, size);
  return writeHeader(machine, task, heap, rules, addr);
}

/** A larger request moves: a new block, the bytes copied, the old one freed. */
// Simplified: it never grows in place, though the next block may be free.
export function listRealloc(machine: Machine, task: Task, rules: ListRules, addr: Addr, bytes: number): ListBlock | Refused {
  const heap = task.heap?.kind === 'list' ? task.heap : null;
  const size = heap?.blocks.get(addr);
  if (heap === null || size === undefined) return notABlock(addr);
  if (blockBytes(rules, bytes) <= size) return { addr, searched: 0 };
  const moved = listMalloc(machine, task, rules, bytes);
  if ('ok' in moved) return moved;
  if (heap.backed) {
    const stopped = copy(machine, task, moved.addr + rules.header, addr + rules.header, size - rules.header);
    if (stopped !== null) {
      if (stopped.signal === undefined) listFree(machine, task, rules, moved.addr);
      return stopped;
    }
  }
  return listFree(machine, task, rules, addr) ?? moved;
}

/** Bytes that the program may use of a block. */
export function listUsable(task: Task, rules: ListRules, addr: Addr): number | Refused {
  const size = task.heap?.kind === 'list' ? task.heap.blocks.get(addr) : undefined;
  return size === undefined ? notABlock(addr) : size - rules.header;
}
