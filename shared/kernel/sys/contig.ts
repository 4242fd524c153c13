/** cma_alloc, cma_release, pin_user_pages: runs of frames for devices, and user pages that must not move. */
import { address, int, optional, positiveBytes } from '../args.ts';
import { cmaAlloc } from '../mm/cma.ts';
import { cmaRelease, largestCmaRun } from '../mm/cma_area.ts';
import { pinPage, unpinPages } from '../mm/gup.ts';
import { allocBootmem, isUntouched } from '../mm/memblock.ts';
import { accessRange } from '../mm/memory.ts';
import { PAGE_SIZE, type Answer, type Machine, type Task } from '../types.ts';
import { accessRefused, granted, oomKilled, refused } from './answer.ts';

/** `align`: an order; the run starts at a multiple of 2^align. */
export const cmaAllocArgs = { count: int(1, 1 << 20), align: optional(int(0, 10)) };

export function sysCmaAlloc(machine: Machine, task: Task | null, pages: number, align = 0): Answer {
  const outcome = cmaAlloc(machine, task?.pid ?? 0, pages, align);
  if ('pfn' in outcome) {
    task?.cmaRuns.add(outcome.pfn);
    if (task) task.kernelPages += pages;
    machine.cost += machine.config.costs.contiguous! + machine.config.costs.contiguous_frame! * pages;
    return granted({ pfn: outcome.pfn });
  }
  if (task && !machine.tasks.has(task.pid)) return oomKilled(machine);
  if (outcome.busy) return refused('EBUSY', { code: 'CMA_BUSY', needed: pages, ...outcome.busy });
  const regionPages = machine.cma?.count ?? 0;
  return refused('ENOMEM', { code: 'CMA_FULL', needed: pages, largestRun: largestCmaRun(machine.cma), regionPages });
}

export const cmaReleaseArgs = { pfn: int(0, 0x7fffffff), count: int(1, 1 << 20) };

export function sysCmaRelease(machine: Machine, task: Task | null, pfn: number, count: number): Answer {
  const run = machine.cma?.runs.get(pfn);
  if (!run || run.pages !== count || run.dma) return refused('EINVAL', { code: 'BAD_PAGE', pfn, order: 0 });
  if (task !== null && run.pid !== task.pid && !machine.config.root.includes(task.pid)) {
    return refused('EPERM', { code: 'NOT_OWNER', pfn, owner: run.pid });
  }
  const holder = machine.tasks.get(run.pid);
  if (holder) {
    holder.cmaRuns.delete(pfn);
    holder.kernelPages -= count;
  }
  cmaRelease(machine, pfn);
  machine.cost += machine.config.costs.free_block!;
  return granted();
}

export const pinArgs = { addr: address, length: positiveBytes };

/** Makes the pages of the range present for writing and pins each once. */
export function sysPinUserPages(machine: Machine, task: Task, addr: number, length: number): Answer {
  const faults = { minor: 0, major: 0, cow: 0 };
  const outcome = accessRange(machine, task, addr, length, 'write', faults);
  if (outcome.why !== null) {
    // A device driver gets EFAULT where the process itself would get a signal (get_user_pages).
    if (outcome.signal === 'SIGSEGV') return { ok: false, errno: 'EFAULT', why: outcome.why, faults, cost: 0 };
    return accessRefused(machine, task, outcome, faults);
  }
  for (let page = addr - (addr % PAGE_SIZE); page < addr + length; page += PAGE_SIZE) pinPage(machine, task, page);
  return granted({ faults });
}

export function sysUnpinUserPages(machine: Machine, task: Task, addr: number, length: number): Answer {
  const last = Math.floor((addr + length - 1) / PAGE_SIZE);
  return unpinPages(machine, task, Math.floor(addr / PAGE_SIZE), last) ? granted() : refused('EINVAL', { code: 'NOT_PINNED', addr });
}

export const allocBootmemArgs = { bytes: positiveBytes };

/** A run of any length, before anything else has happened; it is never given back. */
export function sysAllocBootmem(machine: Machine, _task: Task | null, size: number): Answer {
  if (!isUntouched(machine)) return refused('EINVAL', { code: 'NOT_AT_BOOT', call: 'alloc_bootmem' });
  const count = Math.ceil(size / PAGE_SIZE);
  const pfn = allocBootmem(machine, count);
  if (pfn < 0) return refused('ENOMEM', { code: 'LOW_MEMORY', order: 0, needed: count, freePages: 0, mark: 0 });
  return granted({ pfn, count });
}
