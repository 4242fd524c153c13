/** execve: another program for the caller. */
import { text } from '../args.ts';
import { execve, EXEC_KILLED } from '../kernel/exec.ts';
import { doExit } from '../kernel/exit.ts';
import type { Answer, Machine, Task } from '../types.ts';
import { granted, oomKilled, refusedBy } from './answer.ts';
import { isRoot } from './mm.ts';

const PATH_MAX = 255;
const SIGKILL = 9;

export const execveArgs = { path: text(PATH_MAX) };

export function sysExecve(machine: Machine, task: Task, path: string): Answer {
  const started = execve(machine, task, path, isRoot(machine, task));
  if (started === EXEC_KILLED) return oomKilled(machine);
  if ('errno' in started) return refusedBy(started);
  if ('broken' in started) {
    doExit(machine, task, SIGKILL);
    return { ok: false, signal: 'SIGKILL', why: started.broken, cost: 0 };
  }
  machine.cost += machine.config.costs.spawn!;
  return granted({ ...started });
}
