/** New processes: spawn by the kernel, fork by a process, whose private pages both then share until one writes (kernel/fork.c). */
import { createBlockList } from '../mm/blocks.ts';
import { copySegments } from '../arch/segment.ts';
import { mmuOf, PTE, PTE_PFN_SHIFT, pmdAt, pteAt, spanEnd, tableBase, type Mmu } from '../arch/mmu.ts';
import { emit, FACT } from '../facts.ts';
import { fget } from '../fs/inode.ts';
import { copyHeap } from '../libc/fork.ts';
import { copyPools } from '../libc/pool.ts';
import { EVENT, noteThread } from '../libc/races.ts';
import { accountPages, defaultRlimits, RLIM_INFINITY, vmEnoughMemory } from '../mm/commit.ts';
import { allocTable, pteAlloc } from '../mm/memory.ts';
import { emptyLayout } from '../mm/mmap_layout.ts';
import type { Failure } from '../mm/mmap.ts';
import { pageAddRmap } from '../mm/rmap.ts';
import { inheritResident } from '../mm/replacement.ts';
import { swapDuplicate } from '../mm/swap_state.ts';
import { allocWhy, ASKER_KILLED } from '../mm/slowpath.ts';
import { copyHugePmd, FAULT_FALLBACK } from '../mm/huge_memory.ts';
import { currentRegisters } from './thread.ts';
import { isHuge } from '../mm/huge_split.ts';
import { exitMmap } from '../mm/unmap.ts';
import { holdObject, pagesOf, VM } from '../mm/vma.ts';
import { GFP_KERNEL_ZERO } from '../gfp.ts';
import type { Machine, Mm, Pfn, Pid, Task, Vma, Why } from '../types.ts';

/** Processes that a machine may hold at once. */
export const PROCESSES_MAX = 32768;
/** The asker died of the OOM killer while it forked. */
export const FORK_KILLED = 'killed';

export function createMm(mmu: Mmu, pid: Pid, pgd: Pfn): Mm {
  return {
    pid,
    pgd,
    vmas: [],
    taskSize: mmu.taskSize,
    mmapBase: mmu.mmapBase,
    layout: emptyLayout(),
    startBrk: mmu.startBrk,
    brk: mmu.startBrk,
    totalVm: 0,
    hiwaterVm: 0,
    hiwaterRss: 0,
    rssAnon: 0,
    rssShmem: 0,
    rssFile: 0,
    hasLocked: false,
    swapEnts: 0,
    tables: 1,
    deposits: [],
    committed: 0,
  };
}

function createTask(pid: Pid, ppid: Pid, mm: Mm): Task {
  return {
    pid,
    ppid,
    comm: `proc${pid}`,
    mm,
    oomScoreAdj: 0,
    oomScoreAdjMin: 0,
    oomAdj: 0,
    startTime: 0,
    cpuUs: 0,
    minFlt: 0,
    majFlt: 0,
    kernelPages: 0,
    kernelBlocks: createBlockList(),
    kernelBytes: 0,
    objects: new Set(),
    rlimits: defaultRlimits(),
    children: 0,
    pins: new Map(),
    cmaRuns: new Set(),
    segments: null,
    heap: null,
    pools: new Map(),
    files: new Map(),
    classes: [],
    eax: 0,
    threads: null,
  };
}

function admit(machine: Machine, task: Task): Task {
  task.startTime = machine.now;
  machine.tasks.set(task.pid, task);
  emit(machine.facts, FACT.processStarted, task.pid, task.ppid, 0);
  return task;
}

/** A process with a page directory and nothing else. Pid 1 comes so when it is first named, the others by `spawn`. */
export function spawn(machine: Machine, pid: Pid): Task | Failure {
  if (machine.tasks.size + machine.threads.size >= PROCESSES_MAX)
    return { errno: 'EAGAIN', why: { code: 'TOO_MANY_PROCESSES', limit: PROCESSES_MAX } };
  const pgd = allocTable(machine, 0);
  if (pgd < 0) return { errno: 'ENOMEM', why: allocWhy(machine, 0, GFP_KERNEL_ZERO) };
  machine.frames.owner[pgd] = pid;
  return admit(machine, createTask(pid, 0, createMm(mmuOf(machine), pid, pgd)));
}

