/** What is asked of the kernel, and what it answers (calls.md). */
import type { Step, TableCost } from './arch/steps.ts';
import type { Errno } from './errno.ts';
import type { Pid } from './types.ts';
import type { Why } from './why.ts';

/** A call: `{ call: name, …args }` (calls.md). Anything a caller can send is answered. */
export interface Call {
  readonly call: string;
  readonly [argument: string]: unknown;
}

export interface Faults {
  minor: number;
  major: number;
  cow: number;
}

export interface Granted {
  ok: true;
  /** Microseconds of the emulated machine. */
  cost: number;
  addr?: number | string;
  pfn?: number;
  pid?: Pid;
  text?: string;
  bytes?: number[];
  faults?: Faults;
  [result: string]: unknown;
}

export type Signal = 'SIGSEGV' | 'SIGBUS' | 'SIGKILL' | 'SIGTERM' | 'SIGINT' | 'SIGHUP' | 'SIGABRT';

export interface Refused {
  ok: false;
  /** Absent when a signal killed the caller. */
  errno?: Errno;
  signal?: Signal;
  /** Of SIGSEGV and SIGBUS, what the kernel tells a handler: SEGV_MAPERR 1, SEGV_ACCERR 2, BUS_ADRERR 2, SI_KERNEL 128. */
  si_code?: number;
  why: Why;
  faults?: Faults;
  /** What the processor raised, where it was not asked of the kernel. */
  fault?: { vector: string; errorCode: number; cr2?: number | string };
  /** translate: what led to it, and what the kernel would do. */
  linear?: number | string;
  steps?: Step[];
  tables?: TableCost;
  cost: number;
}

export type Answer = Granted | Refused;
