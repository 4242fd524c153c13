/** mmap, munmap and brk: promises of addresses, no page given yet (mm/mmap.c; spec §11). */
import { PAGE_SIZE, type Addr, type Machine, type Mm, type Task, type Vma } from '../types.ts';
import type { Errno } from '../errno.ts';
import { emit, FACT } from '../facts.ts';
import type { Why } from '../why.ts';
import { accountPages, isAccountable, mayExpandVm, vmEnoughMemory } from './commit.ts';
import { HPAGE_BYTES } from './huge_split.ts';
import { createShm } from './shmem.ts';
import { unmapRange } from './unmap.ts';
import { anonymousVma, findVmaIndex, insertVma, isHole, minAddr, pageAlign, pagesOf, startGap, unmappedArea, VM } from './vma.ts';

export interface Failure {
  errno: Errno;
  why: Why;
}
export const failure = (errno: Errno, why: Why): Failure => ({ errno, why });

/** Bits of MAP_…, ours alone: calls name flags, they do not number them. */
export const MAP = {
  shared: 1,
  private: 2,
  fixed: 4,
  anonymous: 8,
  growsdown: 16,
  locked: 32,
  noreserve: 64,
  populate: 128,
  fixedNoreplace: 256,
} as const;

export interface MmapRequest {
  addr: Addr;
  length: number;
  /** Bits of VM: read, write, exec. */
  prot: number;
  /** Bits of MAP. */
  flags: number;
  /** The file to map, if any, from this page on; may shared memory become writable? */
  file?: { ino: number; pgoff: number; mayWrite: boolean };
  /** The object of a SysV segment to map, from its start. */
  shm?: { object: number; mayWrite: boolean };
}

/** Where the area goes, or why it can't. MAP_FIXED takes the address as it is, a plain address is a wish. */
function placeArea(task: Task, request: MmapRequest, length: number): Addr | Failure {
  const { addr, flags } = request;
  if (flags & (MAP.fixed | MAP.fixedNoreplace)) {
    if (addr % PAGE_SIZE !== 0)
      return failure('EINVAL', { code: 'BAD_ARGUMENT', argument: 'addr', rule: 'a multiple of 4096 with MAP_FIXED' });
    if (addr > task.mm.taskSize - length) return failure('ENOMEM', { code: 'NO_ADDRESS_SPACE', length });
    const lowest = minAddr(task.mm);
    if (addr < lowest) return failure('EPERM', { code: 'BAD_ARGUMENT', argument: 'addr', rule: `at least ${lowest} (vm.mmap_min_addr)` });
    const next = task.mm.vmas[findVmaIndex(task.mm, addr)];
    if (flags & MAP.fixedNoreplace && next && next.start < addr + length) return failure('EEXIST', { code: 'ADDRESS_TAKEN', addr, length });
    return addr;
  }
  if (addr !== 0) {
    const wish = Math.max(pageAlign(addr), minAddr(task.mm));
    if (wish <= task.mm.taskSize - length && isHole(task.mm, wish, wish + length)) return wish;
  }
  const found = hugeAlignedArea(task.mm, length) ?? unmappedArea(task.mm, length);
  return found < 0 ? failure('ENOMEM', { code: 'NO_ADDRESS_SPACE', length }) : found;
}

/** x86_64 puts areas of whole 2 MiB on multiples of them, so that huge pages fit; null where that cannot be (thp_get_unmapped_area). */
function hugeAlignedArea(mm: Mm, length: number): Addr | null {
  if (mm.taskSize < 0x1_0000_0000 || length % HPAGE_BYTES !== 0) return null;
  const found = unmappedArea(mm, length + HPAGE_BYTES);
  return found < 0 ? null : (Math.floor(found / HPAGE_BYTES) + 1) * HPAGE_BYTES;
}

function vmFlags(machine: Machine, request: MmapRequest): number {
  const { flags, prot } = request;
  let vm = prot;
  if (flags & MAP.shared) vm |= VM.shared;
  if (flags & MAP.growsdown) vm |= machine.config.rules === '2.6.32' ? VM.growsdown | VM.onePageGap : VM.growsdown;
  if (flags & MAP.locked) vm |= VM.locked;
  if (flags & MAP.noreserve && machine.config.overcommit.mode !== 2) vm |= VM.noreserve;
  if (flags & MAP.shared && (request.file ?? request.shm)?.mayWrite === false) vm |= VM.readonlyFile;
  if (isAccountable(vm)) vm |= VM.account;
  return vm;
}

export function lockedPages(task: Task): number {
  let pages = 0;
  for (const vma of task.mm.vmas) if (vma.flags & VM.locked) pages += pagesOf(vma);
  return pages;
}

/** Limits that hold before anything is changed. */
function mayMap(
  machine: Machine,
  task: Task,
  flags: number,
  pages: number,
  replaced: Replaced,
  isRoot: boolean,
  isFile = false,
): Failure | null {
  const { maxMapCount } = machine.config;
  if (task.mm.vmas.length >= maxMapCount) return failure('ENOMEM', { code: 'TOO_MANY_AREAS', limit: maxMapCount });
  const isData = (flags & (VM.write | VM.shared | VM.growsdown)) === VM.write;
  const limit = mayExpandVm(task, pages - replaced.pages, isData);
  if (limit) return failure('ENOMEM', limit);
  if (flags & VM.locked && !isRoot) {
    const memlock = task.rlimits.RLIMIT_MEMLOCK!.cur;
    const wanted = (lockedPages(task) + pages) * PAGE_SIZE;
    if (wanted > memlock) return failure('EAGAIN', { code: 'RLIMIT', resource: 'RLIMIT_MEMLOCK', limit: memlock, wanted });
  }
  if ((flags & VM.account) === 0 && (isFile || (flags & (VM.shared | VM.noreserve)) !== VM.shared)) return null;
  const refused = vmEnoughMemory(machine, task, pages - replaced.accounted, isRoot);
  return refused ? failure('ENOMEM', refused) : null;
}

