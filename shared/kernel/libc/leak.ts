/**
 * Leaks (spec §17; as kmemleak and LeakSanitizer): mark and sweep. A word that holds an address within a block keeps the block
 * alive, wherever it stands: in the roots that the caller names (its variables), in its threads' registers, in memory that is not the heap's, or in
 * a block that is itself alive. Blocks that nothing leads to can never be freed. Cycles do not save each other.
 */
import { frameAt } from '../arch/mmu.ts';
import { VM } from '../mm/vma.ts';
import { PAGE_SIZE, type Addr, type Machine, type Task } from '../types.ts';
import { CHUNK, type UserPool } from './types.ts';

export interface HeapBlock {
  addr: Addr;
  size: number;
  /** The heap call that made it, where somebody counts (libc.sanitize), else 0. */
  born: number;
}

/** Blocks that the program has, ascending: with red zones as it knows them, and those of its pools one by one. */
export function liveBlocks(machine: Machine, { heap, pools }: Task): HeapBlock[] {
  const blocks: HeapBlock[] = [];
  if (heap?.kind === 'list') {
    const { libc } = machine.config;
    const header = libc.allocator === 'list' ? libc.header : 0;
    for (const [addr, size] of heap.blocks) blocks.push({ addr: addr + header, size: size - header, born: 0 });
  }
  if (heap?.kind === 'glibc' && heap.shadow !== null) {
    for (const [addr, block] of heap.shadow.blocks) if (block.freed === 0) blocks.push({ addr, size: block.size, born: block.born });
  } else if (heap?.kind === 'glibc') {
    const { state, addr, size, used } = heap.chunks;
    for (let slot = 0; slot < used; slot++) {
      const isMapped = state[slot] === CHUNK.mmapped;
      if ((state[slot] !== CHUNK.used && !isMapped) || slot === heap.tcacheSlot) continue;
      blocks.push({ addr: addr[slot]! + 2 * heap.word, size: size[slot]! - (isMapped ? 2 : 1) * heap.word, born: 0 });
    }
  }
  return withPools(blocks, pools).sort((a, b) => a.addr - b.addr);
}

/** Blocks of the heap as the program has them: in place of a pool's chunk the blocks that are in use. */
function withPools(blocks: HeapBlock[], pools: ReadonlyMap<number, UserPool>): HeapBlock[] {
  if (pools.size === 0) return blocks;
  const at = new Map(blocks.map((block) => [block.addr, block]));
  for (const { chunk, size, taken } of pools.values()) {
    const held = at.get(chunk);
    if (held === undefined || !at.delete(chunk)) continue;
    for (const index of taken) at.set(chunk + index * size, { addr: chunk + index * size, size, born: held.born });
  }
  return [...at.values()];
}

/** Number of the first block at or above an address. */
function firstFrom(blocks: readonly HeapBlock[], addr: Addr): number {
  let [low, high] = [0, blocks.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (blocks[middle]!.addr >= addr) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Number of the block that holds an address; -1 for none. */
function blockAt(blocks: readonly HeapBlock[], addr: Addr): number {
  const index = firstFrom(blocks, addr + 1) - 1;
  const block = blocks[index];
  return block !== undefined && (addr < block.addr + block.size || addr === block.addr) ? index : -1;
}

/** Every aligned word of [start, end) that something was written to. */
function eachWord(machine: Machine, task: Task, start: Addr, end: Addr, word: number, see: (value: number) => void): void {
  for (let page = start - (start % PAGE_SIZE); page < end; page += PAGE_SIZE) {
    const pfn = frameAt(machine, task.mm, page);
    const held = pfn < 0 ? undefined : machine.contents.get(pfn);
    if (held === undefined) continue;
    const from = Math.max(0, Math.ceil((start - page) / word) * word);
    for (let at = from; at + word <= Math.min(PAGE_SIZE, end - page); at += word) {
      let value = 0;
      for (let n = Math.min(6, word) - 1; n >= 0; n--) value = value * 256 + held[at + n]!;
      if (value !== 0) see(value);
    }
  }
}

export interface LeakScan {
  leaked: HeapBlock[];
  blocks: number;
}

// Simplified: pages on swap are not read back for their pointers; of registers there is one a thread (word.ts), the rest are what the caller names.
export function leakScan(machine: Machine, task: Task, roots: readonly Addr[]): LeakScan {
  const word = (machine.config.arch as string) === 'x86_64' ? 8 : 4;
  const blocks = liveBlocks(machine, task);
  const marked = new Uint8Array(blocks.length);
  const pending: number[] = [];
  const see = (value: number): void => {
    const index = blockAt(blocks, value);
    if (index < 0 || marked[index] === 1) return;
    marked[index] = 1;
    pending.push(index);
  };
  for (const root of roots) see(root);
  see(task.eax);
  for (const tid of task.threads?.tids ?? []) see(machine.threads.get(tid)!.eax);
  scanOutside(machine, task, blocks, word, see);
  for (let index = pending.pop(); index !== undefined; index = pending.pop()) {
    const { addr, size } = blocks[index]!;
    eachWord(machine, task, addr, addr + size, word, see);
  }
  return { leaked: blocks.filter((_, index) => marked[index] === 0), blocks: blocks.length };
}

/** Memory of the heap itself is no root: its areas are left out by the blocks that lie in them. */
// Simplified: a mapping of the program's own that merged with one of malloc's is left out too.
function scanOutside(machine: Machine, task: Task, blocks: readonly HeapBlock[], word: number, see: (value: number) => void): void {
  const { mm } = task;
  for (const vma of mm.vmas) {
    if ((vma.flags & VM.write) === 0) continue;
    const isBreak = vma.start >= mm.startBrk && vma.end <= Math.ceil(mm.brk / PAGE_SIZE) * PAGE_SIZE;
    const first = blocks[firstFrom(blocks, vma.start)];
    const holdsBlocks = first !== undefined && first.addr < vma.end;
    if (!isBreak && !holdsBlocks) eachWord(machine, task, vma.start, vma.end, word, see);
  }
}
