/**
 * Threads (kernel/fork.c with CLONE_VM | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD, kernel/exit.c): a thread has a number and
 * registers of its own, and shares all else with its process: address space, heap, files, limits, badness. Its number comes
 * from the same counter as pids, and calls by that number are calls of the process. What ends a process (exit, a fatal
 * signal, the OOM killer) ends all threads of it; execve leaves only the one that calls.
 */
// Simplified: kernel stacks and task_structs cost no frame, as those of processes here; CPU time and faults are the process's sum.
import type { Machine, Pid, Task } from '../types.ts';

export interface Thread {
  tid: Pid;
  /** The process that it belongs to: the pid of its first thread. */
  tgid: Pid;
  /** Its accumulator, an unsigned word of 32 bits. */
  eax: number;
  /** The mapping that it was given by pthread_create, guard page included: where it starts and how many bytes. */
  stack: number;
  stackSize: number;
  /** It called pthread_exit; its stack waits for pthread_join. */
  ended: boolean;
}

/** The threads of a process beside its first. */
export interface ThreadGroup {
  /** In order of birth; those that ended and were not joined among them. */
  tids: Pid[];
  /** How many of them run. */
  live: number;
  /** The first thread is a zombie, which waits for the others. */
  leaderExited: boolean;
}

/** The process that a number stands for, whether it is the process's own or one of its threads'. */
export function taskOf(machine: Machine, pid: Pid): Task | undefined {
  const task = machine.tasks.get(pid);
  if (task !== undefined) return task;
  const thread = machine.threads.get(pid);
  return thread === undefined || thread.ended ? undefined : machine.tasks.get(thread.tgid);
}

/** Threads as the kernel counts them: a zombie leader is one until the last has gone (get_nr_threads). */
export function threadCount(task: Task): number {
  return 1 + (task.threads?.live ?? 0);
}

/** Is that the number of a process's first thread, which has ended before the others? */
export function isZombie(task: Task, tid: Pid): boolean {
  return tid === task.pid && task.threads !== null && task.threads.leaderExited;
}

/** Its threads beside the first that have not ended, oldest first. */
export function runningTids(machine: Machine, task: Task): Pid[] {
  return (task.threads?.tids ?? []).filter((tid) => !machine.threads.get(tid)!.ended);
}

/** Who makes the call in hand: a thread's number, or the process's. */
export function currentTid({ entry }: Machine): Pid {
  return entry.current;
}

/** Its registers, which a context switch saves and loads. */
export function currentRegisters(machine: Machine, task: Task): { eax: number } {
  return machine.threads.get(currentTid(machine)) ?? task;
}

export function addThread(machine: Machine, task: Task, stack: number, stackSize: number): Thread {
  const tid = machine.nextPid;
  machine.nextPid += 1;
  const thread = { tid, tgid: task.pid, eax: 0, stack, stackSize, ended: false };
  machine.threads.set(tid, thread);
  task.threads ??= { tids: [], live: 0, leaderExited: false };
  task.threads.tids.push(tid);
  task.threads.live += 1;
  return thread;
}

/** The calling thread ends and the process goes on; false when it was the last, which is for the caller to end. */
export function endCurrent(machine: Machine, task: Task): boolean {
  const group = task.threads;
  if (group === null) return false;
  const thread = machine.threads.get(currentTid(machine));
  if (thread === undefined) {
    group.leaderExited = true;
    return group.live > 0;
  }
  thread.ended = true;
  thread.eax = 0;
  group.live -= 1;
  return group.live > 0 || !group.leaderExited;
}

/** Nobody remembers an ended thread any more. */
export function forgetThread(machine: Machine, task: Task, thread: Thread): void {
  const group = task.threads!;
  group.tids = group.tids.filter((tid) => tid !== thread.tid);
  machine.threads.delete(thread.tid);
  if (group.tids.length === 0 && !group.leaderExited) task.threads = null;
}

/** All threads but the one that goes on as the process itself (de_thread, and do_group_exit for the last). */
export function releaseThreads(machine: Machine, task: Task): void {
  if (task.threads === null) return;
  for (const tid of task.threads.tids) machine.threads.delete(tid);
  task.threads = null;
}
