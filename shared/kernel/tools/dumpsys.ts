/** dumpsys meminfo (Android), the part that shows the life cycle: PSS by what the activity manager thinks of each process. */
import { LIFE_CYCLE, lifeCycleOf } from '../mm/lmk_levels.ts';
import type { Machine } from '../types.ts';
import { rank } from './procrank.ts';

export const DUMPSYS_USAGE = 'dumpsys meminfo';

/** Thirteen columns, thousands apart. */
const kb = (value: number): string => `${String(value).replace(/\B(?=(?:\d{3})+$)/g, ',')}`.padStart(13);

/** Levels from the most important down, in each the largest process first; levels without processes are left out. */
export function runDumpsys(machine: Machine, args: readonly string[]): string | null {
  if (args.length !== 1 || args[0] !== 'meminfo') return null;
  const levels: { pid: number; name: string; pss: number }[][] = LIFE_CYCLE.map(() => []);
  for (const task of machine.tasks.values()) {
    levels[lifeCycleOf(task.oomScoreAdj)]!.push({ pid: task.pid, name: task.comm, pss: Math.floor(rank(machine, task).pss / 1024) });
  }
  let text = 'Total PSS by OOM adjustment:\n';
  levels.forEach((processes, level) => {
    if (processes.length === 0) return;
    processes.sort((a, b) => b.pss - a.pss || a.pid - b.pid);
    text += `${kb(processes.reduce((sum, { pss }) => sum + pss, 0))}K: ${LIFE_CYCLE[level]!.name}\n`;
    for (const { pid, name, pss } of processes) text += `         ${kb(pss)}K: ${name} (pid ${pid})\n`;
  });
  return text;
}
