/** Good requests for malloc's family and for the byte order. */
import { type Machine } from '#kernel/machine.ts';
import { granted } from './boot.ts';
import type { GoodCall } from './requests.ts';

/** A block of 100 bytes of the stage's process; it also has pool 1 with a block in use. */
export function libcStage(machine: Machine, pid: number): number {
  granted(machine, pid, { call: 'pool_create', size: 20, count: 4 });
  granted(machine, pid, { call: 'pool_alloc', pool: 1 });
  return granted(machine, pid, { call: 'malloc', size: 100 }).addr as number;
}

export const LIBC_CALLS: readonly GoodCall[] = [
  { call: 'malloc', by: 'process', args: () => ({ size: 24 }) },
  { call: 'calloc', by: 'process', args: () => ({ nmemb: 3, size: 8 }) },
  { call: 'realloc', by: 'process', args: ({ block }) => ({ addr: block, size: 300 }) },
  { call: 'free', by: 'process', args: ({ block }) => ({ addr: block }) },
  { call: 'mallopt', by: 'process', args: () => ({ param: 'M_TOP_PAD', value: 4096 }), good: { value: [-1] } },
  { call: 'malloc_trim', by: 'process', args: () => ({ pad: 0 }) },
  { call: 'pool_create', by: 'process', args: () => ({ size: 12, count: 3 }) },
  { call: 'pool_alloc', by: 'process', args: () => ({ pool: 1 }) },
  { call: 'pool_free', by: 'process', args: ({ machine, pid }) => ({ pool: 1, addr: machine.tasks.get(pid)?.pools.get(1)?.chunk ?? 0 }) },
  { call: 'pool_destroy', by: 'process', args: () => ({ pool: 1 }) },
  { call: 'leak_scan', by: 'process', args: ({ block }) => ({ roots: [block] }) },
  { call: 'heap_check', by: 'process', args: () => ({}) },
  { call: 'malloc_usable_size', by: 'process', args: ({ block }) => ({ addr: block }) },
  { call: 'htonl', by: 'process', args: () => ({ value: 0x12345678 }) },
  { call: 'htons', by: 'process', args: () => ({ value: 0x1234 }) },
  { call: 'ntohl', by: 'process', args: () => ({ value: 0x12345678 }) },
  { call: 'ntohs', by: 'process', args: () => ({ value: 0x1234 }) },
  { call: 'bytes_of', by: 'process', args: () => ({ value: 0x12345678, size: 4, order: 'big' }) },
];
