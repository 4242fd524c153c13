/**
 * What the kernel's half of every address space maps (spec §2, §3): the direct map in large pages, areas of vmalloc and
 * ioremap, the slots of kmap and kmap_atomic. The emulator keeps no tables for it, because they cost no frame; the entries
 * that a walk would read follow from the layout.
 */
// Simplified: a table of the kernel is there where an entry of it is needed, so a missing page misses at the top already.
import { KM_MAX_IDX, kmapAtomicAddress, LAST_PKMAP } from './layout.ts';
import { PAGE_SIZE, type Addr, type Machine, type Pfn } from '../types.ts';

/** A page of the kernel: as many frames as the entry spans. */
export interface KernelPage {
  /** First frame; beyond memory for a device. */
  pfn: Pfn;
  /** In a large page, mapped by an entry one level above the last. */
  large: boolean;
  /** PCD: a device's registers, never cached. */
  uncached: boolean;
}

const page = (pfn: Pfn, large = false, uncached = false): KernelPage => ({ pfn, large, uncached });

/** The frame in a kmap slot. */
function kmapped(machine: Machine, addr: Addr): KernelPage | null {
  const { highmem, config } = machine;
  const slot = Math.floor((addr - config.layout.pkmapBase) / PAGE_SIZE);
  const pfn = slot >= 0 && slot < LAST_PKMAP ? (highmem.pfns[slot] ?? -1) : -1;
  return pfn < 0 ? null : page(pfn);
}

/** The frame in a slot of kmap_atomic; with one CPU the slots are those of whoever runs. */
function atomicallyMapped(machine: Machine, pid: number, addr: Addr): KernelPage | null {
  const stack = machine.highmem.atomic.get(pid) ?? [];
  for (let slot = 0; slot < Math.min(stack.length, KM_MAX_IDX); slot++) {
    const start = kmapAtomicAddress(slot);
    if (addr >= start && addr < start + PAGE_SIZE) return page(stack[slot]!);
  }
  return null;
}

/** The area that holds the address, freed ones aside, whose translations a flush has yet to drop. */
function inArea(machine: Machine, addr: Addr): KernelPage | null {
  for (const area of machine.vmap.areas) {
    if (addr < area.start || addr >= area.start + area.size - PAGE_SIZE || area.freed) continue;
    const n = Math.floor((addr - area.start) / PAGE_SIZE);
    return area.kind === 'ioremap' ? page(Math.floor(area.phys / PAGE_SIZE) + n, false, true) : page(area.frames[n]!);
  }
  return null;
}

/** What the kernel maps at an address; null for nothing. `span` is what a large page holds, in bytes. */
export function kernelPage(machine: Machine, pid: number, addr: Addr, span: number): KernelPage | null {
  const { layout } = machine.config;
  if (addr >= layout.pageOffset && addr < layout.highMemory) {
    const offset = addr - layout.pageOffset;
    const start = Math.floor(offset / span) * span;
    const large = layout.pageOffset + start + span <= layout.highMemory;
    return page((large ? start : Math.floor(offset / PAGE_SIZE) * PAGE_SIZE) / PAGE_SIZE, large);
  }
  if (addr >= layout.vmallocStart && addr < layout.vmallocEnd) return inArea(machine, addr);
  return kmapped(machine, addr) ?? atomicallyMapped(machine, pid, addr);
}
