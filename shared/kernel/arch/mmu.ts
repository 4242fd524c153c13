/**
 * Page tables as data (spec §2): a format is a row of numbers, not a subclass. i386 has two levels of 10 bits over a
 * 12-bit offset, x86_64 four of 9, toy16, the machine of the notes, one of 4. Each table is a frame of the machine; its entries live in a slot of `machine.tables`,
 * and `frames.index` of the table's frame names the slot.
 *
 * Whoever walks a range goes from the entry that names a page table (pmdAt) to the entries of that table. toy16 has no directory:
 * what names its one table is the base register, which stands behind the table's entries in its slot (BASE_REGISTER).
 *
 * Addresses of x86_64 reach 2^47: they are whole numbers, and no shift of JavaScript may touch them before a division has
 * made them small. Kernel addresses are negative (address.ts).
 */
// Simplified: the notes' entry is three bits of frame and the present bit; toy16's has rights, and as many bits of frame as the machine needs.
// Simplified: an entry is a word of 32 bits in every format; 64-bit entries only count as 8 bytes each, so a table holds half as many.
import type { Addr, Frames, Machine, Mm, PageTables, Pfn } from '../types.ts';

/** A format of page tables. */
export interface Mmu {
  readonly name: 'toy16' | 'i386' | 'x86_64';
  /** From the top: the level's name, the bits of its index, and what an address is shifted by. */
  readonly levels: readonly { readonly name: string; readonly bits: number; readonly shift: number }[];
  /** Bytes that one entry of each level spans, from the top. */
  readonly spans: readonly number[];
  /** Entries of a table. */
  readonly entries: number;
  readonly pteBytes: number;
  /** Bit of an entry that forbids fetching instructions; 0 where the format has none. */
  readonly noExec: number;
  /** End of user space. */
  readonly taskSize: Addr;
  /** Areas go downwards from here. */
  readonly mmapBase: Addr;
  /** Where the heap begins in an address space that nothing was loaded into. */
  readonly startBrk: Addr;
}

/**
 * Bits of an entry; the frame's number stands above bit 12. Bit 7 in an entry of the PMD (PS): it maps 2 MiB itself;
 * who would change the mapping of one page under it calls splitHugeAt (mm/huge_split.ts) first, then asks pteAt. Bits 9 to 11 are free for software: 9 is the shared zero page,
 * which is no frame; 10 stands for NX, which real entries of 64 bits have at bit 63; 11 is a page that MADV_FREE gave away
 * until it is written again. `swap` in an entry that is not present: the number of a slot stands above bit 12. A present entry without `user` lies in an area of PROT_NONE.
 */
export const PTE = {
  present: 1,
  write: 2,
  user: 4,
  accessed: 0x20,
  dirty: 0x40,
  swap: 0x80,
  huge: 0x80,
  special: 0x200,
  noExec: 0x400,
  lazyfree: 0x800,
} as const;

/** Sixteen pages of 4 KiB under one table, which is one frame. The NULL page stays free, TEXT is the next, the heap follows; four pages at the top are the stack's. */
const TOY16: Mmu = {
  name: 'toy16',
  levels: [{ name: 'PT', bits: 4, shift: 12 }],
  spans: [1 << 12],
  entries: 16,
  pteBytes: 4,
  noExec: 0,
  taskSize: 0x10000,
  mmapBase: 0xc000,
  startBrk: 0x2000,
};
/** Where in a slot of toy16 the register stands that names the table, as an entry of a directory would. */
const BASE_REGISTER = 16;
/** Words of such a slot, a power of two. */
const TOY16_WORDS = 32;

export const I386: Mmu = {
  name: 'i386',
  levels: [
    { name: 'PGD', bits: 10, shift: 22 },
    { name: 'PT', bits: 10, shift: 12 },
  ],
  spans: [1 << 22, 1 << 12],
  entries: 1024,
  pteBytes: 4,
  noExec: 0,
  /** 3 GiB, of which user page directories hold 768 entries. */
  taskSize: 0xc0000000,
  mmapBase: 0xb8000000,
  startBrk: 0x0804d000,
};

/** The same with CONFIG_VMSPLIT_2G: the kernel has the upper half, of which 512 entries of a page directory tell, and all of user space is shorter. */
const PAGE_OFFSET_2G = 0x80000000;
const I386_2G: Mmu = { ...I386, taskSize: PAGE_OFFSET_2G, mmapBase: 0x78000000 };

export const X86_64: Mmu = {
  name: 'x86_64',
  levels: [
    { name: 'PGD', bits: 9, shift: 39 },
    { name: 'PUD', bits: 9, shift: 30 },
    { name: 'PMD', bits: 9, shift: 21 },
    { name: 'PT', bits: 9, shift: 12 },
  ],
  spans: [0x80_0000_0000, 1 << 30, 1 << 21, 1 << 12],
  entries: 512,
  pteBytes: 8,
  noExec: PTE.noExec,
  /** TASK_SIZE_MAX: half of the 48 bits, less a page that keeps a system call's return address canonical. */
  taskSize: 0x7fff_ffff_f000,
  mmapBase: 0x7fff_f7ff_f000,
  startBrk: 0x5555_5555_9000,
};

export const FORMATS: Readonly<Record<Mmu['name'], Mmu>> = { toy16: TOY16, i386: I386, x86_64: X86_64 };

/** The format of a machine's tables. */
export function mmuOf(machine: Machine): Mmu {
  const { levels } = machine.tables;
  if (levels === 2) return machine.config.pageOffset === PAGE_OFFSET_2G ? I386_2G : I386;
  return levels === 1 ? TOY16 : X86_64;
}

export const PTE_PFN_SHIFT = 12;

