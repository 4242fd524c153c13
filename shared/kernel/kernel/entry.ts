/**
 * The ways from ring 3 into the kernel (arch/x86/entry; product.md, subject 1): a system call is asked for, an exception is what
 * an instruction could not do, an interrupt has nothing to do with who runs. And who runs: another caller than the last is a
 * context switch. What a refused call would have counted is taken back, for a refused call leaves no trace.
 */
// Simplified: a call counts as one system call, though a program may need several for it; one CPU, which never idles between two calls.
import type { Machine, Pid } from '../types.ts';
import { count, VMSTAT } from '../mm/vmstat.ts';

/** What a call is to the processor: a look from outside, which changes nothing; an instruction; code of the library; a system call. */
export const WAY = { look: 0, instruction: 1, library: 2, systemCall: 3 } as const;
export type Way = (typeof WAY)[keyof typeof WAY];

const WAYS: ReadonlyMap<string, Way> = new Map(
  [
    { way: WAY.look, names: ['cat', 'run'] },
    { way: WAY.instruction, names: ['read', 'write', 'exec', 'peek', 'poke', 'translate', 'load_segment'] },
    { way: WAY.library, names: ['malloc', 'calloc', 'realloc', 'free', 'malloc_usable_size', 'mallopt', 'malloc_trim'] },
    { way: WAY.library, names: ['htonl', 'htons', 'ntohl', 'ntohs', 'bytes_of'] },
  ].flatMap(({ way, names }) => names.map((name) => [name, way])),
);

export function wayOf(name: string): Way {
  return WAYS.get(name) ?? WAY.systemCall;
}

/** Interrupts of the timer in a tick of 100 ms (HZ = 100). */
const TIMER_INTERRUPTS_A_TICK = 10;

/** A process makes a call. */
export function enter(machine: Machine, pid: Pid, way: Way): void {
  if (way === WAY.look) return;
  const { vmstat } = machine;
  if (way === WAY.systemCall) vmstat[VMSTAT.entry_syscall]! += 1;
  if (machine.current === pid) return;
  vmstat[VMSTAT.ctxt]! += 1;
  machine.current = pid;
}

/** The call was refused; `previous` ran before it. */
export function takeBack(machine: Machine, previous: Pid, way: Way): void {
  const { vmstat } = machine;
  if (way === WAY.systemCall) vmstat[VMSTAT.entry_syscall]! -= 1;
  if (machine.current === previous) return;
  vmstat[VMSTAT.ctxt]! -= 1;
  machine.current = previous;
}

/** An exception that no page answers: it ends the process. Those that do are counted as pgfault. */
export function countFatalException(machine: Machine): void {
  count(machine, VMSTAT.entry_exception, 1);
}

/** A device has finished. */
export function countInterrupt(machine: Machine): void {
  count(machine, VMSTAT.entry_interrupt, 1);
}

export interface Entries {
  systemCalls: number;
  exceptions: number;
  interrupts: number;
  /** Context switches. */
  switches: number;
}

/** How often the kernel was entered since boot, by way. */
export function entriesOf({ vmstat, now }: Machine): Entries {
  return {
    systemCalls: vmstat[VMSTAT.entry_syscall]!,
    exceptions: vmstat[VMSTAT.pgfault]! + vmstat[VMSTAT.entry_exception]!,
    interrupts: now * TIMER_INTERRUPTS_A_TICK + vmstat[VMSTAT.entry_interrupt]!,
    switches: vmstat[VMSTAT.ctxt]!,
  };
}
