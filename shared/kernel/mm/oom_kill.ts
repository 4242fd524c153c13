/**
 * The OOM killer (mm/oom_kill.c, spec §13): when no zone has a page left for a request that may not fail, the process
 * with the highest badness dies, whoever asked. It says in the kernel's log what it saw and whom it took.
 */
import { emit, FACT } from '../facts.ts';
import { gfpText } from '../gfp.ts';
import { doExit } from '../kernel/exit.ts';
import { printk } from '../kernel/printk.ts';
import type { Machine, Pid, Task } from '../types.ts';
import { freePages, managedPages } from './mmzone.ts';
import { swapTotal } from './swap_state.ts';
import { showMem } from './show_mem.ts';
import { count, VMSTAT } from './vmstat.ts';

export const OOM_SCORE_ADJ_MIN = -1000;
export const OOM_SCORE_ADJ_MAX = 1000;
const SIGKILL = 9;

/** RAM and swap that the kernel manages, in pages. */
export function totalPages(machine: Machine): number {
  return managedPages(machine.zones) + swapTotal(machine);
}

/** Pages that a kill would give back, shifted by oom_score_adj; null for a process that may not be killed (oom_badness). */
export function oomBadness(machine: Machine, task: Task): number | null {
  if (task.oomScoreAdj === OOM_SCORE_ADJ_MIN) return null;
  const { mm } = task;
  let points = mm.rssAnon + mm.rssFile + mm.rssShmem + mm.swapEnts + mm.tables;
  if (machine.config.chargeKernel) points += task.kernelPages + Math.ceil(task.kernelBytes / 4096);
  return points + task.oomScoreAdj * Math.floor(totalPages(machine) / 1000);
}

/** /proc/PID/oom_score: 0 for the unkillable, else about 666 for an idle process, 1333 and more for the worst (proc_oom_score). */
export function oomScore(machine: Machine, task: Task): number {
  const badness = oomBadness(machine, task);
  if (badness === null) return 0;
  const total = totalPages(machine);
  return Math.trunc(((1000 + Math.trunc((badness * 1000) / total)) * 2) / 3);
}

/** The highest badness; of equals the one that comes later in the list of tasks (select_bad_process). */
export function selectBadProcess(machine: Machine): { task: Task; points: number } | null {
  let chosen: Task | null = null;
  let chosenPoints = 0;
  for (const task of machine.tasks.values()) {
    const points = oomBadness(machine, task);
    if (points === null || (chosen !== null && points < chosenPoints)) continue;
    chosen = task;
    chosenPoints = points;
  }
  return chosen === null ? null : { task: chosen, points: chosenPoints };
}

const kb = (pages: number): string => `${pages * 4}kB`;

function showTask(machine: Machine, task: Task): void {
  const { mm } = task;
  const rss = mm.rssAnon + mm.rssFile + mm.rssShmem;
  const cells = [
    String(task.pid).padStart(7),
    '    0',
    String(task.pid).padStart(5),
    String(mm.totalVm).padStart(8),
    String(rss).padStart(8),
    String(mm.rssAnon).padStart(8),
    String(mm.rssFile).padStart(8),
    String(mm.rssShmem).padStart(9),
    String(mm.tables * 4096).padStart(8),
    String(mm.swapEnts).padStart(8),
    String(task.oomScoreAdj).padStart(13),
  ];
  printk(machine, `[${cells[0]}] ${cells.slice(1).join(' ')} ${task.comm}`);
}

/** What the kernel prints before a kill: who asked, the zones, the free lists, the processes (dump_header, show_mem, dump_tasks). */
function dumpHeader(machine: Machine, asker: Task | null, order: number, gfp: number): void {
  printk(
    machine,
    `${asker?.comm ?? 'kernel'} invoked oom-killer: gfp_mask=${gfpText(gfp)}, order=${order}, oom_score_adj=${asker?.oomScoreAdj ?? 0}`,
  );
  for (const line of showMem(machine)) printk(machine, line);
  printk(machine, 'Tasks state (memory values in pages):');
  printk(machine, '[  pid  ]   uid  tgid total_vm      rss rss_anon rss_file rss_shmem pgtables_bytes swapents oom_score_adj name');
  for (const task of machine.tasks.values()) showTask(machine, task);
}

function report(machine: Machine, victim: Task): void {
  const { mm } = victim;
  printk(
    machine,
    `oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,task_memcg=/,task=${victim.comm},pid=${victim.pid},uid=0`,
  );
  printk(
    machine,
    `Out of memory: Killed process ${victim.pid} (${victim.comm}) total-vm:${kb(mm.totalVm)}, anon-rss:${kb(mm.rssAnon)}, ` +
      `file-rss:${kb(mm.rssFile)}, shmem-rss:${kb(mm.rssShmem)}, UID:0 pgtables:${kb(mm.tables)} oom_score_adj:${victim.oomScoreAdj}`,
  );
}

/** Kills the process with the highest badness and frees what it held; false when nobody may be killed (out_of_memory). */
export function outOfMemory(machine: Machine, asker: Pid, order: number, gfp: number): boolean {
  const chosen = selectBadProcess(machine);
  if (chosen === null) return false;
  const { task: victim, points } = chosen;
  dumpHeader(machine, machine.tasks.get(asker) ?? null, order, gfp);
  report(machine, victim);
  const { mm } = victim;
  const rss = mm.rssAnon + mm.rssFile + mm.rssShmem;
  machine.kills.push({ pid: victim.pid, badness: points, rss, order, freePages: freePages(machine.zones) });
  machine.cost += machine.config.costs.oom_kill!;
  count(machine, VMSTAT.oom_kill, 1);
  emit(machine.facts, FACT.oomKilled, victim.pid, asker, points);
  doExit(machine, victim, SIGKILL);
  return true;
}
