/** spawn, fork, exit, kill and the OOM killer's adjustment. */
import { int, optional, signal, signalName } from '../args.ts';
import { OOM_ADJUST_MAX, toOomAdj, toScoreAdj, warnOomAdj } from '../fs/proc/oom_adj.ts';
import { doExit } from '../kernel/exit.ts';
import { fork, FORK_KILLED, spawn } from '../kernel/fork.ts';
import { taskOf } from '../kernel/thread.ts';
import { OOM_DISABLE, OOM_SCORE_ADJ_MAX, OOM_SCORE_ADJ_MIN } from '../mm/oom_badness.ts';
import type { Answer, Machine, Signal, Task } from '../types.ts';
import { granted, oomKilled, refused, refusedBy } from './answer.ts';

const PID_MAX = 0x7fffffff;

export function sysSpawn(machine: Machine): Answer {
  const task = spawn(machine, machine.nextPid);
  if ('errno' in task) return refusedBy(task);
  machine.nextPid += 1;
  machine.cost += machine.config.costs.spawn!;
  return granted({ pid: task.pid });
}

export function sysFork(machine: Machine, task: Task): Answer {
  const copies = { areas: 0, ptes: 0 };
  const child = fork(machine, task, machine.config.root.includes(task.pid), copies);
  if (child === FORK_KILLED) return oomKilled(machine);
  if ('errno' in child) return refusedBy(child);
  machine.cost += machine.config.costs.fork!;
  return granted({ pid: child.pid, ...copies, tables: child.mm.tables });
}

export const exitArgs = { code: optional(int(0, 255)) };

export function sysExit(machine: Machine, task: Task): Answer {
  doExit(machine, task, 0);
  machine.cost += machine.config.costs.exit!;
  return granted();
}

export const killArgs = { target: int(0, PID_MAX), sig: signal };

/** Does `task` descend from `pid`? */
function isChildOf(machine: Machine, task: Task, pid: number): boolean {
  for (let at: Task | undefined = task; at && at.ppid !== 0; at = machine.tasks.get(at.ppid)) {
    if (at.ppid === pid) return true;
    if (at.ppid === at.pid) return false;
  }
  return false;
}

/** May the caller act on another process: root may on all, others on themselves and their descendants. */
function mayTouch(machine: Machine, caller: Task | null, target: Task): boolean {
  return caller === null || caller === target || machine.config.root.includes(caller.pid) || isChildOf(machine, target, caller.pid);
}

const isRoot = (machine: Machine, task: Task | null): boolean => task === null || machine.config.root.includes(task.pid);

export function sysKill(machine: Machine, task: Task | null, pid: number, sig: number): Answer {
  if (pid === 0) return refused('EPERM', { code: 'NOT_RELATED', pid });
  const target = taskOf(machine, pid);
  if (!target) return refused('ESRCH', { code: 'NO_SUCH_PROCESS', pid });
  if (!mayTouch(machine, task, target)) return refused('EPERM', { code: 'NOT_RELATED', pid });
  if (sig === 0) return granted();
  doExit(machine, target, sig);
  if (target !== task) return granted();
  return { ok: false, signal: signalName(sig) as Signal, why: { code: 'KILLED', by: task.pid, sig }, cost: 0 };
}

export const oomScoreAdjArgs = { target: int(0, PID_MAX), value: int(OOM_SCORE_ADJ_MIN, OOM_SCORE_ADJ_MAX) };

/** What refuses a change of another's adjustment; `bound`: under which value only root may go. */
function mayAdjust(machine: Machine, task: Task | null, target: Task, value: number, bound: number, call: string): Answer | null {
  if (!mayTouch(machine, task, target)) return refused('EACCES', { code: 'NOT_RELATED', pid: target.pid });
  return value < bound && !isRoot(machine, task) ? refused('EACCES', { code: 'NOT_ROOT', call }) : null;
}

/** Raising is free; lowering below what it was given needs root (fs/proc/base.c, __set_oom_adj). */
export function sysOomScoreAdj(machine: Machine, task: Task | null, pid: number, value: number): Answer {
  const target = taskOf(machine, pid);
  if (!target) return refused('ESRCH', { code: 'NO_SUCH_PROCESS', pid });
  const refusal = mayAdjust(machine, task, target, value, target.oomScoreAdjMin, 'oom_score_adj');
  if (refusal) return refusal;
  target.oomScoreAdj = value;
  target.oomAdj = toOomAdj(value);
  if (isRoot(machine, task)) target.oomScoreAdjMin = value;
  return granted();
}

export const oomAdjArgs = { target: int(0, PID_MAX), value: int(OOM_DISABLE, OOM_ADJUST_MAX) };

/** The old scale: whatever the process was given before, only root may lower what it has now, and the bound stays as it was. */
export function sysOomAdj(machine: Machine, task: Task | null, pid: number, value: number): Answer {
  const target = taskOf(machine, pid);
  if (!target) return refused('ESRCH', { code: 'NO_SUCH_PROCESS', pid });
  const scoreAdj = toScoreAdj(value);
  const isOld = machine.config.rules === '2.6.32';
  const refusal = isOld
    ? mayAdjust(machine, task, target, value, target.oomAdj, 'oom_adj')
    : mayAdjust(machine, task, target, scoreAdj, target.oomScoreAdj, 'oom_adj');
  if (refusal) return refusal;
  if (!isOld) warnOomAdj(machine, task, target);
  target.oomScoreAdj = scoreAdj;
  target.oomAdj = isOld ? value : toOomAdj(scoreAdj);
  return granted();
}
