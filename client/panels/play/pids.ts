/** Whose a process is: a seat's own, or a child that counts to it. */
import type { Pid } from '#kernel/types.ts';
import type { Seat } from '#game/types.ts';
import type { Seen } from './watchRound.ts';

/** A child's parent's parent …: no deeper than this. */
const DEPTH_MAX = 8;

export function seatOfPid(seen: Seen | null, pid: Pid): Seat | null {
  if (seen === null) return null;
  let at: Pid | undefined = pid;
  for (let depth = 0; depth < DEPTH_MAX && at !== undefined && at > 0; depth++) {
    const here: Pid = at;
    const row = seen.all.processes.find((process) => process.pid === here);
    if (row !== undefined) return row.seat;
    at = seen.round.machine.tasks.get(here)?.ppid;
  }
  return null;
}
