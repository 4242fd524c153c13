/** /proc/stat: what the CPU did since boot (fs/proc/stat.c). */
// Simplified: all time that calls take is the kernel's, and the rest is idle.
import { cpuTicks, entriesOf } from '../../kernel/entry.ts';
import type { Machine } from '../../types.ts';

/** Threads that run, for all that live do. */
function running({ tasks, threads }: Machine): number {
  let count = 0;
  for (const { ended } of threads.values()) if (!ended) count += 1;
  for (const task of tasks.values()) if (task.threads?.leaderExited !== true) count += 1;
  return count;
}

export function stat(machine: Machine): string {
  const { interrupts, switches } = entriesOf(machine);
  const { system, idle } = cpuTicks(machine);
  const times = [0, 0, system, idle, 0, 0, 0, 0, 0, 0].join(' ');
  const lines = [
    `cpu  ${times}`,
    `cpu0 ${times}`,
    `intr ${interrupts}`,
    `ctxt ${switches}`,
    'btime 0',
    `processes ${machine.nextPid - 1}`,
    `procs_running ${running(machine)}`,
    'procs_blocked 0',
  ];
  return lines.map((line) => `${line}\n`).join('');
}
