/**
 * POSIX threads as glibc makes them of the kernel's (nptl/allocatestack.c, nptl/pthread_mutex_lock.c; 2.36): a stack is a mapping
 * with a guard page below it, and a mutex is a few words of the program's own memory, so that processes that share the
 * memory share the mutex.
 */
// Simplified: stacks of joined threads are unmapped at once, not kept for the next; all threads use one arena and one tcache.
import { addThread, currentTid, type Thread } from '../kernel/thread.ts';
import { RLIM_INFINITY } from '../mm/commit.ts';
import { doMmap, doMunmap, MAP, type Failure } from '../mm/mmap.ts';
import { doMprotect } from '../mm/mprotect.ts';
import { pageAlign, VM } from '../mm/vma.ts';
import { PAGE_SIZE, type Addr, type Machine, type Pid, type Refused, type Task } from '../types.ts';
import { EVENT, noteLock, noteThread } from './races.ts';
import { touch } from './user.ts';
import { INT, loadWord, pointerBytes, storeWord, wordAt } from './word.ts';

export const GUARD_SIZE = PAGE_SIZE;
/** Without a limit (ARCH_STACK_DEFAULT_SIZE), and the least (PTHREAD_STACK_MIN). */
const STACK_DEFAULT = 2 << 20;
export const STACK_MIN = 16384;
/** Bytes of struct pthread at the top of the stack: 2304 with 64 bits, 1152 with 32. */
const DESCRIPTOR = { 4: 1152, 8: 2304 } as const;

/** The size of a stack, guard page not counted: as wished (pthread_attr_setstacksize), else RLIMIT_STACK. */
function stackBytes(task: Task, wish: number | undefined): number {
  if (wish !== undefined) return pageAlign(wish);
  const { cur } = task.rlimits.RLIMIT_STACK!;
  return cur === RLIM_INFINITY ? STACK_DEFAULT : Math.max(STACK_MIN, pageAlign(cur));
}

/** A stack with its guard page, all of it inaccessible first (allocate_stack). Without memory for it pthread_create says EAGAIN. */
function allocateStack(machine: Machine, task: Task, size: number, isRoot: boolean): Addr | Failure {
  const stack = doMmap(machine, task, { addr: 0, length: size, prot: 0, flags: MAP.private | MAP.anonymous }, isRoot);
  if (typeof stack !== 'number') return { errno: 'EAGAIN', why: stack.why };
  const failed = doMprotect(machine, task, stack + GUARD_SIZE, size - GUARD_SIZE, VM.read | VM.write, isRoot);
  if (failed === null) return stack;
  doMunmap(machine, task, stack, size);
  return { errno: 'EAGAIN', why: failed.why };
}

/** A new thread of the process; why there is none; or the process's end, where the first touch of the stack was that. */
export function pthreadCreate(machine: Machine, task: Task, wish: number | undefined, isRoot: boolean): Thread | Failure | Refused {
  const size = stackBytes(task, wish) + GUARD_SIZE;
  const stack = allocateStack(machine, task, size, isRoot);
  if (typeof stack !== 'number') return stack;
  const bytes = DESCRIPTOR[pointerBytes(machine)];
  const died = touch(machine, task, stack + size - bytes, bytes);
  if (died !== null) return died;
  const thread = addThread(machine, task, stack, size);
  noteThread(machine, thread.tid, EVENT.start);
  return thread;
}

/** Offset of __owner in pthread_mutex_t, behind __lock and __count. */
const OWNER = 8;
export const MUTEX_SIZE = OWNER + INT;

/** Who holds a mutex, as far as memory says so without a fault or a trace; 0 for nobody. */
export function mutexOwner(machine: Machine, task: Task, addr: Addr): Pid {
  if (task.segments !== null) return 0;
  return wordAt(machine, task, addr, INT) === 0 ? 0 : wordAt(machine, task, addr + OWNER, INT);
}

/** Takes a mutex that is free; whose it is otherwise. */
export function mutexLock(machine: Machine, task: Task, addr: Addr): Pid | Refused | null {
  const faults = { minor: 0, major: 0, cow: 0 };
  const lock = loadWord(machine, task, addr, INT, faults, 'write');
  if (typeof lock !== 'number') return lock;
  if (lock !== 0) return loadWord(machine, task, addr + OWNER, INT, faults);
  const failed = storeWord(machine, task, addr + OWNER, INT, currentTid(machine), faults) ?? storeWord(machine, task, addr, INT, 1, faults);
  if (failed === null) noteLock(machine, task, addr, EVENT.acquire);
  return failed;
}

/** Gives a mutex back; who holds it, where that is not the caller. */
export function mutexUnlock(machine: Machine, task: Task, addr: Addr): Pid | Refused | null {
  const faults = { minor: 0, major: 0, cow: 0 };
  const lock = loadWord(machine, task, addr, INT, faults, 'write');
  const owner = typeof lock === 'number' && lock !== 0 ? loadWord(machine, task, addr + OWNER, INT, faults) : lock;
  if (typeof owner !== 'number' || owner !== currentTid(machine)) return owner;
  noteLock(machine, task, addr, EVENT.release);
  return storeWord(machine, task, addr + OWNER, INT, 0, faults) ?? storeWord(machine, task, addr, INT, 0, faults);
}
