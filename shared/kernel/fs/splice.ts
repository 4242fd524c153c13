/**
 * Sending a file to the network, in five ways (fs/splice.c, net/socket.c; spec §16): how often the bytes are copied, by
 * the CPU and by DMA, and how often the caller crosses into the kernel and back. Counted while it runs: a file that is in
 * the page cache needs no transfer from the disk.
 */
import { inodeOf, type OpenFile } from './inode.ts';
import { fileRead } from '../mm/filemap.ts';
import type { Machine, Pid } from '../types.ts';

/** What happens on the way, one after the other. */
type Step =
  /** Into the kernel, and back. */
  | 'enter'
  | 'leave'
  /** DMA from the disk to the page cache, where it is not there yet. */
  | 'cache'
  /** The CPU copies: between page cache, the process and the buffer of the socket. */
  | 'copy'
  /** DMA to the network card: from the buffer of the socket, or, gathering, from the page cache itself. */
  | 'send';

export const METHODS = {
  'read+write': ['enter', 'cache', 'copy', 'leave', 'enter', 'copy', 'leave', 'send'],
  'mmap+write': ['enter', 'leave', 'enter', 'cache', 'copy', 'leave', 'send'],
  sendfile: ['enter', 'cache', 'copy', 'leave', 'send'],
  'sendfile+gather': ['enter', 'cache', 'leave', 'send'],
  splice: ['enter', 'cache', 'leave', 'enter', 'leave', 'send'],
} as const satisfies Record<string, readonly Step[]>;
export type Method = keyof typeof METHODS;

export interface Transferred {
  copies: { cpu: number; dma: number };
  /** Bytes copied, all copies together. */
  bytes: { cpu: number; dma: number };
  switches: number;
  /** Pages that were in the page cache, and those that came from the disk. */
  pages: { cached: number; read: number };
  /** 0, or why no page was to be had. */
  stopped: number;
}

/** Sends [offset, offset + count) of a file, which lies within it and is not empty. */
// Simplified: nobody receives; the buffer of the socket takes no frame, and the mapping of mmap+write no area.
export function transferFile(machine: Machine, file: OpenFile, offset: number, count: number, method: Method, pid: Pid): Transferred {
  const { costs } = machine.config;
  const done: Transferred = {
    copies: { cpu: 0, dma: 0 },
    bytes: { cpu: 0, dma: 0 },
    switches: 0,
    pages: { cached: 0, read: 0 },
    stopped: 0,
  };
  const pages = Math.ceil((offset + count) / 4096) - Math.floor(offset / 4096);
  const dma = (bytes: number): void => {
    done.copies.dma += 1;
    done.bytes.dma += bytes;
  };
  const run: Record<Step, () => void> = {
    enter: () => {
      done.switches += 1;
      machine.cost += costs.syscall!;
    },
    leave: () => {
      done.switches += 1;
    },
    cache: () => {
      done.pages.read = uncached(machine, file, offset, count);
      done.pages.cached = pages - done.pages.read;
      done.stopped = fileRead(machine, file, offset, count, pid).stopped;
      // The pages are there; what fileRead charged for the copy to a process is charged where one is made.
      machine.cost -= pages * costs.copy_page!;
      if (done.pages.read > 0) dma(done.pages.read * 4096);
    },
    copy: () => {
      done.copies.cpu += 1;
      done.bytes.cpu += count;
      machine.cost += pages * costs.copy_page!;
    },
    send: () => {
      dma(count);
      machine.cost += costs.dma! + Math.ceil(count / 1024) * costs.dma_kib!;
    },
  };
  for (const step of METHODS[method]) {
    run[step]();
    if (done.stopped !== 0) return done;
  }
  return done;
}

/** Pages of the range that are not in the page cache. */
function uncached(machine: Machine, file: OpenFile, offset: number, count: number): number {
  const inode = inodeOf(machine, file.ino);
  let missing = 0;
  for (let index = Math.floor(offset / 4096); index < Math.ceil((offset + count) / 4096); index++)
    if (!inode.pages.has(index)) missing += 1;
  return missing;
}
