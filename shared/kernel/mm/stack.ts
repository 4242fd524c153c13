/** Areas that grow downwards when they are touched just below (MAP_GROWSDOWN, stacks; expand_downwards). */
import { emit, FACT } from '../facts.ts';
import { PAGE_SIZE, type Addr, type Machine, type Task } from '../types.ts';
import { accountPages, mayExpandVm, vmEnoughMemory } from './commit.ts';
import { guardGap, minAddr, VM } from './vma.ts';

// Simplified: no registers, so no access is too far below the stack pointer; 2.6.32 refused what lay more than 64 KiB under it.
/** Extends area `index` down to the page of `addr` when its limits and its guard gap allow. */
export function growStack(machine: Machine, task: Task, index: number, addr: Addr): boolean {
  const { mm } = task;
  const vma = mm.vmas[index]!;
  if ((vma.flags & VM.growsdown) === 0) return false;
  const start = Math.floor(addr / PAGE_SIZE) * PAGE_SIZE;
  if (start < minAddr(mm) || vma.end - start > task.rlimits.RLIMIT_STACK!.cur) return false;
  const below = mm.vmas[index - 1];
  const accessible = below !== undefined && (below.flags & (VM.read | VM.write | VM.exec)) !== 0;
  if (below && (accessible ? start - below.end < guardGap(vma) : start < below.end)) return false;
  const pages = (vma.start - start) / PAGE_SIZE;
  if (mayExpandVm(task, pages, false) !== null || vmEnoughMemory(machine, task, pages, machine.config.root.includes(task.pid)) !== null)
    return false;
  vma.start = start;
  vma.pgoff -= pages;
  emit(machine.facts, FACT.stackGrown, start / PAGE_SIZE, pages, task.pid);
  accountPages(machine, task, pages, (vma.flags & VM.account) !== 0);
  return true;
}
