/**
 * Smart pointers of C++ as libstdc++ lays them out (bits/shared_ptr_base.h), in the memory of the process:
 *
 *     shared_ptr, weak_ptr   the object's address, the control block's address
 *     unique_ptr             the object's address
 *     control block          vptr, use_count, weak_count (32 bits each), then the object (make_shared) or its address
 *
 * The object dies when use_count falls to 0, the control block when weak_count does; all strong pointers together hold one
 * weak count. The vptr names a class of the program: which smart pointers stand in its objects, for their destructor. Two
 * objects that hold each other by shared_ptr never fall to 0 (`ownershipCycles`).
 */
// Simplified: an object is bytes and smart pointers; what a unique_ptr or a shared_ptr made of a raw pointer owns is bytes. Counts are always atomic.
import { mmuOf } from '../arch/mmu.ts';
import { doExit } from '../kernel/exit.ts';
import type { Addr, Machine, Refused, Task } from '../types.ts';
import { allocatorOf } from './allocator.ts';
import { headerOf } from './pool.ts';
import { forgetAccesses } from './races.ts';
import { stop } from './shadow.ts';
import { watch } from './watch.ts';
import { INT, loadWord, pointerBytes, storeWord, wordAt } from './word.ts';

/** A class of the program: where its smart pointers stand, in bytes from an object's start. */
export interface SmartClass {
  shared: number[];
  weak: number[];
  unique: number[];
  /** The object is a block of its own, which the control block names. */
  separate: boolean;
}

/** Classes of one process. */
export const CLASSES_MAX = 64;
const VTABLE_BYTES = 32;
/** Destructors that call each other, before the stack is full. */
const DESTRUCTORS_MAX = 65536;
const SIGSEGV = 11;

const noFaults = () => ({ minor: 0, major: 0, cow: 0 });
const useAt = (machine: Machine, control: Addr): Addr => control + pointerBytes(machine);
const weakAt = (machine: Machine, control: Addr): Addr => useAt(machine, control) + INT;
/** Where the object, or its address, stands. */
export const insideAt = (machine: Machine, control: Addr): Addr => weakAt(machine, control) + INT;

/** Virtual tables lie in the page below where a heap begins. */
const vtables = (machine: Machine): Addr => mmuOf(machine).startBrk - 4096;

/** The vptr of a class, which is noted when it is new; −1 when the program has too many. */
export function vptrOf(machine: Machine, task: Task, wanted: SmartClass): Addr {
  const key = JSON.stringify(wanted);
  let index = task.classes.findIndex((each) => JSON.stringify(each) === key);
  if (index < 0) {
    if (task.classes.length >= CLASSES_MAX) return -1;
    index = task.classes.length;
    task.classes = [...task.classes, wanted];
  }
  return vtables(machine) + index * VTABLE_BYTES;
}

/** The class that a vptr names. */
function classOf(machine: Machine, task: Task, vptr: Addr): SmartClass | undefined {
  const index = (vptr - vtables(machine)) / VTABLE_BYTES;
  return Number.isInteger(index) && index >= 0 ? task.classes[index] : undefined;
}

/** operator new, with all bytes 0. */
export function newBlock(machine: Machine, task: Task, bytes: number): Addr | Refused {
  const { libc } = machine.config;
  const block = allocatorOf(libc).calloc(machine, task, libc, bytes);
  if ('ok' in block) return block;
  const addr = block.addr + headerOf(machine);
  if (machine.races !== null) forgetAccesses(machine.races, task.mm, addr, addr + bytes);
  return addr;
}

function deleteBlock(machine: Machine, task: Task, addr: Addr): Refused | null {
  const { libc } = machine.config;
  return allocatorOf(libc).free(machine, task, libc, addr - headerOf(machine));
}

/** A pointer in memory. */
export function loadPointer(machine: Machine, task: Task, at: Addr, access: 'read' | 'write' = 'read'): Addr | Refused {
  const size = pointerBytes(machine);
  return watch(machine, task, at, size, 'read') ?? loadWord(machine, task, at, size, noFaults(), access);
}

