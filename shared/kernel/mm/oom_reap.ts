/**
 * The OOM reaper (mm/oom_kill.c, oom_reaper): a kernel thread that empties a victim's address space when the victim itself
 * does not get around to dying, so that one kill is always one kill's worth of memory.
 */
// Simplified: what a victim held is free at once, so no victim is ever waited for: selection is never put off because of
// one, none needs the reserves below the MIN mark (ALLOC_OOM), and the reaper, in the next tick, only tells what it found.
import { emit, FACT } from '../facts.ts';
import { printk } from '../kernel/printk.ts';
import type { Machine, OomState, Task } from '../types.ts';

export function createOom(): OomState {
  return { reaped: [], reports: { begin: -1, printed: 0, missed: 0 }, origin: 0, adjWarned: false };
}

/** Remembers a victim for the reaper, which takes private memory and leaves shared memory to its other users (queue_oom_reaper). */
export function queueOomReaper(machine: Machine, victim: Task): void {
  machine.oom.reaped.push({ pid: victim.pid, comm: victim.comm, rssShmem: victim.mm.rssShmem });
}

/** Once a tick: one line for each victim (oom_reap_task_mm). */
export function oomReaper(machine: Machine): void {
  const { reaped } = machine.oom;
  if (reaped.length === 0) return;
  for (const { pid, comm, rssShmem } of reaped) {
    const left = `now anon-rss:0kB, file-rss:0kB, shmem-rss:${rssShmem * 4}kB`;
    printk(machine, `oom_reaper: reaped process ${pid} (${comm}), ${left}`);
    emit(machine.facts, FACT.oomReaped, pid, 0, 0);
  }
  reaped.length = 0;
}
