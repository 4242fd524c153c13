/**
 * What memory is lost to fragmentation. Inside: a request gets more than it asked for, and pages are held for objects that nobody
 * has yet. Outside: free pages are of no use to a request because they do not lie in one run. Linux has these numbers in many
 * places (slabinfo, buddyinfo, extfrag); here they stand side by side, for /proc/fragmentation and for the screen.
 */
import { nrFreeByOrder } from './buddy.ts';
import { PAGE_SIZE, PG, USE, type Machine } from '../types.ts';
import { fragmentationIndex, unusableFreeIndex } from './indices.ts';
import { populated } from './mmzone.ts';
import { SLAB } from './slab_types.ts';

/** What an allocator's users asked for and what is held for them, in bytes. */
export interface InternalUse {
  name: string;
  /** Requests that were granted and not given back. */
  blocks: number;
  asked: number;
  /** The room that these requests have: their class, their whole pages. What is over is lost inside of them. */
  given: number;
  /** The pages behind: what is over is kept for requests to come, or too little for one more. */
  held: number;
}

/** Free memory of a zone as a request of one order sees it. */
export interface ExternalUse {
  zone: string;
  freePages: number;
  /** By order. */
  orders: {
    blocks: number;
    /** Pages in blocks that are large enough. */
    usable: number;
    /** Share of free pages that is of no use to the order × 1000. */
    unusable: number;
    /** Why a request of the order would fail: 0 lack of memory, 1000 fragmentation; −1000 when it would not. */
    index: number;
  }[];
}

const row = (name: string): InternalUse => ({ name, blocks: 0, asked: 0, given: 0, held: 0 });

function add(use: InternalUse, asked: number, held: number): void {
  use.blocks += 1;
  use.asked += asked;
  use.given += held;
  use.held += held;
}

/** What the users of each cache asked for: of kmalloc the bytes, of others whole objects; and kmalloc beyond the classes. */
export function cacheUse(machine: Machine): InternalUse[] {
  const { caches, large } = machine.slab;
  const uses: InternalUse[] = [];
  for (const { name, live, asked: ofKmalloc, flags, objectSize, size, pages } of caches.values()) {
    const asked = flags & SLAB.kmalloc ? ofKmalloc : live * objectSize;
    if (pages > 0) uses.push({ name, blocks: live, asked, given: live * size, held: pages * PAGE_SIZE });
  }
  const pagesOfKmalloc = row('kmalloc of pages');
  for (const { order, asked } of large.values()) add(pagesOfKmalloc, asked, PAGE_SIZE << order);
  return pagesOfKmalloc.blocks > 0 ? [...uses, pagesOfKmalloc] : uses;
}

/** vmalloc: whole pages; the guard page costs addresses only. */
function vmallocUse(machine: Machine): InternalUse {
  const use = row('vmalloc');
  for (const { frames, asked, freed, kind } of machine.vmap.areas) {
    if (!freed && kind === 'vmalloc') add(use, asked, frames.length * PAGE_SIZE);
  }
  return use;
}

/** Blocks of the buddy that alloc_pages gave, by order, and buffers for devices, of which the pages asked for are known. */
function blockUses(machine: Machine): InternalUse[] {
  const { frames, config } = machine;
  const dma = row('dma_alloc_coherent');
  const orders = Array.from({ length: config.maxOrder + 1 }, (_, order) => row(`alloc_pages order ${order}`));
  for (let pfn = 0; pfn < frames.count;) {
    const flags = frames.flags[pfn]!;
    const order = frames.order[pfn]!;
    if (flags === (PG.head | PG.kernel) && frames.index[pfn] !== USE.vmalloc) {
      const pages = frames.index[pfn]!;
      if (pages > 0) add(dma, pages * PAGE_SIZE, PAGE_SIZE << order);
      else add(orders[order]!, PAGE_SIZE << order, PAGE_SIZE << order);
    }
    pfn += (flags & (PG.head | PG.buddy)) === 0 ? 1 : 1 << order;
  }
  const cma = row('cma_alloc');
  for (const { pages, dma: isBuffer } of machine.cma?.runs.values() ?? []) {
    add(isBuffer ? dma : cma, pages * PAGE_SIZE, pages * PAGE_SIZE);
  }
  return [dma, cma, ...orders];
}

/** Every allocator that holds something: caches in the order of their making, then whole pages. O(frames). */
export function internalUse(machine: Machine): InternalUse[] {
  return [...cacheUse(machine), vmallocUse(machine), ...blockUses(machine)].filter(({ held }) => held > 0);
}

/** What mempools keep in reserve: elements, and their bytes. Objects count in their caches too, pages nowhere else. */
export function reserveUse(machine: Machine): { elements: number; bytes: number } {
  const use = { elements: 0, bytes: 0 };
  for (const { elements, cache, bytes, order } of machine.slab.pools.values()) {
    use.elements += elements.length;
    use.bytes += elements.length * (cache < 0 ? PAGE_SIZE << order : bytes);
  }
  return use;
}

export function externalUse(machine: Machine): ExternalUse[] {
  return populated(machine.zones).map((zone) => {
    const free = nrFreeByOrder(zone);
    const orders = Array.from(free, (blocks, order) => {
      let usable = 0;
      for (let o = order; o < free.length; o++) usable += free[o]! << o;
      return { blocks, usable, unusable: unusableFreeIndex(free, order), index: fragmentationIndex(free, order) };
    });
    return { zone: zone.name, freePages: zone.free, orders };
  });
}
