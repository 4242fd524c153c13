/**
 * Where an address space puts what nobody gave an address (arch/x86/mm/mmap.c; spec §3): downwards from a base below the
 * room that the stack may need, or, where the stack has no limit, upwards from a third of user space.
 */
import type { Addr } from '../types.ts';
import { RLIM_INFINITY } from './commit.ts';
import { STACK_GUARD_GAP, pageAlign } from './vma.ts';

/** The gap between the mmap base and the top of the stack, at least (MIN_GAP, 128 MiB) and at most five sixths of user space. On toy16 a quarter of it. */
const MIN_GAP = 128 << 20;

/** What a program's loading decided about its address space; zeros before the first execve. */
export interface Layout {
  /** Areas go upwards from a third of user space (mmap_is_legacy). */
  isLegacy: boolean;
  startCode: Addr;
  endCode: Addr;
  /** The page at the top of the stack that the kernel filled. */
  startStack: Addr;
}

export function emptyLayout(): Layout {
  return { isLegacy: false, startCode: 0, endCode: 0, startStack: 0 };
}

/** TASK_UNMAPPED_BASE: where bottom-up searches begin. */
export function unmappedBase(taskSize: Addr): Addr {
  return pageAlign(taskSize / 3);
}

/** The mmap base for a stack limit in bytes (2.6.32 adds no guard gap to it), and whether the layout is the legacy one (arch_pick_mmap_layout). */
export function defaultLayout(taskSize: Addr, stackLimit: number, isOld: boolean): { mmapBase: Addr; layout: Layout } {
  const isLegacy = stackLimit === RLIM_INFINITY;
  const wanted = Math.min(stackLimit, taskSize) + (isOld ? 0 : STACK_GUARD_GAP);
  const gap = taskSize <= MIN_GAP ? taskSize / 4 : Math.min(Math.max(wanted, MIN_GAP), Math.floor(taskSize / 6) * 5);
  const mmapBase = isLegacy ? unmappedBase(taskSize) : pageAlign(taskSize - gap);
  return { mmapBase, layout: { ...emptyLayout(), isLegacy } };
}
