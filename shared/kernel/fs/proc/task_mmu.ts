/** The files that show an address space (fs/proc/task_mmu.c): maps, smaps, status, statm; and the four sizes VSS, RSS, PSS, USS. */
import { addressDigits } from '../../arch/address.ts';
import { PTE, PTE_PFN_SHIFT, pmdAt, pteIndex, spanEnd, tableBase } from '../../arch/mmu.ts';
import { dataPages } from '../../mm/commit.ts';
import { hasHugeRange, isHugeAllowed } from '../../mm/huge_memory.ts';
import { HPAGE_PAGES, isHuge } from '../../mm/huge_split.ts';
import { isZombie, threadCount } from '../../kernel/thread.ts';
import { pagesOf, VM } from '../../mm/vma.ts';
import { inodeOf } from '../inode.ts';
import type { Segment } from '../../ipc/shm.ts';
import { shmOf } from '../../mm/shmem.ts';
import { shmemSlots } from '../../mm/shmem_swap.ts';
import { PGS } from '../../mm/swap.ts';
import { PAGE_SIZE, PG, type Machine, type Mm, type Task, type Vma } from '../../types.ts';

/** Column of the name: 25 and six for each byte of a pointer. */
const nameColumn = (mm: Mm): number => (mm.taskSize < 0x1_0000_0000 ? 49 : 73);
/** Inode numbers of shared anonymous objects start somewhere above those of a boot. */
const SHMEM_INODE = 1024;

/** The segment of SysV shared memory that an area maps, if it maps one. */
function segmentOf(machine: Machine, vma: Vma): Segment | undefined {
  return vma.shm === 0 ? undefined : machine.ipc.segments.get(shmOf(machine, vma.shm).segment);
}

/** What maps prints behind an area: its file, or what it is for. */
export function areaName(machine: Machine, mm: Mm, vma: Vma): string {
  if (vma.file !== 0) return inodeOf(machine, vma.file).path;
  const segment = segmentOf(machine, vma);
  if (segment) return `/SYSV${segment.key.toString(16).padStart(8, '0')} (deleted)`;
  if (vma.shm !== 0) return '/dev/zero (deleted)';
  if (vma.start < mm.brk && vma.end > mm.startBrk) return '[heap]';
  const { startStack } = mm.layout;
  if (vma.start <= startStack && startStack < vma.end) return '[stack]';
  return '';
}

/** Where it lies: page offset, device, inode. */
function placeOf(machine: Machine, vma: Vma): string {
  const offset = addressDigits(vma.pgoff * 4096);
  if (vma.file !== 0) return `${offset} 08:01 ${vma.file}`;
  const segment = segmentOf(machine, vma);
  if (segment) return `${offset} 00:01 ${segment.shmid}`;
  return vma.shm === 0 ? '00000000 00:00 0' : `${offset} 00:01 ${SHMEM_INODE + vma.shm}`;
}

function mapsLine(machine: Machine, mm: Mm, vma: Vma): string {
  const hex = addressDigits;
  const { flags } = vma;
  const rights =
    (flags & VM.read ? 'r' : '-') + (flags & VM.write ? 'w' : '-') + (flags & VM.exec ? 'x' : '-') + (flags & VM.shared ? 's' : 'p');
  const line = `${hex(vma.start)}-${hex(vma.end)} ${rights} ${placeOf(machine, vma)} `;
  const name = areaName(machine, mm, vma);
  return name === '' ? `${line}\n` : `${line.padEnd(nameColumn(mm))}${name}\n`;
}

export function maps(machine: Machine, task: Task): string {
  return task.mm.vmas.map((vma) => mapsLine(machine, task.mm, vma)).join('');
}

/** Pages of an area by kind; `pss` in 2^-12 bytes, as the kernel sums it. */
export interface AreaSizes {
  rss: number;
  pss: number;
  sharedClean: number;
  sharedDirty: number;
  privateClean: number;
  privateDirty: number;
  referenced: number;
  anonymous: number;
  /** Given away by MADV_FREE, and not taken yet. */
  lazyFree: number;
  /** The dirty part of `pss`. */
  pssDirty: number;
  swap: number;
  swapPss: number;
  /** Each page in whole bytes, as procrank counts. */
  pssBytes: number;
  /** Pages mapped as parts of huge ones. */
  huge: number;
}

const PSS_SHIFT = 12;

