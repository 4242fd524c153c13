/**
 * The LRU lists (mm/swap.c, include/linux/mm_inline.h; spec §14): every user page is on one of five, new ones at the
 * head of an inactive list. Links are `frames.links`, which only free blocks use otherwise; which list
 * it is follows from the page's state. Putting a page on, taking it off or moving it costs O(1).
 */
import type { Frames, Machine, Pfn } from '../types.ts';

/** Numbers of the lists (enum lru_list). */
export const LRU = { inactiveAnon: 0, activeAnon: 1, inactiveFile: 2, activeFile: 3, unevictable: 4 } as const;
export const LRU_LISTS = 5;
const ZONES_MAX = 4;

/** Bits of `frames.state` (page flags). */
export const PGS = {
  lru: 1,
  active: 2,
  referenced: 4,
  dirty: 8,
  /** A page of a file's cache. */
  file: 16,
  /** It has a slot of swap, whose number is `frames.mapping`. */
  swapcache: 32,
  unevictable: 64,
  /** Was active when it was pushed out, or came back soon. */
  workingset: 128,
} as const;

/** Beside a flag of PG in the `kind` of a request: a page for a file's cache. */
export const KIND_FILE = 0x100;

/** What reclaim of 2.6.32 remembers of each zone (struct zone_reclaim_stat): of anonymous pages (zone × 2) and of files' (+ 1) how many it looked at, and how many were in use; and what is to be scanned of each list (zone × 5 + list), but is no batch yet. */
export interface RecentReclaim {
  scanned: Int32Array;
  rotated: Int32Array;
  saved: Int32Array;
}

export interface Lru {
  /** First and last page of each list, -1 when it is empty. Under the rules of 2.6.32 each zone has its own, at zone × 5 + list. */
  head: Int32Array;
  tail: Int32Array;
  /** Pages at zone × 5 + list. */
  pages: Int32Array;
  /** What it has cost to reclaim pages of each kind: the dearer is scanned less (lru_note_cost). */
  anonCost: number;
  fileCost: number;
  /** Pages pushed out or activated so far: the clock of refault distances (nonresident_age). */
  age: number;
  /** Was kswapd woken, and how often in a row did it free nothing (kswapd_failures)? */
  kswapdWoken: boolean;
  /** Highest zone that it is to balance. */
  kswapdTop: number;
  /** Highest order that somebody asked for in vain: it looks for a free block of it. */
  kswapdOrder: number;
  /** Anonymous pages, and pages of files, that were back soon when reclaim last ended (lruvec->refaults). */
  refaults: [number, number];
  kswapdFailures: number;
  /** Under the rules of 2.6.32. */
  recent?: RecentReclaim;
}

export function createLru(isOld: boolean): Lru {
  const places = isOld ? LRU_LISTS * ZONES_MAX : LRU_LISTS;
  const kinds = 2 * ZONES_MAX;
  return {
    ...(isOld && { recent: { scanned: new Int32Array(kinds), rotated: new Int32Array(kinds), saved: new Int32Array(places) } }),
    head: new Int32Array(places).fill(-1),
    tail: new Int32Array(places).fill(-1),
    pages: new Int32Array(LRU_LISTS * ZONES_MAX),
    anonCost: 0,
    fileCost: 0,
    age: 0,
    kswapdWoken: false,
    kswapdTop: -1,
    kswapdOrder: 0,
    refaults: [0, 0],
    kswapdFailures: 0,
  };
}

/** The list of a page in this state (folio_lru_list). */
export function listOf(state: number): number {
  if (state & PGS.unevictable) return LRU.unevictable;
  return (state & PGS.file ? LRU.inactiveFile : LRU.inactiveAnon) + (state & PGS.active ? 1 : 0);
}

/** Number of a page's zone. */
function zoneNumber({ zones }: Machine, pfn: Pfn): number {
  let zone = 0;
  while (pfn >= zones[zone]!.end) zone += 1;
  return zone;
}

/** 2.6.32: a page was looked at, and perhaps in use (update_page_reclaim_stat). */
function noteLook(machine: Machine, recent: RecentReclaim, pfn: Pfn, isFile: boolean, isUsed: boolean): void {
  const at = 2 * zoneNumber(machine, pfn) + (isFile ? 1 : 0);
  recent.scanned[at]! += 1;
  if (isUsed) recent.rotated[at]! += 1;
}

/** State of a new page of 2.6.32, which counts as looked at: anonymous ones are active (page_add_new_anon_rmap). */
export function newState26(machine: Machine, pfn: Pfn, kind: number): number {
  const isFile = (kind & KIND_FILE) !== 0;
  noteLook(machine, machine.lru.recent!, pfn, isFile, !isFile);
  return isFile ? PGS.file : PGS.active;
}

