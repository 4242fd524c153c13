/**
 * Files of the emulated disk (fs/inode.c, include/linux/fs.h): what is in the page cache, what of it is dirty, and the
 * bytes that the disk holds. A file reads 0 but where something was written. The disk itself is inode DEVICE: its pages
 * hold the inodes' blocks, and are what /proc/meminfo calls Buffers.
 */
import type { Machine, MachineConfig, Pfn } from '../types.ts';

/** A file as the machine's configuration names it; sizes in bytes. */
export interface FileConfig {
  path: string;
  bytes: number;
  /** For execve: the segments at the file's start, and what follows them in memory only. */
  text: number;
  data: number;
  bss: number;
  /** Paths of the libraries that it needs. */
  libs: string[];
}

export interface Inode extends FileConfig {
  ino: number;
  /** Cached pages by page offset. */
  pages: Map<number, Pfn>;
  /** Dirty pages by page offset, oldest first, with the tick at which each became so. */
  dirty: Map<number, number>;
  /** Pages on the disk that hold something other than zeros. */
  stored: Map<number, Uint8Array>;
  /** Descriptors and areas that have the file. */
  users: number;
  /** Physical addresses of its dentry and of its inode in memory, −1 where there is none. */
  dentry: number;
  object: number;
  /** Clock of evictions when a page was pushed out: what tells a refault's distance (mm/workingset.c). */
  evicted: Map<number, number>;
}

/** Dentries and inodes in memory (fs/dcache.ts): the numbers of their caches, and which files' nobody uses, the longest unused first. */
export interface Dcache {
  dentries: number;
  inodes: number;
  unusedDentries: Set<number>;
  unusedInodes: Set<number>;
  /** What the shrinker has been asked for and not done yet (nr_deferred). */
  deferred: number;
}

export interface Disk {
  dcache: Dcache;
  inodes: Map<number, Inode>;
  paths: Map<string, number>;
  /** Pages in all `stored`. */
  storedPages: number;
  /** Requests that the disk has served, and pages in them. */
  reads: number;
  writes: number;
}

/** What a process knows of a file that it opened (struct file). */
export interface OpenFile {
  ino: number;
  /** FMODE bits. */
  mode: number;
  /** Pages of the read-ahead window that was read last, and the page that was read last (struct file_ra_state). */
  raStart: number;
  raSize: number;
  prev: number;
}

export const FMODE = { read: 1, write: 2 } as const;
/** The disk as a file: its pages are Buffers. */
export const DEVICE = 1;
/** The first inode of an ordinary file (EXT4_GOOD_OLD_FIRST_INO). */
const FIRST_INO = 11;
/** Inodes of 256 bytes in a block of 4 KiB. */
const INODES_PER_BLOCK = 16;

function createInode(ino: number, file: FileConfig): Inode {
  return { ino, ...file, pages: new Map(), dirty: new Map(), stored: new Map(), users: 0, dentry: -1, object: -1, evicted: new Map() };
}

export function createDisk(config: MachineConfig): Disk | null {
  if (config.disk.length === 0) return null;
  const dcache: Dcache = { dentries: 0, inodes: 0, unusedDentries: new Set(), unusedInodes: new Set(), deferred: 0 };
  const disk: Disk = { dcache, inodes: new Map(), paths: new Map(), storedPages: 0, reads: 0, writes: 0 };
  const bytes = (metadataPage(FIRST_INO + config.disk.length) + 1) * 4096;
  disk.inodes.set(DEVICE, createInode(DEVICE, { path: '/dev/sda', bytes, text: 0, data: 0, bss: 0, libs: [] }));
  config.disk.forEach((file, index) => {
    const ino = FIRST_INO + index;
    disk.inodes.set(ino, createInode(ino, { ...file, libs: [...file.libs] }));
    disk.paths.set(file.path, ino);
  });
  return disk;
}

/** Page of the disk that holds an inode. */
export function metadataPage(ino: number): number {
  return Math.floor(ino / INODES_PER_BLOCK);
}

export function inodeOf(machine: Machine, ino: number): Inode {
  const inode = machine.disk?.inodes.get(ino);
  if (!inode) throw new Error(`no inode ${ino}`);
  return inode;
}

/** One user more: a descriptor, or an area. */
export function fget(machine: Machine, ino: number): void {
  const { dcache } = machine.disk!;
  inodeOf(machine, ino).users += 1;
  dcache.unusedDentries.delete(ino);
  dcache.unusedInodes.delete(ino);
}

/** One less; after the last the dentry may go (dput). */
export function fput(machine: Machine, ino: number): void {
  const inode = inodeOf(machine, ino);
  inode.users -= 1;
  if (inode.users > 0) return;
  if (inode.dentry >= 0) machine.disk!.dcache.unusedDentries.add(ino);
  else inodeAddLru(machine, inode);
}

/** An inode that no dentry names and that has no pages in the cache may go (inode_add_lru). */
export function inodeAddLru(machine: Machine, inode: Inode): void {
  if (inode.users === 0 && inode.dentry < 0 && inode.object >= 0 && inode.pages.size === 0)
    machine.disk!.dcache.unusedInodes.add(inode.ino);
}

/** The file of a path; null when there is none. */
export function lookup(machine: Machine, path: string): Inode | null {
  const ino = machine.disk?.paths.get(path);
  return ino === undefined ? null : inodeOf(machine, ino);
}

/** Pages of a file, the last one perhaps not full. */
export function filePages(inode: Inode): number {
  return Math.ceil(inode.bytes / 4096);
}