/** Walks the entries of one area: costs what its tables hold. */
export function areaSizes(machine: Machine, mm: Mm, vma: Vma): AreaSizes {
  const sizes = {
    rss: 0,
    pss: 0,
    sharedClean: 0,
    sharedDirty: 0,
    privateClean: 0,
    privateDirty: 0,
    referenced: 0,
    anonymous: 0,
    lazyFree: 0,
    pssDirty: 0,
    swap: 0,
    swapPss: 0,
    pssBytes: 0,
    huge: 0,
  };
  const { words } = machine.tables;
  for (let addr = vma.start; addr < vma.end;) {
    const pmd = pmdAt(machine, mm.pgd, addr);
    const stop = spanEnd(machine, pmd, addr, vma.end);
    const pde = pmd < 0 ? 0 : words[pmd]!;
    if (isHuge(pde)) {
      // Each page of it counts as if it had an entry of its own.
      const from = (addr / PAGE_SIZE) & (HPAGE_PAGES - 1);
      for (let i = from, end = from + (stop - addr) / PAGE_SIZE; i < end; i++) addPage(machine, sizes, pde + i * PAGE_SIZE);
      sizes.huge += (stop - addr) / PAGE_SIZE;
    } else if (pde !== 0) {
      const first = tableBase(machine, pde >>> PTE_PFN_SHIFT) + pteIndex(machine, addr);
      for (let at = first, end = first + (stop - addr) / PAGE_SIZE; at < end; at++) {
        if ((words[at]! & PTE.present) !== 0) addPage(machine, sizes, words[at]!);
        else if (words[at] !== 0) addSwapEntry(machine, sizes, words[at]!);
      }
    }
    addr = stop;
  }
  // What of a shared object is in swap counts once for each area, and in nobody's share (smap_gather_stats).
  if (vma.shm !== 0) sizes.swap += shmemSlots(shmOf(machine, vma.shm), vma, 0, pagesOf(vma)).length;
  return sizes;
}

/** A page in swap: its slot is shared by as many as name it. */
function addSwapEntry(machine: Machine, sizes: AreaSizes, pte: number): void {
  sizes.swap += 1;
  sizes.swapPss += Math.floor((4096 * (1 << PSS_SHIFT)) / machine.swap!.map[pte >>> PTE_PFN_SHIFT]!);
}

function addPage(machine: Machine, sizes: AreaSizes, pte: number): void {
  if (pte & PTE.special) return;
  const pfn = pte >>> PTE_PFN_SHIFT;
  const mapcount = machine.frames.mapcount[pfn]!;
  // A page of no file and no slot of swap is dirty from its first write on, whoever wrote it: its folio is marked dirty (or swap-backed).
  const state = machine.frames.state[pfn]!;
  const mayBeClean = (state & (PGS.file | PGS.swapcache)) !== 0 || (machine.frames.flags[pfn]! & PG.shmem) !== 0;
  // MADV_FREE takes that mark off.
  const isLazy = (pte & (PTE.lazyfree | PTE.dirty)) === PTE.lazyfree;
  const dirty = !isLazy && (!mayBeClean || (state & PGS.dirty) !== 0 || (pte & PTE.dirty) !== 0);
  const share = Math.floor((4096 * (1 << PSS_SHIFT)) / mapcount);
  sizes.rss += 1;
  sizes.pss += share;
  if (dirty) sizes.pssDirty += share;
  if (isLazy) sizes.lazyFree += 1;
  sizes.pssBytes += Math.floor(4096 / mapcount);
  if (mapcount > 1) sizes[dirty ? 'sharedDirty' : 'sharedClean'] += 1;
  else sizes[dirty ? 'privateDirty' : 'privateClean'] += 1;
  if (pte & PTE.accessed) sizes.referenced += 1;
  if (machine.frames.flags[pfn]! & PG.anon) sizes.anonymous += 1;
}

const pssKb = (pss: number): number => Math.floor(pss / (1 << (10 + PSS_SHIFT)));

const VM_FLAG_NAMES: readonly (readonly [number, string])[] = [
  [VM.read, 'rd'],
  [VM.write, 'wr'],
  [VM.exec, 'ex'],
  [VM.shared, 'sh'],
];
const VM_FLAG_TAIL: readonly (readonly [number, string])[] = [
  [VM.growsdown, 'gd'],
  [VM.locked, 'lo'],
  [VM.account, 'ac'],
  [VM.noreserve, 'nr'],
  [VM.hugepage, 'hg'],
  [VM.nohugepage, 'nh'],
];

function vmFlagsLine(vma: Vma): string {
  const set = (names: typeof VM_FLAG_NAMES) => names.filter(([bit]) => vma.flags & bit).map(([, name]) => name);
  const may = ['mr', ...(vma.flags & VM.readonlyFile ? [] : ['mw']), 'me', ...(vma.flags & VM.shared ? ['ms'] : [])];
  return `VmFlags: ${[...set(VM_FLAG_NAMES), ...may, ...set(VM_FLAG_TAIL)].map((name) => `${name} `).join('')}\n`;
}

