/**
 * Page tables of i386 as data: two levels of 10 bits over a 12-bit offset (spec §2). Each table is a frame of the
 * machine; its 1,024 entries live in a slot of `machine.tables`, and `frames.index` of the table's frame names the slot.
 */
import type { Addr, Frames, Machine, Mm, PageTables, Pfn } from '../types.ts';

export const I386 = {
  name: 'i386',
  levels: [
    { name: 'PGD', bits: 10, shift: 22 },
    { name: 'PT', bits: 10, shift: 12 },
  ],
  entries: 1024,
  pteBytes: 4,
  /** End of user space: 3 GiB, of which user page directories hold 768 entries. */
  taskSize: 0xc0000000,
  mmapBase: 0xb8000000,
  mmapBottom: 0x40000000,
  startBrk: 0x0804d000,
} as const;

/** Bits of an entry; the frame's number stands above bit 12. Bit 9 is free for software: the shared zero page, which is no frame. */
export const PTE = { present: 1, write: 2, user: 4, accessed: 0x20, dirty: 0x40, special: 0x200 } as const;
export const PTE_PFN_SHIFT = 12;

export function createPageTables(): PageTables {
  return { entries: I386.entries, words: new Uint32Array(0), slotPfn: new Int32Array(0), slots: 0, freeSlots: [] };
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
  return machine.frames.index[pfn]! * I386.entries;
}

/** Place in `tables.words` of the page-table entry for an address; -1 when its table is not there. */
export function pteAt(machine: Machine, pgd: Pfn, addr: number): number {
  const words = machine.tables.words;
  const pde = words[tableBase(machine, pgd) + (addr >>> 22)]!;
  if (pde === 0) return -1;
  return tableBase(machine, pde >>> PTE_PFN_SHIFT) + ((addr >>> 12) & 0x3ff);
}

/** The frame under a present address; -1 for the shared zero page or nothing. */
export function frameAt(machine: Machine, mm: Mm, addr: Addr): Pfn {
  const at = pteAt(machine, mm.pgd, addr);
  const pte = at < 0 ? 0 : machine.tables.words[at]!;
  return pte === 0 || (pte & PTE.special) !== 0 ? -1 : pte >>> PTE_PFN_SHIFT;
}
