/**
 * Reading and writing files through the page cache (mm/filemap.c, mm/readahead.c; spec §14): a page that is not there is
 * read from the disk, with those that will be wanted next; a written page is dirty until it is written back.
 */
import { inodeOf, filePages, metadataPage, DEVICE, type Inode, type OpenFile } from '../fs/inode.ts';
import { GFP_BIT, GFP_HIGHUSER_MOVABLE } from '../gfp.ts';
import { PAGE_SIZE, PG, type Machine, type Pfn, type Pid } from '../types.ts';
import { addToPageCache, markPageDirty } from './page_cache.ts';
import { allocPages } from './slowpath.ts';
import { KIND_FILE, markPageAccessed } from './swap.ts';
import { count, VMSTAT } from './vmstat.ts';
import { workingsetRefault } from './workingset.ts';

/** Pages of the largest read-ahead window: 128 KiB (VM_READAHEAD_PAGES). */
export const READAHEAD_PAGES = 32;
const READAHEAD_GFP = GFP_HIGHUSER_MOVABLE | GFP_BIT.__GFP_NORETRY | GFP_BIT.__GFP_NOWARN;

/** An empty page of the cache at `index`, on an inactive list; or a negative outcome of allocPages. */
function newCachePage(machine: Machine, inode: Inode, index: number, pid: Pid, gfp: number): Pfn {
  const pfn = allocPages(machine, 0, gfp, pid, PG.shmem | KIND_FILE);
  if (pfn < 0) return pfn;
  // The page cache is nobody's: it stays when the process that read it has gone.
  machine.frames.owner[pfn] = 0;
  addToPageCache(machine, inode, index, pfn);
  workingsetRefault(machine, inode, index, pfn);
  return pfn;
}

/** Fills a page of the cache with what the disk has. */
function fillFromDisk(machine: Machine, inode: Inode, index: number, pfn: Pfn): void {
  const stored = inode.stored.get(index);
  if (stored !== undefined) machine.contents.set(pfn, stored.slice());
  machine.cost += machine.config.costs.disk_page!;
  count(machine, VMSTAT.pgpgin, 4);
}

/** Reads the pages of [start, start + size) that are not cached, within the file; stops where no memory is to be had (page_cache_ra_unbounded). */
export function readAhead(machine: Machine, inode: Inode, start: number, size: number, pid: Pid): void {
  const end = Math.min(start + size, filePages(inode));
  let read = 0;
  for (let index = start; index < end; index++) {
    if (inode.pages.has(index)) continue;
    const pfn = newCachePage(machine, inode, index, pid, READAHEAD_GFP);
    if (pfn < 0) break;
    fillFromDisk(machine, inode, index, pfn);
    read += 1;
  }
  if (read === 0) return;
  machine.cost += machine.config.costs.disk_io!;
  machine.disk!.reads += 1;
}

/** Page `index` of a file, read by itself when it is not cached; or a negative outcome. */
export function readCachePage(machine: Machine, inode: Inode, index: number, pid: Pid): Pfn {
  const cached = inode.pages.get(index);
  if (cached !== undefined) return cached;
  const pfn = newCachePage(machine, inode, index, pid, GFP_HIGHUSER_MOVABLE);
  if (pfn < 0) return pfn;
  fillFromDisk(machine, inode, index, pfn);
  machine.cost += machine.config.costs.disk_io!;
  machine.disk!.reads += 1;
  return pfn;
}

/** Size of the first window of a sequence (get_init_ra_size). */
function initialWindow(pages: number): number {
  let size = 1;
  while (size < pages) size *= 2;
  if (size <= READAHEAD_PAGES / 32) return size * 4;
  return size <= READAHEAD_PAGES / 4 ? size * 2 : READAHEAD_PAGES;
}

/** Size of the next window (get_next_ra_size). */
function nextWindow(size: number): number {
  if (size < READAHEAD_PAGES / 16) return 4 * size;
  return Math.min(size <= READAHEAD_PAGES / 2 ? 2 * size : READAHEAD_PAGES, READAHEAD_PAGES);
}

