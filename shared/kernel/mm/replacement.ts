/**
 * Page replacement as courses teach it (machine key `replacement`; OSTEP, ch. 22): each process keeps a fixed number of
 * pages, and at a fault beyond it one of its own has to go. Linux does none of these by the book: it has no budget of
 * frames for a process, and it never knows the order in which pages were used.
 */
import { PTE, PTE_PFN_SHIFT, pteAt } from '../arch/mmu.ts';
import { inodeOf } from '../fs/inode.ts';
import { randomBelow } from '../rng.ts';
import { PAGE_SIZE, PG, type Addr, type Machine, type Pid, type Task } from '../types.ts';
import { expectedRefs } from './migrate.ts';
import { removeFromPageCache, writePage } from './page_cache.ts';
import { dropFromShm, shmemWritepage } from './shmem.ts';
import { PGS } from './swap.ts';
import { addToSwap, deleteFromSwapCache, writeToSwap } from './swap_state.ts';
import { tryToUnmap } from './vmscan.ts';

/** Page replacement as courses teach it: a budget of frames for each process (the machine's key). */
export interface ReplacementConfig {
  policy: 'fifo' | 'lru' | 'clock' | 'opt' | 'random';
  frames: number;
  /** For opt: the pages that will be touched, as [pid, virtual page]. */
  future: [Pid, number][];
}

export interface Replacement {
  /** Pages of each process, by virtual page number, in the policy's order: the next victim first (fifo, lru, clock). 1: used since the hand passed (clock). */
  resident: Map<Pid, Map<number, number>>;
  /** Touches so far: the place in `future`. */
  touches: number;
  /** For a play that finds out the future: the pages touched. */
  seen: [Pid, number][] | null;
}

export function createReplacement(config: { replacement: { policy: string; future: [Pid, number][] } | null }): Replacement | null {
  const { replacement } = config;
  if (replacement === null) return null;
  const isRecording = replacement.policy === 'opt' && replacement.future.length === 0;
  return { resident: new Map(), touches: 0, seen: isRecording ? [] : null };
}

function residentOf(machine: Machine, pid: Pid): Map<number, number> {
  const { resident } = machine.replacement!;
  const pages = resident.get(pid);
  if (pages !== undefined) return pages;
  const fresh = new Map<number, number>();
  resident.set(pid, fresh);
  return fresh;
}

/** A process used a page that is there now. */
export function noteTouch(machine: Machine, task: Task, addr: Addr): void {
  const state = machine.replacement!;
  const vpn = Math.floor(addr / PAGE_SIZE);
  const pages = residentOf(machine, task.pid);
  const { policy } = machine.config.replacement!;
  if (policy === 'lru') pages.delete(vpn);
  pages.set(vpn, 1);
  state.touches += 1;
  state.seen?.push([task.pid, vpn]);
}

function isPresent(machine: Machine, task: Task, vpn: number): boolean {
  const at = pteAt(machine, task.mm.pgd, vpn * PAGE_SIZE);
  return at >= 0 && (machine.tables.words[at]! & PTE.present) !== 0;
}

/** The page that is used again latest, or never (opt, Belady's MIN). */
function latestUsed(machine: Machine, pid: Pid, pages: Map<number, number>): number {
  const { future } = machine.config.replacement!;
  const left = new Set(pages.keys());
  for (let n = machine.replacement!.touches; n < future.length && left.size > 1; n++) {
    if (future[n]![0] === pid) left.delete(future[n]![1]);
  }
  return left.keys().next().value!;
}

/** The next victim, by the policy. */
function chooseVictim(machine: Machine, pid: Pid, pages: Map<number, number>): number {
  const { policy } = machine.config.replacement!;
  if (policy === 'opt') return latestUsed(machine, pid, pages);
  let skip = policy === 'random' ? randomBelow(machine, pages.size) : 0;
  for (const [vpn, used] of pages) {
    if (skip-- > 0) continue;
    if (policy !== 'clock' || used === 0) return vpn;
    // The hand takes the bit and goes on: the page is the last in its round now.
    pages.delete(vpn);
    pages.set(vpn, 0);
  }
  return pages.keys().next().value!;
}

/** Takes a page away from its process; false when it cannot go: pinned, locked, or no slot of swap is free. */
function evict(machine: Machine, task: Task, vpn: number): boolean {
  const { frames, tables } = machine;
  const at = pteAt(machine, task.mm.pgd, vpn * PAGE_SIZE);
  const pte = tables.words[at]!;
  if (pte & PTE.special) {
    tables.words[at] = 0;
    return true;
  }
  const pfn = pte >>> PTE_PFN_SHIFT;
  if (frames.refcount[pfn]! > expectedRefs(frames, pfn) || frames.state[pfn]! & PGS.unevictable) return false;
  const isAnon = (frames.flags[pfn]! & PG.anon) !== 0;
  if (isAnon && (frames.state[pfn]! & PGS.swapcache) === 0 && !addToSwap(machine, pfn)) return false;
  tryToUnmap(machine, pfn);
  if (isAnon) {
    if (frames.state[pfn]! & PGS.dirty) writeToSwap(machine, pfn);
    deleteFromSwapCache(machine, pfn);
  } else if (frames.state[pfn]! & PGS.file) {
    if (frames.state[pfn]! & PGS.dirty) writePage(machine, inodeOf(machine, frames.mapping[pfn]!), frames.index[pfn]!);
    removeFromPageCache(machine, pfn);
  } else if ((frames.state[pfn]! & PGS.dirty) === 0) dropFromShm(machine, pfn);
  else if (shmemWritepage(machine, pfn)) {
    writeToSwap(machine, pfn);
    deleteFromSwapCache(machine, pfn);
  }
  machine.cost += machine.config.costs.disk_io!;
  return true;
}

/** Before a fault brings a page: somebody goes where the process has as many as it may. */
// Simplified: a page that several processes share goes for all of them at once.
export function makeRoom(machine: Machine, task: Task): void {
  const pages = residentOf(machine, task.pid);
  const { rssAnon, rssFile, rssShmem } = task.mm;
  // As many as are mapped: then none went another way. (The zero page counts for nobody, so who read it looks at all.)
  if (pages.size !== rssAnon + rssFile + rssShmem) {
    for (const vpn of pages.keys()) if (!isPresent(machine, task, vpn)) pages.delete(vpn);
  }
  for (let tries = pages.size; pages.size >= machine.config.replacement!.frames && tries > 0; tries--) {
    const victim = chooseVictim(machine, task.pid, pages);
    pages.delete(victim);
    if (isPresent(machine, task, victim) && !evict(machine, task, victim)) pages.set(victim, 0);
  }
}

/** A child has its parent's pages; a dead process none. */
export function inheritResident(machine: Machine, parent: Pid, child: Pid): void {
  machine.replacement!.resident.set(child, new Map(residentOf(machine, parent)));
}

export function forgetResident(machine: Machine, pid: Pid): void {
  machine.replacement!.resident.delete(pid);
}
