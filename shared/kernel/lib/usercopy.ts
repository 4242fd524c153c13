/**
 * copy_to_user and copy_from_user (include/linux/uaccess.h, arch/x86/lib/usercopy_64.c): the kernel touches a process's memory
 * by the process's own addresses. A page that is missing comes by a fault, taken in ring 0; one that cannot come is no oops,
 * because these instructions are in the exception table: the copy ends, and says how many bytes are left.
 */
import type { Step } from '../arch/steps.ts';
import { accessRange, type AccessOutcome } from '../mm/memory.ts';
import type { Addr, Faults, Machine, Task } from '../types.ts';

export interface UserCopy {
  /** Bytes that were not copied. */
  left: number;
  faults: Faults;
  steps: Step[];
  /** What ended it: nothing, an address that is not the process's, or what else stopped the access. */
  outcome: AccessOutcome;
}

/** Is all of it below the end of user space (access_ok)? */
function accessOk(task: Task, addr: Addr, length: number): boolean {
  return addr >= 0 && addr + length <= task.mm.taskSize;
}

/** Copies `length` bytes between the kernel and `addr`; `access` is what happens to the process's memory. */
export function copyUser(machine: Machine, task: Task, addr: Addr, length: number, access: 'read' | 'write'): UserCopy {
  const faults: Faults = { minor: 0, major: 0, cow: 0 };
  const steps: Step[] = [{ step: 'system_call', from: 3, to: 0 }];
  const ok = accessOk(task, addr, length);
  steps.push({ step: 'access_ok', ok });
  if (!ok) {
    steps.push({ step: 'return', to: 3, left: length });
    return { left: length, faults, steps, outcome: { why: { code: 'KERNEL_ADDRESS', addr }, signal: 'SIGSEGV' } };
  }
  let copied = 0;
  const outcome = accessRange(machine, task, addr, length, access, faults, (from, to) => {
    copied += to - from;
    return null;
  });
  const taken = faults.minor + faults.major;
  if (taken > 0) steps.push({ step: 'exception', vector: '#PF', from: 0, to: 0, times: taken });
  steps.push({ step: 'copy', bytes: copied });
  if (outcome.signal !== null && outcome.signal !== 'SIGKILL')
    steps.push({ step: 'exception', vector: '#PF', from: 0, to: 0, times: 1 }, { step: 'fixup_exception' });
  if (outcome.signal !== 'SIGKILL') steps.push({ step: 'return', to: 3, left: length - copied });
  return { left: length - copied, faults, steps, outcome };
}
