/** Accesses by logical address: a process whose segments are not flat goes through a register first (spec §1). */
import { segmentAccess, type Register, type SegmentFault } from '../arch/segment.ts';
import type { Addr, Faults, Machine, Task } from '../types.ts';
import type { Why } from '../why.ts';
import { accessRange, type AccessKind, type AccessOutcome } from './memory.ts';

const SPACE_END = 0x1_0000_0000;

/** The signal that Linux sends for a fault of segmentation (arch/x86/kernel/traps.c). */
export function signalOf(fault: SegmentFault): 'SIGSEGV' | 'SIGBUS' {
  return fault.vector === '#GP' ? 'SIGSEGV' : 'SIGBUS';
}

/**
 * `accessRange`, by an offset in the segment of DS or, for instructions, of CS. Bytes that the segment allows are
 * touched before the first that it does not; `see` gets linear addresses.
 */
export function accessLogical(
  machine: Machine,
  task: Task,
  offset: Addr,
  length: number,
  access: AccessKind,
  faults: Faults,
  see: ((from: Addr, to: Addr) => Why | null) | null = null,
): AccessOutcome {
  const { segments } = task;
  if (segments === null || length === 0) return accessRange(machine, task, offset, length, access, faults, see);
  const register: Register = access === 'exec' ? 'cs' : 'ds';
  const { linear, allowed, fault, long } = segmentAccess(segments, register, offset, length, access);
  if (long) return accessRange(machine, task, linear, length, access, faults, see);
  const beforeWrap = Math.min(allowed, SPACE_END - linear);
  const outcome = accessRange(machine, task, linear, beforeWrap, access, faults, see);
  if (outcome.why !== null) return outcome;
  const wrapped = allowed > beforeWrap ? accessRange(machine, task, 0, allowed - beforeWrap, access, faults, see) : outcome;
  if (wrapped.why !== null || fault === null) return wrapped;
  // DS and CS raise #GP only, which is a segmentation fault to the process.
  return { why: fault.why, signal: 'SIGSEGV' };
}
