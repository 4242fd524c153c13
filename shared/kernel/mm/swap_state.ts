/**
 * Slots of swap and the swap cache (mm/swapfile.c, mm/swap_state.c; spec §14). A page that is pushed out gets a slot;
 * its entries become swap entries, which the slot counts. While a page and its slot hold the same, both exist: the page
 * is in the swap cache, and can go without being written again, or come back without being read.
 */
import type { Machine, Pfn } from '../types.ts';
import { freePagesBlock } from './page_alloc.ts';
import { LRU, LRU_LISTS, PGS } from './swap.ts';
import { count, VMSTAT } from './vmstat.ts';

export interface Swap {
  slots: number;
  /** Pages of a swap-in cluster, a power of two. */
  readahead: number;
  /** Is the area in use (swapon)? */
  on: boolean;
  /** Swap entries of each slot; with `cache`, what keeps it in use. */
  map: Int32Array;
  /** Slots in use. */
  used: number;
  /** Where the search for a free slot goes on. */
  next: number;
  /** Page of each slot in the swap cache. */
  cache: Map<number, Pfn>;
  /** What the area holds, where that is not zeros. */
  stored: Map<number, Uint8Array>;
  /** Shadows of pages that were pushed out, by slot. */
  evicted: Map<number, number>;
}

export function createSwap(config: { slots: number; readahead: number } | null): Swap | null {
  if (config === null) return null;
  const { slots, readahead } = config;
  const map = new Int32Array(slots);
  return { slots, readahead, on: true, map, used: 0, next: 0, cache: new Map(), stored: new Map(), evicted: new Map() };
}

/** A page has moved to another frame. */
export function moveInSwapCache(machine: Machine, to: Pfn): void {
  const { frames, swap } = machine;
  if (frames.state[to]! & PGS.swapcache) swap!.cache.set(frames.mapping[to]!, to);
}

/** Takes a page's slot out of the swap cache; the slot stays in use for as long as entries name it (delete_from_swap_cache). */
export function deleteFromSwapCache(machine: Machine, pfn: Pfn): void {
  const { frames } = machine;
  const swap = machine.swap!;
  const slot = frames.mapping[pfn]!;
  swap.cache.delete(slot);
  frames.mapping[pfn] = 0;
  frames.state[pfn]! &= ~(PGS.swapcache | PGS.dirty);
  frames.refcount[pfn]! -= 1;
  if (swap.map[slot] === 0) releaseSlot(swap, slot);
  if (frames.refcount[pfn] === 0) freePagesBlock(machine, pfn, 0);
}

function releaseSlot(swap: Swap, slot: number): void {
  swap.used -= 1;
  swap.stored.delete(slot);
  swap.evicted.delete(slot);
}

/** A page that is in the swap cache for nothing, because no entry names its slot, leaves it (folio_free_swap). True when it did. */
export function freeSwapOf(machine: Machine, pfn: Pfn): boolean {
  if (machine.swap!.map[machine.frames.mapping[pfn]!] !== 0) return false;
  deleteFromSwapCache(machine, pfn);
  return true;
}

/** Is more than half of the area in use (vm_swap_full)? Then slots are given up when their pages are back. */
export function vmSwapFull(swap: Swap): boolean {
  return swap.used * 2 > swap.slots;
}

/** The next free slot from where the last search ended; -1 when there is none. */
function findSlot(swap: Swap): number {
  if (!swap.on || swap.used === swap.slots) return -1;
  for (let n = 0; n < swap.slots; n++) {
    const slot = swap.next;
    swap.next = slot + 1 === swap.slots ? 0 : slot + 1;
    if (swap.map[slot] === 0 && !swap.cache.has(slot)) return slot;
  }
  return -1;
}

function addToSwapCache(machine: Machine, swap: Swap, pfn: Pfn, slot: number, dirty: number): void {
  const { frames } = machine;
  swap.cache.set(slot, pfn);
  frames.mapping[pfn] = slot;
  frames.state[pfn]! |= PGS.swapcache | dirty;
}

/** Gives an anonymous page a slot and puts it into the swap cache, to be written (add_to_swap); false when the area is full. */
export function addToSwap(machine: Machine, pfn: Pfn): boolean {
  const swap = machine.swap!;
  const slot = findSlot(swap);
  if (slot < 0) return false;
  swap.used += 1;
  machine.frames.refcount[pfn]! += 1;
  addToSwapCache(machine, swap, pfn, slot, PGS.dirty);
  return true;
}

/** A fresh frame becomes the page of a slot that entries name; the swap cache has its first reference (swap_cache_get_folio, read). */
export function readFromSwap(machine: Machine, pfn: Pfn, slot: number): void {
  const swap = machine.swap!;
  addToSwapCache(machine, swap, pfn, slot, 0);
  const stored = swap.stored.get(slot);
  if (stored !== undefined) machine.contents.set(pfn, stored.slice());
  machine.cost += machine.config.costs.disk_page!;
  count(machine, VMSTAT.pswpin, 1);
  count(machine, VMSTAT.pgpgin, 4);
}

/** Writes a page of the swap cache to its slot (swap_writepage). */
export function writeToSwap(machine: Machine, pfn: Pfn): void {
  const swap = machine.swap!;
  const slot = machine.frames.mapping[pfn]!;
  const held = machine.contents.get(pfn);
  if (held === undefined) swap.stored.delete(slot);
  else swap.stored.set(slot, held.slice());
  machine.frames.state[pfn]! &= ~PGS.dirty;
  machine.cost += machine.config.costs.disk_page!;
  count(machine, VMSTAT.pswpout, 1);
  count(machine, VMSTAT.pgpgout, 4);
}

/** One more entry names the slot (swap_duplicate). */
export function swapDuplicate(machine: Machine, slot: number): void {
  machine.swap!.map[slot]! += 1;
}

/** An entry less: the last one frees the slot, and with it a page that is only in the swap cache (swap_free, __try_to_reclaim_swap). */
export function swapFree(machine: Machine, slot: number): void {
  const swap = machine.swap!;
  swap.map[slot]! -= 1;
  if (swap.map[slot]! > 0) return;
  const pfn = swap.cache.get(slot);
  if (pfn === undefined) return releaseSlot(swap, slot);
  if (machine.frames.mapcount[pfn] === 0 || vmSwapFull(swap)) deleteFromSwapCache(machine, pfn);
}

/** Pages that the area could still take. */
export function freeSlots(machine: Machine): number {
  const { swap } = machine;
  return swap === null || !swap.on ? 0 : swap.slots - swap.used;
}

/** Slots of the area, in use or not, while it is on. */
export function swapTotal(machine: Machine): number {
  const { swap } = machine;
  return swap === null || !swap.on ? 0 : swap.slots;
}

/** Pages of a zone that reclaim may get at: those of files, and anonymous ones while swap has room (zone_reclaimable_pages). */
export function reclaimablePages(machine: Machine, zone: number): number {
  const { pages } = machine.lru;
  const at = zone * LRU_LISTS;
  const files = pages[at + LRU.inactiveFile]! + pages[at + LRU.activeFile]!;
  return freeSlots(machine) > 0 ? files + pages[at + LRU.inactiveAnon]! + pages[at + LRU.activeAnon]! : files;
}