export function smaps(machine: Machine, task: Task): string {
  const line = (label: string, kb: number) => `${`${label}:`.padEnd(16)}${String(kb).padStart(8)} kB\n`;
  let text = '';
  for (const vma of task.mm.vmas) {
    const sizes = areaSizes(machine, task.mm, vma);
    text += mapsLine(machine, task.mm, vma);
    text += line('Size', pagesOf(vma) * 4) + line('KernelPageSize', 4) + line('MMUPageSize', 4);
    text += line('Rss', sizes.rss * 4) + line('Pss', pssKb(sizes.pss)) + line('Pss_Dirty', pssKb(sizes.pssDirty));
    text += line('Shared_Clean', sizes.sharedClean * 4) + line('Shared_Dirty', sizes.sharedDirty * 4);
    text += line('Private_Clean', sizes.privateClean * 4) + line('Private_Dirty', sizes.privateDirty * 4);
    text += line('Referenced', sizes.referenced * 4) + line('Anonymous', sizes.anonymous * 4);
    text += line('KSM', 0) + line('LazyFree', sizes.lazyFree * 4);
    for (const label of ['AnonHugePages', 'ShmemPmdMapped', 'FilePmdMapped', 'Shared_Hugetlb', 'Private_Hugetlb']) {
      text += line(label, label === 'AnonHugePages' ? sizes.huge * 4 : 0);
    }
    text += line('Swap', sizes.swap * 4) + line('SwapPss', pssKb(sizes.swapPss));
    text += line('Locked', vma.flags & VM.locked ? pssKb(sizes.pss) : 0);
    text += `THPeligible:           ${isHugeAllowed(machine, vma) && hasHugeRange(vma) ? 1 : 0}\n${vmFlagsLine(vma)}`;
  }
  return text;
}

export interface FourSizes {
  vss: number;
  rss: number;
  /** Pages in 2^-24 parts of 4 KiB, floored: bytes × 4096. */
  pssBytes: number;
  uss: number;
}

/** VSS, RSS and USS in pages, PSS in bytes; walks the process' tables. */
export function fourSizes(machine: Machine, task: Task): FourSizes {
  const total = { vss: task.mm.totalVm, rss: 0, pssBytes: 0, uss: 0 };
  let pss = 0;
  for (const vma of task.mm.vmas) {
    const sizes = areaSizes(machine, task.mm, vma);
    total.rss += sizes.rss;
    total.uss += sizes.privateClean + sizes.privateDirty;
    pss += sizes.pss;
  }
  total.pssBytes = Math.floor(pss / (1 << PSS_SHIFT));
  return total;
}

const stackPages = (mm: Mm): number => mm.vmas.reduce((sum, vma) => sum + (vma.flags & VM.growsdown ? pagesOf(vma) : 0), 0);
/** Pages that may be executed and not written, stacks excepted (mm->exec_vm). */
const execPages = (mm: Mm): number =>
  mm.vmas.reduce((sum, vma) => sum + ((vma.flags & (VM.exec | VM.write | VM.growsdown)) === VM.exec ? pagesOf(vma) : 0), 0);
/** Pages of the program's TEXT, as execve laid it out, whatever has become of them. */
const textPages = ({ layout: { startCode, endCode } }: Mm): number => Math.ceil(endCode / PAGE_SIZE) - Math.floor(startCode / PAGE_SIZE);
const rssOf = (mm: Mm): number => mm.rssAnon + mm.rssFile + mm.rssShmem;

/** Pages that are pinned in place, each as often as it is (pin_user_pages). */
function pinnedPages(task: Task): number {
  let pages = 0;
  for (const pfns of task.pins.values()) pages += pfns.length;
  return pages;
}

/** Of the thread `tid` of a process. A zombie, which waits for its threads, has no memory of its own any more. */
export function status(_machine: Machine, task: Task, tid = task.pid): string {
  const { mm } = task;
  const zombie = isZombie(task, tid);
  const head = `Name:\t${task.comm}\nUmask:\t0022\nState:\t${zombie ? 'Z (zombie)' : 'R (running)'}\nTgid:\t${task.pid}\nNgid:\t0\nPid:\t${tid}\nPPid:\t${task.ppid}\n`;
  const threads = `Threads:\t${threadCount(task)}\n`;
  if (zombie) return head + threads;
  const kb = (label: string, pages: number) => `${label}:\t${String(pages * 4).padStart(8)} kB\n`;
  const text = Math.min(textPages(mm), execPages(mm));
  const locked = mm.vmas.reduce((sum, vma) => sum + (vma.flags & VM.locked ? pagesOf(vma) : 0), 0);
  return (
    head +
    kb('VmPeak', Math.max(mm.hiwaterVm, mm.totalVm)) +
    kb('VmSize', mm.totalVm) +
    kb('VmLck', locked) +
    kb('VmPin', pinnedPages(task)) +
    kb('VmHWM', Math.max(mm.hiwaterRss, rssOf(mm))) +
    kb('VmRSS', rssOf(mm)) +
    kb('RssAnon', mm.rssAnon) +
    kb('RssFile', mm.rssFile) +
    kb('RssShmem', mm.rssShmem) +
    kb('VmData', dataPages(task)) +
    kb('VmStk', stackPages(mm)) +
    kb('VmExe', text) +
    kb('VmLib', execPages(mm) - text) +
    kb('VmPTE', mm.tables) +
    kb('VmSwap', mm.swapEnts) +
    threads
  );
}

/** size resident shared text lib data dt, in pages (proc_pid_statm). */
export function statm(task: Task): string {
  const { mm } = task;
  return `${mm.totalVm} ${rssOf(mm)} ${mm.rssFile + mm.rssShmem} ${textPages(mm)} 0 ${dataPages(task) + stackPages(mm)} 0\n`;
}
