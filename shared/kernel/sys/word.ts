/**
 * load, add, store, xadd, cmpxchg: a word of 32 bits, as instructions handle it. `counter += 1` is three of them, and another
 * thread may come in between; xadd and cmpxchg with LOCK are one. A thread's accumulator is its own: a context switch saves it.
 */
// Simplified: one register, eax; every xadd and cmpxchg has the LOCK prefix, and orders as seq_cst does.
import { address, int, optional } from '../args.ts';
import { currentRegisters } from '../kernel/thread.ts';
import { watch } from '../libc/watch.ts';
import { INT, loadWord, storeWord } from '../libc/word.ts';
import type { Addr, Answer, Machine, Refused, Task } from '../types.ts';
import { granted } from './answer.ts';

const word = int(-0x80000000, 0xffffffff);
const noFaults = () => ({ minor: 0, major: 0, cow: 0 });

export const loadArgs = { addr: address };

/** mov eax, [addr] */
export function sysLoad(machine: Machine, task: Task, addr: Addr): Answer {
  const faults = noFaults();
  const value = watch(machine, task, addr, INT, 'read') ?? loadWord(machine, task, addr, INT, faults);
  if (typeof value !== 'number') return value;
  currentRegisters(machine, task).eax = value;
  return granted({ value, faults });
}

export const addArgs = { value: word };

/** add eax, value: modulo 2^32. */
export function sysAdd(machine: Machine, task: Task, value: number): Answer {
  const registers = currentRegisters(machine, task);
  registers.eax = (registers.eax + value) >>> 0;
  return granted({ value: registers.eax });
}

export const storeArgs = { addr: address, value: optional(word) };

/** mov [addr], eax; or mov [addr], value. */
export function sysStore(machine: Machine, task: Task, addr: Addr, given?: number): Answer {
  const faults = noFaults();
  const value = given === undefined ? currentRegisters(machine, task).eax : given >>> 0;
  const refused = watch(machine, task, addr, INT, 'write') ?? storeWord(machine, task, addr, INT, value, faults);
  return refused ?? granted({ value, faults });
}

/** One instruction that loads and stores; what was there before. The store is left out where `next` says null. */
function locked(machine: Machine, task: Task, addr: Addr, next: (old: number) => number | null): Answer {
  const faults = noFaults();
  const value: number | Refused = watch(machine, task, addr, INT, 'atomic') ?? loadWord(machine, task, addr, INT, faults, 'write');
  if (typeof value !== 'number') return value;
  const wanted = next(value);
  const refused = wanted === null ? null : storeWord(machine, task, addr, INT, wanted, faults);
  if (refused !== null) return refused;
  currentRegisters(machine, task).eax = value;
  return granted({ value, faults });
}

export const xaddArgs = { addr: address, value: word };

/** lock xadd: what was there goes into eax, the sum into memory. */
export function sysXadd(machine: Machine, task: Task, addr: Addr, value: number): Answer {
  return locked(machine, task, addr, (old) => (old + value) >>> 0);
}

export const cmpxchgArgs = { addr: address, expected: word, desired: word };

/** lock cmpxchg: stores `desired` only where `expected` stands; what was there goes into eax. */
export function sysCmpxchg(machine: Machine, task: Task, addr: Addr, expected: number, desired: number): Answer {
  const answer = locked(machine, task, addr, (old) => (old === expected >>> 0 ? desired >>> 0 : null));
  return answer.ok ? { ...answer, swapped: answer.value === expected >>> 0 } : answer;
}
