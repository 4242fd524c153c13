/** Random calls on a process's heap: blocks of all sizes that come, grow, move and go, right and wrong. */
import { CHUNK } from '#kernel/libc/types.ts';
import type { Machine } from '#kernel/machine.ts';
import { one, someOf, type Makers, type Pick } from './chance.ts';

/** Blocks that the process has now. */
function blocksOf(machine: Machine, pid: number): number[] {
  const heap = machine.tasks.get(pid)?.heap ?? null;
  if (heap === null) return [];
  if (heap.kind === 'list') return [...heap.blocks.keys()];
  if (heap.shadow !== null) return heap.shadow.sorted;
  const { state, addr, used } = heap.chunks;
  const blocks: number[] = [];
  for (let slot = 0; slot < used; slot++)
    if (state[slot] === CHUNK.used || state[slot] === CHUNK.mmapped) blocks.push(addr[slot]! + 2 * heap.word);
  return blocks;
}

/** Mostly a block of one's own, seldom nothing that malloc gave. */
function someBlock(machine: Machine, pid: number, pick: Pick): number {
  const blocks = blocksOf(machine, pid);
  if (blocks.length === 0 || pick(25) === 0) return one([0, 8, 0x0804d008, 0x0804d010, 0xb7fff010], pick);
  return one(blocks, pick) + (pick(40) === 0 ? 8 : 0);
}

const someSize = (pick: Pick): number => pick(one([30, 30, 130, 600, 1100, 5000, 70_000, 200_000], pick));

/** Mostly a block in use of one of the process's pools; seldom a free one, or none. */
function someCell(machine: Machine, pid: number, pick: Pick): { pool: number; addr: number } {
  const pools = [...(machine.tasks.get(pid)?.pools ?? [])];
  if (pools.length === 0 || pick(30) === 0) return { pool: 1 + pick(3), addr: someBlock(machine, pid, pick) };
  const [pool, { chunk, size, fresh, taken }] = one(pools, pick);
  const index = taken.size > 0 && pick(12) > 0 ? one([...taken], pick) : pick(fresh + 1);
  return { pool, addr: chunk + index * size + (pick(40) === 0 ? 4 : 0) };
}

const someCount = (pick: Pick): number => 1 + pick(one([3, 20, 300], pick));

const LIBC_MAKERS: Makers = [
  [30, (_m, pid, pick) => ({ pid, call: 'malloc', size: someSize(pick) })],
  [3, (_m, pid, pick) => ({ pid, call: 'malloc', size: one([0, 1_000_000, 0x7fffffff, 0xffffffff, 0xffff_ffff_ffff], pick) })],
  [6, (_m, pid, pick) => ({ pid, call: 'calloc', nmemb: 1 + pick(40), size: pick(300) })],
  [8, (machine, pid, pick) => ({ pid, call: 'realloc', addr: someBlock(machine, pid, pick), size: someSize(pick) })],
  [26, (machine, pid, pick) => ({ pid, call: 'free', addr: someBlock(machine, pid, pick) })],
  [
    1,
    (_m, pid, pick) => ({
      pid,
      call: 'mallopt',
      param: one(['M_MMAP_THRESHOLD', 'M_TRIM_THRESHOLD', 'M_TOP_PAD', 'M_MMAP_MAX', 'M_MXFAST'], pick),
      value: one([-1, 0, 1, 40, 64, 4096, 100_000, 200_000], pick),
    }),
  ],
  [1, (_m, pid, pick) => ({ pid, call: 'malloc_trim', pad: pick(20_000) })],
  [1, (machine, pid, pick) => ({ pid, call: 'leak_scan', roots: [someBlock(machine, pid, pick)] })],
  [1, (_m, pid) => ({ pid, call: 'heap_check' })],
  [3, (_m, pid, pick) => ({ pid, call: 'pool_create', size: 1 + pick(one([24, 700], pick)), count: someCount(pick) })],
  [12, (machine, pid, pick) => ({ pid, call: 'pool_alloc', pool: someCell(machine, pid, pick).pool })],
  [10, (machine, pid, pick) => ({ pid, call: 'pool_free', ...someCell(machine, pid, pick) })],
  [1, (machine, pid, pick) => ({ pid, call: 'pool_destroy', pool: someCell(machine, pid, pick).pool })],
  [
    1,
    (machine, pid, pick) => ({
      pid,
      call: 'write',
      addr: someCell(machine, pid, pick).addr,
      length: 1 + pick(9),
      value: pick(3) === 0 ? 65 : 0,
    }),
  ],
  [1, (machine, pid, pick) => ({ pid, call: 'malloc_usable_size', addr: someBlock(machine, pid, pick) })],
  [
    4,
    (machine, pid, pick) => ({
      pid,
      call: 'poke',
      addr: someBlock(machine, pid, pick) + pick(40),
      bytes: [1, 2, pick(256), 4, 5, 6, 7, 8],
    }),
  ],
  [3, (machine, pid, pick) => ({ pid, call: 'write', addr: someBlock(machine, pid, pick), length: 1 + pick(60), value: pick(256) })],
  [1, (_m, pid, pick) => ({ pid, call: one(['htonl', 'ntohl'], pick), value: pick(0x7fffffff) })],
  [1, (_m, pid, pick) => ({ pid, call: one(['htons', 'ntohs'], pick), value: pick(0x10000) })],
  [1, (_m, pid, pick) => ({ pid, call: 'bytes_of', value: pick(0x7fffffff), size: 1 + pick(8), order: one(['host', 'big'], pick) })],
  [1, (_m, pid) => ({ pid, call: 'cat', path: '/proc/freelist' })],
];

/** One of them. */
export const someLibc = someOf(LIBC_MAKERS);
