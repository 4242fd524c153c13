/** One address space, counted anew: areas, tables, entries, resident pages (fidelity spec §19.3, .4, .7). */
import type { Machine } from '#kernel/machine.ts';
import { PG, type Mm, type Task, type Vma } from '#kernel/types.ts';
import { PGS } from '#kernel/mm/swap.ts';
import { VM } from '#kernel/mm/vma.ts';
import { type Count, Broken, PAGE, SEEN, equal, must } from './check_base.ts';

/** Bits of a page-table entry; bit 9 is software's and marks the shared zero page, bit 10 stands for NX. */
const PTE_PRESENT = 1;
const PTE_WRITE = 2;
const PTE_USER = 4;
const PTE_SWAP = 0x80;
const PTE_ZERO_PAGE = 0x200;
const PTE_NO_EXEC = 0x400;
const PTE_HUGE = 0x80;

/** On toy16 what names a table stands behind its 16 entries. */
const BASE_REGISTER = 16;
const taskSize = ({ config: { arch, pageOffset } }: Machine): number =>
  ({ toy16: 0x10000, i386: pageOffset, x86_64: 2 ** 47 - 4096 })[arch];

/** One address space: areas, tables, entries, resident pages (§19.3, .4, .7). */
export function checkTask(machine: Machine, task: Task, count: Count): void {
  must(machine.tasks.get(task.pid) === task, () => `pid ${task.pid} is listed under another number`);
  must(
    task.pid >= 1 && (task.pid < machine.nextPid || task.pid === 1),
    () => `pid ${task.pid} was never given (next is ${machine.nextPid})`,
  );
  const { mm } = task;
  checkAreas(task, count);
  equal(mm.taskSize, taskSize(machine), () => `pid ${task.pid}: end of user space`);
  const rss: Rss = { anon: 0, shmem: 0, file: 0, swap: 0, huge: 0 };
  const own = checkTable(machine, task, mm.pgd, machine.tables.levels - 1, 0, rss, count) + mm.deposits.length;
  equal(mm.deposits.length, rss.huge, () => `pid ${task.pid}: tables put aside for huge pages`);
  for (const table of mm.deposits) {
    noteTable(machine, task, table, count);
    const base = machine.frames.index[table]! * machine.tables.entries;
    must(
      machine.tables.words.subarray(base, base + machine.tables.entries).every((word) => word === 0),
      () => `page table ${table}, put aside, is not empty`,
    );
  }
  count.tables += own;
  equal(mm.tables, own, () => `pid ${task.pid}: page tables`);
  equal(mm.rssAnon, rss.anon, () => `pid ${task.pid}: resident anonymous pages`);
  equal(mm.rssShmem, rss.shmem, () => `pid ${task.pid}: resident shared pages`);
  equal(mm.swapEnts, rss.swap, () => `pid ${task.pid}: pages in swap`);
  equal(mm.rssFile, rss.file, () => `pid ${task.pid}: resident file pages`);
  must(mm.hiwaterRss >= rss.anon + rss.shmem + rss.file, () => `pid ${task.pid}: VmHWM is under VmRSS`);
}

/** A table of `level` (0: of pages) whose first entry spans what begins at `start`; how many tables there are from it on down. */
function checkTable(machine: Machine, task: Task, pfn: number, level: number, start: number, rss: Rss, count: Count): number {
  noteTable(machine, task, pfn, count);
  const { words, entries } = machine.tables;
  const base = machine.frames.index[pfn]! * entries;
  let own = 1;
  for (let n = 0; n < entries; n++) {
    const entry = words[base + n]!;
    const addr = start + n * PAGE * entries ** level;
    if (machine.tables.levels === 1 && n === BASE_REGISTER) {
      equal(entry >>> 12, pfn, () => `the base register of table ${pfn}`);
      continue;
    }
    if (entry === 0) continue;
    must(addr < task.mm.taskSize, () => `pid ${task.pid}: entry ${n} of table ${pfn} belongs to the kernel`);
    if (level === 0) checkPte(machine, task, addr, entry, rss, count);
    else if (level === 1 && (entry & PTE_HUGE) !== 0) checkHuge(machine, task, addr, entry, rss, count);
    else {
      must((entry & PTE_PRESENT) !== 0, () => `pid ${task.pid}: directory entry ${n} of ${pfn} is ${entry.toString(16)}`);
      own += checkTable(machine, task, entry >>> 12, level - 1, addr, rss, count);
    }
  }
  return own;
}

