/** `checkLibc(m)`: what must be true of every process's heap: blocks and free entries tile what it got, none overlaps another. */
import type { Machine } from '#kernel/machine.ts';
import type { ListHeap, UserPool } from '#kernel/libc/types.ts';
import { Broken } from './check.ts';
import { checkGlibcHeap } from './check_glibc.ts';

function must(condition: boolean, what: () => string): asserts condition {
  if (!condition) throw new Broken(what());
}

export function checkLibc(machine: Machine): void {
  for (const task of machine.tasks.values()) {
    if (task.heap?.kind === 'list') checkListHeap(machine, task.pid, task.heap);
    if (task.heap?.kind === 'glibc') checkGlibcHeap(task.pid, task.heap);
    for (const [id, pool] of task.pools) checkPool(`pid ${task.pid}, pool ${id}`, pool);
  }
}

/** Blocks in use were cut; the newest free one is one that came back. (The links lie in memory that the program may write to.) */
function checkPool(at: string, { chunk, size, count, fresh, head, taken }: UserPool): void {
  must(size > 0 && fresh <= count && taken.size <= fresh, () => `${at}: ${taken.size} of ${fresh} of ${count} blocks`);
  for (const index of taken) must(Number.isInteger(index) && index >= 0 && index < fresh, () => `${at}: block ${index} was never cut`);
  if (head === 0) return;
  const index = (head - chunk) / size;
  must(Number.isInteger(index) && index >= 0 && index < fresh, () => `${at}: the list begins at ${head}, which is no block`);
  must(!taken.has(index), () => `${at}: the list begins with a block in use`);
}

interface Piece {
  addr: number;
  size: number;
  free: boolean;
}

function checkListHeap(machine: Machine, pid: number, heap: ListHeap): void {
  const rules = machine.config.libc as Extract<Machine['config']['libc'], { allocator: 'list' }>;
  const pieces: Piece[] = [...heap.blocks].map(([addr, size]) => ({ addr, size, free: false }));
  for (let i = 0; i < heap.count; i++) pieces.push({ addr: heap.addr[i]!, size: heap.size[i]!, free: true });
  pieces.sort((a, b) => a.addr - b.addr);
  let sum = 0;
  for (const [i, piece] of pieces.entries()) {
    const at = () => `pid ${pid}: ${piece.free ? 'free entry' : 'block'} ${piece.addr} of ${piece.size} bytes`;
    must(piece.size > 0, () => `${at()} is empty`);
    sum += piece.size;
    const next = pieces[i + 1];
    if (next === undefined) continue;
    must(piece.addr + piece.size <= next.addr, () => `${at()} overlaps ${next.addr}`);
    const joined = rules.coalesce && rules.order === 'address' && piece.free && next.free;
    must(!joined || piece.addr + piece.size < next.addr, () => `${at()} was not joined with ${next.addr}`);
  }
  must(sum === heap.total, () => `pid ${pid}: the heap got ${heap.total} bytes, its pieces are ${sum}`);
  for (let i = 1; i < heap.count; i++)
    if (rules.order === 'address') must(heap.addr[i - 1]! < heap.addr[i]!, () => `pid ${pid}: entry ${i} is out of order`);
}