/** What fork refuses before it starts. */
function mayFork(machine: Machine, parent: Task, isRoot: boolean): Failure | null {
  const { cur } = parent.rlimits.RLIMIT_NPROC!;
  const limit = Math.min(PROCESSES_MAX, cur);
  if (
    machine.tasks.size + machine.threads.size >= PROCESSES_MAX ||
    (cur !== RLIM_INFINITY && !isRoot && parent.children + (parent.threads?.live ?? 0) >= cur)
  ) {
    return { errno: 'EAGAIN', why: { code: 'TOO_MANY_PROCESSES', limit } };
  }
  const refused = mayPromiseTwice(machine, parent, isRoot);
  return refused ? { errno: 'ENOMEM', why: refused } : null;
}

/** All that the parent was promised is promised to the child too: area by area, in mode 2 their sum (dup_mmap). */
function mayPromiseTwice(machine: Machine, parent: Task, isRoot: boolean): Why | null {
  if (machine.config.overcommit.mode === 2) return vmEnoughMemory(machine, parent, parent.mm.committed, isRoot);
  for (const vma of parent.mm.vmas) {
    const refused = vma.flags & VM.account ? vmEnoughMemory(machine, parent, pagesOf(vma), isRoot) : null;
    if (refused) return refused;
  }
  return null;
}

/** An entry that names a slot of swap: the slot has one more (copy_nonpresent_pte). */
function copySwapEntry(machine: Machine, child: Mm, from: number, to: number): void {
  const { words } = machine.tables;
  swapDuplicate(machine, words[from]! >>> PTE_PFN_SHIFT);
  words[to] = words[from]!;
  child.swapEnts += 1;
}

/**
 * Copies the entries of one area that was written: both sides lose the right to write, so that the next write copies.
 * Returns 0, or a negative outcome when no page was to be had for a table (copy_page_range).
 */
function copyPageRange(machine: Machine, parent: Task, child: Mm, vma: Vma, copies: Copies): number {
  let copied = 0;
  for (let addr = vma.start; addr < vma.end;) {
    const at = pmdAt(machine, parent.mm.pgd, addr);
    const stop = spanEnd(machine, at, addr, vma.end);
    if (at < 0 || machine.tables.words[at] === 0) {
      addr = stop;
      continue;
    }
    if (isHuge(machine.tables.words[at]!)) {
      const outcome = copyHugePmd(machine, parent, child, addr, at);
      if (outcome !== 0 && outcome !== FAULT_FALLBACK) return outcome;
      if (outcome === 0) {
        addr = stop;
        copied += 1;
        continue;
      }
    }
    for (; addr < stop; addr += 4096) {
      const from = pteAt(machine, parent.mm.pgd, addr);
      if (machine.tables.words[from] === 0) continue;
      const to = pteAlloc(machine, parent.pid, child, addr);
      if (to < 0) return to;
      if (machine.tables.words[from] === 0) continue;
      if ((machine.tables.words[from]! & PTE.present) === 0) {
        copySwapEntry(machine, child, from, to);
        continue;
      }
      const pte = (machine.tables.words[from]! & ~PTE.write) >>> 0;
      machine.tables.words[from] = pte;
      machine.tables.words[to] = (pte & ~PTE.accessed) >>> 0;
      if ((pte & PTE.special) === 0) pageAddRmap(machine, child, pte >>> PTE_PFN_SHIFT, addr / 4096);
      copied += 1;
    }
  }
  copies.ptes += copied;
  machine.cost += Math.ceil(copied / 64) * machine.config.costs.fork_ptes!;
  return 0;
}

