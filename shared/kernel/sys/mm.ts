/** mmap, munmap, brk, sbrk, setrlimit: the address space of the caller. */
import { address, bytes, flags, increment, int, optional, rlimit, word } from '../args.ts';
import { RESOURCES } from '../mm/commit.ts';
import { accessRange } from '../mm/memory.ts';
import { doBrk, doMmap, doMunmap, MAP } from '../mm/mmap.ts';
import { VM } from '../mm/vma.ts';
import type { Answer, Machine, Task } from '../types.ts';
import { FMODE } from '../fs/inode.ts';
import { mappedFile } from './file.ts';
import { accessRefused, badArgument, granted, refused, refusedBy } from './answer.ts';

export const PROT = { PROT_NONE: 0, PROT_READ: VM.read, PROT_WRITE: VM.write, PROT_EXEC: VM.exec };
export const MAP_FLAGS = {
  MAP_SHARED: MAP.shared,
  MAP_PRIVATE: MAP.private,
  MAP_FIXED: MAP.fixed,
  MAP_FIXED_NOREPLACE: MAP.fixedNoreplace,
  MAP_ANONYMOUS: MAP.anonymous,
  MAP_GROWSDOWN: MAP.growsdown,
  MAP_LOCKED: MAP.locked,
  MAP_NORESERVE: MAP.noreserve,
  MAP_POPULATE: MAP.populate,
};

export const isRoot = (machine: Machine, task: Task): boolean => machine.config.root.includes(task.pid);

export const mmapArgs = {
  length: bytes,
  prot: flags(PROT),
  flags: flags(MAP_FLAGS),
  fd: optional(int(-1, 0x7fffffff)),
  offset: optional(bytes),
  addr: optional(address),
};

export function sysMmap(
  machine: Machine,
  task: Task,
  length: number,
  prot: number,
  map: number,
  fd?: number,
  offset?: number,
  wish = 0,
): Answer {
  if (length === 0) return badArgument('length', 'more than 0');
  const isOld = machine.config.rules === '2.6.32';
  const kind = map & (MAP.shared | MAP.private);
  if (kind !== MAP.shared && kind !== MAP.private) return badArgument('flags', 'one of MAP_SHARED and MAP_PRIVATE');
  if (map & MAP.anonymous && fd !== undefined && fd !== -1) return badArgument('fd', '-1 with MAP_ANONYMOUS');
  if (offset !== undefined && offset % 4096 !== 0) return badArgument('offset', 'a multiple of 4096');
  if (map & MAP.shared && map & MAP.growsdown) return badArgument('flags', 'MAP_GROWSDOWN only with MAP_PRIVATE');
  const isSharedWrite = kind === MAP.shared && (prot & VM.write) !== 0;
  const file = map & MAP.anonymous ? null : mappedFile(task, fd, isSharedWrite);
  if (file !== null && 'ok' in file) return file;
  const mapped = file && { ino: file.ino, pgoff: (offset ?? 0) / 4096, mayWrite: (file.mode & FMODE.write) !== 0 };
  // Before 4.17 MAP_FIXED_NOREPLACE was no flag: the address is a wish.
  const request = { addr: wish, length, prot, flags: isOld ? map & ~MAP.fixedNoreplace : map, ...(mapped && { file: mapped }) };
  const addr = doMmap(machine, task, request, isRoot(machine, task));
  if (typeof addr !== 'number') return refusedBy(addr);
  machine.cost += machine.config.costs.area!;
  const died = map & (MAP.populate | MAP.locked) ? populate(machine, task, addr, length, prot) : null;
  return died ?? { ok: true, addr, cost: 0 };
}

/** MAP_POPULATE and MAP_LOCKED touch every page now. That some cannot be had does not undo the mapping (mm_populate). */
export function populate(machine: Machine, task: Task, addr: number, length: number, prot: number): Answer | null {
  if (prot === 0) return null;
  const faults = { minor: 0, major: 0, cow: 0 };
  const outcome = accessRange(machine, task, addr, length, prot & VM.write ? 'write' : 'read', faults);
  return outcome.signal === 'SIGKILL' ? accessRefused(machine, task, outcome, faults) : null;
}

export const munmapArgs = { addr: address, length: bytes };

export function sysMunmap(machine: Machine, task: Task, addr: number, length: number): Answer {
  const failed = doMunmap(machine, task, addr, length);
  if (failed) return refusedBy(failed);
  machine.cost += machine.config.costs.area!;
  return granted();
}

export const brkArgs = { addr: address };

export function sysBrk(machine: Machine, task: Task, wanted: number): Answer {
  const addr = doBrk(machine, task, wanted, isRoot(machine, task));
  if (typeof addr !== 'number') return refusedBy(addr);
  machine.cost += machine.config.costs.area!;
  return granted({ addr });
}

export const sbrkArgs = { increment };

/** Moves the break by some bytes; answers the old one (sbrk(2), not what the notes say). */
export function sysSbrk(machine: Machine, task: Task, by: number): Answer {
  const old = task.mm.brk;
  if (old + by < task.mm.startBrk) {
    return refused('ENOMEM', { code: 'BAD_ARGUMENT', argument: 'increment', rule: 'not below the start of the heap' });
  }
  const addr = doBrk(machine, task, old + by, isRoot(machine, task));
  if (typeof addr !== 'number') return refusedBy(addr);
  machine.cost += machine.config.costs.area!;
  return granted({ addr: old });
}

export const setrlimitArgs = { resource: word(RESOURCES), limit: rlimit };

/** Sets a limit of the caller, soft and hard together; only root raises it above the hard one. */
export function sysSetrlimit(machine: Machine, task: Task, resource: (typeof RESOURCES)[number], wanted: number): Answer {
  const limit = task.rlimits[resource]!;
  if (wanted > limit.max && !isRoot(machine, task)) {
    return refused('EPERM', { code: 'RLIMIT', resource, limit: limit.max, wanted });
  }
  limit.cur = wanted;
  limit.max = wanted;
  return granted();
}
