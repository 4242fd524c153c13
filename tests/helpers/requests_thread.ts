/** Good requests for threads, mutexes and words of memory. */
import { type Machine } from '#kernel/machine.ts';
import { granted } from './boot.ts';
import type { GoodCall } from './requests.ts';

export interface ThreadStage {
  /** A thread of the stage's process that has ended and was not joined. */
  ended: number;
  /** A mutex that the stage's process holds. */
  mutex: number;
}

export function threadStage(machine: Machine, pid: number, addr: number): ThreadStage {
  const ended = granted(machine, pid, { call: 'pthread_create', stacksize: 16384 }).tid as number;
  granted(machine, ended, { call: 'pthread_exit' });
  const mutex = addr + 64;
  granted(machine, pid, { call: 'pthread_mutex_lock', addr: mutex });
  return { ended, mutex };
}

export const THREAD_CALLS: readonly GoodCall[] = [
  { call: 'pthread_create', by: 'process', args: () => ({ stacksize: 16384 }), optional: ['stacksize'] },
  { call: 'pthread_exit', by: 'process', args: () => ({}) },
  { call: 'pthread_join', by: 'process', args: ({ thread }) => ({ target: thread.ended }) },
  { call: 'pthread_mutex_lock', by: 'process', args: ({ addr }) => ({ addr }) },
  { call: 'pthread_mutex_unlock', by: 'process', args: ({ thread }) => ({ addr: thread.mutex }) },
  { call: 'load', by: 'process', args: ({ addr }) => ({ addr }) },
  { call: 'add', by: 'process', args: () => ({ value: 1 }), good: { value: [-1] } },
  { call: 'store', by: 'process', args: ({ addr }) => ({ addr, value: 9 }), optional: ['value'], good: { value: [-1] } },
  { call: 'xadd', by: 'process', args: ({ addr }) => ({ addr, value: 1 }), good: { value: [-1] } },
  {
    call: 'cmpxchg',
    by: 'process',
    args: ({ addr }) => ({ addr, expected: 0, desired: 1 }),
    good: { expected: [-1], desired: [-1] },
  },
];
