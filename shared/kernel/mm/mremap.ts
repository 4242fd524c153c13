/** mremap: a mapping that shrinks, grows where it is, or moves with its entries, so that no byte is copied (mm/mremap.c). */
import { pteAt, PTE, PTE_PFN_SHIFT } from '../arch/mmu.ts';
import { emit, FACT } from '../facts.ts';
import { GFP_KERNEL_ZERO } from '../gfp.ts';
import { PAGE_SIZE, type Addr, type Machine, type Mm, type Task, type Vma } from '../types.ts';
import { accountPages, mayExpandVm, vmEnoughMemory } from './commit.ts';
import { pteAlloc } from './memory.ts';
import { doMunmap, failure, lockedPages, type Failure } from './mmap.ts';
import { walkEntries } from './pagewalk.ts';
import { pageMoveRmap } from './rmap.ts';
import { allocWhy, ASKER_KILLED } from './slowpath.ts';
import { freePgtables, unmapRange } from './unmap.ts';
import { findVmaIndex, insertVma, mergeAround, pageAlign, startGap, unmappedArea, vmaAt, VM } from './vma.ts';

export const MREMAP = { mayMove: 1 } as const;
/** The asker died of the OOM killer while it looked for page tables. */
export const MREMAP_KILLED = 'killed';

export interface MremapRequest {
  addr: Addr;
  oldLength: number;
  newLength: number;
  flags: number;
}

const bad = (argument: string, rule: string): Failure => failure('EINVAL', { code: 'BAD_ARGUMENT', argument, rule });

/** What forbids the area to grow from `old` to `wanted` bytes at `addr` (vma_to_resize). */
function mayResize(task: Task, vma: Vma, addr: Addr, old: number, wanted: number, isRoot: boolean): Failure | null {
  if (old === 0 && (vma.flags & VM.shared) === 0) return bad('old_length', 'more than 0 for private memory');
  if (old > vma.end - addr) return failure('EFAULT', { code: 'NOT_ONE_AREA', addr, end: vma.end });
  const pages = (wanted - old) / PAGE_SIZE;
  if (vma.flags & VM.locked && !isRoot) {
    const limit = task.rlimits.RLIMIT_MEMLOCK!.cur;
    const locked = (lockedPages(task) + pages) * PAGE_SIZE;
    if (locked > limit) return failure('EAGAIN', { code: 'RLIMIT', resource: 'RLIMIT_MEMLOCK', limit, wanted: locked });
  }
  const isData = (vma.flags & (VM.write | VM.shared | VM.growsdown)) === VM.write;
  const limit = mayExpandVm(task, pages, isData);
  return limit ? failure('ENOMEM', limit) : null;
}

/** Is the room behind the area free for `delta` bytes more (vma_expandable)? */
function isExpandable(mm: Mm, index: number, delta: number): boolean {
  const end = mm.vmas[index]!.end + delta;
  const next = mm.vmas[index + 1];
  return end <= mm.taskSize && (!next || end <= startGap(next));
}

/** Entries of `length` bytes from `from` now stand at `to`, where tables for all of them are made first; 0 or a negative outcome. */
function movePageTables(machine: Machine, task: Task, from: Addr, to: Addr, length: number): number {
  const { mm } = task;
  const wanted: Addr[] = [];
  walkEntries(machine, mm, from, from + length, (_at, addr) => wanted.push(addr));
  for (const addr of wanted) {
    const at = pteAlloc(machine, task.pid, mm, to + (addr - from));
    if (at < 0) return at;
  }
  const { words } = machine.tables;
  let moved = 0;
  walkEntries(machine, mm, from, from + length, (at, addr) => {
    const pte = words[at]!;
    words[pteAt(machine, mm.pgd, to + (addr - from))] = pte;
    words[at] = 0;
    moved += 1;
    if ((pte & PTE.present) === 0 || (pte & PTE.special) !== 0) return;
    pageMoveRmap(machine, mm, pte >>> PTE_PFN_SHIFT, addr / PAGE_SIZE, (to + (addr - from)) / PAGE_SIZE);
  });
  machine.cost += Math.ceil(moved / 64) * machine.config.costs.fork_ptes!;
  return 0;
}

