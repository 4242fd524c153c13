/** malloc and its family, and the byte order of numbers: what a process's own library does, entering the kernel for memory only. */
import { address, bytes, SIZE_MAX } from '../args.ts';
import { listFree, listMalloc, listRealloc, listUsable } from '../libc/list.ts';
import { zero } from '../libc/user.ts';
import type { Addr, Answer, Machine, Task } from '../types.ts';
import { granted, refused } from './answer.ts';

export const mallocArgs = { size: bytes };

export function sysMalloc(machine: Machine, task: Task, size: number): Answer {
  const block = listMalloc(machine, task, machine.config.libc, size);
  return 'ok' in block ? block : { ok: true, addr: block.addr, searched: block.searched, cost: 0 };
}

export const callocArgs = { nmemb: bytes, size: bytes };

/** Memory for `nmemb` things of `size` bytes, zeroed; a product that overflows is refused. */
export function sysCalloc(machine: Machine, task: Task, nmemb: number, size: number): Answer {
  const { libc } = machine.config;
  const length = nmemb * size;
  if (length > SIZE_MAX) return refused('ENOMEM', { code: 'NO_ADDRESS_SPACE', length: SIZE_MAX });
  const block = listMalloc(machine, task, libc, length);
  if ('ok' in block) return block;
  const isBacked = task.heap?.kind === 'list' && task.heap.backed;
  const stopped = isBacked && length > 0 ? zero(machine, task, block.addr + libc.header, length) : null;
  if (stopped === null) return granted({ addr: block.addr, searched: block.searched });
  if (stopped.signal === undefined) listFree(machine, task, libc, block.addr);
  return stopped;
}

export const reallocArgs = { addr: address, size: bytes };

/** realloc(NULL, n) is malloc(n); realloc(p, 0) frees and answers NULL. */
export function sysRealloc(machine: Machine, task: Task, addr: Addr, size: number): Answer {
  if (addr === 0) return sysMalloc(machine, task, size);
  const { libc } = machine.config;
  if (size === 0) return listFree(machine, task, libc, addr) ?? granted({ addr: 0 });
  const block = listRealloc(machine, task, libc, addr, size);
  return 'ok' in block ? block : granted({ addr: block.addr, searched: block.searched });
}

export const freeArgs = { addr: address };

/** free(NULL) does nothing. */
export function sysFree(machine: Machine, task: Task, addr: Addr): Answer {
  if (addr === 0) return granted();
  return listFree(machine, task, machine.config.libc, addr) ?? granted();
}

export function sysUsableSize(machine: Machine, task: Task, addr: Addr): Answer {
  if (addr === 0) return granted({ size: 0 });
  const size = listUsable(task, machine.config.libc, addr);
  return typeof size === 'number' ? granted({ size }) : size;
}
