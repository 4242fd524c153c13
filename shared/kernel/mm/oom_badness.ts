/**
 * How bad it is that a process has what it has (mm/oom_kill.c, oom_badness and, before 2.6.36, badness; spec §13). The first
 * counts what a kill would give back. The second, of 2.6.32, judged: large is bad, many children are worse, old and busy is
 * better, root is better still, and oom_adj shifts all that by so many bits.
 */
import type { Machine, Task } from '../types.ts';
import { isqrt, managedPages } from './mmzone.ts';
import { swapTotal } from './swap_state.ts';

export const OOM_SCORE_ADJ_MIN = -1000;
export const OOM_SCORE_ADJ_MAX = 1000;
/** oom_adj of a process that is never taken. */
export const OOM_DISABLE = -17;

/** RAM and swap that the kernel manages, in pages. */
export function totalPages(machine: Machine): number {
  return managedPages(machine.zones) + swapTotal(machine);
}

/** Pages that a kill would give back, shifted by oom_score_adj; null for a process that may not be killed (oom_badness). */
export function oomBadness(machine: Machine, task: Task): number | null {
  if (machine.config.rules === '2.6.32') return badness(machine, task, childPoints(machine));
  if (task.oomScoreAdj === OOM_SCORE_ADJ_MIN) return null;
  const { mm } = task;
  const points = mm.rssAnon + mm.rssFile + mm.rssShmem + mm.swapEnts + mm.tables + chargedPages(machine, task);
  return points + task.oomScoreAdj * Math.floor(totalPages(machine) / 1000);
}

/** Pages of kernel memory that count, where the machine charges them. */
function chargedPages(machine: Machine, task: Task): number {
  return machine.config.chargeKernel ? task.kernelPages + Math.ceil(task.kernelBytes / 4096) : 0;
}

/** Half of what its children have mapped, and one each, by the parent's pid: each has an address space of its own. */
export function childPoints(machine: Machine): ReadonlyMap<number, number> {
  const points = new Map<number, number>();
  for (const { ppid, mm } of machine.tasks.values()) {
    if (ppid !== 0) points.set(ppid, (points.get(ppid) ?? 0) + (mm.totalVm >> 1) + 1);
  }
  return points;
}

/** CPU time in units of 8.192 s (jiffies of 1 ms, >> SHIFT_HZ + 3), run time in units of 1,024 s. */
const CPU_UNIT_US = 8_192_000;
const TICKS_A_SECOND = 10;

/** The points of 2.6.32, an unsigned long of 32 bits: a shift may push bits out at the top. */
// Simplified: nobody is niced here, so nobody's points are doubled for that.
export function badness(machine: Machine, task: Task, children: ReadonlyMap<number, number>): number | null {
  if (task.oomAdj === OOM_DISABLE) return null;
  let points = task.mm.totalVm + chargedPages(machine, task) + (children.get(task.pid) ?? 0);
  const cpuTime = Math.floor(task.cpuUs / CPU_UNIT_US);
  const runTime = (Math.floor(machine.now / TICKS_A_SECOND) - Math.floor(task.startTime / TICKS_A_SECOND)) >> 10;
  if (cpuTime > 0) points = Math.floor(points / isqrt(cpuTime));
  if (runTime > 0) points = Math.floor(points / isqrt(isqrt(runTime)));
  // Root has CAP_SYS_ADMIN and CAP_SYS_RAWIO: a quarter for each.
  if (machine.config.root.includes(task.pid)) points = Math.floor(points / 16);
  if (task.oomAdj > 0) return (Math.max(points, 1) << task.oomAdj) >>> 0;
  return points >>> -task.oomAdj;
}

/** /proc/PID/oom_score: 0 for the unkillable, else about 666 for an idle process, 1333 and more for the worst; in 2.6.32 the points as they are (proc_oom_score). */
export function oomScore(machine: Machine, task: Task): number {
  const points = oomBadness(machine, task);
  if (points === null || machine.config.rules === '2.6.32') return points ?? 0;
  const total = totalPages(machine);
  return Math.trunc(((1000 + Math.trunc((points * 1000) / total)) * 2) / 3);
}
