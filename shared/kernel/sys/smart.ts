/**
 * make_shared, shared_ptr_…, weak_ptr_…, make_unique, unique_ptr_…: assignments to the smart pointers that stand at given addresses of the
 * process's memory. Memory that holds zeros is an empty smart pointer.
 */
import { address, BadArgument, int, optional, positiveBytes, type Argument } from '../args.ts';
import {
  CLASSES_MAX,
  countsOf,
  hold,
  holdLiving,
  insideAt,
  loadPair,
  loadPointer,
  newBlock,
  release,
  storePair,
  storePointer,
  vptrOf,
  type Pair,
  type SmartClass,
} from '../libc/shared_ptr.ts';
import { INT, pointerBytes } from '../libc/word.ts';
import type { Addr, Answer, Machine, Refused, Task } from '../types.ts';
import { badArgument, granted, refused } from './answer.ts';

const MEMBERS_MAX = 16;
const offset = int(0, 0xffff);
const badOffsets = new BadArgument(`a list of at most ${MEMBERS_MAX} offsets from 0 to 65535`);
const offsets: Argument<number[] | undefined> = {
  optional: true,
  parse: (value, wide) =>
    Array.isArray(value) && value.length <= MEMBERS_MAX && value.every((each) => typeof offset.parse(each, wide) === 'number')
      ? (value as number[])
      : badOffsets,
};

/** Objects that an answer lists at most. */
const LISTED = 64;

/** What stands there now, and which objects died of it. */
function told(machine: Machine, task: Task, { addr, control }: Pair, destroyed: readonly Addr[] = []): Answer {
  return granted({ addr, control, ...countsOf(machine, task, control), destroyed: destroyed.slice(0, LISTED) });
}

/** The old value at `at` gives way to a new one that is counted already. */
function assign(machine: Machine, task: Task, at: Addr, fresh: Pair, kind: 'use' | 'weak'): Answer {
  const old = loadPair(machine, task, at, 'write');
  if ('ok' in old) return old;
  const destroyed: Addr[] = [];
  const stopped = storePair(machine, task, at, fresh) ?? release(machine, task, kind, old.control, destroyed);
  return stopped ?? told(machine, task, fresh, destroyed);
}

/** A control block with one strong pointer, which has one weak count, and room behind it. */
function newControl(machine: Machine, task: Task, vptr: Addr, room: number): Addr | Refused {
  const word = pointerBytes(machine);
  const control = newBlock(machine, task, word + 2 * INT + Math.ceil(room / word) * word);
  if (typeof control !== 'number') return control;
  const stopped =
    storePointer(machine, task, control, vptr) ?? hold(machine, task, control, 'shared') ?? hold(machine, task, control, 'weak');
  return stopped ?? control;
}

const tooManyClasses = () => refused('ENOMEM', { code: 'TOO_MANY_CLASSES', limit: CLASSES_MAX });

export const makeSharedArgs = { at: address, size: positiveBytes, shared: offsets, weak: offsets, unique: offsets };

/** at = make_shared<T>(): one block for the control block and the object, whose smart pointers stand at the given offsets. */
export function sysMakeShared(
  machine: Machine,
  task: Task,
  at: Addr,
  size: number,
  shared: number[] = [],
  weak: number[] = [],
  unique: number[] = [],
): Answer {
  const word = pointerBytes(machine);
  for (const [name, list, words] of [
    ['shared', shared, 2],
    ['weak', weak, 2],
    ['unique', unique, 1],
  ] as const)
    if (!list.every((each) => each % word === 0 && each + words * word <= size))
      return badArgument(name, `multiples of ${word}, each with ${words * word} bytes within the object`);
  return makeControl(machine, task, at, { shared, weak, unique, separate: false }, size);
}

function makeControl(machine: Machine, task: Task, at: Addr, type: SmartClass, size: number): Answer {
  // A pointer that cannot be assigned to is found before anything is allocated.
  const old = loadPair(machine, task, at, 'write');
  if ('ok' in old) return old;
  const vptr = vptrOf(machine, task, type);
  if (vptr < 0) return tooManyClasses();
  const control = newControl(machine, task, vptr, size);
  if (typeof control !== 'number') return control;
  return assign(machine, task, at, { addr: insideAt(machine, control), control }, 'use');
}