/** A read misses at `index` and wants `pages`: sequences get a growing window, others what they asked for (ondemand_readahead). */
// Simplified: no marker page starts the next window early; it is read when the first page is missed.
function syncReadahead(machine: Machine, file: OpenFile, inode: Inode, index: number, pages: number, pid: Pid): void {
  const isNext = index === file.raStart + file.raSize && file.raSize > 0;
  const isSequential = index === 0 || index === file.prev || index === file.prev + 1;
  if (!isNext && !isSequential) return readAhead(machine, inode, index, Math.min(pages, READAHEAD_PAGES), pid);
  const wanted = isNext ? nextWindow(file.raSize) : initialWindow(pages);
  file.raStart = index;
  file.raSize = wanted;
  readAhead(machine, inode, index, wanted, pid);
}

/** A fault of a mapping misses: half of the window before the page, half behind it (do_sync_mmap_readahead). */
export function faultReadahead(machine: Machine, inode: Inode, index: number, pid: Pid): void {
  if (machine.config.replacement !== null) return;
  readAhead(machine, inode, Math.max(0, index - READAHEAD_PAGES / 2), READAHEAD_PAGES, pid);
}

/** How a read or write went: pages of the cache, those of them that came from the disk, and what stopped it, if anything did (0). */
export interface Moved {
  pages: number;
  missed: number;
  stopped: number;
}

/** Reads [offset, offset + length) of an open file, which lies within it, through the cache (filemap_read). */
export function fileRead(machine: Machine, file: OpenFile, offset: number, length: number, pid: Pid): Moved {
  const inode = inodeOf(machine, file.ino);
  const moved: Moved = { pages: 0, missed: 0, stopped: 0 };
  const last = Math.floor((offset + length - 1) / PAGE_SIZE);
  for (let index = Math.floor(offset / PAGE_SIZE); index <= last && length > 0; index++) {
    if (!inode.pages.has(index)) {
      moved.missed += 1;
      if (machine.config.replacement === null) syncReadahead(machine, file, inode, index, last - index + 1, pid);
    }
    const pfn = readCachePage(machine, inode, index, pid);
    if (pfn < 0) return { ...moved, stopped: pfn };
    if (file.prev !== index) markPageAccessed(machine, pfn);
    file.prev = index;
    moved.pages += 1;
    machine.cost += machine.config.costs.copy_page!;
  }
  return moved;
}

/** Writes zeros to [offset, offset + length) in the cache: whole pages need nothing from the disk (generic_perform_write). */
export function fileWrite(machine: Machine, file: OpenFile, offset: number, length: number, pid: Pid): Moved {
  const inode = inodeOf(machine, file.ino);
  const moved: Moved = { pages: 0, missed: 0, stopped: 0 };
  for (let at = offset; at < offset + length;) {
    const index = Math.floor(at / PAGE_SIZE);
    const to = Math.min(offset + length, (index + 1) * PAGE_SIZE);
    const isWhole = at % PAGE_SIZE === 0 && (to % PAGE_SIZE === 0 || to >= inode.bytes);
    const mustRead = !inode.pages.has(index) && !isWhole && index < filePages(inode);
    if (mustRead) moved.missed += 1;
    const cached = inode.pages.get(index);
    const pfn =
      cached ?? (mustRead ? readCachePage(machine, inode, index, pid) : newCachePage(machine, inode, index, pid, GFP_HIGHUSER_MOVABLE));
    if (pfn < 0) return { ...moved, stopped: pfn };
    machine.contents.get(pfn)?.fill(0, at % PAGE_SIZE, (at % PAGE_SIZE) + (to - at));
    // What the disk holds under a page that is wholly overwritten must not come back.
    if (isWhole && inode.stored.has(index) && !machine.contents.has(pfn)) {
      inode.stored.delete(index);
      machine.disk!.storedPages -= 1;
    }
    if (to > inode.bytes) inode.bytes = to;
    markPageDirty(machine, pfn);
    markPageAccessed(machine, pfn);
    moved.pages += 1;
    machine.cost += machine.config.costs.copy_page!;
    at = to;
  }
  return moved;
}

/** The inode's own block, from the disk or from Buffers; 0 or a negative outcome. */
export function readInodeBlock(machine: Machine, inode: Inode, pid: Pid): number {
  const pfn = readCachePage(machine, inodeOf(machine, DEVICE), metadataPage(inode.ino), pid);
  if (pfn < 0) return pfn;
  markPageAccessed(machine, pfn);
  return 0;
}
