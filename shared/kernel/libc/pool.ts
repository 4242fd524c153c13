/**
 * A pool of user space: blocks of one size, cut from one chunk that malloc gave. A block that is given back holds the address
 * of the one given back before it in its own first word, so that the pool needs no control blocks and both ways are O(1):
 * the newest free block comes first, then those that nobody had yet, from the lowest address up.
 *
 * The process's variables know the chunk, the newest free block, how many were ever cut. `taken` is beside the memory and what
 * a debugging pool would keep: it finds a block that comes back twice.
 */
import { frameAt } from '../arch/mmu.ts';
import { CONTENTS_PAGES_MAX, contentsOf } from '../mm/contents.ts';
import { accessRange } from '../mm/memory.ts';
import { minAddr } from '../mm/vma.ts';
import { accessRefused, refused } from '../sys/answer.ts';
import { PAGE_SIZE, type Addr, type Machine, type Refused, type Task } from '../types.ts';
import { allocatorOf } from './allocator.ts';
import type { UserPool } from './types.ts';
import { pointerBytes, wordAt } from './word.ts';

/** Pools of one process. */
export const USER_POOLS_MAX = 64;

/** Control block that malloc's answer begins with, as the free list for lessons has it. */
export const headerOf = ({ config: { libc } }: Machine): number => (libc.allocator === 'list' ? libc.header : 0);

export function copyPools(pools: Map<number, UserPool>): Map<number, UserPool> {
  const copies = new Map<number, UserPool>();
  for (const [id, pool] of pools) copies.set(id, { ...pool, taken: new Set(pool.taken) });
  return copies;
}

/** A pool of `count` blocks, each of whole words and of at least `bytes` bytes; its number, the lowest that is not in use. */
export function poolCreate(machine: Machine, task: Task, bytes: number, count: number): number | Refused {
  if (task.pools.size >= USER_POOLS_MAX) return refused('ENOMEM', { code: 'TOO_MANY_POOLS', limit: USER_POOLS_MAX });
  const word = pointerBytes(machine);
  const size = Math.ceil(bytes / word) * word;
  const { libc } = machine.config;
  if (libc.allocator === 'list' && libc.heap.size > 0 && libc.heap.base > 0 && libc.heap.base < minAddr(task.mm))
    return refused('EINVAL', { code: 'BAD_ARGUMENT', argument: 'call', rule: 'of a process whose heap lies in its pages' });
  const chunk = allocatorOf(libc).malloc(machine, task, libc, size * count);
  if ('ok' in chunk) return chunk;
  let id = 1;
  while (task.pools.has(id)) id += 1;
  task.pools.set(id, { chunk: chunk.addr + headerOf(machine), size, count, fresh: 0, head: 0, taken: new Set() });
  return id;
}

/** Number of the block that starts at an address, −1 when none does. */
function indexOf(pool: UserPool, addr: Addr): number {
  const index = (addr - pool.chunk) / pool.size;
  return Number.isInteger(index) && index >= 0 && index < pool.count ? index : -1;
}

/** Is it a block that was given back? */
function isFree(pool: UserPool, addr: Addr): boolean {
  const index = indexOf(pool, addr);
  return index >= 0 && index < pool.fresh && !pool.taken.has(index);
}

/** The word at an address, as the program would load it. */
function load(machine: Machine, task: Task, addr: Addr): number | Refused {
  const faults = { minor: 0, major: 0, cow: 0 };
  const outcome = accessRange(machine, task, addr, pointerBytes(machine), 'read', faults);
  return outcome.why === null ? wordAt(machine, task, addr, pointerBytes(machine)) : accessRefused(machine, task, outcome, faults);
}

function store(machine: Machine, task: Task, addr: Addr, value: number): Refused | null {
  const faults = { minor: 0, major: 0, cow: 0 };
  let rest = value;
  const outcome = accessRange(machine, task, addr, pointerBytes(machine), 'write', faults, (from, to) => {
    const pfn = frameAt(machine, task.mm, from);
    if (value === 0 && !machine.contents.has(pfn)) return null;
    const held = contentsOf(machine, pfn);
    if (held === null) return { code: 'CONTENTS_FULL', limit: CONTENTS_PAGES_MAX };
    for (let at = from; at < to; at++, rest = Math.floor(rest / 256)) held[at % PAGE_SIZE] = rest % 256;
    return null;
  });
  return outcome.why === null ? null : accessRefused(machine, task, outcome, faults);
}

/** A block. A link that leads to no free block was overwritten by the program: then nothing is given out. */
export function poolAlloc(machine: Machine, task: Task, id: number): Addr | Refused {
  const pool = task.pools.get(id);
  if (pool === undefined) return refused('EINVAL', { code: 'NO_SUCH_POOL', pool: id });
  const { head, size, count } = pool;
  if (head !== 0) {
    const next = load(machine, task, head);
    if (typeof next !== 'number') return next;
    if (next !== 0 && (next === head || !isFree(pool, next)))
      return refused('EFAULT', { code: 'POOL_DAMAGED', pool: id, addr: head, found: next });
    pool.head = next;
    pool.taken.add(indexOf(pool, head));
    return head;
  }
  if (pool.fresh === count) return refused('ENOMEM', { code: 'POOL_EMPTY', pool: id, count, size });
  pool.taken.add(pool.fresh);
  pool.fresh += 1;
  return pool.chunk + (pool.fresh - 1) * size;
}

/** Gives a block back: its first word becomes the link. */
export function poolFree(machine: Machine, task: Task, id: number, addr: Addr): Refused | null {
  const pool = task.pools.get(id);
  if (pool === undefined) return refused('EINVAL', { code: 'NO_SUCH_POOL', pool: id });
  const index = indexOf(pool, addr);
  if (index < 0) return refused('EINVAL', { code: 'NOT_IN_POOL', pool: id, addr });
  if (!pool.taken.has(index)) return refused('EINVAL', { code: 'DOUBLE_FREE', addr });
  const stopped = store(machine, task, addr, pool.head);
  if (stopped !== null) return stopped;
  pool.taken.delete(index);
  pool.head = addr;
  return null;
}

/** The chunk goes back to malloc, and with it the blocks that are still in use; how many these were. */
export function poolDestroy(machine: Machine, task: Task, id: number): number | Refused {
  const pool = task.pools.get(id);
  if (pool === undefined) return refused('EINVAL', { code: 'NO_SUCH_POOL', pool: id });
  const { libc } = machine.config;
  const stopped = allocatorOf(libc).free(machine, task, libc, pool.chunk - headerOf(machine));
  if (stopped !== null) return stopped;
  task.pools.delete(id);
  return pool.taken.size;
}

/** The first link of a pool's list that leads to no free block, and where it stands; null while there is none. Of pages that are not resident nothing is known. */
export function badLink(machine: Machine, task: Task, pool: UserPool): { addr: Addr; found: number } | null {
  let addr = pool.head;
  for (let left = pool.fresh - pool.taken.size; addr !== 0 && left > 0; left--) {
    const found = wordAt(machine, task, addr, pointerBytes(machine));
    if (found !== 0 && (found === addr || !isFree(pool, found))) return { addr, found };
    addr = found;
  }
  return null;
}

/** A line a pool, below the lists of malloc. */
export function poolsText(task: Task): string {
  let text = '';
  for (const [id, { chunk, size, count, fresh, taken }] of task.pools) {
    const cells = `${count} blocks of ${size} at 0x${chunk.toString(16)}`;
    text += `pool ${id}: ${cells}, ${taken.size} in use, ${fresh - taken.size} given back, ${count - fresh} never used\n`;
  }
  return text;
}
