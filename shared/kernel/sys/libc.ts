/** malloc and its family: what a process's own library does, entering the kernel for memory only. */
import { address, bytes, int, SIZE_MAX, word } from '../args.ts';
import { allocatorOf, type Block } from '../libc/allocator.ts';
import { glibcHeap } from '../libc/arena.ts';
import { mallocTrim } from '../libc/free.ts';
import { forgetAccesses } from '../libc/races.ts';
import { mallopt, MALLOPT, type MalloptName } from '../libc/realloc.ts';
import type { Addr, Answer, Machine, Refused, Task } from '../types.ts';
import { badArgument, granted, refused } from './answer.ts';

function blockAnswer(machine: Machine, task: Task, block: Block | Refused, size: number): Answer {
  if ('ok' in block) return block;
  // What others did to the memory before is no race with what its new owner does.
  if (machine.races !== null) forgetAccesses(machine.races, task.mm, block.addr, block.addr + size);
  return block.searched === undefined ? { ok: true, addr: block.addr, cost: 0 } : granted({ addr: block.addr, searched: block.searched });
}

export const mallocArgs = { size: bytes };

export function sysMalloc(machine: Machine, task: Task, size: number): Answer {
  const { libc } = machine.config;
  return blockAnswer(machine, task, allocatorOf(libc).malloc(machine, task, libc, size), size);
}

export const callocArgs = { nmemb: bytes, size: bytes };

/** Memory for `nmemb` things of `size` bytes, zeroed; a product that overflows is refused. */
export function sysCalloc(machine: Machine, task: Task, nmemb: number, size: number): Answer {
  const { libc } = machine.config;
  const length = nmemb * size;
  if (length > SIZE_MAX) return refused('ENOMEM', { code: 'NO_ADDRESS_SPACE', length: SIZE_MAX });
  return blockAnswer(machine, task, allocatorOf(libc).calloc(machine, task, libc, length), length);
}

export const reallocArgs = { addr: address, size: bytes };

/** realloc(NULL, n) is malloc(n); realloc(p, 0) frees and answers NULL. */
export function sysRealloc(machine: Machine, task: Task, addr: Addr, size: number): Answer {
  if (addr === 0) return sysMalloc(machine, task, size);
  const { libc } = machine.config;
  if (size === 0) return allocatorOf(libc).free(machine, task, libc, addr) ?? granted({ addr: 0 });
  return blockAnswer(machine, task, allocatorOf(libc).realloc(machine, task, libc, addr, size), size);
}

export const freeArgs = { addr: address };

/** free(NULL) does nothing. */
export function sysFree(machine: Machine, task: Task, addr: Addr): Answer {
  if (addr === 0) return granted();
  const { libc } = machine.config;
  return allocatorOf(libc).free(machine, task, libc, addr) ?? granted();
}

export function sysUsableSize(machine: Machine, task: Task, addr: Addr): Answer {
  if (addr === 0) return granted({ size: 0 });
  const { libc } = machine.config;
  const size = allocatorOf(libc).usable(machine, task, libc, addr);
  return typeof size === 'number' ? granted({ size }) : size;
}

const notGlibc = (call: string): Refused => badArgument('call', `of a machine whose libc is glibc, as ${call} is`);

export const malloptArgs = { param: word(MALLOPT), value: int(-1, 0x7fffffff) };

export function sysMallopt(machine: Machine, task: Task, param: MalloptName, value: number): Answer {
  if (machine.config.libc.allocator !== 'glibc') return notGlibc('mallopt');
  const done = mallopt(machine, task, glibcHeap(machine, task), param, value);
  if (typeof done !== 'boolean') return done;
  return done ? granted({ value: 1 }) : refused('EINVAL', { code: 'MALLOPT_REFUSED', param, value });
}

export const trimArgs = { pad: bytes };

/** malloc_trim: 1 when memory went back to the kernel. */
export function sysMallocTrim(machine: Machine, task: Task, pad: number): Answer {
  if (machine.config.libc.allocator !== 'glibc') return notGlibc('malloc_trim');
  const { value, died } = mallocTrim(machine, task, glibcHeap(machine, task), pad);
  return died ?? granted({ value });
}