/** Areas of the child: alike, and each counted where it counts. */
function dupVmas(machine: Machine, child: Task, parent: Task): void {
  for (const vma of parent.mm.vmas) {
    child.mm.vmas.push({ ...vma, flags: vma.flags & ~VM.locked });
    holdObject(machine, vma);
    accountPages(machine, child, pagesOf(vma), (vma.flags & VM.account) !== 0);
  }
  child.mm.mmapBase = parent.mm.mmapBase;
  child.mm.layout = { ...parent.mm.layout };
  child.mm.startBrk = parent.mm.startBrk;
  child.mm.brk = parent.mm.brk;
}

/** What a fork copied: areas, and page-table entries of private memory. */
export interface Copies {
  areas: number;
  ptes: number;
}

/** The child; or why there is none; or FORK_KILLED. `copies` is added to. Shared areas are not copied: the child faults them in. */
export function fork(machine: Machine, parent: Task, isRoot: boolean, copies: Copies): Task | Failure | typeof FORK_KILLED {
  const refused = mayFork(machine, parent, isRoot);
  if (refused) return refused;
  const pgd = allocTable(machine, parent.pid);
  if (pgd === ASKER_KILLED) return FORK_KILLED;
  if (pgd < 0) return { errno: 'ENOMEM', why: allocWhy(machine, 0, GFP_KERNEL_ZERO) };
  const child = createTask(machine.nextPid, parent.pid, createMm(mmuOf(machine), machine.nextPid, pgd));
  Object.assign(child, {
    comm: parent.comm,
    oomScoreAdj: parent.oomScoreAdj,
    oomScoreAdjMin: parent.oomScoreAdjMin,
    oomAdj: parent.oomAdj,
    segments: copySegments(parent.segments),
    heap: copyHeap(parent.heap),
    pools: copyPools(parent.pools),
    classes: parent.classes,
    // Of its threads only the one that calls lives on in the child.
    eax: currentRegisters(machine, parent).eax,
    rlimits: Object.fromEntries(Object.entries(parent.rlimits).map(([name, limit]) => [name, { ...limit }])),
  });
  for (const [fd, file] of parent.files) child.files.set(fd, { ...file });
  dupVmas(machine, child, parent);
  for (const vma of child.mm.vmas) {
    if (!vma.anon || vma.flags & VM.shared) continue;
    const outcome = copyPageRange(machine, parent, child.mm, vma, copies);
    if (outcome === 0) continue;
    const why = outcome === ASKER_KILLED ? null : allocWhy(machine, 0, GFP_KERNEL_ZERO);
    exitMmap(machine, child.mm);
    return why ? { errno: 'ENOMEM', why } : FORK_KILLED;
  }
  for (const { ino } of child.files.values()) fget(machine, ino);
  copies.areas = child.mm.vmas.length;
  chargeTables(machine, child);
  if (machine.replacement !== null) inheritResident(machine, parent.pid, child.pid);
  machine.nextPid += 1;
  parent.children += 1;
  noteThread(machine, child.pid, EVENT.start);
  return admit(machine, child);
}

/** The child's tables were asked for by its parent; from now on they are the child's. */
function chargeTables(machine: Machine, child: Task): void {
  chargeTable(machine, child.pid, child.mm.pgd, machine.tables.levels - 1);
  for (const table of child.mm.deposits) machine.frames.owner[table] = child.pid;
}

/** A table and those that its entries name, `below` levels of them. */
function chargeTable(machine: Machine, pid: Pid, pfn: Pfn, below: number): void {
  machine.frames.owner[pfn] = pid;
  if (below === 0) return;
  const { words, entries } = machine.tables;
  const base = tableBase(machine, pfn);
  for (let at = base; at < base + entries; at++)
    if (words[at] !== 0 && !isHuge(words[at]!)) chargeTable(machine, pid, words[at]! >>> PTE_PFN_SHIFT, below - 1);
}
