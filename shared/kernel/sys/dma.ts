/** dma_alloc_coherent, dma_free_coherent, dma_transfer: memory for devices, and the controller that fills it. */
import { address, int, optional, positiveBytes, SIZE_MAX, word } from '../args.ts';
import { coherentPages, dmaAllocCoherent, dmaFreeCoherent, DMA_KILLED, orderFor } from '../arch/dma.ts';
import { DMA_MODES, transferSteps, transferWhy, type DmaMode } from '../arch/i8237.ts';
import { directAddress, directPhys } from '../arch/layout.ts';
import { emit, FACT } from '../facts.ts';
import { PAGE_SIZE, type Addr, type Answer, type Machine, type Task } from '../types.ts';
import { granted, oomKilled, refused, refusedBy } from './answer.ts';

/** What a device reaches that says nothing else: 32 bits. */
const DEFAULT_MASK = 0xffffffff;

export const dmaAllocArgs = { size: positiveBytes, mask: optional(int(1, SIZE_MAX)) };

/** `addr` is the kernel's address of the buffer, `dma_addr` the device's: physical. */
export function sysDmaAllocCoherent(machine: Machine, task: Task | null, size: number, mask = DEFAULT_MASK): Answer {
  const pages = Math.ceil(size / PAGE_SIZE);
  const { maxOrder, costs, layout } = machine.config;
  if (pages > machine.frames.count)
    return refused('ENOMEM', { code: 'ORDER_TOO_LARGE', order: orderFor(Math.min(pages, 0x7fffffff)), maxOrder });
  const pfn = dmaAllocCoherent(machine, task, pages, mask);
  if (pfn === DMA_KILLED) return oomKilled(machine);
  if (typeof pfn !== 'number') return refusedBy(pfn);
  machine.cost += costs.contiguous! + costs.contiguous_frame! * pages;
  return granted({ addr: directAddress(layout, pfn), dma_addr: pfn * PAGE_SIZE });
}

export const dmaFreeArgs = { addr: address, size: positiveBytes };

/** `addr` and `size` are those of the allocation, the size to the page. */
export function sysDmaFreeCoherent(machine: Machine, task: Task | null, addr: Addr, size: number): Answer {
  const phys = directPhys(machine.config.layout, addr);
  const pfn = Math.floor(phys / PAGE_SIZE);
  const isStart = phys >= 0 && phys % PAGE_SIZE === 0 && pfn < machine.frames.count;
  const pages = isStart ? coherentPages(machine, pfn) : 0;
  if (pages === 0) return refused('EINVAL', { code: 'NO_SUCH_AREA', addr });
  if (pages !== Math.ceil(size / PAGE_SIZE))
    return refused('EINVAL', { code: 'DMA_SIZE', addr, needed: Math.ceil(size / PAGE_SIZE), pages });
  const owner = machine.frames.owner[pfn]!;
  if (task !== null && owner !== task.pid && !machine.config.root.includes(task.pid))
    return refused('EPERM', { code: 'NOT_OWNER', pfn, owner });
  dmaFreeCoherent(machine, pfn, pages);
  machine.cost += machine.config.costs.free_block!;
  return granted();
}

export const dmaTransferArgs = { channel: int(0, 7), addr: address, count: int(1, 1 << 24), mode: word(DMA_MODES) };

/** Moves `count` bytes between a device and memory at the physical address `addr`, step by step. */
// Simplified: the device sends and takes nothing in particular, so memory keeps what it holds.
export function sysDmaTransfer(machine: Machine, _task: Task | null, channel: number, addr: number, count: number, mode: DmaMode): Answer {
  const why = transferWhy(channel, addr, count, mode);
  if (why) return refused('EINVAL', why);
  const end = machine.frames.count * PAGE_SIZE;
  if (addr + count > end) return refused('EFAULT', { code: 'NO_MEMORY_THERE', phys: Math.max(addr, end), memory: end });
  if (machine.facts !== null) emit(machine.facts, FACT.dmaMoved, Math.floor(addr / PAGE_SIZE), channel, count);
  machine.entry.devices += 1;
  const { costs } = machine.config;
  machine.cost += costs.dma! + costs.dma_kib! * Math.ceil(count / 1024);
  return granted({ steps: transferSteps(channel, addr, count, mode) });
}
