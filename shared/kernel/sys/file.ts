/** open, pread, pwrite, fsync, close: files of the emulated disk. */
import { bytes, flags, int, optional, text, word } from '../args.ts';
import { FILE_BYTES_MAX } from '../config_disk.ts';
import { FMODE, fput, inodeOf, lookup, type OpenFile } from '../fs/inode.ts';
import { lookupOpen } from '../fs/namei.ts';
import { METHODS, transferFile, type Method } from '../fs/splice.ts';
import { GFP_HIGHUSER_MOVABLE, GFP_KERNEL } from '../gfp.ts';
import { fileRead, fileWrite, type Moved } from '../mm/filemap.ts';
import { freePages } from '../mm/mmzone.ts';
import { writeInode } from '../mm/page_cache.ts';
import { dirtyLimits, mustThrottle } from '../mm/page_writeback.ts';
import { allocWhy, ASKER_KILLED } from '../mm/slowpath.ts';
import { VMSTAT } from '../mm/vmstat.ts';
import type { Answer, Machine, Refused, Task } from '../types.ts';
import { badArgument, granted, oomKilled, refused } from './answer.ts';

/** Descriptors that a process may have (RLIMIT_NOFILE); 0 to 2 are taken. */
const OPEN_MAX = 1024;
const FIRST_FD = 3;

const OPEN_FLAGS = { O_RDONLY: FMODE.read, O_WRONLY: FMODE.write, O_RDWR: FMODE.read | FMODE.write };
const PATH_MAX = 255;
const FD_MAX = 0x7fffffff;

/** Why no page was to be had for the cache. */
function noPage(machine: Machine, outcome: number, gfp = GFP_HIGHUSER_MOVABLE): Refused {
  if (outcome === ASKER_KILLED) return oomKilled(machine);
  return refused('ENOMEM', allocWhy(machine, 0, gfp));
}

export const openArgs = { path: text(PATH_MAX), flags: optional(flags(OPEN_FLAGS)) };

/** Opens a file, for reading and writing unless `flags` says otherwise; its inode is in memory, or comes from the disk or from Buffers. */
export function sysOpen(machine: Machine, task: Task, path: string, mode = FMODE.read | FMODE.write): Answer {
  const inode = lookup(machine, path);
  if (inode === null) return refused('ENOENT', { code: 'NO_SUCH_FILE', path });
  let fd = FIRST_FD;
  while (task.files.has(fd)) fd += 1;
  if (fd >= OPEN_MAX) return refused('EMFILE', { code: 'TOO_MANY_OPEN', limit: OPEN_MAX });
  const outcome = lookupOpen(machine, inode, task.pid);
  if (outcome < 0) return noPage(machine, outcome, GFP_KERNEL);
  task.files.set(fd, { ino: inode.ino, mode, raStart: 0, raSize: 0, prev: -1 });
  return granted({ fd });
}

export const fdArgs = { fd: int(0, FD_MAX) };

/** The open file behind a descriptor that may be used so; or why not. */
export function openFile(task: Task, fd: number, mode: number): OpenFile | Refused {
  const file = task.files.get(fd);
  if (!file) return refused('EBADF', { code: 'NOT_OPEN', fd });
  if ((file.mode & mode) === mode) return file;
  return refused('EBADF', { code: 'NOT_OPENED_FOR', fd, access: mode & ~file.mode & FMODE.read ? 'reading' : 'writing' });
}

/** What a read or write moved before it stopped, if anything; a first page that cannot be had fails the call. */
function movedAnswer(machine: Machine, task: Task, moved: Moved, length: number, offset: number): Answer {
  if (moved.stopped !== 0 && (moved.pages === 0 || !machine.tasks.has(task.pid))) return noPage(machine, moved.stopped);
  const end = moved.stopped === 0 ? offset + length : (Math.floor(offset / 4096) + moved.pages) * 4096;
  return granted({ length: end - offset, missed: moved.missed });
}