export function storePointer(machine: Machine, task: Task, at: Addr, value: Addr): Refused | null {
  const size = pointerBytes(machine);
  return watch(machine, task, at, size, 'write') ?? storeWord(machine, task, at, size, value, noFaults());
}

export interface Pair {
  addr: Addr;
  control: Addr;
}

/** A shared_ptr or a weak_ptr; `access` write where it will be assigned to. */
export function loadPair(machine: Machine, task: Task, at: Addr, access: 'read' | 'write' = 'read'): Pair | Refused {
  const addr = loadPointer(machine, task, at, access);
  if (typeof addr !== 'number') return addr;
  const control = loadPointer(machine, task, at + pointerBytes(machine), access);
  return typeof control === 'number' ? { addr, control } : control;
}

export function storePair(machine: Machine, task: Task, at: Addr, { addr, control }: Pair): Refused | null {
  return storePointer(machine, task, at, addr) ?? storePointer(machine, task, at + pointerBytes(machine), control);
}

/** lock xadd on a count; what it was before. */
export function addToCount(machine: Machine, task: Task, at: Addr, step: 1 | -1): number | Refused {
  const faults = noFaults();
  const before = watch(machine, task, at, INT, 'atomic') ?? loadWord(machine, task, at, INT, faults, 'write');
  if (typeof before !== 'number') return before;
  return storeWord(machine, task, at, INT, (before + step) >>> 0, faults) ?? before;
}

/** One more strong or weak pointer; no control block, nothing to count. */
export function hold(machine: Machine, task: Task, control: Addr, kind: 'shared' | 'weak'): Refused | null {
  if (control === 0) return null;
  const before = addToCount(machine, task, kind === 'shared' ? useAt(machine, control) : weakAt(machine, control), 1);
  return typeof before === 'number' ? null : before;
}

/** One more strong pointer, unless the object is dead (lock, by cmpxchg in a loop); whether there is one. */
export function holdLiving(machine: Machine, task: Task, control: Addr): boolean | Refused {
  if (control === 0) return false;
  const count = loadWord(machine, task, useAt(machine, control), INT, noFaults());
  if (typeof count !== 'number') return count;
  if (count === 0) return watch(machine, task, useAt(machine, control), INT, 'atomic') ?? false;
  return hold(machine, task, control, 'shared') ?? true;
}

/** Use and weak count, as far as they are in memory now. */
export function countsOf(machine: Machine, task: Task, control: Addr): { use: number; weak: number } {
  if (control === 0) return { use: 0, weak: 0 };
  return { use: wordAt(machine, task, useAt(machine, control), INT), weak: wordAt(machine, task, weakAt(machine, control), INT) };
}

/** What remains to be done: `use`, `weak` drop a count of the control block at `at`; `free` deletes the block there; the others destroy the smart pointer that stands there. */
interface Job {
  what: 'use' | 'weak' | 'free' | 'sharedMember' | 'weakMember' | 'uniqueMember';
  at: Addr;
}

/** The last strong pointer went: the destructor of the object, whose members go in reverse order, then its own weak count. */
function dispose(machine: Machine, task: Task, control: Addr, jobs: Job[], destroyed: Addr[]): Refused | null {
  const vptr = loadPointer(machine, task, control);
  if (typeof vptr !== 'number') return vptr;
  const type = classOf(machine, task, vptr);
  if (type === undefined) {
    doExit(machine, task, SIGSEGV);
    return { ok: false, signal: 'SIGSEGV', why: { code: 'NOT_A_CONTROL_BLOCK', addr: control, found: vptr }, cost: 0 };
  }
  const inside = insideAt(machine, control);
  const object = type.separate ? loadPointer(machine, task, inside) : inside;
  if (typeof object !== 'number') return object;
  destroyed.push(object);
  jobs.push({ what: 'weak', at: control });
  if (type.separate) jobs.push({ what: 'free', at: object });
  const members = [
    ...type.shared.map((offset) => ({ what: 'sharedMember' as const, offset })),
    ...type.weak.map((offset) => ({ what: 'weakMember' as const, offset })),
    ...type.unique.map((offset) => ({ what: 'uniqueMember' as const, offset })),
  ].sort((a, b) => a.offset - b.offset);
  for (const { what, offset } of members) jobs.push({ what, at: object + offset });
  return null;
}

