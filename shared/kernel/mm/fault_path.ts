/**
 * What the kernel would do about a page fault, step by step (arch/x86/mm/fault.c, mm/memory.c; spec §11), for a screen:
 * it decides as memory.ts does and changes nothing. Ordinary accesses take their faults without a word.
 */
import { PTE, pteAt } from '../arch/mmu.ts';
import type { Step } from '../arch/steps.ts';
import { PAGE_SIZE, type Addr, type Machine, type Task, type Vma } from '../types.ts';
import type { AccessKind } from './memory.ts';
import { findVmaIndex, MMAP_MIN_ADDR, STACK_GUARD_GAP, VM } from './vma.ts';

const NEEDS: Readonly<Record<AccessKind, number>> = { read: VM.read | VM.write | VM.exec, write: VM.write, exec: VM.exec };

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
  if ((vma.flags & VM.growsdown) === 0 || start < MMAP_MIN_ADDR || vma.end - start > task.rlimits.RLIMIT_STACK!.cur) return false;
  const below = task.mm.vmas[index - 1];
  const accessible = below !== undefined && (below.flags & NEEDS.read) !== 0;
  return below === undefined || (accessible ? start - below.end >= STACK_GUARD_GAP : start >= below.end);
}

const signal = (code: 'SEGV_MAPERR' | 'SEGV_ACCERR'): Step => ({ step: 'force_sig_fault', signal: 'SIGSEGV', code });

/** How the page would come: which function serves the fault, and what it takes (handle_pte_fault). */
function serving(machine: Machine, task: Task, vma: Vma, addr: Addr, access: AccessKind): Step[] {
  const at = pteAt(machine, task.mm.pgd, addr);
  const pte = at < 0 ? 0 : machine.tables.words[at]!;
  const write = access === 'write';
  const steps: Step[] = at < 0 ? [{ step: 'pte_alloc' }] : [];
  if ((pte & PTE.present) !== 0) {
    const alone = (pte & PTE.special) === 0 && machine.frames.mapcount[pte >>> 12] === 1;
    if (!write) return [...steps, { step: 'spurious_fault' }];
    steps.push({ step: 'do_wp_page', reuse: alone });
    if (!alone) steps.push({ step: 'alloc_page' }, { step: (pte & PTE.special) !== 0 ? 'clear_page' : 'copy_page' });
    return [...steps, { step: 'set_pte', write: true, dirty: true }];
  }
  if (pte !== 0) return [...steps, { step: 'do_swap_page' }, { step: 'set_pte', write: (vma.flags & VM.write) !== 0, dirty: write }];
  if (vma.flags & VM.shared)
    return [...steps, { step: 'do_shared_fault' }, { step: 'set_pte', write: (vma.flags & VM.write) !== 0, dirty: write }];
  steps.push({ step: 'do_anonymous_page', zeroPage: !write });
  if (write) steps.push({ step: 'alloc_page' }, { step: 'clear_page' });
  return [...steps, { step: 'set_pte', write, dirty: write }];
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
  return [...steps, { step: 'handle_mm_fault' }, ...serving(machine, task, found, addr, access), { step: 'iret', ring }];
}
