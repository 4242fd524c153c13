/** copy_to_user, copy_from_user: crossing between the rings with bytes. */
import { address, bytes } from '../args.ts';
import { entriesOf } from '../kernel/entry.ts';
import { copyUser } from '../lib/usercopy.ts';
import { PAGE_SIZE, type Addr, type Answer, type Machine, type Task } from '../types.ts';
import { accessRefused, granted } from './answer.ts';

export const copyUserArgs = { addr: address, length: bytes };

function sysCopy(machine: Machine, task: Task, addr: Addr, length: number, access: 'read' | 'write'): Answer {
  const { left, faults, steps, outcome } = copyUser(machine, task, addr, length, access);
  machine.cost += machine.config.costs.copy_page! * Math.ceil((length - left) / PAGE_SIZE);
  if (outcome.why === null) return granted({ left, faults, steps, entries: entriesOf(machine) });
  // Out of memory, or killed for it: no matter of addresses.
  if (outcome.signal === null || outcome.signal === 'SIGKILL') return accessRefused(machine, task, outcome, faults);
  const why = { code: 'BAD_USER_ADDRESS' as const, addr: addr + length - left, left };
  return { ok: false, errno: 'EFAULT', why, faults, steps, cost: 0 };
}

/** The process's memory is written. */
export function sysCopyToUser(machine: Machine, task: Task, addr: Addr, length: number): Answer {
  return sysCopy(machine, task, addr, length, 'write');
}

/** The process's memory is read. */
export function sysCopyFromUser(machine: Machine, task: Task, addr: Addr, length: number): Answer {
  return sysCopy(machine, task, addr, length, 'read');
}
