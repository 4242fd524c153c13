/**
 * The ways from ring 3 into the kernel (arch/x86/entry; product.md, subject 1): a system call is asked for, an exception is what
 * an instruction could not do, an interrupt has nothing to do with who runs. And who runs: another caller than the last is a
 * context switch.
 *
 * The counts are saved with the machine and are not in its hash: a call that does nothing else leaves the hash as it was.
 */
// Simplified: a call counts as one system call, though a program may need several for it; one CPU, which never idles between two calls.
import type { Machine, Pid } from '../types.ts';
import { VMSTAT } from '../mm/vmstat.ts';

/** What a call is to the processor: a look from outside, which changes nothing; an instruction; code of the library; a system call. */
export const WAY = { look: 0, instruction: 1, library: 2, systemCall: 3 } as const;
export type Way = (typeof WAY)[keyof typeof WAY];

const WAYS: ReadonlyMap<string, Way> = new Map(
  [
    { way: WAY.look, names: ['cat', 'run', 'leak_scan', 'heap_check'] },
    { way: WAY.instruction, names: ['read', 'write', 'exec', 'peek', 'poke', 'translate', 'load_segment'] },
    { way: WAY.instruction, names: ['load', 'add', 'store', 'xadd', 'cmpxchg'] },
    { way: WAY.library, names: ['pthread_mutex_lock', 'pthread_mutex_unlock', 'make_unique', 'unique_ptr_move', 'unique_ptr_reset'] },
    { way: WAY.library, names: ['make_shared', 'shared_ptr_copy', 'shared_ptr_move', 'shared_ptr_reset'] },
    { way: WAY.library, names: ['weak_ptr_copy', 'weak_ptr_lock', 'weak_ptr_reset'] },
    { way: WAY.library, names: ['malloc', 'calloc', 'realloc', 'free', 'malloc_usable_size', 'mallopt', 'malloc_trim'] },
    { way: WAY.library, names: ['pool_create', 'pool_alloc', 'pool_free', 'pool_destroy'] },
    { way: WAY.library, names: ['htonl', 'htons', 'ntohl', 'ntohs', 'bytes_of'] },
  ].flatMap(({ way, names }) => names.map((name) => [name, way])),
);

export function wayOf(name: string): Way {
  return WAYS.get(name) ?? WAY.systemCall;
}

/** Interrupts of the timer in a tick of 100 ms (HZ = 100). */
const TIMER_INTERRUPTS_A_TICK = 10;

/** What is counted. */
export interface EntryCounts {
  /** Who made the last call; 0 before the first (struct rq, curr). */
  current: Pid;
  switches: number;
  systemCalls: number;
  /** Exceptions that no page answers, which end the process; those that one does are counted as pgfault. */
  fatal: number;
  /** Interrupts of devices. */
  devices: number;
  /** CPU time of processes that have ended, µs. */
  deadUs: number;
}

export function createEntryCounts(): EntryCounts {
  return { current: 0, switches: 0, systemCalls: 0, fatal: 0, devices: 0, deadUs: 0 };
}

/** A process makes a call. */
export function enter({ entry }: Machine, pid: Pid, way: Way): void {
  if (way === WAY.look) return;
  if (way === WAY.systemCall) entry.systemCalls += 1;
  if (entry.current === pid) return;
  entry.switches += 1;
  entry.current = pid;
}

export interface Entries {
  systemCalls: number;
  exceptions: number;
  interrupts: number;
  /** Context switches. */
  switches: number;
}

/** How often the kernel was entered since boot, by way. */
export function entriesOf({ entry, vmstat, now }: Machine): Entries {
  return {
    systemCalls: entry.systemCalls,
    exceptions: vmstat[VMSTAT.pgfault]! + entry.fatal,
    interrupts: now * TIMER_INTERRUPTS_A_TICK + entry.devices,
    switches: entry.switches,
  };
}

const US_A_TICK = 100_000;

/** Microseconds since boot, at least a tick, and how many of them calls took. What cost more time than there was counts as all of it. */
export function cpuTimes({ now, tasks, entry }: Machine): { all: number; busy: number } {
  const all = Math.max(1, now) * US_A_TICK;
  let busy = entry.deadUs;
  for (const task of tasks.values()) busy += task.cpuUs;
  return { all, busy: Math.min(all, busy) };
}

/** USER_HZ: /proc and vmstat count CPU time in hundredths of a second. */
const CPU_TICKS_A_TICK = 10;

/** All CPU time since boot in such ticks: of the kernel's (calls), and idle. */
export function cpuTicks(machine: Machine): { system: number; idle: number } {
  const all = machine.now * CPU_TICKS_A_TICK;
  const system = Math.min(all, Math.floor((cpuTimes(machine).busy * CPU_TICKS_A_TICK) / US_A_TICK));
  return { system, idle: all - system };
}