function step(machine: Machine, task: Task, { what, at }: Job, jobs: Job[], destroyed: Addr[]): Refused | null {
  if (what === 'free') return at === 0 ? null : deleteBlock(machine, task, at);
  if (what === 'use' || what === 'weak') {
    const before = addToCount(machine, task, what === 'use' ? useAt(machine, at) : weakAt(machine, at), -1);
    if (typeof before !== 'number') return before;
    if (before !== 1) return null;
    return what === 'weak' ? deleteBlock(machine, task, at) : dispose(machine, task, at, jobs, destroyed);
  }
  const pointer = loadPointer(machine, task, what === 'uniqueMember' ? at : at + pointerBytes(machine));
  if (typeof pointer !== 'number') return pointer;
  if (pointer === 0) return null;
  if (what === 'uniqueMember') destroyed.push(pointer);
  jobs.push({ what: what === 'uniqueMember' ? 'free' : what === 'sharedMember' ? 'use' : 'weak', at: pointer });
  return null;
}

/** Drops a pointer to a control block, or deletes what a unique_ptr owned, with all that goes with it. `destroyed` gets the objects, in order. */
export function release(machine: Machine, task: Task, what: 'use' | 'weak' | 'free', at: Addr, destroyed: Addr[]): Refused | null {
  if (at === 0) return null;
  if (what === 'free') destroyed.push(at);
  const jobs: Job[] = [{ what, at }];
  for (let n = 0; n < DESTRUCTORS_MAX; n++) {
    const job = jobs.pop();
    if (job === undefined) return null;
    const ended = step(machine, task, job, jobs, destroyed);
    if (ended !== null) return ended;
  }
  return stop(machine, task, { code: 'LIBC_ABORT', text: 'the destructors of a long list overflow the stack', addr: at });
}

/** Cycles that one answer lists at most. */
const CYCLES_MAX = 16;

/**
 * Control blocks among these addresses that keep each other alive: each is held by a shared_ptr in the one before it, the
 * first by the last. Told from what stands in memory; pages that are not there are not read.
 */
export function ownershipCycles(machine: Machine, task: Task, controls: readonly Addr[]): Addr[][] {
  if (task.classes.length === 0) return [];
  const known = new Set(controls);
  const cycles: Addr[][] = [];
  const done = new Set<Addr>();
  const word = pointerBytes(machine);
  const held = (control: Addr): Addr[] => {
    const type = classOf(machine, task, wordAt(machine, task, control, word));
    if (type === undefined || type.separate || countsOf(machine, task, control).use === 0) return [];
    const object = insideAt(machine, control);
    return type.shared.map((offset) => wordAt(machine, task, object + offset + word, word)).filter((other) => known.has(other));
  };
  for (const start of controls) {
    if (done.has(start)) continue;
    const path: { control: Addr; next: Addr[] }[] = [{ control: start, next: held(start) }];
    const onPath = new Set([start]);
    done.add(start);
    while (path.length > 0 && cycles.length < CYCLES_MAX) {
      const { control, next } = path[path.length - 1]!;
      const other = next.pop();
      if (other === undefined) {
        path.pop();
        onPath.delete(control);
      } else if (onPath.has(other)) {
        cycles.push(path.slice(path.findIndex((each) => each.control === other)).map((each) => each.control));
      } else if (!done.has(other)) {
        path.push({ control: other, next: held(other) });
        onPath.add(other);
        done.add(other);
      }
    }
  }
  return cycles;
}