export const preadArgs = { fd: int(0, FD_MAX), offset: bytes, length: bytes };

/** Reads; answers how many bytes there were, and how many pages came from the disk. */
export function sysPread(machine: Machine, task: Task, fd: number, offset: number, length: number): Answer {
  const file = openFile(task, fd, FMODE.read);
  if ('ok' in file) return file;
  const inode = inodeOf(machine, file.ino);
  const count = Math.max(0, Math.min(length, inode.bytes - offset));
  if (count === 0) return granted({ length: 0, missed: 0 });
  return movedAnswer(machine, task, fileRead(machine, file, offset, count, task.pid), count, offset);
}

/** A writer waits for the flusher (balance_dirty_pages). */
function throttled(machine: Machine): Refused {
  const dirty = machine.vmstat[VMSTAT.nr_dirty]!;
  return refused('EAGAIN', {
    code: 'WOULD_SLEEP',
    order: 0,
    freePages: freePages(machine.zones),
    dirty,
    limit: dirtyLimits(machine).limit,
  });
}

/** Writes zeros to the page cache; those who dirty too much wait for the disk. */
export function sysPwrite(machine: Machine, task: Task, fd: number, offset: number, length: number): Answer {
  const file = openFile(task, fd, FMODE.write);
  if ('ok' in file) return file;
  if (offset + length > FILE_BYTES_MAX) return refused('EFBIG', { code: 'FILE_TOO_LARGE', wanted: offset + length, limit: FILE_BYTES_MAX });
  if (length === 0) return granted({ length: 0, missed: 0 });
  if (mustThrottle(machine)) return throttled(machine);
  return movedAnswer(machine, task, fileWrite(machine, file, offset, length, task.pid), length, offset);
}

/** Writes what is dirty of a file; answers how many pages. */
export function sysFsync(machine: Machine, task: Task, fd: number): Answer {
  const file = openFile(task, fd, 0);
  if ('ok' in file) return file;
  return granted({ pages: writeInode(machine, inodeOf(machine, file.ino), Number.MAX_SAFE_INTEGER, machine.now) });
}

/** Its mappings stay, and so do its pages in the cache. */
export function sysClose(machine: Machine, task: Task, fd: number): Answer {
  const file = task.files.get(fd);
  if (!file) return refused('EBADF', { code: 'NOT_OPEN', fd });
  task.files.delete(fd);
  fput(machine, file.ino);
  return granted();
}

/** The file that mmap may map so; or why not. */
export function mappedFile(task: Task, fd: number | undefined, isSharedWrite: boolean): OpenFile | Refused {
  if (fd === undefined || fd < 0) return badArgument('fd', 'an open file, without MAP_ANONYMOUS');
  const file = task.files.get(fd);
  if (!file) return refused('EBADF', { code: 'NOT_OPEN', fd });
  if ((file.mode & FMODE.read) === 0) return refused('EACCES', { code: 'NOT_OPENED_FOR', fd, access: 'reading' });
  if (isSharedWrite && (file.mode & FMODE.write) === 0) return refused('EACCES', { code: 'NOT_OPENED_FOR', fd, access: 'writing' });
  return file;
}

export const transferArgs = { fd: int(0, FD_MAX), offset: bytes, count: bytes, method: word(Object.keys(METHODS) as Method[]) };

/** Sends a part of a file to the network; answers what it took: copies by CPU and DMA, switches, and what the page cache had. */
export function sysTransfer(machine: Machine, task: Task, fd: number, offset: number, count: number, method: Method): Answer {
  const file = openFile(task, fd, FMODE.read);
  if ('ok' in file) return file;
  const length = Math.max(0, Math.min(count, inodeOf(machine, file.ino).bytes - offset));
  if (length === 0) return granted({ length, copies: { cpu: 0, dma: 0 }, switches: 2 });
  const { stopped, ...done } = transferFile(machine, file, offset, length, method, task.pid);
  return stopped === 0 ? granted({ length, ...done }) : noPage(machine, stopped);
}
