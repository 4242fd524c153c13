/** Good requests for the calls on the kernel's virtual space, on regions and for DMA. */
import type { Call, Machine } from '#kernel/machine.ts';
import { PAGE, granted } from './boot.ts';
import type { GoodCall } from './requests.ts';

/** What they name: an area of vmalloc, one of ioremap, a buffer of two pages, all of the stage's process. */
export interface VirtualStage {
  area: number;
  io: number;
  buffer: number;
}

export function virtualStage(machine: Machine, pid: number): VirtualStage {
  const addrOf = (request: Call) => granted(machine, pid, request).addr as number;
  return {
    area: addrOf({ call: 'vmalloc', size: 3 * PAGE }),
    io: addrOf({ call: 'ioremap', phys: 0xfed00000, size: 64 }),
    buffer: addrOf({ call: 'dma_alloc_coherent', size: 2 * PAGE }),
  };
}

export const VIRTUAL_CALLS: readonly GoodCall[] = [
  { call: 'vmalloc', by: 'process', args: () => ({ size: 3 * PAGE }) },
  { call: 'vfree', by: 'process', args: ({ virtual }) => ({ addr: virtual.area }) },
  { call: 'ioremap', by: 'process', args: () => ({ phys: 0xfed00000, size: 64 }) },
  { call: 'iounmap', by: 'process', args: ({ virtual }) => ({ addr: virtual.io }) },
  { call: 'request_mem_region', by: 'process', args: () => ({ phys: 0xfed00000, size: 64 }) },
  { call: 'kmap', by: 'process', args: ({ pfn }) => ({ pfn }) },
  { call: 'kunmap', by: 'process', args: ({ pfn }) => ({ pfn }) },
  { call: 'kmap_atomic', by: 'process', args: ({ pfn }) => ({ pfn }) },
  { call: 'kunmap_atomic', by: 'process', args: ({ pfn }) => ({ addr: 0xc0000000 + pfn * PAGE }) },
  { call: 'dma_alloc_coherent', by: 'process', args: () => ({ size: PAGE, mask: 0xffffff }), optional: ['mask'] },
  { call: 'dma_free_coherent', by: 'process', args: ({ virtual }) => ({ addr: virtual.buffer, size: 2 * PAGE }) },
  { call: 'dma_transfer', by: 'process', args: () => ({ channel: 2, addr: 0x1000, count: 512, mode: 'single' }) },
];
