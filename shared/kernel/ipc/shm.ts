/**
 * SysV shared memory (ipc/shm.c; spec §11): segments with a key, each an object of shared memory that processes attach.
 * A segment outlives its processes; IPC_RMID marks it, and the last detach destroys it.
 */
import { vmEnoughMemory } from '../mm/commit.ts';
import { doMmap, failure, MAP, type Failure } from '../mm/mmap.ts';
import { createShm, freeShm, shmOf } from '../mm/shmem.ts';
import { unmapRange } from '../mm/unmap.ts';
import { findVmaIndex, pageAlign, VM } from '../mm/vma.ts';
import { PAGE_SIZE, type Addr, type Machine, type Pid, type Task, type Vma } from '../types.ts';

/** Bits of shmflg, ours alone: calls name flags, they do not number them. */
export const SHM = { create: 1, exclusive: 2, readonly: 4 } as const;
export const IPC_PRIVATE = 0;
export const SHMMIN = 1;
const SHMMNI = 4096;

export interface Segment {
  shmid: number;
  /** IPC_PRIVATE where nobody can find it by key, as once it is marked. */
  key: number;
  bytes: number;
  /** Number of its object of shared memory. */
  object: number;
  /** Who made it. */
  creator: Pid;
  /** To be destroyed by the last detach (SHM_DEST). */
  isMarked: boolean;
}

/** All segments, and their limits: bytes of one, pages of all, how many. */
export interface Ipc {
  segments: Map<number, Segment>;
  nextShmid: number;
  shmmax: number;
  shmall: number;
  shmmni: number;
  /** Pages of all segments (shm_tot). */
  pages: number;
}

/** Limits by default: 2.6.32 has 32 MiB for one and 8 GiB for all, later kernels all but 16 MiB of an unsigned long. */
export function createIpc(rules: string, arch: string): Ipc {
  const ulong = arch === 'x86_64' ? Number.MAX_SAFE_INTEGER : 0xffff_ffff;
  const huge = ulong - (1 << 24);
  const isOld = rules === '2.6.32';
  return {
    segments: new Map(),
    nextShmid: 0,
    shmmax: isOld ? 0x200_0000 : huge,
    shmall: isOld ? 2_097_152 : huge,
    shmmni: SHMMNI,
    pages: 0,
  };
}

const pagesOfSegment = (segment: Segment): number => pageAlign(segment.bytes) / PAGE_SIZE;

/** Areas that attach it (shm_nattch): a process counts once for each. */
export function attaches(machine: Machine, segment: Segment): number {
  return shmOf(machine, segment.object).users;
}

function findKey(machine: Machine, key: number): Segment | null {
  if (key === IPC_PRIVATE) return null;
  for (const segment of machine.ipc.segments.values()) if (segment.key === key) return segment;
  return null;
}

function newSegment(machine: Machine, task: Task, key: number, bytes: number, isRoot: boolean): number | Failure {
  const { ipc } = machine;
  const pages = pageAlign(bytes) / PAGE_SIZE;
  if (bytes < SHMMIN || bytes > ipc.shmmax) return failure('EINVAL', { code: 'SEGMENT_SIZE', bytes, low: SHMMIN, high: ipc.shmmax });
  if (ipc.pages + pages > ipc.shmall) return failure('ENOSPC', { code: 'SHM_FULL', wanted: ipc.pages + pages, limit: ipc.shmall });
  if (ipc.segments.size >= ipc.shmmni) return failure('ENOSPC', { code: 'TOO_MANY_SEGMENTS', limit: ipc.shmmni });
  const refused = vmEnoughMemory(machine, task, pages, isRoot);
  if (refused) return failure('ENOMEM', refused);
  const shmid = ipc.nextShmid++;
  const object = createShm(machine, pages, pages);
  object.segment = shmid;
  ipc.segments.set(shmid, { shmid, key, bytes, object: object.id, creator: task.pid, isMarked: false });
  ipc.pages += pages;
  return shmid;
}

/** The segment's number: of the one with that key, or of a new one. */
export function doShmget(machine: Machine, task: Task, key: number, bytes: number, flags: number, isRoot: boolean): number | Failure {
  const segment = findKey(machine, key);
  if (segment === null) {
    if (key !== IPC_PRIVATE && (flags & SHM.create) === 0) return failure('ENOENT', { code: 'NO_SUCH_KEY', key });
    return newSegment(machine, task, key, bytes, isRoot);
  }
  const isExclusive = (flags & (SHM.create | SHM.exclusive)) === (SHM.create | SHM.exclusive);
  if (isExclusive) return failure('EEXIST', { code: 'KEY_TAKEN', key, shmid: segment.shmid });
  if (bytes > segment.bytes)
    return failure('EINVAL', { code: 'SEGMENT_SMALLER', shmid: segment.shmid, bytes: segment.bytes, wanted: bytes });
  return segment.shmid;
}

