/**
 * execve: another program in the same process (fs/exec.c, fs/binfmt_elf.c; spec §3). The old address space goes, and the
 * segments of the new file are mapped, not read: its pages come when they are touched, out of the page cache that all
 * processes share.
 *
 *     TEXT   r-x, private, from the file's start
 *     DATA   rw-, private, the file's next bytes; then BSS, anonymous
 *     HEAP   from the end of BSS
 *     MMAP   libraries, each with its own text and data, from the mmap base downwards
 *     STACK  at the top: one page with arguments and environment, 128 KiB of room
 */
import { mmuOf } from '../arch/mmu.ts';
import { fput, type Inode, lookup } from '../fs/inode.ts';
import { lookupOpen } from '../fs/namei.ts';
import { GFP_HIGHUSER_MOVABLE, GFP_KERNEL_ZERO } from '../gfp.ts';
import { defaultLayout } from '../mm/mmap_layout.ts';
import { readCachePage } from '../mm/filemap.ts';
import { unpinAll } from '../mm/gup.ts';
import { accessRange, allocTable } from '../mm/memory.ts';
import { doMmap, MAP, type Failure } from '../mm/mmap.ts';
import { allocWhy, ASKER_KILLED } from '../mm/slowpath.ts';
import { exitMmap } from '../mm/unmap.ts';
import { pageAlign, unmappedArea, VM } from '../mm/vma.ts';
import { PAGE_SIZE, type Addr, type Faults, type Machine, type Task } from '../types.ts';
import type { Why } from '../why.ts';
import { createMm } from './fork.ts';
import { releaseThreads } from './thread.ts';

/** The asker died while its old program still ran. */
export const EXEC_KILLED = 'killed';
/** Where a program of each format is linked to be. */
const TEXT_BASE = { toy16: 0x1000, i386: 0x08048000, x86_64: 0x555555554000 } as const;
/** Room that a new stack gets at once (setup_arg_pages); on toy16 it gets a page. */
const STACK_EXPAND = 128 << 10;
const COMM_MAX = 15;

export interface Started {
  entry: Addr;
  /** The first address below what the kernel put on the stack. */
  stack: Addr;
  brk: Addr;
  faults: Faults;
}

/** The old program is gone, and the new one cannot be: the process ends with it. */
export interface Broken {
  broken: Why;
}

/** The file and all libraries that it needs, each once, in the order in which they are found. */
function withLibraries(machine: Machine, file: Inode): Inode[] {
  const found = [file];
  for (let i = 0; i < found.length; i++) {
    for (const path of found[i]!.libs) {
      const lib = lookup(machine, path);
      if (lib !== null && !found.includes(lib)) found.push(lib);
    }
  }
  return found;
}

/** Inodes and the first page of the program, which holds its headers; 0, or a negative outcome. Files go to `held`: they have a user more. */
function readHeaders(machine: Machine, task: Task, files: readonly Inode[], held: Inode[]): number {
  for (const file of files) {
    const outcome = lookupOpen(machine, file, task.pid);
    if (outcome < 0) return outcome;
    held.push(file);
    const page = file.bytes === 0 ? 0 : readCachePage(machine, file, 0, task.pid);
    if (page < 0) return page;
  }
  return 0;
}

/** Bytes of address space from the start of TEXT to the end of BSS. */
function spanOf(file: Inode): number {
  return pageAlign(file.text) + pageAlign((file.text % PAGE_SIZE) + file.data + file.bss);
}

/** Maps a file's segments from `base` on. DATA lies behind TEXT at the same place within its page as in the file. */
function mapSegments(machine: Machine, task: Task, file: Inode, base: Addr, isRoot: boolean): Failure | null {
  const map = (addr: Addr, length: number, prot: number, pgoff: number | null): Failure | null => {
    if (length <= 0) return null;
    const flags = MAP.private | MAP.fixedNoreplace | (pgoff === null ? MAP.anonymous : 0);
    const from = pgoff === null ? {} : { file: { ino: file.ino, pgoff, mayWrite: false } };
    const mapped = doMmap(machine, task, { addr, length, prot, flags, ...from }, isRoot);
    return typeof mapped === 'number' ? null : mapped;
  };
  const offset = file.text % PAGE_SIZE;
  const dataStart = base + pageAlign(file.text);
  const fileEnd = file.data === 0 ? dataStart : dataStart + pageAlign(offset + file.data);
  const end = base + spanOf(file);
  return (
    map(base, pageAlign(file.text), VM.read | VM.exec, 0) ??
    map(dataStart, fileEnd - dataStart, VM.read | VM.write, Math.floor(file.text / PAGE_SIZE)) ??
    map(fileEnd, end - fileEnd, VM.read | VM.write, null)
  );
}

