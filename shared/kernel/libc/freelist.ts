/**
 * The free list of the allocator for lessons (spec §12; OSTEP's malloc.py decides): entries in an order, a fit that
 * searches them, a split that leaves the rest in its place, and joining of entries that are neighbours in the list and in
 * memory. Arrays in list order, so that searching and shifting are runs over plain numbers.
 */
import type { Addr } from '../types.ts';
import type { ListHeap, ListRules } from './types.ts';

/** Where "next" begins: the entry that holds the rover, or the first. */
function roverIndex(heap: ListHeap): number {
  const { addr, size, count, rover } = heap;
  for (let i = 0; i < count; i++) if (addr[i]! <= rover && rover < addr[i]! + size[i]!) return i;
  return 0;
}

/** The smallest entry that fits; among equals the first. One of exactly the size ends the search: none is better. */
function smallest(heap: ListHeap, need: number): number {
  const { size, count } = heap;
  let [found, best] = [-1, Infinity];
  for (let i = 0; i < count; i++) {
    const bytes = size[i]!;
    if (bytes < need || bytes >= best) continue;
    found = i;
    best = bytes;
    if (bytes === need) break;
  }
  return found;
}

/** The largest entry, if it fits; among equals the first. */
function largest(heap: ListHeap, need: number): number {
  const { size, count } = heap;
  let [found, best] = [-1, need - 1];
  for (let i = 0; i < count; i++) {
    if (size[i]! <= best) continue;
    found = i;
    best = size[i]!;
  }
  return found;
}

export interface Found {
  /** Place in the list, -1 when none fits. */
  index: number;
  /** Entries looked at. */
  searched: number;
}

/** Searches an entry of at least `need` bytes. Best and worst fit count all of them as looked at, as OSTEP does. */
export function findFit(heap: ListHeap, fit: ListRules['fit'], need: number): Found {
  const { size, count } = heap;
  if (fit === 'best') return { index: smallest(heap, need), searched: count };
  if (fit === 'worst') return { index: largest(heap, need), searched: count };
  const start = fit === 'next' ? roverIndex(heap) : 0;
  for (let n = 0; n < count; n++) {
    const index = (start + n) % count;
    if (size[index]! >= need) return { index, searched: n + 1 };
  }
  return { index: -1, searched: count };
}

function removeAt(heap: ListHeap, index: number): void {
  heap.addr.copyWithin(index, index + 1, heap.count);
  heap.size.copyWithin(index, index + 1, heap.count);
  heap.count -= 1;
}

function insertAt(heap: ListHeap, index: number, addr: Addr, size: number): void {
  if (heap.count === heap.addr.length) {
    const [addrs, sizes] = [new Float64Array(heap.count * 2), new Float64Array(heap.count * 2)];
    addrs.set(heap.addr);
    sizes.set(heap.size);
    heap.addr = addrs;
    heap.size = sizes;
  }
  heap.addr.copyWithin(index + 1, index, heap.count);
  heap.size.copyWithin(index + 1, index, heap.count);
  heap.addr[index] = addr;
  heap.size[index] = size;
  heap.count += 1;
}

/** Cuts `need` bytes off the front of an entry; what is left keeps its place. */
export function takeFrom(heap: ListHeap, index: number, need: number): Addr {
  const addr = heap.addr[index]!;
  if (heap.size[index]! > need) {
    heap.addr[index] = addr + need;
    heap.size[index]! -= need;
    heap.rover = addr + need;
  } else {
    removeAt(heap, index);
    heap.rover = index < heap.count ? heap.addr[index]! : 0;
  }
  heap.blocks.set(addr, need);
  return addr;
}

/** First place whose address is above. */
function placeByAddress(heap: ListHeap, addr: Addr): number {
  let [low, high] = [0, heap.count];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (heap.addr[middle]! > addr) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** A stable sort by size: splits left the list nearly in order, and that is what insertion is good at. */
function sortBySize(heap: ListHeap, sign: 1 | -1): void {
  const { addr, size, count } = heap;
  for (let i = 1; i < count; i++) {
    const [a, s] = [addr[i]!, size[i]!];
    let at = i;
    for (; at > 0 && sign * size[at - 1]! > sign * s; at--) {
      addr[at] = addr[at - 1]!;
      size[at] = size[at - 1]!;
    }
    addr[at] = a;
    size[at] = s;
  }
}

/** Joins each entry with the next ones in the list for as long as they follow it in memory. */
function coalesce(heap: ListHeap, from: number, to: number): void {
  const { addr, size, count } = heap;
  let kept = from;
  for (let i = from + 1; i < to; i++) {
    if (addr[i]! === addr[kept]! + size[kept]!) {
      size[kept]! += size[i]!;
    } else {
      kept += 1;
      addr[kept] = addr[i]!;
      size[kept] = size[i]!;
    }
  }
  const gone = to - kept - 1;
  if (gone <= 0) return;
  addr.copyWithin(kept + 1, to, count);
  size.copyWithin(kept + 1, to, count);
  heap.count -= gone;
}

/** Puts a free block on the list where its order wants it, and joins what may be joined. */
export function giveBack(heap: ListHeap, rules: ListRules, addr: Addr, size: number): void {
  if (rules.order === 'address') {
    const index = placeByAddress(heap, addr);
    insertAt(heap, index, addr, size);
    // Only the newcomer can have become a neighbour.
    if (rules.coalesce) coalesce(heap, Math.max(0, index - 1), Math.min(heap.count, index + 2));
    return;
  }
  insertAt(heap, rules.order === 'front' ? 0 : heap.count, addr, size);
  if (rules.order === 'size+') sortBySize(heap, 1);
  if (rules.order === 'size-') sortBySize(heap, -1);
  if (rules.coalesce && heap.count > 0) coalesce(heap, 0, heap.count);
}

/** Bytes that are free in all, and the largest entry: what tells fragmentation from want. */
export function freeBytes(heap: ListHeap): { free: number; largest: number } {
  let [free, largest] = [0, 0];
  for (let i = 0; i < heap.count; i++) {
    free += heap.size[i]!;
    largest = Math.max(largest, heap.size[i]!);
  }
  return { free, largest };
}

/** As OSTEP prints it. */
export function freelistText(heap: ListHeap): string {
  let text = `Free List [ Size ${heap.count} ]: `;
  for (let i = 0; i < heap.count; i++) text += `[ addr:${heap.addr[i]} sz:${heap.size[i]} ]`;
  return `${text}\n`;
}
