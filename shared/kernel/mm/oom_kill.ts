/**
 * The OOM killer (mm/oom_kill.c, spec §13): when no zone has a page left for a request that may not fail, the process
 * with the highest badness dies, whoever asked. It says in the kernel's log what it saw and whom it took.
 */
import { emit, FACT } from '../facts.ts';
import { gfpText } from '../gfp.ts';
import { doExit } from '../kernel/exit.ts';
import type { Machine, Pid, Task, Zone } from '../types.ts';
import { freePages, managedPages } from './mmzone.ts';
import { count, VMSTAT } from './vmstat.ts';

export const OOM_SCORE_ADJ_MIN = -1000;
export const OOM_SCORE_ADJ_MAX = 1000;
const SIGKILL = 9;
const KMSG_LINES = 2000;

/** RAM and swap that the kernel manages, in pages. */
export function totalPages(machine: Machine): number {
  return managedPages(machine.zones);
}

/** Pages that a kill would give back, shifted by oom_score_adj; null for a process that may not be killed (oom_badness). */
export function oomBadness(machine: Machine, task: Task): number | null {
  if (task.oomScoreAdj === OOM_SCORE_ADJ_MIN) return null;
  const { mm } = task;
  let points = mm.rssAnon + mm.rssFile + mm.rssShmem + mm.tables;
  if (machine.config.chargeKernel) points += task.kernelPages;
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

/** A line of the kernel's log; the oldest go when there are too many. */
export function printk(machine: Machine, line: string): void {
  machine.kmsg.push(`[${timestamp(machine.now)}] ${line}`);
  machine.kmsgLines += 1;
  if (machine.kmsg.length > KMSG_LINES) machine.kmsg.splice(0, machine.kmsg.length - KMSG_LINES);
}

/** Seconds since boot as the kernel prints them; a tick is 100 ms. */
function timestamp(ticks: number): string {
  return `${String(Math.floor(ticks / 10)).padStart(5)}.${ticks % 10}00000`;
}

const kb = (pages: number): string => `${pages * 4}kB`;

function showZone(machine: Machine, zone: Zone): void {
  const { min, low, high } = zone.watermark;
  printk(
    machine,
    `Node 0 ${zone.name} free:${kb(zone.free)} boost:0kB min:${kb(min)} low:${kb(low)} high:${kb(high)} present:${kb(zone.managed)} managed:${kb(zone.managed)}`,
  );
  printk(machine, `lowmem_reserve[]: ${zone.lowmemReserve.join(' ')}`);
}

function showFreeLists(machine: Machine, zone: Zone): void {
  const parts = Array.from(zone.nrFree, (blocks, order) => `${blocks}*${4 << order}kB`);
  printk(machine, `Node 0 ${zone.name}: ${parts.join(' ')} = ${kb(zone.free)}`);
}

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
    '       0',
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
  printk(machine, 'Mem-Info:');
  const { vmstat } = machine;
  printk(machine, `active_anon:0 inactive_anon:${vmstat[VMSTAT.nr_anon_pages]! + vmstat[VMSTAT.nr_shmem]!} isolated_anon:0`);
  printk(machine, ` mapped:${vmstat[VMSTAT.nr_mapped]} shmem:${vmstat[VMSTAT.nr_shmem]} pagetables:${vmstat[VMSTAT.nr_page_table_pages]}`);
  printk(machine, ` free:${freePages(machine.zones)} free_pcp:0 free_cma:0`);
  for (const zone of machine.zones) showZone(machine, zone);
  for (const zone of machine.zones) showFreeLists(machine, zone);
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
