/** What the OOM killer writes into the kernel's log, in the kernel's words (mm/oom_kill.c: dump_header, dump_tasks, __oom_kill_process). */
import { gfpOf2632, gfpText } from '../gfp.ts';
import { printk } from '../kernel/printk.ts';
import type { Machine, Task } from '../types.ts';
import { showMem } from './show_mem.ts';

/** Five seconds, in ticks, and how many reports fit into them (DEFAULT_RATELIMIT_INTERVAL, DEFAULT_RATELIMIT_BURST). */
const INTERVAL = 50;
const BURST = 10;

/** The request that nobody could serve. `comm`: who asked, `order` −1 when it was an administrator, by SysRq. */
export interface Shortage {
  comm: string;
  oomScoreAdj: number;
  oomAdj: number;
  order: number;
  gfp: number;
}

/** May another report be printed (___ratelimit)? The lines that name the victim are printed in any case. */
function mayReport(machine: Machine): boolean {
  const { reports } = machine.oom;
  if (reports.begin < 0) reports.begin = machine.now;
  if (machine.now > reports.begin + INTERVAL) {
    if (reports.missed > 0) printk(machine, `oom_kill_process: ${reports.missed} callbacks suppressed`);
    Object.assign(reports, { begin: machine.now, printed: 0, missed: 0 });
  }
  if (reports.printed < BURST) {
    reports.printed += 1;
    return true;
  }
  reports.missed += 1;
  return false;
}

const kb = (pages: number): string => `${pages * 4}kB`;

function showTask(machine: Machine, task: Task): void {
  const { mm } = task;
  const rss = mm.rssAnon + mm.rssFile + mm.rssShmem;
  const cells = [
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
  printk(machine, `[${String(task.pid).padStart(7)}] ${cells.join(' ')} ${task.comm}`);
}

/** Who asked, the zones, the free lists, the processes (dump_header). */
export function dumpHeader(machine: Machine, shortage: Shortage): void {
  const { comm, order, gfp, oomScoreAdj } = shortage;
  printk(machine, `${comm} invoked oom-killer: gfp_mask=${gfpText(gfp)}, order=${order}, oom_score_adj=${oomScoreAdj}`);
  for (const line of showMem(machine)) printk(machine, line);
  if (machine.config.oom.dumpTasks === 0) return;
  printk(machine, 'Tasks state (memory values in pages):');
  printk(machine, '[  pid  ]   uid  tgid total_vm      rss rss_anon rss_file rss_shmem pgtables_bytes swapents oom_score_adj name');
  for (const task of machine.tasks.values()) showTask(machine, task);
}

/** The whole report of a kill; after the tenth in five seconds only its last line. `message`: by which rule. */
export function reportKill(machine: Machine, victim: Task, shortage: Shortage, message: string): void {
  const { mm, comm, pid } = victim;
  if (mayReport(machine)) {
    dumpHeader(machine, shortage);
    const place = 'constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,task_memcg=/';
    printk(machine, `oom-kill:${place},task=${comm},pid=${pid},uid=0`);
  }
  const resident = `anon-rss:${kb(mm.rssAnon)}, file-rss:${kb(mm.rssFile)}, shmem-rss:${kb(mm.rssShmem)}`;
  const rest = `UID:0 pgtables:${kb(mm.tables)} oom_score_adj:${victim.oomScoreAdj}`;
  printk(machine, `${message}: Killed process ${pid} (${comm}) total-vm:${kb(mm.totalVm)}, ${resident}, ${rest}`);
}

/** A line of 2.6.32's table of processes; all run on CPU 0. */
function showOldTask(machine: Machine, { pid, mm, oomAdj, comm }: Task): void {
  const rss = mm.rssAnon + mm.rssFile + mm.rssShmem;
  const sizes = `${String(mm.totalVm).padStart(8)} ${String(rss).padStart(8)}`;
  printk(machine, `[${String(pid).padStart(5)}]     0 ${String(pid).padStart(5)} ${sizes}   0     ${String(oomAdj).padStart(3)} ${comm}`);
}

/** The report of 2.6.32: which process was the worst, by how many points, and who died for it. */
// Simplified: the memory report between its first and last lines is that of 6.x.
export function reportOldKill(machine: Machine, worst: Task, victim: Task, points: number, shortage: Shortage, message: string): void {
  const { comm, order, gfp, oomAdj } = shortage;
  if (mayReport(machine)) {
    printk(machine, `${comm} invoked oom-killer: gfp_mask=0x${gfpOf2632(gfp).toString(16)}, order=${order}, oom_adj=${oomAdj}`);
    for (const line of showMem(machine)) printk(machine, line);
    if (machine.config.oom.dumpTasks !== 0) {
      printk(machine, '[ pid ]   uid  tgid total_vm      rss cpu oom_adj name');
      for (const task of machine.tasks.values()) showOldTask(machine, task);
    }
  }
  printk(machine, `${message}: kill process ${worst.pid} (${worst.comm}) score ${points} or a child`);
  printk(machine, `Killed process ${victim.pid} (${victim.comm})`);
}