/** An entry that maps 2 MiB: each of its pages is mapped with the entry's rights, and all lie in one area. */
function checkHuge(machine: Machine, task: Task, start: number, entry: number, rss: Rss, count: Count): void {
  const at = () => `pid ${task.pid}, huge page ${start.toString(16)}`;
  const head = entry >>> 12;
  must(head % 512 === 0, () => `${at()}: frame ${head} is not aligned`);
  must(areaAt(task.mm, start) === areaAt(task.mm, start + 511 * PAGE), () => `${at()} lies in two areas`);
  for (let i = 0; i < 512; i++) checkPte(machine, task, start + i * PAGE, (entry & ~PTE_HUGE) + i * PAGE, rss, count);
  count.huge.set(head, (count.huge.get(head) ?? 0) + 1);
  rss.huge += 1;
}

interface Rss {
  anon: number;
  shmem: number;
  file: number;
  swap: number;
  /** Entries that map 2 MiB. */
  huge: number;
}

function noteTable(machine: Machine, task: Task, pfn: number, count: Count): void {
  const { frames, tables } = machine;
  must(count.seen[pfn] === SEEN.allocated, () => `pid ${task.pid}: page table ${pfn} is not allocated`);
  equal(frames.flags[pfn]!, PG.head | PG.table, () => `page table ${pfn}: flags`);
  equal(frames.order[pfn]!, 0, () => `page table ${pfn}: order`);
  equal(frames.owner[pfn]!, task.pid, () => `page table ${pfn}: owner`);
  equal(tables.slotPfn[frames.index[pfn]!] ?? -2, pfn, () => `page table ${pfn}: its slot names another frame`);
  must(!count.tableOf.has(pfn), () => `page table ${pfn} serves pid ${count.tableOf.get(pfn)} and pid ${task.pid}`);
  count.tableOf.set(pfn, task.pid);
}

function checkPte(machine: Machine, task: Task, addr: number, pte: number, rss: Rss, count: Count): void {
  const wrong = faultOfPte(machine, task.mm, addr, pte, rss, count);
  if (wrong !== null) throw new Broken(`pid ${task.pid}, page ${addr.toString(16)}, entry ${pte.toString(16)}: ${wrong}`);
}

/** What is wrong with an entry, or null; counts the page that it maps. */
function faultOfPte(machine: Machine, mm: Mm, addr: number, pte: number, rss: Rss, count: Count): string | null {
  if ((pte & PTE_PRESENT) === 0) return faultOfSwapEntry(machine, mm, addr, pte, rss, count);
  const vma = areaAt(mm, addr);
  if (vma === null) return 'no area holds it';
  const isClosed = (vma.flags & (VM.read | VM.write | VM.exec)) === 0;
  if (isClosed === ((pte & PTE_USER) !== 0)) return 'the user bit says other than the rights of the area';
  const isWritable = (pte & PTE_WRITE) !== 0;
  if (isWritable && (vma.flags & VM.write) === 0) return 'writable in an area that is not';
  const pfn = pte >>> 12;
  if ((pte & PTE_NO_EXEC) !== (vma.flags & VM.exec ? 0 : machine.tables.noExec)) return 'NX does not follow the area';
  if ((pte & PTE_ZERO_PAGE) !== 0) {
    return isWritable || vma.shm !== 0 ? 'the zero page is shared by all; never writable, never in shared memory' : null;
  }
  if (count.seen[pfn] !== SEEN.allocated) return `maps frame ${pfn}, which is not allocated`;
  count.maps[pfn]! += 1;
  const flags = machine.frames.flags[pfn]!;
  if (vma.shm !== 0) {
    if (flags !== (PG.head | PG.shmem)) return `frame ${pfn} has flags ${flags}`;
    const page = vma.pgoff + (addr - vma.start) / PAGE;
    if (machine.shm.get(vma.shm)?.pages.get(page) !== pfn) return `frame ${pfn} is not page ${page} of object ${vma.shm}`;
    rss.shmem += 1;
    return null;
  }
  if ((machine.frames.state[pfn]! & PGS.file) !== 0) return faultOfFilePte(machine, vma, addr, pfn, isWritable, rss);
  if (flags !== (PG.head | PG.anon)) return `frame ${pfn} has flags ${flags}`;
  if (isWritable && machine.frames.mapcount[pfn] !== 1) return `frame ${pfn} is shared and yet writable`;
  rss.anon += 1;
  return null;
}

