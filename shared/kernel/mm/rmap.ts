/**
 * The reverse map (mm/rmap.c): from a frame to all page-table entries that map it, so that a page can be moved or taken
 * away without its processes' help. One node an entry, in typed arrays; `frames.rmap` heads a frame's list.
 */
import { PAGE_SIZE, PG, type Machine, type Mm, type Pfn, type Pid, type Rmap } from '../types.ts';
import { freePagesBlock } from './page_alloc.ts';
import { isFilePage, PGS, setState } from './swap.ts';
import { freeSwapOf } from './swap_state.ts';
import { VM, vmaAt } from './vma_find.ts';
import { count, VMSTAT } from './vmstat.ts';

export function createRmap(): Rmap {
  return { pid: new Int32Array(0), vpn: new Float64Array(0), next: new Int32Array(0), used: 0, free: -1 };
}

function grow(rmap: Rmap): void {
  const capacity = Math.max(64, rmap.pid.length * 2);
  const pid = new Int32Array(capacity);
  const vpn = new Float64Array(capacity);
  const next = new Int32Array(capacity);
  pid.set(rmap.pid);
  vpn.set(rmap.vpn);
  next.set(rmap.next);
  Object.assign(rmap, { pid, vpn, next });
}

function addNode(machine: Machine, pfn: Pfn, pid: Pid, vpn: number): void {
  const { rmap, frames } = machine;
  let node = rmap.free;
  if (node >= 0) rmap.free = rmap.next[node]!;
  else {
    if (rmap.used === rmap.pid.length) grow(rmap);
    node = rmap.used++;
  }
  rmap.pid[node] = pid;
  rmap.vpn[node] = vpn;
  rmap.next[node] = frames.rmap[pfn]!;
  frames.rmap[pfn] = node;
}

function removeNode(machine: Machine, pfn: Pfn, pid: Pid, vpn: number): void {
  const { rmap, frames } = machine;
  let before = -1;
  let node = frames.rmap[pfn]!;
  while (node >= 0 && (rmap.pid[node] !== pid || rmap.vpn[node] !== vpn)) {
    before = node;
    node = rmap.next[node]!;
  }
  if (node < 0) throw new Error(`frame ${pfn} is not mapped by ${pid} at page ${vpn}`);
  if (before < 0) frames.rmap[pfn] = rmap.next[node]!;
  else rmap.next[before] = rmap.next[node]!;
  rmap.next[node] = rmap.free;
  rmap.free = node;
}

/** Calls `see` for each entry that maps a frame, the newest first (rmap_walk). */
export function rmapWalk(machine: Machine, pfn: Pfn, see: (pid: Pid, vpn: number) => void): void {
  const { rmap, frames } = machine;
  for (let node = frames.rmap[pfn]!; node >= 0; node = rmap.next[node]!) see(rmap.pid[node]!, rmap.vpn[node]!);
}

/** One more entry, of `mm` at virtual page `vpn`, maps a user page. */
export function pageAddRmap(machine: Machine, mm: Mm, pfn: Pfn, vpn: number): void {
  const { frames } = machine;
  const before = frames.mapcount[pfn]!;
  frames.mapcount[pfn] = before + 1;
  addNode(machine, pfn, mm.pid, vpn);
  if (frames.flags[pfn]! & PG.anon) {
    mm.rssAnon += 1;
    if (before === 0) count(machine, VMSTAT.nr_anon_pages, 1);
    // The reference of a new page is its first mapping's; the swap cache has one of its own.
    if (before > 0 || frames.state[pfn]! & PGS.swapcache) frames.refcount[pfn]! += 1;
  } else {
    if (isFilePage(frames, pfn)) mm.rssFile += 1;
    else mm.rssShmem += 1;
    frames.refcount[pfn]! += 1;
    if (before === 0) count(machine, VMSTAT.nr_mapped, 1);
  }
  const rss = mm.rssAnon + mm.rssShmem + mm.rssFile;
  if (rss > mm.hiwaterRss) mm.hiwaterRss = rss;
  if (mm.hasLocked && isLocked(mm, vpn)) mlockPage(machine, pfn);
}

const isLocked = (mm: Mm, vpn: number): boolean => ((vmaAt(mm, vpn * PAGE_SIZE)?.flags ?? 0) & VM.locked) !== 0;

/** A page under a locked area goes to the unevictable list, where reclaim does not look (mlock_folio). */
export function mlockPage(machine: Machine, pfn: Pfn): void {
  if (machine.frames.state[pfn]! & PGS.unevictable) return;
  setState(machine, pfn, PGS.unevictable, PGS.active);
  count(machine, VMSTAT.unevictable_pgs_mlocked, 1);
  count(machine, VMSTAT.unevictable_pgs_culled, 1);
}

/** A locked area has let go of the page: unless another one maps it, it is the first of an inactive list again (munlock_folio). */
// Simplified: Linux counts the locked areas of a page in it; here they are looked for.
export function munlockPage(machine: Machine, pfn: Pfn): void {
  if ((machine.frames.state[pfn]! & PGS.unevictable) === 0) return;
  let held = false;
  rmapWalk(machine, pfn, (pid, vpn) => {
    const mm = machine.tasks.get(pid)?.mm;
    held ||= mm !== undefined && mm.hasLocked && isLocked(mm, vpn);
  });
  if (held) return;
  setState(machine, pfn, 0, PGS.unevictable);
  count(machine, VMSTAT.unevictable_pgs_munlocked, 1);
  count(machine, VMSTAT.unevictable_pgs_rescued, 1);
}

/** One entry of `mm` less; an anonymous page that nobody maps or pins is freed. */
export function pageRemoveRmap(machine: Machine, mm: Mm, pfn: Pfn, vpn: number): void {
  const { frames } = machine;
  frames.mapcount[pfn]! -= 1;
  removeNode(machine, pfn, mm.pid, vpn);
  frames.refcount[pfn]! -= 1;
  if (mm.hasLocked && isLocked(mm, vpn)) munlockPage(machine, pfn);
  const last = frames.mapcount[pfn] === 0;
  if ((frames.flags[pfn]! & PG.anon) === 0) {
    if (isFilePage(frames, pfn)) mm.rssFile -= 1;
    else mm.rssShmem -= 1;
    if (last) count(machine, VMSTAT.nr_mapped, -1);
    return;
  }
  mm.rssAnon -= 1;
  if (!last) return;
  count(machine, VMSTAT.nr_anon_pages, -1);
  if (frames.refcount[pfn] === 0) freePagesBlock(machine, pfn, 0);
  else if (frames.state[pfn]! & PGS.swapcache && frames.refcount[pfn] === 1) freeSwapOf(machine, pfn);
}

/** The entry of `mm` at virtual page `from` that maps a page stands at page `to` now (mremap). */
export function pageMoveRmap(machine: Machine, mm: Mm, pfn: Pfn, from: number, to: number): void {
  const { rmap, frames } = machine;
  let node = frames.rmap[pfn]!;
  while (node >= 0 && (rmap.pid[node] !== mm.pid || rmap.vpn[node] !== from)) node = rmap.next[node]!;
  if (node < 0) throw new Error(`frame ${pfn} is not mapped by ${mm.pid} at page ${from}`);
  rmap.vpn[node] = to;
}
