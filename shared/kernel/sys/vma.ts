/** mprotect, mremap, mlock, munlock, madvise: what is done to areas that are there. */
import { address, bytes, flags, optional, word } from '../args.ts';
import { ADVICE, doMadvise, type AdviceName } from '../mm/madvise.ts';
import { accessRange } from '../mm/memory.ts';
import { doMlock, doMunlock, pagesAround } from '../mm/mlock.ts';
import type { Failure } from '../mm/mmap.ts';
import { doMprotect } from '../mm/mprotect.ts';
import { doMremap, MREMAP, MREMAP_KILLED } from '../mm/mremap.ts';
import { findVmaIndex, pageAlign, vmaAt, VM } from '../mm/vma.ts';
import type { Addr, Answer, Machine, Task, Why } from '../types.ts';
import { accessRefused, granted, oomKilled, refused, refusedBy } from './answer.ts';
import { isRoot, PROT } from './mm.ts';

function changed(machine: Machine, failed: Failure | null): Answer {
  if (failed) return refusedBy(failed);
  machine.cost += machine.config.costs.area!;
  return granted();
}

export const mprotectArgs = { addr: address, length: bytes, prot: flags(PROT) };

export function sysMprotect(machine: Machine, task: Task, addr: Addr, length: number, prot: number): Answer {
  const failed = doMprotect(machine, task, addr, length, prot, isRoot(machine, task));
  if (failed) return refusedBy(failed);
  machine.cost += machine.config.costs.area!;
  // Locked memory that may be written now has its copies made now (mprotect_fixup).
  const vma = vmaAt(task.mm, addr);
  const isLocked = vma !== null && (vma.flags & (VM.locked | VM.shared)) === VM.locked;
  const died = isLocked && prot & VM.write ? bringIn(machine, task, addr, addr + pageAlign(length)).died : null;
  return died ?? granted();
}

export const mremapArgs = {
  addr: address,
  old_length: bytes,
  new_length: bytes,
  flags: optional(flags({ MREMAP_MAYMOVE: MREMAP.mayMove })),
};

export function sysMremap(machine: Machine, task: Task, addr: Addr, oldLength: number, newLength: number, how = 0): Answer {
  const moved = doMremap(machine, task, { addr, oldLength, newLength, flags: how }, isRoot(machine, task));
  if (moved === MREMAP_KILLED) return oomKilled(machine);
  if (typeof moved !== 'number') return refusedBy(moved);
  machine.cost += machine.config.costs.area!;
  const isLocked = newLength > oldLength && ((vmaAt(task.mm, moved)?.flags ?? 0) & VM.locked) !== 0;
  const died = isLocked ? bringIn(machine, task, moved + pageAlign(oldLength), moved + pageAlign(newLength)).died : null;
  return died ?? granted({ addr: moved });
}

interface Brought {
  /** The caller died of it. */
  died: Answer | null;
  /** What could not be brought in, and where. */
  why: Why | null;
}

/** Touches every page of the areas in [start, end), writable private ones as by a write (mm_populate). */
function bringIn(machine: Machine, task: Task, start: Addr, end: Addr): Brought {
  const { mm } = task;
  const faults = { minor: 0, major: 0, cow: 0 };
  for (let from = start; from < end;) {
    const vma = mm.vmas[findVmaIndex(mm, from)];
    if (!vma || vma.start >= end) break;
    const to = Math.min(end, vma.end);
    const isWrite = (vma.flags & (VM.write | VM.shared)) === VM.write;
    const begin = Math.max(from, vma.start);
    const isClosed = (vma.flags & (VM.read | VM.write | VM.exec)) === 0;
    if (isClosed) return { died: null, why: { code: 'NOT_ALLOWED', addr: begin, access: 'read' } };
    const outcome = accessRange(machine, task, begin, to - begin, isWrite ? 'write' : 'read', faults);
    if (outcome.signal === 'SIGKILL') return { died: accessRefused(machine, task, outcome, faults), why: null };
    if (outcome.why !== null) return { died: null, why: outcome.why };
    from = to;
  }
  return { died: null, why: null };
}

export const rangeArgs = { addr: address, length: bytes };

/** Marks the pages as locked and brings them in. Pages that cannot be had are EAGAIN, areas that nobody may touch ENOMEM; the mark stays (mlock(2)). */
export function sysMlock(machine: Machine, task: Task, addr: Addr, length: number): Answer {
  const failed = doMlock(machine, task, addr, length, isRoot(machine, task));
  if (failed) return refusedBy(failed);
  machine.cost += machine.config.costs.area!;
  const { start, end } = pagesAround(addr, length);
  const { died, why } = bringIn(machine, task, start, end);
  if (died) return died;
  return why === null ? granted() : refused(why.code === 'NOT_ALLOWED' ? 'ENOMEM' : 'EAGAIN', why);
}

export function sysMunlock(machine: Machine, task: Task, addr: Addr, length: number): Answer {
  return changed(machine, doMunlock(machine, task, addr, length));
}

export const madviseArgs = { addr: address, length: bytes, advice: word(Object.keys(ADVICE) as AdviceName[]) };

export function sysMadvise(machine: Machine, task: Task, addr: Addr, length: number, advice: AdviceName): Answer {
  return changed(machine, doMadvise(machine, task, addr, length, advice));
}