/** A new area; its address or why not. Anything under a MAP_FIXED address is unmapped first. */
export function doMmap(machine: Machine, task: Task, request: MmapRequest, isRoot: boolean): Addr | Failure {
  const length = pageAlign(request.length);
  if (length > task.mm.taskSize) return failure('ENOMEM', { code: 'NO_ADDRESS_SPACE', length });
  const addr = placeArea(task, request, length);
  if (typeof addr !== 'number') return addr;
  const flags = vmFlags(machine, request);
  const pages = length / PAGE_SIZE;
  const replaced = request.flags & MAP.fixed ? mappedPages(task, addr, addr + length) : NOTHING_REPLACED;
  const refused = mayMap(machine, task, flags, pages, replaced, isRoot, request.file !== undefined || request.shm !== undefined);
  if (refused) return refused;
  if (replaced.pages > 0) {
    emit(machine.facts, FACT.userAreaUnmapped, addr / PAGE_SIZE, replaced.pages, task.pid);
    unmapRange(machine, task.mm, addr, addr + length);
  }
  const vma: Vma = anonymousVma(addr, addr + length, flags);
  if (request.file) {
    vma.file = request.file.ino;
    vma.pgoff = request.file.pgoff;
  } else if (request.shm) {
    vma.shm = request.shm.object;
    vma.pgoff = 0;
  } else if (flags & VM.shared) {
    vma.shm = createShm(machine, pages, flags & VM.noreserve ? 0 : pages).id;
    vma.pgoff = 0;
  }
  if (flags & VM.locked) task.mm.hasLocked = true;
  insertVma(machine, task.mm, vma);
  accountPages(machine, task, pages, (flags & VM.account) !== 0);
  emit(machine.facts, FACT.userAreaMapped, addr / PAGE_SIZE, pages, task.pid);
  return addr;
}

interface Replaced {
  pages: number;
  /** Those of them that were promised memory. */
  accounted: number;
}
const NOTHING_REPLACED: Replaced = { pages: 0, accounted: 0 };

export function mappedPages(task: Task, start: Addr, end: Addr): Replaced {
  const replaced = { pages: 0, accounted: 0 };
  const { vmas } = task.mm;
  for (let i = findVmaIndex(task.mm, start); i < vmas.length && vmas[i]!.start < end; i++) {
    const pages = (Math.min(end, vmas[i]!.end) - Math.max(start, vmas[i]!.start)) / PAGE_SIZE;
    replaced.pages += pages;
    if (vmas[i]!.flags & VM.account) replaced.accounted += pages;
  }
  return replaced;
}

/** Unmaps whatever lies in the range; that nothing does is fine. */
export function doMunmap(machine: Machine, task: Task, addr: Addr, length: number): Failure | null {
  const rounded = pageAlign(length);
  const bad = (argument: string, rule: string) => failure('EINVAL', { code: 'BAD_ARGUMENT', argument, rule });
  if (addr % PAGE_SIZE !== 0) return bad('addr', 'a multiple of 4096');
  if (rounded === 0) return bad('length', 'more than 0');
  if (addr < 0 || addr + rounded > task.mm.taskSize) return bad('length', 'within user space');
  const vma = task.mm.vmas[findVmaIndex(task.mm, addr)];
  const { maxMapCount } = machine.config;
  const isInside = vma !== undefined && vma.start < addr && addr + rounded < vma.end;
  if (isInside && task.mm.vmas.length >= maxMapCount) return failure('ENOMEM', { code: 'TOO_MANY_AREAS', limit: maxMapCount });
  if (machine.facts !== null) {
    const { pages } = mappedPages(task, addr, addr + rounded);
    if (pages > 0) emit(machine.facts, FACT.userAreaUnmapped, addr / PAGE_SIZE, pages, task.pid);
  }
  unmapRange(machine, task.mm, addr, addr + rounded);
  return null;
}

/** Moves the break (sys_brk): the new one, or why it stays. Below the heap's start nothing moves, as in the kernel. */
export function doBrk(machine: Machine, task: Task, wanted: Addr, isRoot: boolean): Addr | Failure {
  const { mm } = task;
  if (wanted < mm.startBrk) return mm.brk;
  if (wanted > mm.taskSize) return failure('ENOMEM', { code: 'NO_ADDRESS_SPACE', length: wanted - mm.brk });
  const oldEnd = pageAlign(mm.brk);
  const newEnd = pageAlign(wanted);
  if (newEnd < oldEnd) unmapRange(machine, mm, newEnd, oldEnd);
  if (newEnd > oldEnd) {
    const next = mm.vmas[findVmaIndex(mm, oldEnd)];
    if (newEnd + PAGE_SIZE > (next ? startGap(next) : mm.taskSize)) {
      return failure('ENOMEM', { code: 'ADDRESS_TAKEN', addr: oldEnd, length: newEnd - oldEnd });
    }
    const flags = VM.read | VM.write | VM.account;
    const pages = (newEnd - oldEnd) / PAGE_SIZE;
    const refused = mayMap(machine, task, flags, pages, NOTHING_REPLACED, isRoot);
    if (refused) return refused;
    insertVma(machine, mm, anonymousVma(oldEnd, newEnd, flags));
    accountPages(machine, task, pages, true);
  }
  mm.brk = wanted;
  if (newEnd !== oldEnd) emit(machine.facts, FACT.breakMoved, newEnd / PAGE_SIZE, (newEnd - oldEnd) / PAGE_SIZE, task.pid);
  return wanted;
}
