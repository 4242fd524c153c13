/**
 * Memory for devices that see physical addresses only (kernel/dma/direct.c, spec §8): contiguous, zeroed, in a zone that
 * the device can reach, known by two addresses: the kernel's and the device's. Larger buffers come from the contiguous
 * memory area where the machine has one.
 */
import { GFP_BIT, GFP_KERNEL_ZERO } from '../gfp.ts';
import { addBlock, delBlock } from '../mm/blocks.ts';
import { cmaAlloc } from '../mm/cma.ts';
import { cmaRelease } from '../mm/cma_area.ts';
import type { Failure } from '../mm/mmap.ts';
import { freePagesBlock } from '../mm/page_alloc.ts';
import { allocPages, allocWhy, ASKER_KILLED } from '../mm/slowpath.ts';
import { PAGE_SIZE, PG, type Machine, type Pfn, type Task } from '../types.ts';
import { directAddress } from './layout.ts';

/** An ISA device drives 24 address lines: ZONE_DMA. */
const ISA_MASK = 0xffffff;
/** Runs of the contiguous area are aligned to their size, up to this order (CONFIG_CMA_ALIGNMENT). */
const CMA_ALIGNMENT = 8;
/** The asker died of the OOM killer while it asked. */
export const DMA_KILLED = 'killed';

/** The smallest order whose block holds `pages` pages (get_order). */
export function orderFor(pages: number): number {
  return pages <= 1 ? 0 : 32 - Math.clz32(pages - 1);
}

/** Can the device reach all of the buffer, and the kernel too (dma_coherent_ok)? */
function isReachable(machine: Machine, pfn: Pfn, pages: number, mask: number): boolean {
  const end = pfn + pages;
  return end * PAGE_SIZE - 1 <= mask && directAddress(machine.config.layout, end - 1) !== -1;
}

/** A run of the contiguous memory area for a buffer of more than a page; −1 where there is none that the device reaches. */
function fromCma(machine: Machine, task: Task | null, pages: number, mask: number): Pfn {
  if (machine.cma === null || pages === 1) return -1;
  const outcome = cmaAlloc(machine, task?.pid ?? 0, pages, Math.min(orderFor(pages), CMA_ALIGNMENT));
  if (!('pfn' in outcome)) return -1;
  if (!isReachable(machine, outcome.pfn, pages, mask)) {
    cmaRelease(machine, outcome.pfn);
    return -1;
  }
  machine.cma.runs.get(outcome.pfn)!.dma = true;
  if (task) {
    task.cmaRuns.add(outcome.pfn);
    task.kernelPages += pages;
  }
  return outcome.pfn;
}

/** A block of the buddy from the zone of the mask or, where that lies too high, from ZONE_DMA (__dma_direct_alloc_pages). */
function fromBuddy(machine: Machine, task: Task | null, pages: number, mask: number): Pfn | Failure | typeof DMA_KILLED {
  const order = orderFor(pages);
  const pid = task?.pid ?? 0;
  for (let gfp = GFP_KERNEL_ZERO | (mask <= ISA_MASK ? GFP_BIT.__GFP_DMA : 0); ; gfp |= GFP_BIT.__GFP_DMA) {
    const pfn = allocPages(machine, order, gfp, pid, PG.kernel);
    if (pfn === ASKER_KILLED) return DMA_KILLED;
    if (pfn < 0) return { errno: 'ENOMEM', why: allocWhy(machine, order, gfp) };
    if (isReachable(machine, pfn, pages, mask)) {
      machine.frames.index[pfn] = pages;
      return pfn;
    }
    freePagesBlock(machine, pfn, order);
    if (gfp & GFP_BIT.__GFP_DMA) return { errno: 'ENOMEM', why: { code: 'DMA_MASK', mask, pfn } };
  }
}

/** The first frame of a zeroed buffer of `pages` pages that lies below `mask`. */
export function dmaAllocCoherent(machine: Machine, task: Task | null, pages: number, mask: number): Pfn | Failure | typeof DMA_KILLED {
  const run = fromCma(machine, task, pages, mask);
  if (run >= 0) return run;
  const pfn = fromBuddy(machine, task, pages, mask);
  if (typeof pfn === 'number' && task !== null) {
    task.kernelPages += 1 << orderFor(pages);
    addBlock(machine.frames, task.kernelBlocks, pfn);
  }
  return pfn;
}

/** Pages of the buffer that starts at a frame; 0 if none does. */
export function coherentPages(machine: Machine, pfn: Pfn): number {
  const { frames, cma } = machine;
  const run = cma?.runs.get(pfn);
  if (run?.dma) return run.pages;
  return frames.flags[pfn] === (PG.head | PG.kernel) ? Math.max(0, frames.index[pfn]!) : 0;
}

/** Gives a buffer of `pages` pages back, whoever has it. */
export function dmaFreeCoherent(machine: Machine, pfn: Pfn, pages: number): void {
  const holder = machine.tasks.get(machine.frames.owner[pfn]!);
  if (machine.cma?.runs.get(pfn)?.dma) {
    holder?.cmaRuns.delete(pfn);
    if (holder) holder.kernelPages -= pages;
    cmaRelease(machine, pfn);
    return;
  }
  const order = orderFor(pages);
  if (holder) {
    delBlock(machine.frames, holder.kernelBlocks, pfn);
    holder.kernelPages -= 1 << order;
  }
  freePagesBlock(machine, pfn, order);
}
