/** `checkGlibcHeap`: chunks tile the heap, no two free ones side by side, bins hold what their size says, counts agree, every chunk is on one list or none. */
import { binIndex, isSmall } from '#kernel/libc/bins.ts';
import { chunkAround } from '#kernel/libc/chunks.ts';
import { CHUNK, type GlibcHeap } from '#kernel/libc/types.ts';
import { Broken } from './check.ts';

function must(condition: boolean, what: () => string): asserts condition {
  if (!condition) throw new Broken(what());
}

export function checkGlibcHeap(pid: number, heap: GlibcHeap): void {
  const at = (slot: number) =>
    `pid ${pid}: chunk ${heap.chunks.addr[slot]?.toString(16)} of ${heap.chunks.size[slot]} bytes (slot ${slot})`;
  checkTiles(heap, at);
  const listed = new Map<number, number>();
  checkSingle(heap, listed, at);
  for (let bin = 1; bin < heap.head.length; bin++) checkBin(heap, bin, listed, at);
  const { chunks } = heap;
  for (let slot = 0; slot < chunks.used; slot++) {
    const state = chunks.state[slot]!;
    const wants = state === CHUNK.tcache || state === CHUNK.fast || state === CHUNK.unsorted || state === CHUNK.binned;
    must(listed.has(slot) === wants, () => `${at(slot)} has state ${state} and is on ${listed.has(slot) ? 'a' : 'no'} list`);
    must(!listed.has(slot) || listed.get(slot) === state, () => `${at(slot)} is on the list of another state`);
  }
}

function checkTiles(heap: GlibcHeap, at: (slot: number) => string): void {
  const { chunks } = heap;
  let live = 0;
  let mapped = 0;
  const starts = new Map<number, number>();
  for (let slot = 0; slot < chunks.used; slot++) {
    const state = chunks.state[slot]!;
    if (state === CHUNK.none) continue;
    live += 1;
    const [addr, size, next] = [chunks.addr[slot]!, chunks.size[slot]!, chunks.next[slot]!];
    must(heap.at.get(addr) === slot, () => `${at(slot)} is not found by its address`);
    must(size >= (state === CHUNK.top || state === CHUNK.fence ? 1 : heap.word * 4), () => `${at(slot)} is too small`);
    must((addr + 2 * heap.word) % 16 === 0, () => `${at(slot)} is not aligned`);
    must(
      chunkAround(heap, addr) === slot && chunkAround(heap, addr + size - 1) === slot,
      () => `${at(slot)} is not found around its bytes`,
    );
    const page = Math.floor(addr / 4096);
    const first = starts.get(page);
    if (first === undefined || chunks.addr[first]! > addr) starts.set(page, slot);
    if (state === CHUNK.mmapped) mapped += 1;
    if (next < 0) {
      must(state === CHUNK.top || state === CHUNK.fence || state === CHUNK.mmapped, () => `${at(slot)} has nothing behind it`);
      continue;
    }
    must(chunks.prev[next] === slot, () => `${at(slot)}: the next one has another before it`);
    must(addr + size === chunks.addr[next], () => `${at(slot)} does not reach the next one`);
    const binned = (one: number) => chunks.state[one] === CHUNK.unsorted || chunks.state[one] === CHUNK.binned;
    must(!binned(slot) || !(binned(next) || next === heap.top), () => `${at(slot)} was not joined with the next one`);
  }
  must(heap.at.size === live, () => `${heap.at.size} addresses, ${live} chunks`);
  must(heap.mmaps.length === mapped, () => `${heap.mmaps.length} mappings listed, ${mapped} chunks`);
  must(
    starts.size === heap.starts.size && [...starts].every(([page, slot]) => heap.starts.get(page) === slot),
    () => 'the first chunks of pages are others',
  );
  must(heap.top < 0 || chunks.state[heap.top] === CHUNK.top, () => 'the top is none');
}

/** tcache and fast bins: linked one way. */
function checkSingle(heap: GlibcHeap, listed: Map<number, number>, at: (slot: number) => string): void {
  const { chunks } = heap;
  const walk = (first: number, state: number, size: number): number => {
    let count = 0;
    for (let slot = first; slot >= 0; slot = chunks.fd[slot]!) {
      must(!listed.has(slot), () => `${at(slot)} is on two lists`);
      must(chunks.size[slot] === size, () => `${at(slot)} is on the list of ${size} bytes`);
      listed.set(slot, state);
      count += 1;
    }
    return count;
  };
  for (let bin = 0; bin < heap.tcacheHead.length; bin++) {
    const count = walk(heap.tcacheHead[bin]!, CHUNK.tcache, heap.word * 4 + bin * 16);
    must(count === heap.tcacheCount[bin] && count <= 7, () => `tcache bin ${bin} holds ${count} and says ${heap.tcacheCount[bin]}`);
  }
  let fast = 0;
  for (let bin = 0; bin < heap.fast.length; bin++) fast += walk(heap.fast[bin]!, CHUNK.fast, bin * 16);
  must(fast === 0 || heap.haveFast, () => 'fast chunks that nobody knows of');
}

function checkBin(heap: GlibcHeap, bin: number, listed: Map<number, number>, at: (slot: number) => string): void {
  const { chunks } = heap;
  let before = -1;
  const sizes: number[] = [];
  for (let slot = heap.head[bin]!; slot >= 0; slot = chunks.fd[slot]!) {
    must(!listed.has(slot), () => `${at(slot)} is on two lists`);
    must(chunks.bk[slot] === before, () => `${at(slot)}: linked to another before it`);
    listed.set(slot, bin === 1 ? CHUNK.unsorted : CHUNK.binned);
    if (bin > 1) must(binIndex(heap, chunks.size[slot]!) === bin, () => `${at(slot)} is in bin ${bin}`);
    const isLarge = bin > 1 && !isSmall(heap, chunks.size[slot]!);
    if (isLarge && before >= 0) must(chunks.size[slot]! <= chunks.size[before]!, () => `${at(slot)} is out of order`);
    const isFirstOfSize = isLarge && (before < 0 || chunks.size[slot] !== chunks.size[before]);
    must(chunks.fdSize[slot]! >= 0 === isFirstOfSize, () => `${at(slot)}: in the ring of sizes or not`);
    if (isFirstOfSize) sizes.push(slot);
    before = slot;
  }
  must(heap.tail[bin] === before, () => `bin ${bin} ends elsewhere`);
  must(bin === 1 || before < 0 || (heap.binmap[bin >>> 5]! & (1 << (bin & 31))) !== 0, () => `bin ${bin} is full and not on the map`);
  sizes.forEach((slot, i) => {
    must(chunks.fdSize[slot] === sizes[(i + 1) % sizes.length], () => `${at(slot)}: ring of sizes, forwards`);
    must(chunks.bkSize[slot] === sizes[(i + sizes.length - 1) % sizes.length], () => `${at(slot)}: ring of sizes, backwards`);
  });
}
