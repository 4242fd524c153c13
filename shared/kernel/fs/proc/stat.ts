/** /proc/stat: what the CPU did since boot (fs/proc/stat.c). */
// Simplified: all time is idle time, for calls take none of it.
import { entriesOf } from '../../kernel/entry.ts';
import type { Machine } from '../../types.ts';

/** A tick is 100 ms, time is printed in hundredths of a second. */
const USER_HZ_A_TICK = 10;

/** Threads that run, for all that live do. */
function running({ tasks, threads }: Machine): number {
  let count = 0;
  for (const { ended } of threads.values()) if (!ended) count += 1;
  for (const task of tasks.values()) if (task.threads?.leaderExited !== true) count += 1;
  return count;
}

export function stat(machine: Machine): string {
  const { interrupts, switches } = entriesOf(machine);
  const times = [0, 0, 0, machine.now * USER_HZ_A_TICK, 0, 0, 0, 0, 0, 0].join(' ');
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