/** Puts a page on the list of its state, first (folio_add_lru) or last. */
export function lruAdd(machine: Machine, pfn: Pfn, toTail = false): void {
  const { frames, lru } = machine;
  const list = listOf(frames.state[pfn]!);
  const counter = zoneNumber(machine, pfn) * LRU_LISTS + list;
  const at = lru.recent === undefined ? list : counter;
  frames.state[pfn]! |= PGS.lru;
  const neighbour = toTail ? lru.tail[at]! : lru.head[at]!;
  frames.links[pfn << 1] = toTail ? -1 : neighbour;
  frames.links[(pfn << 1) | 1] = toTail ? neighbour : -1;
  if (toTail) lru.tail[at] = pfn;
  else lru.head[at] = pfn;
  if (neighbour < 0) {
    lru.head[at] = pfn;
    lru.tail[at] = pfn;
  } else if (toTail) frames.links[neighbour << 1] = pfn;
  else frames.links[(neighbour << 1) | 1] = pfn;
  lru.pages[counter]! += 1 << frames.order[pfn]!;
}

/** Takes a page off its list; its state keeps everything else (folio_isolate_lru). */
export function lruDel(machine: Machine, pfn: Pfn): void {
  const { frames, lru } = machine;
  const list = listOf(frames.state[pfn]!);
  const counter = zoneNumber(machine, pfn) * LRU_LISTS + list;
  const at = lru.recent === undefined ? list : counter;
  const after = frames.links[pfn << 1]!;
  const before = frames.links[(pfn << 1) | 1]!;
  if (before < 0) lru.head[at] = after;
  else frames.links[before << 1] = after;
  if (after < 0) lru.tail[at] = before;
  else frames.links[(after << 1) | 1] = before;
  frames.links[pfn << 1] = -1;
  frames.links[(pfn << 1) | 1] = -1;
  frames.state[pfn]! &= ~PGS.lru;
  lru.pages[counter]! -= 1 << frames.order[pfn]!;
}

/** Changes bits of a page's state, and its list with them. */
export function setState(machine: Machine, pfn: Pfn, set: number, clear: number): void {
  const { frames } = machine;
  const onList = (frames.state[pfn]! & PGS.lru) !== 0;
  if (onList) lruDel(machine, pfn);
  frames.state[pfn] = (frames.state[pfn]! | set) & ~clear;
  if (onList) lruAdd(machine, pfn);
}

/** A page that goes back to the buddy is on no list and in no cache. */
export function forgetState(machine: Machine, pfn: Pfn): void {
  const { frames } = machine;
  if (frames.state[pfn]! & PGS.lru) lruDel(machine, pfn);
  frames.state[pfn] = 0;
  frames.mapping[pfn] = 0;
}

/** A page that moves takes its state along; its new frame stands first in the list (folio_migrate_flags, putback_movable_pages). */
export function moveState(machine: Machine, from: Pfn, to: Pfn): void {
  const { frames } = machine;
  const onList = (frames.state[from]! & PGS.lru) !== 0;
  if (onList) lruDel(machine, from);
  frames.state[to] = frames.state[from]!;
  frames.mapping[to] = frames.mapping[from]!;
  frames.state[from] = 0;
  frames.mapping[from] = 0;
  if (onList) lruAdd(machine, to);
}

/** Read or written by a system call: referenced first, active the second time (folio_mark_accessed). */
export function markPageAccessed(machine: Machine, pfn: Pfn): void {
  const { frames, lru } = machine;
  const state = frames.state[pfn]!;
  if ((state & PGS.referenced) === 0) {
    frames.state[pfn] = state | PGS.referenced;
    return;
  }
  if (state & (PGS.active | PGS.unevictable)) return;
  setState(machine, pfn, PGS.active, PGS.referenced);
  lru.age += 1;
  if (lru.recent !== undefined) noteLook(machine, lru.recent, pfn, (state & PGS.file) !== 0, true);
}

/** Pages on a list, of the zones up to `top`. */
export function lruPages(machine: Machine, list: number, top = ZONES_MAX - 1): number {
  let pages = 0;
  for (let zone = 0; zone <= top; zone++) pages += machine.lru.pages[zone * LRU_LISTS + list]!;
  return pages;
}

/** Reclaiming pages of a kind cost something: writes to a device count as a batch each, pages that had to stay as one (lru_note_cost). */
export function lruNoteCost(machine: Machine, isFile: boolean, writes: number, kept: number): void {
  const { lru } = machine;
  const cost = writes * 32 + kept;
  if (isFile) lru.fileCost += cost;
  else lru.anonCost += cost;
  const size = lruPages(machine, 0) + lruPages(machine, 1) + lruPages(machine, 2) + lruPages(machine, 3);
  if (lru.fileCost + lru.anonCost <= size >> 2) return;
  lru.fileCost >>= 1;
  lru.anonCost >>= 1;
}

/** Is this a page of a file's cache? */
export function isFilePage(frames: Frames, pfn: Pfn): boolean {
  return (frames.state[pfn]! & PGS.file) !== 0;
}
