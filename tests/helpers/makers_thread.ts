/** Random threads, locks and words of memory, right and wrong. */
import type { Machine } from '#kernel/machine.ts';
import { one, someOf, type Maker, type Makers, type Pick } from './chance.ts';
import { PAGE } from './check_base.ts';
import { someAddress } from './places.ts';

const THREADS_MAX = 6;

/** A number by which the process can be called: its own, or that of one of its threads. */
export function someTid(machine: Machine, pid: number, pick: Pick): number {
  return one([pid, ...(machine.tasks.get(pid)?.threads?.tids ?? [])], pick);
}

/** The first memory of a process that may be written: where its threads meet, and its variables stand. −1 for none. */
export function homeOf(machine: Machine, pid: number): number {
  const vma = machine.tasks.get(pid)?.mm.vmas.find((each) => (each.flags & 2) !== 0);
  return vma === undefined ? -1 : vma.start;
}

/** Few places, so that threads meet there. */
function someWord(machine: Machine, pid: number, pick: Pick): number {
  const home = homeOf(machine, pid);
  if (home < 0 || pick(25) === 0) return someAddress(machine, pid, pick);
  return home + (pick(20) === 0 ? 4094 : 4 * pick(8));
}

function mutex(machine: Machine, pid: number, pick: Pick): number {
  const home = homeOf(machine, pid);
  return home < 0 || pick(25) === 0 ? someAddress(machine, pid, pick) : home + 64 * (1 + pick(2));
}

/** An ended thread if there is one: to be joined. */
function someEnded(machine: Machine, pid: number, pick: Pick): number {
  const ended = (machine.tasks.get(pid)?.threads?.tids ?? []).filter((tid) => machine.threads.get(tid)!.ended);
  return ended.length > 0 && pick(4) > 0 ? one(ended, pick) : pick(9) === 0 ? pick(50) : someTid(machine, pid, pick);
}

/** Memory for a process that has none, half of it shared with its children. */
export const someHome: Maker = (_machine, pid, pick) => ({
  pid,
  call: 'mmap',
  length: 4 * PAGE,
  prot: 'PROT_READ|PROT_WRITE',
  flags: one(['MAP_SHARED|MAP_ANONYMOUS', 'MAP_PRIVATE|MAP_ANONYMOUS'], pick),
});

const THREAD_MAKERS: Makers = [
  [6, (_m, pid, pick) => ({ pid, call: 'pthread_create', stacksize: one([16384, 20_000, 1 << 20, 100], pick) })],
  [1, (_m, pid) => ({ pid, call: 'pthread_create' })],
  [3, (_m, pid) => ({ pid, call: 'pthread_exit' })],
  [6, (machine, pid, pick) => ({ pid, call: 'pthread_join', target: someEnded(machine, pid, pick) })],
  [8, (machine, pid, pick) => ({ pid, call: 'pthread_mutex_lock', addr: mutex(machine, pid, pick) })],
  [8, (machine, pid, pick) => ({ pid, call: 'pthread_mutex_unlock', addr: mutex(machine, pid, pick) })],
  [12, (machine, pid, pick) => ({ pid, call: 'load', addr: someWord(machine, pid, pick) })],
  [8, (_m, pid, pick) => ({ pid, call: 'add', value: pick(0x7fffffff) - (pick(2) === 0 ? 0x7fffffff : 0) })],
  [10, (machine, pid, pick) => ({ pid, call: 'store', addr: someWord(machine, pid, pick) })],
  [4, (machine, pid, pick) => ({ pid, call: 'store', addr: someWord(machine, pid, pick), value: pick(3) })],
  [6, (machine, pid, pick) => ({ pid, call: 'xadd', addr: someWord(machine, pid, pick), value: 1 + pick(300) })],
  [4, (machine, pid, pick) => ({ pid, call: 'cmpxchg', addr: someWord(machine, pid, pick), expected: pick(2), desired: pick(3) })],
  [2, (_m, pid) => ({ pid, call: 'malloc', size: 40 })],
  [1, (_m, pid) => ({ pid, call: 'fork' })],
  [1, (machine, pid, pick) => ({ pid: 0, call: 'kill', target: someTid(machine, pid, pick), sig: one([0, 0, 9], pick) })],
  [1, (_m, pid) => ({ pid, call: 'cat', path: `/proc/${pid}/status` })],
  [1, (_m, pid) => ({ pid, call: 'run', argv: ['ps', '-eL'] })],
];

const someCall = someOf(THREAD_MAKERS);

/** One of them. */
export const someThread: Maker = (machine, pid, pick) => {
  if (homeOf(machine, pid) < 0) return someHome(machine, pid, pick);
  const step = someCall(machine, pid, pick);
  if (!('call' in step)) return step;
  const isCrowd = machine.threads.size >= THREADS_MAX && step.call === 'pthread_create';
  return isCrowd ? { pid: someTid(machine, pid, pick), call: 'pthread_exit' } : step;
};
