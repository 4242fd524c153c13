/**
 * The kernel's part of the address space on i386 without PAE (arch/x86/include/asm/pgtable_32_types.h, fixmap.h; spec §3),
 * from the bottom up:
 *
 *     page_offset … high_memory      the direct map: address = page_offset + physical address
 *     8 MiB                          nothing, so that a run over the end faults
 *     VMALLOC_START … VMALLOC_END    vmalloc and ioremap
 *     2 pages                        nothing
 *     PKMAP_BASE, 1,024 pages        kmap
 *     … FIXADDR_TOP                  fixmap: addresses known when the kernel was compiled, kmap_atomic among them
 *     the last page of 4 GiB         nothing
 *
 * And on x86_64, where every frame has its address (Documentation/arch/x86/x86_64/mm.rst):
 *
 *     ffff888000000000, 64 TiB       the direct map
 *     ffffc90000000000, 32 TiB       vmalloc and ioremap
 *     ffffea0000000000, 1 TiB        vmemmap, the array of struct page
 *     ffffffff80000000               the kernel's text
 *
 * A layout is fixed at boot and plain data; all addresses are bytes.
 */
import { addressFrom } from './address.ts';
import type { KernelLayout } from '../mm/vmap_types.ts';
import type { Addr, Pfn } from '../types.ts';

const MIB = 1 << 20;
const PAGE = 4096;
const SPACE_END = 0x1_0000_0000;

/** Between the direct map and the first vmalloc address. */
export const VMALLOC_OFFSET = 8 * MIB;
/** What lowmem leaves for vmalloc, pkmap and fixmap (__VMALLOC_RESERVE). */
export const VMALLOC_RESERVE = 128 * MIB;
/** Slots of kmap: one page table's worth. */
export const LAST_PKMAP = 1024;
export const FIXADDR_TOP = 0xfffff000;

/** Fixed mappings before those of kmap_atomic: APIC and I/O APICs among them. */
const FIX_KMAP_BEGIN = 69;
/** How deep kmap_atomic nests (KM_MAX_IDX). */
export const KM_MAX_IDX = 16;
/** Fixed mappings that last, of a kernel for one CPU: FIXADDR_START is 0xfffa9000, as such a kernel prints. */
const FIXED_ADDRESSES = 86;
/** With those of early boot (early_ioremap), which start at a multiple of 256. */
const FIXED_BOOT_ADDRESSES = 513;
/** What one entry of the page directory spans. */
const PMD_BYTES = 4 * MIB;

/** The start of pkmap: the last place below the fixed mappings of boot where a page table can start that holds all slots. */
export function pkmapBase(fixaddrBootStart: Addr, slots: number, pmdBytes: number): Addr {
  const highest = fixaddrBootStart - PAGE * (slots + 1);
  return highest - (highest % pmdBytes);
}

/** The end of vmalloc: two pages below pkmap. */
export function vmallocEnd(pkmap: Addr): Addr {
  return pkmap - 2 * PAGE;
}

/** Bytes of RAM that a 2.6.32 kernel maps directly at most (MAXMEM). */
export function maxmem(endOfVmalloc: Addr, pageOffset: Addr): number {
  return endOfVmalloc - pageOffset - VMALLOC_RESERVE;
}

export const FIXADDR_START = FIXADDR_TOP - FIXED_ADDRESSES * PAGE;
export const PKMAP_BASE = pkmapBase(FIXADDR_TOP - FIXED_BOOT_ADDRESSES * PAGE, LAST_PKMAP, PMD_BYTES);
export const VMALLOC_END = vmallocEnd(PKMAP_BASE);

/** The address of a kmap_atomic slot; each further one lies a page lower (__fix_to_virt). */
export function kmapAtomicAddress(index: number): Addr {
  return FIXADDR_TOP - (FIX_KMAP_BEGIN + index) * PAGE;
}

/** Of x86_64; kernel addresses are negative (address.ts). */
const PAGE_OFFSET_64 = addressFrom('ffff888000000000');
const VMALLOC_START_64 = addressFrom('ffffc90000000000');
const VMALLOC_BYTES_64 = 32 * 1024 * 1024 * MIB;
const FIXADDR_TOP_64 = addressFrom('ffffffffff7ff000');

/** The keys of a machine that decide its layout. */
export interface LayoutKeys {
  arch: 'toy16' | 'i386' | 'x86_64';
  frames: number;
  maxFrames: number;
  mem: number;
  pageOffset: Addr;
  zones: { dma: number; dma32: number; normal: number; highmem: number };
}

/** Frames from the bottom that get an address: those of the lowmem zones, 896 MiB of them at most (with 2G/2G 1,920 MiB). */
function maxLowPfn(keys: LayoutKeys): Pfn {
  const { dma, dma32, normal, highmem } = keys.zones;
  const bound = keys.arch === 'x86_64' ? keys.maxFrames : (SPACE_END - keys.pageOffset - VMALLOC_RESERVE) / PAGE;
  const growth = highmem === 0 && keys.mem === keys.frames ? keys.maxFrames - keys.frames : 0;
  return Math.min(dma + dma32 + normal + growth, keys.mem + growth, bound);
}

/** `vmalloc` moves the ends of the vmalloc space; the caller has checked that they lie between `highMemory` and VMALLOC_END. */
export function kernelLayout(keys: LayoutKeys, vmalloc: { start?: Addr; end?: Addr } = {}): KernelLayout {
  const lowFrames = maxLowPfn(keys);
  if (keys.arch === 'x86_64') return wideLayout(lowFrames);
  const highMemory = keys.pageOffset + lowFrames * PAGE;
  return {
    pageOffset: keys.pageOffset,
    maxLowPfn: lowFrames,
    highMemory,
    vmallocStart: vmalloc.start ?? highMemory + VMALLOC_OFFSET,
    vmallocEnd: vmalloc.end ?? VMALLOC_END,
    pkmapBase: PKMAP_BASE,
    fixaddrStart: FIXADDR_START,
  };
}

/** The layout of x86_64: nothing of it depends on how much memory there is. There is no pkmap, for kmap has nothing to do. */
function wideLayout(lowFrames: Pfn): KernelLayout {
  const fixaddrStart = FIXADDR_TOP_64 - FIXED_ADDRESSES * PAGE;
  return {
    pageOffset: PAGE_OFFSET_64,
    maxLowPfn: lowFrames,
    highMemory: PAGE_OFFSET_64 + lowFrames * PAGE,
    vmallocStart: VMALLOC_START_64,
    vmallocEnd: VMALLOC_START_64 + VMALLOC_BYTES_64,
    pkmapBase: fixaddrStart,
    fixaddrStart,
  };
}

/** The address of a frame in the direct map; −1 for high memory, which has none (lowmem_page_address). */
export function directAddress(layout: KernelLayout, pfn: Pfn): Addr {
  return pfn < layout.maxLowPfn ? layout.pageOffset + pfn * PAGE : -1;
}

/** The physical address behind an address of the direct map; −1 for every other address, to which no subtraction applies (virt_to_phys). */
export function directPhys(layout: KernelLayout, addr: Addr): number {
  return addr >= layout.pageOffset && addr < layout.highMemory ? addr - layout.pageOffset : -1;
}
