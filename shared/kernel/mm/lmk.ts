/**
 * Android's low memory killer (drivers/staging/android/lowmemorykiller.c, gone since 4.12; spec §13). It kills long before
 * memory is out, and by importance, not by size: the activity manager writes to each process how little it would be missed
 * (its oom_adj), and the driver has a list of bounds. When free pages and file pages are both below a bound, the processes
 * from that bound's adjustment upwards are victims: the highest adjustment first, of equals the largest.
 *
 * It is a shrinker, so it is asked whenever the kernel reclaims: by kswapd and by those who reclaim for themselves, in any
 * case before the OOM killer. It is not loaded until it has bounds: the machine's key `lowmemorykiller`, or
 * `sysctl lowmemorykiller.minfree`; both lists are read at /sys/module/lowmemorykiller/parameters.
 */
import { emit, FACT } from '../facts.ts';
import { toScoreAdj } from '../fs/proc/oom_adj.ts';
import { doExit } from '../kernel/exit.ts';
import { printk } from '../kernel/printk.ts';
import type { LmkKnobs, Machine, Pid, Task } from '../types.ts';
import { freePages } from './mmzone.ts';
import { VMSTAT } from './vmstat.ts';

const SIGKILL = 9;
/** Pages of files, which reclaim could take instead of a process. */
export function filePages(machine: Machine): number {
  return machine.vmstat[VMSTAT.nr_file_pages]!;
}

/** The adjustment from which processes are victims now, and the bound that says so; null when memory is not that short. */
export function lowmemBound(machine: Machine, knobs: LmkKnobs): { minAdj: number; minfree: number } | null {
  const free = freePages(machine.zones);
  const file = filePages(machine);
  const places = Math.min(knobs.minfree.length, knobs.adj.length);
  for (let i = 0; i < places; i++) {
    const minfree = knobs.minfree[i]!;
    if (free < minfree && file < minfree) return { minAdj: knobs.adj[i]!, minfree };
  }
  return null;
}

/** Its adjustment on the scale that the kernel of that time compared. */
function adjustment(machine: Machine, task: Task): number {
  return machine.config.rules === '2.6.32' ? task.oomAdj : task.oomScoreAdj;
}

const rssOf = ({ mm }: Task): number => mm.rssAnon + mm.rssFile + mm.rssShmem;

/** Highest adjustment, then largest, then first; nobody without pages. */
function selectVictim(machine: Machine, minAdj: number): Task | null {
  let selected: Task | null = null;
  let selectedAdj = 0;
  for (const task of machine.tasks.values()) {
    const adj = adjustment(machine, task);
    const rss = rssOf(task);
    if (adj < minAdj || rss <= 0) continue;
    if (selected !== null && (adj < selectedAdj || (adj === selectedAdj && rss <= rssOf(selected)))) continue;
    selected = task;
    selectedAdj = adj;
  }
  return selected;
}

/** The driver's lines: of 2.6.32 one, later four. */
function report(machine: Machine, victim: Task, minAdj: number, minfree: number, asker: Task | null): void {
  const kb = (pages: number): string => `${pages * 4}kB`;
  const { comm, pid } = victim;
  if (machine.config.rules === '2.6.32') {
    printk(machine, `lowmem_shrink send sigkill to ${pid} (${comm}), adj ${victim.oomAdj}, size ${rssOf(victim)}`);
    return;
  }
  printk(machine, `lowmemorykiller: Killing '${comm}' (${pid}), adj ${victim.oomScoreAdj},`);
  printk(machine, `   to free ${kb(rssOf(victim))} on behalf of '${asker?.comm ?? 'kswapd0'}' (${asker?.pid ?? 0}) because`);
  printk(machine, `   cache ${kb(filePages(machine))} is below limit ${kb(minfree)} for oom_score_adj ${minAdj}`);
  printk(machine, `   Free memory is ${kb(freePages(machine.zones))} above reserved`);
}

/** Kills one process if memory is short enough for that; pages that it had, 0 when nobody was killed (lowmem_shrink). */
// Simplified: the victim is gone at once, so there is none to be waited for before the next (lowmem_deathpending).
export function lowmemShrink(machine: Machine, asker: Pid): number {
  const { lmk } = machine.config;
  if (lmk.minfree.length === 0) return 0;
  const bound = lowmemBound(machine, lmk);
  if (bound === null) return 0;
  const minAdj = machine.config.rules === '2.6.32' ? bound.minAdj : toScoreAdj(bound.minAdj);
  const victim = selectVictim(machine, minAdj);
  if (victim === null) return 0;
  const { minfree } = bound;
  const pages = rssOf(victim);
  report(machine, victim, minAdj, minfree, machine.tasks.get(asker) ?? null);
  const adj = adjustment(machine, victim);
  machine.kills.push({
    pid: victim.pid,
    badness: 0,
    rss: pages,
    order: 0,
    freePages: freePages(machine.zones),
    lmk: { adj, minAdj, minfree },
  });
  machine.cost += machine.config.costs.oom_kill!;
  emit(machine.facts, FACT.lmkKilled, victim.pid, asker, adj);
  doExit(machine, victim, SIGKILL);
  return pages;
}

/** kswapd at work: as long as a zone is below its LOW mark and somebody is little missed, one process a tick. */
export function lowmemTick(machine: Machine): void {
  if (machine.config.lmk.minfree.length === 0) return;
  for (const zone of machine.zones) {
    if (zone.free > zone.watermark.low + zone.boost) continue;
    lowmemShrink(machine, 0);
    return;
  }
}

/** /sys/module/lowmemorykiller/parameters/NAME. */
export function lmkParameter(name: 'minfree' | 'adj'): (machine: Machine) => string {
  return (machine) => `${machine.config.lmk[name].join(',')}\n`;
}
