/** Blocks that a process was given, as random calls choose from them. */
import type { Machine } from '#kernel/machine.ts';
import { blocksOf } from '#kernel/mm/blocks.ts';

/** Heads of a process's blocks, oldest first; none of a process that is not there. */
export function ownBlocks(machine: Machine, pid: number): number[] {
  const task = machine.tasks.get(pid);
  return task === undefined ? [] : blocksOf(machine.frames, task.kernelBlocks);
}
