/** pthread_create, pthread_exit, pthread_join, pthread_mutex_lock, pthread_mutex_unlock. */
import { address, bytes, int, optional } from '../args.ts';
import { doExit } from '../kernel/exit.ts';
import { PROCESSES_MAX } from '../kernel/fork.ts';
import { currentTid, endCurrent, forgetThread } from '../kernel/thread.ts';
import { GUARD_SIZE, MUTEX_SIZE, mutexLock, mutexOwner, mutexUnlock, pthreadCreate, STACK_MIN } from '../libc/pthread.ts';
import { EVENT, noteThread } from '../libc/races.ts';
import { checkAccess } from '../libc/shadow.ts';
import { RLIM_INFINITY } from '../mm/commit.ts';
import { doMunmap } from '../mm/mmap.ts';
import type { Addr, Answer, Machine, Refused, Task } from '../types.ts';
import { badArgument, granted, refused, refusedBy } from './answer.ts';
import { isRoot } from './mm.ts';

/** RLIMIT_NPROC counts threads: the process's own beside its first, and its children. */
function tooManyThreads(machine: Machine, task: Task): Refused | null {
  const { cur } = task.rlimits.RLIMIT_NPROC!;
  const mine = task.children + (task.threads?.live ?? 0);
  const isFull = machine.tasks.size + machine.threads.size >= PROCESSES_MAX;
  if (!isFull && (cur === RLIM_INFINITY || isRoot(machine, task) || mine < cur)) return null;
  return refused('EAGAIN', { code: 'TOO_MANY_PROCESSES', limit: Math.min(PROCESSES_MAX, cur) });
}

export const createArgs = { stacksize: optional(bytes) };

/** The number of the new thread; `stack` is the lowest address of its stack, and the guard page lies below it (pthread_attr_getstack). */
export function sysPthreadCreate(machine: Machine, task: Task, stacksize?: number): Answer {
  if (stacksize !== undefined && stacksize < STACK_MIN) return badArgument('stacksize', `at least ${STACK_MIN}`);
  const full = tooManyThreads(machine, task);
  if (full !== null) return full;
  const thread = pthreadCreate(machine, task, stacksize, isRoot(machine, task));
  if ('ok' in thread) return thread;
  if ('errno' in thread) return refusedBy(thread);
  machine.cost += machine.config.costs.thread!;
  return granted({ tid: thread.tid, stack: thread.stack + GUARD_SIZE, size: thread.stackSize - GUARD_SIZE });
}

/** Ends the calling thread only; the last one ends the process. Its stack stays until somebody joins it. */
export function sysPthreadExit(machine: Machine, task: Task): Answer {
  if (!endCurrent(machine, task)) doExit(machine, task, 0);
  machine.cost += machine.config.costs.exit!;
  return granted();
}

export const joinArgs = { target: int(0, 0x7fffffff) };

/** Waits for a thread of one's process, and gives its stack back. The first thread has no such stack. */
export function sysPthreadJoin(machine: Machine, task: Task, tid: number): Answer {
  const group = task.threads;
  const isLeader = tid === task.pid && group !== null;
  const thread = machine.threads.get(tid);
  if (!isLeader && (thread === undefined || thread.tgid !== task.pid)) return refused('ESRCH', { code: 'NO_SUCH_PROCESS', pid: tid });
  if (isLeader ? !group.leaderExited : !thread!.ended) return refused('EAGAIN', { code: 'THREAD_RUNS', tid });
  noteThread(machine, tid, EVENT.join);
  if (isLeader) return granted();
  doMunmap(machine, task, thread!.stack, thread!.stackSize);
  forgetThread(machine, task, thread!);
  machine.cost += machine.config.costs.area!;
  return granted();
}

/** pthread_mutex_lock, pthread_mutex_unlock. */
export const mutexArgs = { addr: address };

/** The sanitizer's word on a mutex that lies in the heap: PTHREAD_MUTEX_INITIALIZER must have been written there. */
function checkMutex(machine: Machine, task: Task, addr: Addr): Refused | null {
  if (task.heap === null) return null;
  return checkAccess(machine, task, addr, MUTEX_SIZE, false) ?? checkAccess(machine, task, addr, MUTEX_SIZE, true);
}

/** A mutex that somebody holds is waited for: EAGAIN, try again. Whoever holds it itself waits for ever (PTHREAD_MUTEX_NORMAL). */
export function sysMutexLock(machine: Machine, task: Task, addr: Addr): Answer {
  const holder = mutexOwner(machine, task, addr);
  if (holder !== 0) return refused('EAGAIN', { code: 'MUTEX_HELD', addr, owner: holder });
  const done = checkMutex(machine, task, addr) ?? mutexLock(machine, task, addr);
  if (typeof done === 'number') return refused('EAGAIN', { code: 'MUTEX_HELD', addr, owner: done });
  return done ?? granted();
}

/** Only its holder may give it back (PTHREAD_MUTEX_ERRORCHECK). */
// Simplified: a mutex of the default type does not look, and lets anybody unlock it, which C leaves undefined.
export function sysMutexUnlock(machine: Machine, task: Task, addr: Addr): Answer {
  const done = checkMutex(machine, task, addr) ?? mutexUnlock(machine, task, addr);
  if (typeof done === 'number') return refused('EPERM', { code: 'NOT_MUTEX_OWNER', addr, owner: done, tid: currentTid(machine) });
  return done ?? granted();
}