/** The area's twin of `length` bytes at `to`. Private memory that was never written forgets where it was born, so that it can merge there. */
function copyVma(vma: Vma, addr: Addr, to: Addr, length: number): Vma {
  const isBorn = vma.shm === 0 && vma.file === 0 && !vma.anon && (vma.flags & VM.shared) === 0;
  const pgoff = isBorn ? Math.floor(to / PAGE_SIZE) : vma.pgoff + Math.floor((addr - vma.start) / PAGE_SIZE);
  return { ...vma, start: to, end: to + length, pgoff };
}

function moveVma(machine: Machine, task: Task, vma: Vma, to: Addr, request: MremapRequest): Addr | Failure | typeof MREMAP_KILLED {
  const { addr, oldLength, newLength } = request;
  const { mm } = task;
  const { maxMapCount } = machine.config;
  // Three more for a while: the new one, and what is left on both sides of the old one.
  if (mm.vmas.length >= maxMapCount - 3) return failure('ENOMEM', { code: 'TOO_MANY_AREAS', limit: maxMapCount });
  const outcome = movePageTables(machine, task, addr, to, oldLength);
  if (outcome !== 0) {
    if (outcome === ASKER_KILLED) return MREMAP_KILLED;
    freePgtables(machine, mm, to, to + newLength);
    return failure('ENOMEM', allocWhy(machine, 0, GFP_KERNEL_ZERO));
  }
  const isAccounted = (vma.flags & VM.account) !== 0;
  const { hiwaterVm } = mm;
  accountPages(machine, task, newLength / PAGE_SIZE, isAccounted);
  insertVma(machine, mm, copyVma(vma, addr, to, newLength));
  emit(machine.facts, FACT.userAreaMapped, to / PAGE_SIZE, newLength / PAGE_SIZE, task.pid);
  if (oldLength > 0) {
    emit(machine.facts, FACT.userAreaUnmapped, addr / PAGE_SIZE, oldLength / PAGE_SIZE, task.pid);
    unmapRange(machine, mm, addr, addr + oldLength);
  }
  // It was never larger than before or after: the old and the new pages are the same ones.
  mm.hiwaterVm = Math.max(hiwaterVm, mm.totalVm);
  return to;
}

function growInPlace(machine: Machine, task: Task, index: number, delta: number): void {
  const vma = task.mm.vmas[index]!;
  emit(machine.facts, FACT.userAreaMapped, vma.end / PAGE_SIZE, delta / PAGE_SIZE, task.pid);
  vma.end += delta;
  accountPages(machine, task, delta / PAGE_SIZE, (vma.flags & VM.account) !== 0);
  mergeAround(machine, task.mm, index);
}

/** The mapping's address now; or why it stays as it is. */
export function doMremap(machine: Machine, task: Task, request: MremapRequest, isRoot: boolean): Addr | Failure | typeof MREMAP_KILLED {
  const { mm } = task;
  const { addr, flags } = request;
  const oldLength = pageAlign(request.oldLength);
  const newLength = pageAlign(request.newLength);
  if (addr % PAGE_SIZE !== 0) return bad('addr', 'a multiple of 4096');
  if (newLength === 0) return bad('new_length', 'more than 0');
  const vma = vmaAt(mm, addr);
  if (!vma) return failure('EFAULT', { code: 'NOT_MAPPED', addr });
  if (oldLength > newLength) return doMunmap(machine, task, addr + newLength, oldLength - newLength) ?? addr;
  if (oldLength === newLength) return addr;
  const refused = mayResize(task, vma, addr, oldLength, newLength, isRoot);
  if (refused) return refused;
  const delta = newLength - oldLength;
  const index = findVmaIndex(mm, addr);
  const inPlace = oldLength === vma.end - addr && isExpandable(mm, index, delta);
  if (!inPlace && (flags & MREMAP.mayMove) === 0)
    return failure('ENOMEM', { code: 'ADDRESS_TAKEN', addr: addr + oldLength, length: delta });
  const to = inPlace ? addr : unmappedArea(mm, newLength);
  if (to < 0) return failure('ENOMEM', { code: 'NO_ADDRESS_SPACE', length: newLength });
  const promise = vma.flags & VM.account ? vmEnoughMemory(machine, task, delta / PAGE_SIZE, isRoot) : null;
  if (promise) return failure('ENOMEM', promise);
  if (!inPlace) return moveVma(machine, task, vma, to, { addr, oldLength, newLength, flags });
  growInPlace(machine, task, index, delta);
  return addr;
}
