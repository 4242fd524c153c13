/**
 * Slots of swap and the swap cache (mm/swapfile.c, mm/swap_state.c; spec §14). A page that is pushed out gets a slot;
 * its entries become swap entries, which the slot counts. While a page and its slot hold the same, both exist: the page
 * is in the swap cache, and can go without being written again, or come back without being read.
 */
import type { Machine, Pfn } from '../types.ts';
import { PGS } from './swap.ts';

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
