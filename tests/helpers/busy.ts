/** A machine with something of everything, for tests of what /proc says about it. */
import type { Machine } from '#kernel/machine.ts';
import { KERNEL, PAGE, RW, boot, granted, mmap, spawn, touch } from './boot.ts';

/** Three zones; a process with private, shared, read and reserved memory and a heap; its child with kernel memory. */
export function busy(): { machine: Machine; pid: number; child: number } {
  const machine = boot({ frames: 1024, zones: { dma: 128, normal: 640, highmem: 256 }, minFreeKbytes: undefined });
  const pid = spawn(machine);
  touch(machine, pid, 'write', mmap(machine, pid, 20), 20);
  touch(machine, pid, 'write', mmap(machine, pid, 6, RW, 'MAP_SHARED|MAP_ANONYMOUS'), 3);
  mmap(machine, pid, 7, 'PROT_NONE');
  touch(machine, pid, 'read', mmap(machine, pid, 5, 'PROT_READ|PROT_EXEC'), 5);
  granted(machine, pid, { call: 'sbrk', increment: 3 * PAGE + 1 });
  touch(machine, pid, 'write', 0x0804d000, 2);
  const child = granted(machine, pid, { call: 'fork' }).pid!;
  touch(machine, child, 'write', 0x0804d000, 1);
  granted(machine, child, { call: 'alloc_pages', order: 3, gfp: 'GFP_KERNEL' });
  granted(machine, KERNEL, { call: 'alloc_pages', order: 0, gfp: 'GFP_DMA' });
  return { machine, pid, child };
}
