/**
 * What a libc does to its process's memory: it writes control blocks, zeroes and copies, as any program does, with the
 * page faults that this takes. A fault that ends the process ends the call.
 */
import { frameAt } from '../arch/mmu.ts';
import { CONTENTS_PAGES_MAX, contentsOf } from '../mm/contents.ts';
import { accessRange, type AccessKind, type AccessOutcome } from '../mm/memory.ts';
import { accessRefused } from '../sys/answer.ts';
import { PAGE_SIZE, type Addr, type Faults, type Machine, type Refused, type Task, type Why } from '../types.ts';

const noFaults = (): Faults => ({ minor: 0, major: 0, cow: 0 });
const CONTENTS_FULL: Why = { code: 'CONTENTS_FULL', limit: CONTENTS_PAGES_MAX };

/** Touches bytes of the process; the answer when it dies of it. */
// Simplified: a control block whose page cannot be had now stays unwritten; the next touch faults again.
export function touch(machine: Machine, task: Task, addr: Addr, length: number, access: AccessKind = 'write'): Refused | null {
  const faults = noFaults();
  const outcome = accessRange(machine, task, addr, length, access, faults);
  return outcome.why === null || outcome.signal === null ? null : accessRefused(machine, task, outcome, faults);
}

function over(machine: Machine, task: Task, outcome: AccessOutcome, faults: Faults): Refused | null {
  return outcome.why === null ? null : accessRefused(machine, task, outcome, faults);
}

/** memset(addr, 0, length). */
export function zero(machine: Machine, task: Task, addr: Addr, length: number): Refused | null {
  const faults = noFaults();
  const outcome = accessRange(machine, task, addr, length, 'write', faults, (from, to) => {
    const at = from % PAGE_SIZE;
    machine.contents.get(frameAt(machine, task.mm, from))?.fill(0, at, at + (to - from));
    return null;
  });
  return over(machine, task, outcome, faults);
}

/** memcpy(to, from, length): reads a stretch within one page, writes it, and goes on. */
export function copy(machine: Machine, task: Task, to: Addr, from: Addr, length: number): Refused | null {
  const faults = noFaults();
  for (let done = 0; done < length;) {
    const left = Math.min(PAGE_SIZE - ((from + done) % PAGE_SIZE), PAGE_SIZE - ((to + done) % PAGE_SIZE), length - done);
    let held: Uint8Array | null = null;
    const read = accessRange(machine, task, from + done, left, 'read', faults, (at) => {
      held = machine.contents.get(frameAt(machine, task.mm, at))?.slice(at % PAGE_SIZE, (at % PAGE_SIZE) + left) ?? null;
      return null;
    });
    if (read.why !== null) return over(machine, task, read, faults);
    const written = accessRange(machine, task, to + done, left, 'write', faults, (at) => {
      const pfn = frameAt(machine, task.mm, at);
      if (held === null) {
        machine.contents.get(pfn)?.fill(0, at % PAGE_SIZE, (at % PAGE_SIZE) + left);
        return null;
      }
      const target = contentsOf(machine, pfn);
      if (target === null) return CONTENTS_FULL;
      target.set(held, at % PAGE_SIZE);
      return null;
    });
    if (written.why !== null) return over(machine, task, written, faults);
    done += left;
  }
  return null;
}