/** An entry that names a slot of swap: of private memory, and the slot in use. */
function faultOfSwapEntry(machine: Machine, mm: Mm, addr: number, pte: number, rss: Rss, count: Count): string | null {
  const slot = pte >>> 12;
  const vma = areaAt(mm, addr);
  if (vma === null || vma.shm !== 0 || (vma.flags & VM.shared) !== 0) return 'a swap entry outside of private memory';
  if ((pte & 0xfff) !== PTE_SWAP || machine.swap === null || slot >= machine.swap.slots)
    return 'an entry that is neither present nor of swap';
  count.slots.set(slot, (count.slots.get(slot) ?? 0) + 1);
  rss.swap += 1;
  return null;
}

/** An entry of a page of a file: the right page, and writable only where it is dirty already. */
function faultOfFilePte(machine: Machine, vma: Vma, addr: number, pfn: number, isWritable: boolean, rss: Rss): string | null {
  const index = vma.pgoff + (addr - vma.start) / PAGE;
  if (vma.file === 0 || machine.disk?.inodes.get(vma.file)?.pages.get(index) !== pfn)
    return `frame ${pfn} is not page ${index} of file ${vma.file}`;
  if (isWritable && (vma.flags & VM.shared) === 0) return 'a page of a file, writable in private memory';
  if (isWritable && (machine.frames.state[pfn]! & PGS.dirty) === 0) return 'a clean page of a file, and writable';
  rss.file += 1;
  return null;
}

function checkAreas(task: Task, count: Count): void {
  const { mm } = task;
  let pages = 0;
  let committed = 0;
  let before: Vma | null = null;
  for (const vma of mm.vmas) {
    const at = () => `pid ${task.pid}, area ${vma.start.toString(16)}-${vma.end.toString(16)}`;
    must(vma.start % PAGE === 0 && vma.end % PAGE === 0 && vma.start < vma.end, () => `${at()} is not a range of pages`);
    must(vma.start >= 0 && vma.end <= mm.taskSize, () => `${at()} leaves user space`);
    must(before === null || before.end <= vma.start, () => `${at()} overlaps or precedes the one before`);
    // A fork copies areas one by one, and a stack grows towards its neighbour: neither merges.
    const mayStandApart = task.ppid !== 0 || (vma.flags & VM.growsdown) !== 0;
    if (before !== null) must(mayStandApart || !areAlike(before, vma), () => `${at()} should be one with the area before it`);
    pages += (vma.end - vma.start) / PAGE;
    const isShared = (vma.flags & VM.shared) !== 0;
    const isPromise = (vma.flags & (VM.write | VM.shared | VM.noreserve)) === VM.write;
    must(!isPromise || (vma.flags & VM.account) !== 0, () => `${at()}: private, writable, and not counted as a promise`);
    must((vma.flags & VM.account) === 0 || !isShared, () => `${at()}: shared, and counted as its process's promise`);
    if ((vma.flags & VM.account) !== 0 && !isShared) committed += (vma.end - vma.start) / PAGE;
    must(isShared === (vma.shm !== 0) || vma.file !== 0, () => `${at()}: shared without an object, or an object without being shared`);
    // Memory that was written keeps the offset of its birth when it moves.
    must(isShared || vma.anon || vma.file !== 0 || vma.pgoff === vma.start / PAGE, () => `${at()}: page offset ${vma.pgoff}`);
    if (vma.shm !== 0) count.shmUsers.set(vma.shm, (count.shmUsers.get(vma.shm) ?? 0) + 1);
    before = vma;
  }
  equal(mm.totalVm, pages, () => `pid ${task.pid}: total_vm`);
  equal(mm.committed, committed, () => `pid ${task.pid}: committed pages`);
  must(mm.hiwaterVm >= pages, () => `pid ${task.pid}: VmPeak is under VmSize`);
  must(mm.brk >= mm.startBrk, () => `pid ${task.pid}: brk lies below its start`);
}

/** Adjacent, of the same kind, and one object's pages in a row: the kernel would have merged them. */
function areAlike(a: Vma, b: Vma): boolean {
  return a.end === b.start && a.flags === b.flags && a.shm === b.shm && a.file === b.file && a.pgoff + (a.end - a.start) / PAGE === b.pgoff;
}

function areaAt(mm: Mm, addr: number): Vma | null {
  for (const vma of mm.vmas) if (vma.start <= addr && addr < vma.end) return vma;
  return null;
}
