/** alloc_pages, free_pages, add_memory: pages for the kernel and its drivers. */
import { gfp, int } from '../args.ts';
import { claimedWithin } from '../kernel/resource.ts';
import { addBlock, delBlock } from '../mm/blocks.ts';
import { freePagesBlock } from '../mm/page_alloc.ts';
import { freeRange, setMarks } from '../mm/memblock.ts';
import { allocPages, allocWhy, ASKER_KILLED, WOULD_SLEEP } from '../mm/slowpath.ts';
import { freePages } from '../mm/mmzone.ts';
import { PAGE_SIZE, PG, type Answer, type Machine, type Task } from '../types.ts';
import { granted, oomKilled, refused } from './answer.ts';

export const allocPagesArgs = { order: int(0, 0x7fffffff), gfp };

export function sysAllocPages(machine: Machine, task: Task | null, order: number, gfpBits: number): Answer {
  const pid = task?.pid ?? 0;
  const pfn = allocPages(machine, order, gfpBits, pid, PG.kernel);
  if (pfn === ASKER_KILLED) return oomKilled(machine);
  if (pfn === WOULD_SLEEP) return refused('EAGAIN', { code: 'WOULD_SLEEP', order, freePages: freePages(machine.zones) });
  if (pfn < 0) return refused('ENOMEM', allocWhy(machine, order, gfpBits));
  const { costs } = machine.config;
  machine.cost += order === 0 ? costs.alloc_page! : costs.contiguous! + costs.contiguous_frame! * (1 << order);
  if (task !== null) {
    task.kernelPages += 1 << order;
    addBlock(machine.frames, task.kernelBlocks, pfn);
  }
  return { ok: true, pfn, cost: 0 };
}

export const freePagesArgs = { pfn: int(0, 0x7fffffff), order: int(0, 0x7fffffff) };

export function sysFreePages(machine: Machine, task: Task | null, pfn: number, order: number): Answer {
  const { frames } = machine;
  const isBlock =
    pfn < frames.count && frames.flags[pfn] === (PG.head | PG.kernel) && frames.order[pfn] === order && frames.index[pfn] === 0;
  if (!isBlock) return refused('EINVAL', { code: 'BAD_PAGE', pfn, order });
  const owner = frames.owner[pfn]!;
  if (task !== null && owner !== task.pid && !machine.config.root.includes(task.pid))
    return refused('EPERM', { code: 'NOT_OWNER', pfn, owner });
  const holder = machine.tasks.get(owner);
  if (holder) {
    holder.kernelPages -= 1 << order;
    delBlock(frames, holder.kernelBlocks, pfn);
  }
  freePagesBlock(machine, pfn, order);
  machine.cost += machine.config.costs.free_block!;
  return granted();
}

export const addMemoryArgs = { count: int(1, 1 << 20) };

/** Frames at the top of the highest zone, free at once (mm/memory_hotplug.c). */
export function sysAddMemory(machine: Machine, _task: Task | null, count: number): Answer {
  const { frames, zones, config } = machine;
  const pfn = frames.count;
  if (pfn + count > config.maxFrames) {
    return refused('ENOMEM', { code: 'NO_ROOM_FOR_MEMORY', frames: pfn, maxFrames: config.maxFrames });
  }
  const claimed = claimedWithin(machine, pfn * PAGE_SIZE, (pfn + count) * PAGE_SIZE - 1);
  if (claimed) return refused('EEXIST', { code: 'REGION_BUSY', start: claimed.start, end: claimed.end, owner: claimed.pid });
  const zone = zones[zones.length - 1]!;
  frames.count += count;
  zone.end = frames.count;
  freeRange(frames, zone, pfn, frames.count);
  setMarks(machine);
  return granted({ pfn });
}
