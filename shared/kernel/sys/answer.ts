/** Answers of calls; their cost is filled in at the door. */
import type { Errno } from '../errno.ts';
import type { Failure } from '../mm/mmap.ts';
import { killedWhy, type AccessOutcome } from '../mm/memory.ts';
import { doExit } from '../kernel/exit.ts';
import type { Faults, Granted, Machine, Refused, Task, Why } from '../types.ts';

export function granted(result?: Record<string, unknown>): Granted {
  return result === undefined ? { ok: true, cost: 0 } : { ok: true, ...result, cost: 0 };
}

export function refused(errno: Errno, why: Why): Refused {
  return { ok: false, errno, why, cost: 0 };
}

export function refusedBy(failure: Failure): Refused {
  return refused(failure.errno, failure.why);
}

export function badArgument(argument: string, rule: string): Refused {
  return refused('EINVAL', { code: 'BAD_ARGUMENT', argument, rule });
}

/** The caller was taken by the OOM killer while it asked. */
export function oomKilled(machine: Machine): Refused {
  return { ok: false, signal: 'SIGKILL', why: killedWhy(machine), cost: 0 };
}

const SIGNO = { SIGSEGV: 11, SIGBUS: 7, SIGKILL: 9 };

/** si_code by what happened; a general protection fault has no address to tell (SI_KERNEL). */
const SI_KERNEL = 128;
const SI_CODES: Readonly<Partial<Record<Why['code'], number>>> = {
  NOT_MAPPED: 1,
  KERNEL_ADDRESS: 1,
  NOT_ALLOWED: 2,
  BEYOND_OBJECT: 2,
  BEYOND_FILE: 2,
};

/** The answer to an access that stopped; SIGSEGV and SIGBUS end the caller first. */
export function accessRefused(machine: Machine, task: Task, outcome: AccessOutcome, faults: Faults): Refused {
  const why = outcome.why!;
  if (outcome.signal === null) return { ok: false, errno: 'ENOMEM', why, faults, cost: 0 };
  if (outcome.signal !== 'SIGKILL') machine.entry.fatal += 1;
  if (outcome.signal !== 'SIGKILL') doExit(machine, task, SIGNO[outcome.signal]);
  if (outcome.signal === 'SIGKILL') return { ok: false, signal: outcome.signal, why, faults, cost: 0 };
  return { ok: false, signal: outcome.signal, si_code: SI_CODES[why.code] ?? SI_KERNEL, why, faults, cost: 0 };
}
