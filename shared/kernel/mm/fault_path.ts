/**
 * What the kernel would do about a page fault, step by step (arch/x86/mm/fault.c, mm/memory.c; spec §11), for a screen:
 * it decides as memory.ts does and changes nothing. Ordinary accesses take their faults without a word.
 */
import { PTE, pteAt } from '../arch/mmu.ts';
import type { Step } from '../arch/steps.ts';
import { PAGE_SIZE, type Addr, type Machine, type Task, type Vma } from '../types.ts';
import { filePages, inodeOf } from '../fs/inode.ts';
import { fileIndex } from './filemap_fault.ts';
import { isReusable, NEEDS, type AccessKind } from './memory.ts';
import { shmOf } from './shmem.ts';
import { findVmaIndex, VM, guardGap, minAddr } from './vma.ts';

function vmaStep(vma: Vma | null, grows: boolean): Step {
  if (vma === null) return { step: 'find_vma', found: false };
  const letter = (bit: number, name: string): string => (vma.flags & bit ? name : '-');
  const perms = letter(VM.read, 'r') + letter(VM.write, 'w') + letter(VM.exec, 'x') + (vma.flags & VM.shared ? 's' : 'p');
  return { step: 'find_vma', found: true, start: vma.start, end: vma.end, perms, ...(grows ? { grows: true } : {}) };
}

/** Would the stack be let grow down to the address (expand_downwards)? Its promise to commit is not asked here. */
function wouldGrow(task: Task, index: number, addr: Addr): boolean {
  const vma = task.mm.vmas[index]!;
  const start = Math.floor(addr / PAGE_SIZE) * PAGE_SIZE;
  if ((vma.flags & VM.growsdown) === 0 || start < minAddr(task.mm) || vma.end - start > task.rlimits.RLIMIT_STACK!.cur) return false;
  const below = task.mm.vmas[index - 1];
  const accessible = below !== undefined && (below.flags & NEEDS.read) !== 0;
  return below === undefined || (accessible ? start - below.end >= guardGap(vma) : start >= below.end);
}

const signal = (code: 'SEGV_MAPERR' | 'SEGV_ACCERR'): Step => ({ step: 'force_sig_fault', signal: 'SIGSEGV', code });

const setPte = (write: boolean, dirty: boolean): Step => ({ step: 'set_pte', write, dirty });

/** A present entry that does not allow the access: only a write is served (do_wp_page). */
function writeProtected(machine: Machine, vma: Vma, pte: number, write: boolean): Step[] {
  if (!write) return [{ step: 'spurious_fault' }];
  if (vma.file !== 0 && vma.flags & VM.shared) return [{ step: 'wp_page_shared' }, { step: 'page_mkwrite' }, setPte(true, true)];
  const pfn = pte >>> 12;
  const zero = (pte & PTE.special) !== 0;
  const reuse = !zero && isReusable(machine, pfn);
  const copy = reuse ? [] : [{ step: 'alloc_page' }, { step: zero ? 'clear_page' : 'copy_page' }];
  return [{ step: 'do_wp_page', reuse }, ...copy, setPte(true, true)];
}

/** A page of a file: cached or read from the disk, shared or copied at once (do_fault). */
function ofFile(machine: Machine, vma: Vma, addr: Addr, write: boolean): Step[] {
  const inode = inodeOf(machine, vma.file);
  const index = fileIndex(vma, addr);
  if (index >= filePages(inode)) return [{ step: 'force_sig_fault', signal: 'SIGBUS', code: 'BUS_ADRERR' }];
  const shared = (vma.flags & VM.shared) !== 0;
  const cached = inode.pages.has(index);
  const steps: Step[] = [{ step: write ? (shared ? 'do_shared_fault' : 'do_cow_fault') : 'do_read_fault', major: !cached }];
  if (!cached) steps.push({ step: 'filemap_fault', page: index });
  else if (!write) steps.push({ step: 'do_fault_around' });
  if (write) steps.push(...(shared ? [{ step: 'page_mkwrite' }] : [{ step: 'alloc_page' }, { step: 'copy_page' }]));
  return [...steps, setPte(write, write)];
}

