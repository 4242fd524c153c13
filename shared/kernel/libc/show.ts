/** glibc's bins as text: what is free, where it waits, and how long it is. */
import { CHUNK, type GlibcHeap } from './types.ts';

/** Chunks that a line names at most. */
const SHOWN = 64;

function line(heap: GlibcHeap, name: string, first: number): string {
  const { addr, size, fd } = heap.chunks;
  let text = '';
  let count = 0;
  for (let slot = first; slot >= 0; slot = fd[slot]!) {
    if (count < SHOWN) text += `[ addr:0x${addr[slot]!.toString(16)} sz:${size[slot]} ]`;
    count += 1;
  }
  return count === 0 ? '' : `${name} [ Size ${count} ]: ${text}\n`;
}

/** Lists from the newest; addresses and sizes are those of chunks, control block included. Empty lists are left out. */
export function binsText(heap: GlibcHeap): string {
  let text = '';
  for (const first of heap.tcacheHead) text += line(heap, 'tcache', first);
  for (const first of heap.fast) text += line(heap, 'fast', first);
  text += line(heap, 'unsorted', heap.head[1]!);
  for (let bin = 2; bin < heap.head.length; bin++) text += line(heap, `bin ${bin}`, heap.head[bin]!);
  if (heap.top >= 0) text += `top [ addr:0x${heap.chunks.addr[heap.top]!.toString(16)} sz:${heap.chunks.size[heap.top]} ]\n`;
  for (const addr of heap.mmaps) {
    const slot = heap.at.get(addr)!;
    if (heap.chunks.state[slot] === CHUNK.mmapped) text += `mmapped [ addr:0x${addr.toString(16)} sz:${heap.chunks.size[slot]} ]\n`;
  }
  return text;
}
