/** pool_create, pool_alloc, pool_free, pool_destroy: a fixed-block pool on the process's own heap. */
import { address, int, SIZE_MAX } from '../args.ts';
import { poolAlloc, poolCreate, poolDestroy, poolFree } from '../libc/pool.ts';
import type { Addr, Answer, Machine, Task } from '../types.ts';
import { granted, refused } from './answer.ts';

const ANY = int(1, 0x7fffffff);

export const userPoolCreateArgs = { size: ANY, count: ANY };

/** `{pool, size, bytes}`: its number, the size of its blocks, and that of its chunk. */
export function sysUserPoolCreate(machine: Machine, task: Task, size: number, count: number): Answer {
  if ((size + 7) * count > SIZE_MAX) return refused('ENOMEM', { code: 'NO_ADDRESS_SPACE', length: SIZE_MAX });
  const pool = poolCreate(machine, task, size, count);
  if (typeof pool !== 'number') return pool;
  const block = task.pools.get(pool)!.size;
  return granted({ pool, size: block, bytes: block * count });
}

export const userPoolArgs = { pool: ANY };

export function sysUserPoolAlloc(machine: Machine, task: Task, pool: number): Answer {
  const addr = poolAlloc(machine, task, pool);
  return typeof addr === 'number' ? granted({ addr }) : addr;
}

export const userPoolFreeArgs = { pool: ANY, addr: address };

export function sysUserPoolFree(machine: Machine, task: Task, pool: number, addr: Addr): Answer {
  return poolFree(machine, task, pool, addr) ?? granted();
}

/** `{inUse}`: blocks whose pointers dangle now. */
export function sysUserPoolDestroy(machine: Machine, task: Task, pool: number): Answer {
  const inUse = poolDestroy(machine, task, pool);
  return typeof inUse === 'number' ? granted({ inUse }) : inUse;
}