function segmentOf(machine: Machine, shmid: number): Segment | Failure {
  return machine.ipc.segments.get(shmid) ?? failure('EINVAL', { code: 'NO_SUCH_SEGMENT', shmid });
}

/** Attaches a segment, where the caller likes or where there is room; even one that is marked, by its number. */
export function doShmat(machine: Machine, task: Task, shmid: number, addr: Addr, flags: number, isRoot: boolean): Addr | Failure {
  const segment = segmentOf(machine, shmid);
  if ('errno' in segment) return segment;
  if (addr % PAGE_SIZE !== 0) return failure('EINVAL', { code: 'BAD_ARGUMENT', argument: 'addr', rule: 'a multiple of 4096 (SHMLBA)' });
  const isReadonly = (flags & SHM.readonly) !== 0;
  const placed = addr === 0 ? 0 : MAP.fixedNoreplace;
  const mapped = doMmap(
    machine,
    task,
    {
      addr,
      length: segment.bytes,
      prot: isReadonly ? VM.read : VM.read | VM.write,
      flags: MAP.shared | placed,
      shm: { object: segment.object, mayWrite: !isReadonly },
    },
    isRoot,
  );
  // An address that is taken is EINVAL here, not mmap's EEXIST.
  return typeof mapped !== 'number' && mapped.errno === 'EEXIST' ? { errno: 'EINVAL', why: mapped.why } : mapped;
}

/** Is this the area that a segment's attach at `addr` put there, or what a partial munmap left of it? */
function isPartOf(machine: Machine, vma: Vma, addr: Addr): boolean {
  return vma.shm !== 0 && shmOf(machine, vma.shm).segment >= 0 && (vma.start - addr) / PAGE_SIZE === vma.pgoff;
}

/** Detaches the segment that was attached at `addr`, with all that is left of it. */
export function doShmdt(machine: Machine, task: Task, addr: Addr): Failure | null {
  const { mm } = task;
  if (addr % PAGE_SIZE !== 0) return failure('EINVAL', { code: 'BAD_ARGUMENT', argument: 'addr', rule: 'a multiple of 4096' });
  const first = mm.vmas.slice(findVmaIndex(mm, addr)).find((vma) => vma.start >= addr && isPartOf(machine, vma, addr));
  if (!first) return failure('EINVAL', { code: 'NOT_ATTACHED', addr });
  const end = addr + shmOf(machine, first.shm).size * PAGE_SIZE;
  const parts = mm.vmas.filter((vma) => vma.shm === first.shm && vma.start < end && vma.start >= addr && isPartOf(machine, vma, addr));
  for (const { start, end: to } of parts) unmapRange(machine, mm, start, to);
  return null;
}

/** Marks the segment; it goes now if nobody attaches it, else with the last detach. */
export function doShmRemove(machine: Machine, task: Task | null, shmid: number): Failure | null {
  const segment = segmentOf(machine, shmid);
  if ('errno' in segment) return segment;
  const mayRemove =
    task === null || task.pid === segment.creator || machine.config.root.includes(task.pid) || !machine.tasks.has(segment.creator);
  if (!mayRemove) return failure('EPERM', { code: 'NOT_SEGMENT_OWNER', shmid, owner: segment.creator });
  segment.isMarked = true;
  segment.key = IPC_PRIVATE;
  if (attaches(machine, segment) === 0) freeShm(machine, shmOf(machine, segment.object));
  return null;
}

/** What IPC_STAT tells, and with it what /proc/sysvipc/shm does: bytes in memory and in swap. */
export function shmStat(machine: Machine, shmid: number): Record<string, unknown> | Failure {
  const segment = segmentOf(machine, shmid);
  if ('errno' in segment) return segment;
  const { key, bytes, creator, isMarked } = segment;
  const object = shmOf(machine, segment.object);
  const [rss, swap] = [object.pages.size * PAGE_SIZE, object.swapped.size * PAGE_SIZE];
  return { key, segsz: bytes, pages: pagesOfSegment(segment), rss, swap, nattch: object.users, cpid: creator, dest: isMarked };
}
