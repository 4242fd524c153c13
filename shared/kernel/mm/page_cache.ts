/**
 * Pages of files in memory (mm/filemap.c, mm/page-writeback.c): put in, taken out, made dirty and clean. Nothing here
 * asks for memory; who brings pages in is filemap.ts.
 */
import { PTE, pteAt } from '../arch/mmu.ts';
import { DEVICE, inodeAddLru, inodeOf, type Inode } from '../fs/inode.ts';
import { PAGE_SIZE, type Machine, type Pfn } from '../types.ts';
import { freePagesBlock } from './page_alloc.ts';
import { rmapWalk } from './rmap.ts';
import { PGS } from './swap.ts';
import { count, VMSTAT } from './vmstat.ts';

/** A fresh frame becomes page `index` of a file; the cache holds its first reference. */
export function addToPageCache(machine: Machine, inode: Inode, index: number, pfn: Pfn): void {
  const { frames } = machine;
  inode.pages.set(index, pfn);
  frames.mapping[pfn] = inode.ino;
  frames.index[pfn] = index;
  count(machine, VMSTAT.nr_file_pages, 1);
}

/** A clean page that nobody maps leaves the cache; its frame is free unless somebody pins it (filemap_remove_folio). */
export function removeFromPageCache(machine: Machine, pfn: Pfn): void {
  const { frames } = machine;
  const inode = inodeOf(machine, frames.mapping[pfn]!);
  inode.pages.delete(frames.index[pfn]!);
  if (inode.pages.size === 0) inodeAddLru(machine, inode);
  count(machine, VMSTAT.nr_file_pages, -1);
  frames.refcount[pfn]! -= 1;
  if (frames.refcount[pfn] === 0) freePagesBlock(machine, pfn, 0);
}

/** The page differs from the disk from now on (folio_mark_dirty). */
export function markPageDirty(machine: Machine, pfn: Pfn): void {
  const { frames } = machine;
  if (frames.state[pfn]! & PGS.dirty) return;
  frames.state[pfn]! |= PGS.dirty;
  inodeOf(machine, frames.mapping[pfn]!).dirty.set(frames.index[pfn]!, machine.now);
  count(machine, VMSTAT.nr_dirty, 1);
  count(machine, VMSTAT.nr_dirtied, 1);
}

/** Shared mappings may write no longer without a fault, which will make the page dirty again (folio_mkclean). */
function mkclean(machine: Machine, pfn: Pfn): void {
  const { words } = machine.tables;
  rmapWalk(machine, pfn, (pid, vpn) => {
    const task = machine.tasks.get(pid);
    // A child that is being made has private memory only, which may not write to the page anyway.
    if (task === undefined) return;
    const at = pteAt(machine, task.mm.pgd, vpn * PAGE_SIZE);
    words[at] = (words[at]! & ~(PTE.write | PTE.dirty)) >>> 0;
  });
}

/** Writes a dirty page to the disk; waiting for it only costs (writepage). */
export function writePage(machine: Machine, inode: Inode, index: number): void {
  const { contents, frames } = machine;
  const disk = machine.disk!;
  const pfn = inode.pages.get(index)!;
  mkclean(machine, pfn);
  frames.state[pfn]! &= ~PGS.dirty;
  inode.dirty.delete(index);
  const held = contents.get(pfn);
  if (held !== undefined) {
    if (!inode.stored.has(index)) disk.storedPages += 1;
    inode.stored.set(index, held.slice());
  }
  machine.cost += machine.config.costs.disk_page!;
  count(machine, VMSTAT.nr_dirty, -1);
  count(machine, VMSTAT.nr_written, 1);
  count(machine, VMSTAT.pgpgout, 4);
}

/** Writes up to `max` dirty pages of a file that became so at or before a tick, oldest first; how many it wrote. */
export function writeInode(machine: Machine, inode: Inode, max: number, notAfter: number): number {
  let written = 0;
  for (const [index, since] of inode.dirty) {
    if (written === max || since > notAfter) break;
    writePage(machine, inode, index);
    written += 1;
  }
  if (written > 0) {
    machine.cost += machine.config.costs.disk_io!;
    machine.disk!.writes += 1;
  }
  return written;
}

/** Page cache of the disk itself: Buffers. */
export function bufferPages(machine: Machine): number {
  return machine.disk?.inodes.get(DEVICE)!.pages.size ?? 0;
}