export const resetArgs = { at: address, addr: optional(address) };

/** at.reset(), or at.reset(addr): a control block of its own for a block that new or malloc gave. Two for one block free it twice. */
export function sysSharedReset(machine: Machine, task: Task, at: Addr, addr = 0): Answer {
  if (addr === 0) return assign(machine, task, at, { addr: 0, control: 0 }, 'use');
  const old = loadPair(machine, task, at, 'write');
  if ('ok' in old) return old;
  const vptr = vptrOf(machine, task, { shared: [], weak: [], unique: [], separate: true });
  if (vptr < 0) return tooManyClasses();
  const control = newControl(machine, task, vptr, pointerBytes(machine));
  if (typeof control !== 'number') return control;
  return storePointer(machine, task, insideAt(machine, control), addr) ?? assign(machine, task, at, { addr, control }, 'use');
}

/** …_copy, …_move, weak_ptr_lock. */
export const twoArgs = { to: address, from: address };

function copy(machine: Machine, task: Task, to: Addr, from: Addr, kind: 'shared' | 'weak'): Answer {
  const pair = loadPair(machine, task, from);
  if ('ok' in pair) return pair;
  return hold(machine, task, pair.control, kind) ?? assign(machine, task, to, pair, kind === 'shared' ? 'use' : 'weak');
}

/** to = from, of shared_ptrs: one more owner. */
export function sysSharedCopy(machine: Machine, task: Task, to: Addr, from: Addr): Answer {
  return copy(machine, task, to, from, 'shared');
}

/** to = from, where `to` is a weak_ptr: who looks on and does not own. */
export function sysWeakCopy(machine: Machine, task: Task, to: Addr, from: Addr): Answer {
  return copy(machine, task, to, from, 'weak');
}

/** to = std::move(from): no count changes, and `from` is empty. */
export function sysSharedMove(machine: Machine, task: Task, to: Addr, from: Addr): Answer {
  const pair = loadPair(machine, task, from, 'write');
  if ('ok' in pair) return pair;
  return storePair(machine, task, from, { addr: 0, control: 0 }) ?? assign(machine, task, to, pair, 'use');
}

/** to = from.lock(): another owner while the object lives, else empty. */
export function sysWeakLock(machine: Machine, task: Task, to: Addr, from: Addr): Answer {
  const pair = loadPair(machine, task, from);
  if ('ok' in pair) return pair;
  const isHeld = holdLiving(machine, task, pair.control);
  if (typeof isHeld !== 'boolean') return isHeld;
  return assign(machine, task, to, isHeld ? pair : { addr: 0, control: 0 }, 'use');
}

export const atArgs = { at: address };

export function sysWeakReset(machine: Machine, task: Task, at: Addr): Answer {
  return assign(machine, task, at, { addr: 0, control: 0 }, 'weak');
}

/** A unique_ptr gets another object, and deletes the old one. */
function own(machine: Machine, task: Task, at: Addr, addr: Addr): Answer {
  const old = loadPointer(machine, task, at, 'write');
  if (typeof old !== 'number') return old;
  const destroyed: Addr[] = [];
  const stopped = storePointer(machine, task, at, addr) ?? release(machine, task, 'free', old, destroyed);
  return stopped ?? granted({ addr, destroyed });
}

export const makeUniqueArgs = { at: address, size: positiveBytes };

/** at = make_unique<T>(). */
export function sysMakeUnique(machine: Machine, task: Task, at: Addr, size: number): Answer {
  const old = loadPointer(machine, task, at, 'write');
  if (typeof old !== 'number') return old;
  const addr = newBlock(machine, task, size);
  return typeof addr === 'number' ? own(machine, task, at, addr) : addr;
}

/** at.reset(addr): what it owned is deleted. */
export function sysUniqueReset(machine: Machine, task: Task, at: Addr, addr = 0): Answer {
  return own(machine, task, at, addr);
}

/** to = std::move(from): there is no copy of a unique_ptr. */
export function sysUniqueMove(machine: Machine, task: Task, to: Addr, from: Addr): Answer {
  const addr = loadPointer(machine, task, from, 'write');
  if (typeof addr !== 'number') return addr;
  return storePointer(machine, task, from, 0) ?? own(machine, task, to, addr);
}
