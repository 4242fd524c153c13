/** The end of a process: all that it held is free at once; nobody waits for it (kernel/exit.c). */
import { blocksOf, createBlockList } from '../mm/blocks.ts';
import { emit, FACT } from '../facts.ts';
import { fput } from '../fs/inode.ts';
import { cmaRelease } from '../mm/cma_area.ts';
import { unpinAll } from '../mm/gup.ts';
import { unmapAllOf } from '../mm/highmem.ts';
import { freePagesBlock } from '../mm/page_alloc.ts';
import { forgetResident } from '../mm/replacement.ts';
import { releaseSlabsOf } from '../mm/slab_release.ts';
import { exitMmap } from '../mm/unmap.ts';
import { freeAreasOf } from '../mm/vmap_area.ts';
import type { Machine, Task } from '../types.ts';
import { releaseRegionsOf } from './resource.ts';
import { releaseThreads } from './thread.ts';

// Simplified: no zombies and no wait(); a child whose parent dies belongs to pid 1.
export function doExit(machine: Machine, task: Task, signal: number): void {
  exitMmap(machine, task.mm);
  if (machine.replacement !== null) forgetResident(machine, task.pid);
  for (const { ino } of task.files.values()) fput(machine, ino);
  unpinAll(machine, task);
  unmapAllOf(machine, task.pid);
  freeAreasOf(machine, task.pid);
  releaseRegionsOf(machine, task.pid);
  releaseSlabsOf(machine, task);
  for (const pfn of task.cmaRuns) cmaRelease(machine, pfn);
  for (const pfn of blocksOf(machine.frames, task.kernelBlocks)) freePagesBlock(machine, pfn, machine.frames.order[pfn]!);
  task.kernelBlocks = createBlockList();
  task.kernelPages = 0;
  releaseThreads(machine, task);
  machine.tasks.delete(task.pid);
  machine.entry.deadUs += task.cpuUs;
  const parent = machine.tasks.get(task.ppid);
  if (parent) parent.children -= 1;
  if (task.children > 0) reparent(machine, task);
  emit(machine.facts, FACT.processExited, task.pid, signal, 0);
}

function reparent(machine: Machine, dead: Task): void {
  const init = machine.tasks.get(1);
  for (const task of machine.tasks.values()) {
    if (task.ppid !== dead.pid) continue;
    task.ppid = 1;
    if (init && init !== task) init.children += 1;
  }
}
