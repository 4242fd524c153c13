/** read, write, exec, peek, poke: touching memory, with the faults that it takes. */
import { address, byteList, bytes, int, optional } from '../args.ts';
import { CONTENTS_PAGES_MAX, contentsOf } from '../mm/contents.ts';
import { frameAt } from '../arch/mmu.ts';
import { noticeWrite } from '../libc/corrupt.ts';
import { watch } from '../libc/watch.ts';
import { accessLogical } from '../mm/logical.ts';
import { PAGE_SIZE, type Addr, type Answer, type Faults, type Machine, type Task, type Why } from '../types.ts';
import { accessRefused, granted } from './answer.ts';

const CONTENTS_FULL: Why = { code: 'CONTENTS_FULL', limit: CONTENTS_PAGES_MAX };
const noFaults = (): Faults => ({ minor: 0, major: 0, cow: 0 });

export const readArgs = { addr: address, length: bytes };

export function sysRead(machine: Machine, task: Task, addr: Addr, length: number): Answer {
  const bug = task.heap === null && machine.races === null ? null : watch(machine, task, addr, length, 'read');
  if (bug !== null) return bug;
  const faults = noFaults();
  const outcome = accessLogical(machine, task, addr, length, 'read', faults);
  return outcome.why === null ? { ok: true, faults, cost: 0 } : accessRefused(machine, task, outcome, faults);
}

export const writeArgs = { addr: address, length: bytes, value: optional(int(0, 255)) };

export function sysWrite(machine: Machine, task: Task, addr: Addr, length: number, value?: number): Answer {
  const bug = task.heap === null && machine.races === null ? null : watch(machine, task, addr, length, 'write');
  if (bug !== null) return bug;
  const faults = noFaults();
  const fill =
    value === undefined
      ? null
      : (from: Addr, to: Addr): Why | null => {
          if (task.heap !== null) noticeWrite(task.heap, from, to - from, () => value);
          const pfn = frameAt(machine, task.mm, from);
          if (value === 0 && !machine.contents.has(pfn)) return null;
          const held = contentsOf(machine, pfn);
          if (held === null) return CONTENTS_FULL;
          held.fill(value, from % PAGE_SIZE, (from % PAGE_SIZE) + (to - from));
          return null;
        };
  const outcome = accessLogical(machine, task, addr, length, 'write', faults, fill);
  return outcome.why === null ? { ok: true, faults, cost: 0 } : accessRefused(machine, task, outcome, faults);
}

export const execArgs = { addr: address };

/** Fetches an instruction. */
// Simplified: areas without PROT_EXEC refuse, as with the NX bit of PAE and x86-64; a plain i386 could not.
export function sysExec(machine: Machine, task: Task, addr: Addr): Answer {
  const faults = noFaults();
  const outcome = accessLogical(machine, task, addr, 1, 'exec', faults);
  return outcome.why === null ? { ok: true, faults, cost: 0 } : accessRefused(machine, task, outcome, faults);
}

const PEEK_MAX = 65536;
export const peekArgs = { addr: address, length: int(1, PEEK_MAX) };

export function sysPeek(machine: Machine, task: Task, addr: Addr, length: number): Answer {
  const bug = task.heap === null && machine.races === null ? null : watch(machine, task, addr, length, 'read');
  if (bug !== null) return bug;
  const faults = noFaults();
  const seen: number[] = [];
  const outcome = accessLogical(machine, task, addr, length, 'read', faults, (from, to) => {
    const held = machine.contents.get(frameAt(machine, task.mm, from));
    for (let at = from; at < to; at++) seen.push(held?.[at % PAGE_SIZE] ?? 0);
    return null;
  });
  return outcome.why === null ? granted({ bytes: seen, faults }) : accessRefused(machine, task, outcome, faults);
}

export const pokeArgs = { addr: address, bytes: byteList(PEEK_MAX) };

export function sysPoke(machine: Machine, task: Task, addr: Addr, given: number[]): Answer {
  const bug = task.heap === null && machine.races === null ? null : watch(machine, task, addr, given.length, 'write');
  if (bug !== null) return bug;
  const faults = noFaults();
  let next = 0;
  const outcome = accessLogical(machine, task, addr, given.length, 'write', faults, (from, to) => {
    const held = contentsOf(machine, frameAt(machine, task.mm, from));
    if (held === null) return CONTENTS_FULL;
    const first = next;
    for (let at = from; at < to; at++) held[at % PAGE_SIZE] = given[next++]!;
    if (task.heap !== null) noticeWrite(task.heap, from, to - from, (at) => given[first + at - from]!);
    return null;
  });
  return outcome.why === null ? granted({ faults }) : accessRefused(machine, task, outcome, faults);
}