/** Behind the end of a shared object, which mremap may have let an area reach. */
function isBeyondObject(machine: Machine, vma: Vma, addr: Addr): boolean {
  if ((vma.flags & VM.shared) === 0 || vma.file !== 0) return false;
  const object = shmOf(machine, vma.shm);
  const offset = vma.pgoff + Math.floor((addr - vma.start) / PAGE_SIZE);
  return !object.pages.has(offset) && offset >= object.size;
}

/** A page of a shared object that is in swap: the object knows the slot. */
function fromSwap(machine: Machine, vma: Vma, addr: Addr): Step[] {
  const offset = vma.pgoff + Math.floor((addr - vma.start) / PAGE_SIZE);
  return shmOf(machine, vma.shm).swapped.has(offset) ? [{ step: 'shmem_swapin_folio' }] : [];
}

/** How the page would come: which function serves the fault, and what it takes (handle_pte_fault). */
function serving(machine: Machine, task: Task, vma: Vma, addr: Addr, access: AccessKind): Step[] {
  const at = pteAt(machine, task.mm.pgd, addr);
  const pte = at < 0 ? 0 : machine.tables.words[at]!;
  const write = access === 'write';
  const mayWrite = (vma.flags & VM.write) !== 0;
  if ((pte & PTE.present) !== 0) return writeProtected(machine, vma, pte, write);
  const table: Step[] = at < 0 ? [{ step: 'pte_alloc' }] : [];
  if (pte !== 0) return [{ step: 'do_swap_page' }, setPte(mayWrite, write)];
  if (vma.file !== 0) return [...table, ...ofFile(machine, vma, addr, write)];
  if (isBeyondObject(machine, vma, addr)) return [{ step: 'force_sig_fault', signal: 'SIGBUS', code: 'BUS_ADRERR' }];
  if (vma.flags & VM.shared) return [...table, { step: 'do_shared_fault' }, ...fromSwap(machine, vma, addr), setPte(mayWrite, write)];
  const page: Step[] = write ? [{ step: 'alloc_page' }, { step: 'clear_page' }] : [];
  return [...table, { step: 'do_anonymous_page', zeroPage: !write }, ...page, setPte(write, write)];
}

/** From the exception to the return to ring 3, to a signal, or to an oops. */
export function faultPath(machine: Machine, task: Task | null, addr: Addr, access: AccessKind, ring: number): Step[] {
  const isKernelAddress = task === null || addr < 0 || addr >= task.mm.taskSize;
  if (isKernelAddress) return [ring === 3 ? signal('SEGV_MAPERR') : { step: 'oops' }];
  const index = findVmaIndex(task.mm, addr);
  const vma = task.mm.vmas[index] ?? null;
  const grows = vma !== null && vma.start > addr && wouldGrow(task, index, addr);
  const found = vma !== null && (vma.start <= addr || grows) ? vma : null;
  const steps = [vmaStep(found, grows)];
  // In the kernel the same search comes first; then the table of excused instructions, which copy_to_user is in.
  if (found === null || (found.flags & NEEDS[access]) === 0) {
    const code = found === null ? 'SEGV_MAPERR' : 'SEGV_ACCERR';
    return [...steps, ring === 3 ? signal(code) : { step: 'fixup_exception', errno: 'EFAULT' }];
  }
  if (grows) steps.push({ step: 'expand_stack', start: Math.floor(addr / PAGE_SIZE) * PAGE_SIZE });
  steps.push({ step: 'handle_mm_fault' }, ...serving(machine, task, found, addr, access));
  if (steps.at(-1)!.step !== 'force_sig_fault') return [...steps, { step: 'iret', ring }];
  return ring === 3 ? steps : [...steps.slice(0, -1), { step: 'fixup_exception', errno: 'EFAULT' }];
}