function mapStack(machine: Machine, task: Task, isRoot: boolean): Failure | null {
  const { mm } = task;
  const limit = Math.floor(task.rlimits.RLIMIT_STACK!.cur / PAGE_SIZE) * PAGE_SIZE;
  const length = Math.max(PAGE_SIZE, Math.min(PAGE_SIZE + STACK_EXPAND, limit, mm.taskSize / 16));
  const flags = MAP.private | MAP.anonymous | MAP.fixed | MAP.growsdown;
  const mapped = doMmap(machine, task, { addr: mm.taskSize - length, length, prot: VM.read | VM.write, flags }, isRoot);
  if (typeof mapped !== 'number') return mapped;
  mm.layout.startStack = mm.taskSize - PAGE_SIZE;
  return null;
}

/** All areas of the new program; its headers were read before. */
function mapProgram(machine: Machine, task: Task, files: readonly Inode[], isRoot: boolean): Failure | null {
  const { mm } = task;
  const file = files[0]!;
  const base = TEXT_BASE[mmuOf(machine).name];
  const failed = mapStack(machine, task, isRoot) ?? mapSegments(machine, task, file, base, isRoot);
  if (failed) return failed;
  mm.layout.startCode = base;
  mm.layout.endCode = base + file.text;
  mm.startBrk = base + spanOf(file);
  mm.brk = mm.startBrk;
  for (const lib of files.slice(1)) {
    const span = spanOf(lib);
    if (span === 0) continue;
    const at = unmappedArea(mm, span);
    if (at < 0) return { errno: 'ENOMEM', why: { code: 'NO_ADDRESS_SPACE', length: span } };
    const wrong = mapSegments(machine, task, lib, at, isRoot);
    if (wrong) return wrong;
  }
  return null;
}

/** The program in `path` instead of the caller's; or why the old one runs on; or why there is none any more. */
// Simplified: no arguments, no environment, no dynamic linker that runs; libraries are mapped by the kernel, in whole.
export function execve(machine: Machine, task: Task, path: string, isRoot: boolean): Started | Failure | Broken | typeof EXEC_KILLED {
  const file = lookup(machine, path);
  if (file === null) return { errno: 'ENOENT', why: { code: 'NO_SUCH_FILE', path } };
  if (file.text === 0) return { errno: 'ENOEXEC', why: { code: 'NOT_A_PROGRAM', path } };
  const held: Inode[] = [];
  const done = load(machine, task, withLibraries(machine, file), held, isRoot);
  // What was mapped has its areas as users from now on.
  for (const { ino } of held) fput(machine, ino);
  return done;
}

/** Reads the headers, leaves the old address space and fills the new one (load_elf_binary). */
function load(
  machine: Machine,
  task: Task,
  files: Inode[],
  held: Inode[],
  isRoot: boolean,
): Started | Failure | Broken | typeof EXEC_KILLED {
  const { path } = files[0]!;
  const outcome = readHeaders(machine, task, files, held);
  if (outcome === ASKER_KILLED) return EXEC_KILLED;
  if (outcome < 0) return { errno: 'ENOMEM', why: allocWhy(machine, 0, GFP_HIGHUSER_MOVABLE) };
  const pgd = allocTable(machine, task.pid);
  if (pgd === ASKER_KILLED) return EXEC_KILLED;
  if (pgd < 0) return { errno: 'ENOMEM', why: allocWhy(machine, 0, GFP_KERNEL_ZERO) };
  releaseThreads(machine, task);
  task.eax = 0;
  task.classes = [];
  machine.entry.current = task.pid;
  exitMmap(machine, task.mm);
  unpinAll(machine, task);
  task.mm = createMm(mmuOf(machine), task.pid, pgd);
  Object.assign(task.mm, defaultLayout(task.mm.taskSize, task.rlimits.RLIMIT_STACK!.cur, machine.config.rules === '2.6.32'));
  task.heap = null;
  task.pools.clear();
  task.segments = null;
  task.comm = path.slice(path.lastIndexOf('/') + 1, path.lastIndexOf('/') + 1 + COMM_MAX);
  const failed = mapProgram(machine, task, files, isRoot);
  if (failed) return { broken: failed.why };
  const faults = { minor: 0, major: 0, cow: 0 };
  const stack = task.mm.layout.startStack;
  const touched = accessRange(machine, task, stack, PAGE_SIZE, 'write', faults);
  if (touched.why !== null) return machine.tasks.has(task.pid) ? { broken: touched.why } : EXEC_KILLED;
  return { entry: task.mm.layout.startCode, stack, brk: task.mm.brk, faults };
}
