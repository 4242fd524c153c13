/**
 * The OOM killer (mm/oom_kill.c, spec §13): when no zone has a page left for a request that may not fail, the process
 * with the highest badness dies, whoever asked. It says in the kernel's log what it saw and whom it took (oom_report.ts).
 * Two knobs change that: vm.panic_on_oom stops the machine, vm.oom_kill_allocating_task takes the one who asks.
 */
import { emit, FACT } from '../facts.ts';
import { GFP_KERNEL } from '../gfp.ts';
import { doExit } from '../kernel/exit.ts';
import { panic } from '../kernel/panic.ts';
import { printk } from '../kernel/printk.ts';
import type { Machine, Pid, Task } from '../types.ts';
import { freePages } from './mmzone.ts';
import { badness, childPoints, OOM_DISABLE, oomBadness } from './oom_badness.ts';
import { queueOomReaper } from './oom_reap.ts';
import { dumpHeader, reportKill, reportOldKill, type Shortage } from './oom_report.ts';
import { count, VMSTAT } from './vmstat.ts';

const SIGKILL = 9;

/** A process to be killed and why it. */
interface Chosen {
  task: Task;
  points: number;
}

/** Whoever takes all memory by swapoff is chosen before all others, even one that may not be killed otherwise; not so in 2.6.32 (oom_task_origin). */
function oomOrigin(machine: Machine): Chosen | null {
  const task = machine.tasks.get(machine.oom.origin);
  if (task === undefined) return null;
  if (machine.config.rules !== '2.6.32') return { task, points: oomBadness(machine, task) ?? 0 };
  // ULONG_MAX, which the report prints with its sign.
  return task.oomAdj === OOM_DISABLE ? null : { task, points: -1 };
}

/** The highest badness; of equals the one that comes later in the list of tasks, in 2.6.32 the first (select_bad_process). */
export function selectBadProcess(machine: Machine): Chosen | null {
  const origin = oomOrigin(machine);
  if (origin !== null) return origin;
  const children = machine.config.rules === '2.6.32' ? childPoints(machine) : null;
  let chosen: Task | null = null;
  let chosenPoints = 0;
  for (const task of machine.tasks.values()) {
    const points = children === null ? oomBadness(machine, task) : badness(machine, task, children);
    if (points === null || (chosen !== null && (children === null ? points < chosenPoints : points <= chosenPoints))) continue;
    chosen = task;
    chosenPoints = points;
  }
  return chosen === null ? null : { task: chosen, points: chosenPoints };
}

/** 2.6.32 takes a child first, the oldest that may be taken: the parent may be a server, and lose one visitor only. */
function sacrificed(machine: Machine, parent: Task): Task {
  for (const task of machine.tasks.values()) if (task.ppid === parent.pid && task.oomAdj !== OOM_DISABLE) return task;
  return parent;
}

/** Reports and kills; what the victim held is free at once (oom_kill_process). */
function oomKillProcess(machine: Machine, chosen: Chosen, shortage: Shortage, asker: Pid, message: string): void {
  const { task, points } = chosen;
  const isOld = machine.config.rules === '2.6.32';
  const victim = isOld ? sacrificed(machine, task) : task;
  const { mm } = victim;
  if (isOld) reportOldKill(machine, task, victim, points, shortage, message);
  else reportKill(machine, victim, shortage, message);
  const rss = mm.rssAnon + mm.rssFile + mm.rssShmem;
  machine.kills.push({
    pid: victim.pid,
    badness: points,
    rss,
    order: shortage.order,
    freePages: freePages(machine.zones),
    ...(victim.pid === machine.oom.origin ? { isOrigin: true } : {}),
  });
  machine.cost += machine.config.costs.oom_kill!;
  count(machine, VMSTAT.oom_kill, 1);
  emit(machine.facts, FACT.oomKilled, victim.pid, asker, points);
  if (!isOld) queueOomReaper(machine, victim);
  doExit(machine, victim, SIGKILL);
}

/** vm.panic_on_oom (check_panic_on_oom). */
function panicOnOom(machine: Machine, shortage: Shortage): void {
  const isCompulsory = machine.config.oom.panic === 2;
  if (machine.config.rules === '2.6.32') {
    panic(machine, isCompulsory ? 'out of memory. Compulsory panic_on_oom is selected.' : 'out of memory. panic_on_oom is selected');
    return;
  }
  dumpHeader(machine, shortage);
  panic(machine, `Out of memory: ${isCompulsory ? 'compulsory' : 'system-wide'} panic_on_oom is enabled`);
}

/** Kills somebody for the request; false when nobody may be killed, or when the machine panicked instead (out_of_memory). */
// Simplified: with nobody left to kill Linux panics; here the request fails, so that the others can go on.
export function outOfMemory(machine: Machine, asker: Pid, order: number, gfp: number): boolean {
  if (machine.panic !== null) return false;
  // The victim is dying already: nobody else dies for it, its requests just fail.
  if (machine.oom.origin !== 0 && !machine.tasks.has(machine.oom.origin)) return false;
  // swapoff asks for pages that will be others'.
  const current = machine.tasks.get(machine.oom.origin) ?? machine.tasks.get(asker) ?? null;
  const shortage = { comm: current?.comm ?? 'kernel', oomScoreAdj: current?.oomScoreAdj ?? 0, oomAdj: current?.oomAdj ?? 0, order, gfp };
  const { panic: mayPanic, killAllocatingTask } = machine.config.oom;
  if (mayPanic !== 0) {
    panicOnOom(machine, shortage);
    return false;
  }
  const own = killAllocatingTask !== 0 && current !== null ? oomBadness(machine, current) : null;
  if (own !== null) {
    oomKillProcess(
      machine,
      { task: current!, points: machine.config.rules === '2.6.32' ? 0 : own },
      shortage,
      asker,
      'Out of memory (oom_kill_allocating_task)',
    );
    return true;
  }
  const chosen = selectBadProcess(machine);
  if (chosen === null) return false;
  oomKillProcess(machine, chosen, shortage, asker, 'Out of memory');
  return true;
}

/** SysRq-f: a kill by hand, with memory free or not; it never panics the machine (moom_callback). */
export function manualOom(machine: Machine, asker: Pid): void {
  printk(machine, 'sysrq: Manual OOM execution');
  const chosen = selectBadProcess(machine);
  if (chosen === null) {
    printk(machine, 'sysrq: OOM request ignored. No task eligible');
    return;
  }
  const shortage = { comm: 'kworker/0:1', oomScoreAdj: 0, oomAdj: 0, order: -1, gfp: GFP_KERNEL };
  oomKillProcess(machine, chosen, shortage, asker, 'Out of memory');
}
