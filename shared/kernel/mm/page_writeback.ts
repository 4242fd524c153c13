/**
 * Dirty pages and who writes them (mm/page-writeback.c, fs/fs-writeback.c; spec §14): the flusher begins above the
 * background threshold and writes what is older than dirty_expire at every period; those who dirty above the other
 * threshold wait.
 */
import type { Machine } from '../types.ts';
import { freePages, totalReserve } from './mmzone.ts';
import { writeInode } from './page_cache.ts';
import { LRU, lruPages } from './swap.ts';
import { VMSTAT } from './vmstat.ts';

/** Pages that the flusher writes in a tick at most: what a disk of 40 MB/s manages. */
const FLUSH_PAGES_A_TICK = 1024;
const CENTISECS_A_TICK = 10;

/** Pages that may be dirty at all: free ones and those of files, less the reserves (global_dirtyable_memory). */
export function dirtyablePages(machine: Machine): number {
  const free = freePages(machine.zones);
  const files = lruPages(machine, LRU.activeFile) + lruPages(machine, LRU.inactiveFile);
  return Math.max(1, free - Math.min(free, totalReserve(machine.zones)) + files);
}

/** Dirty pages above which the flusher runs, and above which writers wait (domain_dirty_limits). */
export function dirtyLimits(machine: Machine): { background: number; limit: number } {
  const pages = dirtyablePages(machine);
  const limit = Math.floor((pages * machine.config.dirtyRatio) / 100);
  let background = Math.floor((pages * machine.config.dirtyBackgroundRatio) / 100);
  if (background >= limit) background = limit >> 1;
  return { background, limit };
}

/** Has the machine as many dirty pages as it may (balance_dirty_pages)? */
// Simplified: Linux slows writers down from halfway between the thresholds on; here they run free up to the limit.
export function mustThrottle(machine: Machine): boolean {
  return machine.vmstat[VMSTAT.nr_dirty]! > dirtyLimits(machine).limit;
}

/** Writes up to `max` dirty pages that became so at or before a tick, file by file; how many (wb_writeback). */
export function flush(machine: Machine, max: number, notAfter: number): number {
  let written = 0;
  for (const inode of machine.disk!.inodes.values()) {
    if (written >= max) break;
    if (inode.dirty.size > 0) written += writeInode(machine, inode, max - written, notAfter);
  }
  return written;
}

/** The flusher's part of a tick. It runs beside the processes: what it costs, nobody pays. */
export function writebackTick(machine: Machine): void {
  const dirty = machine.vmstat[VMSTAT.nr_dirty]!;
  if (dirty === 0) return;
  const { config, cost } = machine;
  const { background } = dirtyLimits(machine);
  let left = FLUSH_PAGES_A_TICK;
  if (dirty > background) left -= flush(machine, Math.min(left, dirty - background), machine.now);
  const period = Math.floor(config.dirtyWritebackCentisecs / CENTISECS_A_TICK);
  if (period > 0 && machine.now % period === 0) {
    flush(machine, left, machine.now - Math.floor(config.dirtyExpireCentisecs / CENTISECS_A_TICK));
  }
  machine.cost = cost;
}
