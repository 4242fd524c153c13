/**
 * Words in a process's memory, as an instruction loads and stores them: little endian, by the process's own addresses, with
 * the faults that it takes.
 */
import { frameAt } from '../arch/mmu.ts';
import { CONTENTS_PAGES_MAX, contentsOf } from '../mm/contents.ts';
import { accessLogical } from '../mm/logical.ts';
import { accessRefused } from '../sys/answer.ts';
import { PAGE_SIZE, type Addr, type Faults, type Machine, type Refused, type Task, type Why } from '../types.ts';
import { noticeWrite } from './corrupt.ts';

/** Bytes of an int, on all machines here. */
export const INT = 4;
const CONTENTS_FULL: Why = { code: 'CONTENTS_FULL', limit: CONTENTS_PAGES_MAX };

/** Bytes of a pointer. */
export const pointerBytes = (machine: Machine): 4 | 8 => (machine.config.arch === 'x86_64' ? 8 : 4);

/** The word at an address, as far as it is in memory now: no fault, no trace; 0 beyond that. */
export function wordAt(machine: Machine, task: Task, addr: Addr, size: number): number {
  let value = 0;
  for (let at = addr + size - 1; at >= addr && at < task.mm.taskSize; at--) {
    const pfn = frameAt(machine, task.mm, at);
    value = value * 256 + ((pfn < 0 ? undefined : machine.contents.get(pfn))?.[at % PAGE_SIZE] ?? 0);
  }
  return value;
}

/** The word at an address, `size` bytes of it; `access` write where the instruction will also store it. */
export function loadWord(
  machine: Machine,
  task: Task,
  addr: Addr,
  size: number,
  faults: Faults,
  access: 'read' | 'write' = 'read',
): number | Refused {
  let value = 0;
  let unit = 1;
  const outcome = accessLogical(machine, task, addr, size, access, faults, (from, to) => {
    const held = machine.contents.get(frameAt(machine, task.mm, from));
    for (let at = from; at < to; at++, unit *= 256) value += (held?.[at % PAGE_SIZE] ?? 0) * unit;
    return null;
  });
  return outcome.why === null ? value : accessRefused(machine, task, outcome, faults);
}

/** Stores a whole number below 2^(8 × size), and below 2^53. */
export function storeWord(machine: Machine, task: Task, addr: Addr, size: number, value: number, faults: Faults): Refused | null {
  const bytes: number[] = [];
  for (let left = value; bytes.length < size; left = Math.floor(left / 256)) bytes.push(left % 256);
  let next = 0;
  const outcome = accessLogical(machine, task, addr, size, 'write', faults, (from, to) => {
    const first = next;
    next += to - from;
    const pfn = frameAt(machine, task.mm, from);
    const held = machine.contents.get(pfn) ?? (value === 0 ? null : contentsOf(machine, pfn));
    if (held === null && value !== 0) return CONTENTS_FULL;
    for (let at = from; held !== null && at < to; at++) held[at % PAGE_SIZE] = bytes[first + at - from]!;
    if (task.heap !== null) noticeWrite(task.heap, from, to - from, (at) => bytes[first + at - from]!);
    return null;
  });
  return outcome.why === null ? null : accessRefused(machine, task, outcome, faults);
}