export function createPageTables(mmu: Mmu): PageTables {
  return {
    levels: mmu.levels.length,
    entries: mmu.levels.length === 1 ? TOY16_WORDS : mmu.entries,
    noExec: mmu.noExec,
    words: new Uint32Array(0),
    slotPfn: new Int32Array(0),
    slots: 0,
    freeSlots: [],
  };
}

function grow(tables: PageTables): void {
  const capacity = Math.max(8, tables.slotPfn.length * 2);
  const words = new Uint32Array(capacity * tables.entries);
  words.set(tables.words);
  const slotPfn = new Int32Array(capacity).fill(-1);
  slotPfn.set(tables.slotPfn);
  tables.words = words;
  tables.slotPfn = slotPfn;
}

/** Gives a frame just allocated the entries of an empty table. */
export function attachTable(tables: PageTables, frames: Frames, pfn: Pfn): void {
  let slot = tables.freeSlots.pop();
  if (slot === undefined) {
    if (tables.slots === tables.slotPfn.length) grow(tables);
    slot = tables.slots++;
  }
  tables.slotPfn[slot] = pfn;
  frames.index[pfn] = slot;
  if (tables.levels === 1)
    tables.words[slot * tables.entries + BASE_REGISTER] = (pfn << PTE_PFN_SHIFT) | PTE.present | PTE.write | PTE.user;
}

/** The table's entries are empty again and its slot is free; the frame is the caller's to give back. */
export function detachTable(tables: PageTables, frames: Frames, pfn: Pfn): void {
  const slot = frames.index[pfn]!;
  tables.words.fill(0, slot * tables.entries, (slot + 1) * tables.entries);
  tables.slotPfn[slot] = -1;
  tables.freeSlots.push(slot);
}

/** Where in `tables.words` the entries of a table begin. */
export function tableBase(machine: Machine, pfn: Pfn): number {
  return machine.frames.index[pfn]! * machine.tables.entries;
}

/** No table of the next-lowest level above the address: nothing is mapped up to the end of what its entry would span. */
export const NO_TABLE = { pmd: -1, pud: -2 } as const;

/**
 * Place in `tables.words` of the entry that names the page table of a user address (in the page directory of i386, in the
 * PMD of x86_64, in the base register of toy16), or NO_TABLE: −1 when the PMD is not there, −2 when the PUD above it is not.
 */
export function pmdAt(machine: Machine, pgd: Pfn, addr: Addr): number {
  const { tables, frames } = machine;
  const { words, entries } = tables;
  if (tables.levels === 2) return frames.index[pgd]! * entries + (addr >>> 22);
  if (tables.levels === 1) return frames.index[pgd]! * entries + BASE_REGISTER;
  if (addr < 0) return NO_TABLE.pud;
  const pud = words[frames.index[pgd]! * entries + ((addr / 0x80_0000_0000) & 511)]!;
  if (pud === 0) return NO_TABLE.pud;
  const pmd = words[frames.index[pud >>> PTE_PFN_SHIFT]! * entries + ((addr / 0x4000_0000) & 511)]!;
  if (pmd === 0) return NO_TABLE.pmd;
  return frames.index[pmd >>> PTE_PFN_SHIFT]! * entries + ((addr / 0x20_0000) & 511);
}

/** Place in `tables.words` of the page-table entry for an address, or of the entry of the PMD that maps 2 MiB around it (PTE.huge); -1 when its table is not there. */
export function pteAt(machine: Machine, pgd: Pfn, addr: Addr): number {
  const { tables } = machine;
  if (tables.levels !== 2) return pteAtDeep(machine, pgd, addr);
  const pde = tables.words[tableBase(machine, pgd) + (addr >>> 22)]!;
  if (pde === 0) return -1;
  return tableBase(machine, pde >>> PTE_PFN_SHIFT) + ((addr >>> 12) & 0x3ff);
}

function pteAtDeep(machine: Machine, pgd: Pfn, addr: Addr): number {
  if (machine.tables.levels === 1) return addr < TOY16.taskSize ? tableBase(machine, pgd) + (addr >>> 12) : -1;
  const at = pmdAt(machine, pgd, addr);
  const pde = at < 0 ? 0 : machine.tables.words[at]!;
  if (pde === 0) return -1;
  return pde & PTE.huge ? at : tableBase(machine, pde >>> PTE_PFN_SHIFT) + ((addr / 4096) & 511);
}

/** Index of an address in its page table. */
export function pteIndex(machine: Machine, addr: Addr): number {
  return (addr / 4096) & (machine.tables.entries - 1);
}

/**
 * Where to go on in a walk of [addr, end) whose directory entry is at `at` (as pmdAt has it): the end of what that entry, or
 * the missing table above it, spans, or `end`.
 */
export function spanEnd(machine: Machine, at: number, addr: Addr, end: Addr): Addr {
  if (machine.tables.levels === 1) return end;
  const { spans } = mmuOf(machine);
  const span = spans[at < 0 ? spans.length - 2 + at : spans.length - 2]!;
  const next = (Math.floor(addr / span) + 1) * span;
  return next < end ? next : end;
}

/** The frame under a present address; -1 for the shared zero page or nothing. */
export function frameAt(machine: Machine, mm: Mm, addr: Addr): Pfn {
  const at = pteAt(machine, mm.pgd, addr);
  const pte = at < 0 ? 0 : machine.tables.words[at]!;
  if ((pte & PTE.present) === 0 || (pte & PTE.special) !== 0) return -1;
  return pte & PTE.huge ? (pte >>> PTE_PFN_SHIFT) + ((addr / 4096) & 511) : pte >>> PTE_PFN_SHIFT;
}
