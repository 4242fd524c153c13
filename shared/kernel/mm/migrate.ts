/** Moving a user page to another frame under its processes' feet (mm/migrate.c): contents, counts and every entry follow. */
import { PTE_PFN_SHIFT, pteAt } from '../arch/mmu.ts';
import { emit, FACT } from '../facts.ts';
import { inodeOf } from '../fs/inode.ts';
import { PAGE_SIZE, PG, type Frames, type Machine, type Pfn } from '../types.ts';
import { splitHugeAt } from './huge_split.ts';
import { freePagesBlock } from './page_alloc.ts';
import { rmapWalk } from './rmap.ts';
import { moveInShm } from './shmem.ts';
import { isFilePage, moveState, PGS } from './swap.ts';
import { moveInSwapCache } from './swap_state.ts';
import { count, VMSTAT } from './vmstat.ts';

/** References that a page has from its mappings and its object; more means that somebody pins it. */
export function expectedRefs(frames: Frames, pfn: Pfn): number {
  return frames.mapcount[pfn]! + (frames.flags[pfn]! & PG.shmem ? 1 : 0) + (frames.state[pfn]! & PGS.swapcache ? 1 : 0);
}

/** Is this an order-0 user page that nobody pins? Kernel pages, page tables and pinned pages stay where they are. */
export function isMigratable(frames: Frames, pfn: Pfn): boolean {
  return (frames.flags[pfn]! & (PG.anon | PG.shmem)) !== 0 && frames.order[pfn] === 0 && frames.refcount[pfn] === expectedRefs(frames, pfn);
}

function copyFrame(machine: Machine, from: Pfn, to: Pfn): void {
  const { frames, contents } = machine;
  frames.flags[to] = frames.flags[from]!;
  frames.order[to] = 0;
  frames.owner[to] = frames.owner[from]!;
  frames.mapcount[to] = frames.mapcount[from]!;
  frames.refcount[to] = frames.refcount[from]!;
  frames.index[to] = frames.index[from]!;
  frames.rmap[to] = frames.rmap[from]!;
  const held = contents.get(from);
  if (held === undefined) return;
  contents.delete(from);
  contents.set(to, held);
}

/** Moves a migratable page to a frame that has left the buddy; the old frame goes back to it. */
export function migratePage(machine: Machine, from: Pfn, to: Pfn): void {
  const { frames, tables } = machine;
  copyFrame(machine, from, to);
  rmapWalk(machine, to, (pid, vpn) => {
    const { mm } = machine.tasks.get(pid)!;
    splitHugeAt(machine, mm, vpn * PAGE_SIZE);
    const at = pteAt(machine, mm.pgd, vpn * PAGE_SIZE);
    tables.words[at] = ((to << PTE_PFN_SHIFT) | (tables.words[at]! & (PAGE_SIZE - 1))) >>> 0;
  });
  moveState(machine, from, to);
  if (isFilePage(frames, to)) inodeOf(machine, frames.mapping[to]!).pages.set(frames.index[to]!, to);
  else if (frames.flags[to]! & PG.shmem) moveInShm(machine, from, to);
  moveInSwapCache(machine, to);
  frames.mapcount[from] = 0;
  frames.rmap[from] = -1;
  frames.flags[from] = PG.head;
  if (machine.facts !== null) emit(machine.facts, FACT.pageMigrated, from, to, frames.owner[to]!);
  freePagesBlock(machine, from, 0);
  machine.cost += machine.config.costs.migrate_page!;
  count(machine, VMSTAT.pgmigrate_success, 1);
}
