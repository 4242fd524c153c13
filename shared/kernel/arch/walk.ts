/**
 * The walk of the MMU through the tables of an address space, step by step (spec §2): rights are what all levels allow
 * together, and where it cannot go on it raises a page fault with its error code. It reads and changes nothing.
 */
import type { AccessKind } from '../mm/memory.ts';
import { PAGE_SIZE, type Addr, type Machine, type Mm, type Pfn, type Pid } from '../types.ts';
import { kernelPage } from './kernel_map.ts';
import { mmuOf, PTE, PTE_PFN_SHIFT, tableBase } from './mmu.ts';
import { PF, type Step } from './steps.ts';

/** Further bits of an entry: no caching, one page instead of a table, not flushed with the others. */
const BITS = { uncached: 0x10, large: 0x80, global: 0x100 } as const;

export interface Rights {
  write: boolean;
  user: boolean;
  exec: boolean;
}

export interface Translation extends Rights {
  /** Frame of the page's first 4 KiB. */
  pfn: Pfn;
  /** Frames that its entry spans. */
  frames: number;
  dirty: boolean;
  global: boolean;
  /** The shared zero page, which is no frame. */
  zeroPage: boolean;
}

const ALL: Rights = { write: true, user: true, exec: true };

/** `rw-u`-like: what all levels so far allow. */
const rightsText = ({ write, user, exec }: Rights): string => `r${write ? 'w' : '-'}${exec ? 'x' : '-'}${user ? 'u' : 's'}`;

interface Level {
  name: string;
  span: number;
  index: number;
}

/** The indices of an address, from the top. */
function levelsOf(machine: Machine, addr: Addr): Level[] {
  const mmu = mmuOf(machine);
  const entries = mmu.entries;
  return mmu.levels.map(({ name }, n) => {
    const index = Math.floor(addr / mmu.spans[n]!) % entries;
    return { name, span: mmu.spans[n]!, index: index < 0 ? index + entries : index };
  });
}

/** What an entry says, and what is allowed after it. */
function entryStep(level: Level, at: number | null, word: number, rights: Rights): Step {
  const { name, index } = level;
  if ((word & PTE.present) === 0) return { step: 'entry', level: name, index, at, entry: word, present: false };
  return {
    step: 'entry',
    level: name,
    index,
    at,
    entry: word,
    present: true,
    pfn: word >>> PTE_PFN_SHIFT,
    write: (word & PTE.write) !== 0,
    user: (word & PTE.user) !== 0,
    noExec: (word & PTE.noExec) !== 0,
    accessed: (word & PTE.accessed) !== 0,
    dirty: (word & PTE.dirty) !== 0,
    ...((word & BITS.large) !== 0 && level.span > PAGE_SIZE ? { large: true } : {}),
    ...((word & BITS.global) !== 0 ? { global: true } : {}),
    ...((word & BITS.uncached) !== 0 ? { uncached: true } : {}),
    ...((word & PTE.special) !== 0 ? { zeroPage: true } : {}),
    rights: rightsText(rights),
  };
}

function narrowed(rights: Rights, word: number): Rights {
  return {
    write: rights.write && (word & PTE.write) !== 0,
    user: rights.user && (word & PTE.user) !== 0,
    exec: rights.exec && (word & PTE.noExec) === 0,
  };
}

function translation(word: number, span: number, rights: Rights): Translation {
  return {
    ...rights,
    pfn: word >>> PTE_PFN_SHIFT,
    frames: span / PAGE_SIZE,
    dirty: (word & PTE.dirty) !== 0,
    global: (word & BITS.global) !== 0,
    zeroPage: (word & PTE.special) !== 0,
  };
}

// Simplified: the entries that name tables are never marked accessed, as Linux's are from the start.
/** A user address, through the process's own tables. */
function findUser(machine: Machine, mm: Mm, addr: Addr, steps: Step[] | null): Translation | null {
  const { pteBytes, spans, entries, levels } = mmuOf(machine);
  let rights = ALL;
  let table = mm.pgd;
  for (let n = 0; n < levels.length; n++) {
    const span = spans[n]!;
    const index = Math.floor(addr / span) % entries;
    const word = machine.tables.words[tableBase(machine, table) + index]!;
    const present = (word & PTE.present) !== 0;
    if (present) rights = narrowed(rights, word);
    steps?.push(entryStep({ name: levels[n]!.name, span, index }, table * PAGE_SIZE + index * pteBytes, word, rights));
    if (!present) return null;
    if (span === PAGE_SIZE || (word & BITS.large) !== 0) return translation(word, span, rights);
    table = word >>> PTE_PFN_SHIFT;
  }
  return null;
}

const KERNEL_TABLE = PTE.present | PTE.write | PTE.accessed | PTE.dirty;

/** A kernel address: the tables are the kernel's, the same in every address space, and for ring 0 only. */
function findKernel(machine: Machine, pid: Pid, addr: Addr, steps: Step[] | null): Translation | null {
  const levels = levelsOf(machine, addr);
  const mapped = kernelPage(machine, pid, addr, levels[levels.length - 2]!.span);
  if (mapped === null) {
    steps?.push(entryStep(levels[0]!, null, 0, ALL));
    return null;
  }
  const depth = mapped.large ? levels.length - 1 : levels.length;
  let rights = ALL;
  for (const level of levels.slice(0, depth - 1)) {
    rights = narrowed(rights, KERNEL_TABLE);
    const { pfn: _none, ...table } = entryStep(level, null, KERNEL_TABLE, rights);
    steps?.push(table);
  }
  const leaf = levels[depth - 1]!;
  const bits = KERNEL_TABLE | BITS.global | (mapped.large ? BITS.large : 0) | (mapped.uncached ? BITS.uncached : 0);
  const word = ((mapped.pfn << PTE_PFN_SHIFT) | bits | machine.tables.noExec) >>> 0;
  rights = narrowed(rights, word);
  steps?.push(entryStep(leaf, null, word, rights));
  return translation(word, leaf.span, rights);
}

/** Walks the tables for an address, telling each entry to `steps`; null where one is not present. Without an address space only the kernel's half is there. */
export function find(machine: Machine, mm: Mm | null, addr: Addr, steps: Step[] | null): Translation | null {
  const { taskSize } = mmuOf(machine);
  if (addr < 0 || addr >= taskSize) return findKernel(machine, mm?.pid ?? 0, addr, steps);
  if (mm !== null) return findUser(machine, mm, addr, steps);
  steps?.push(entryStep(levelsOf(machine, addr)[0]!, null, 0, ALL));
  return null;
}

/** May ring `ring` do that? CR0.WP is set, so a read-only page is so to the kernel too. */
export function allows(rights: Rights, access: AccessKind, ring: number): boolean {
  if (ring === 3 && !rights.user) return false;
  return access === 'write' ? rights.write : access === 'exec' ? rights.exec : true;
}

/** The error code of a page fault; a fetch is told from a read only where entries can forbid it. */
export function faultCode(machine: Machine, present: boolean, access: AccessKind, ring: number): number {
  const fetch = access === 'exec' && machine.tables.noExec !== 0;
  return (present ? PF.protection : 0) | (access === 'write' ? PF.write : 0) | (ring === 3 ? PF.user : 0) | (fetch ? PF.fetch : 0);
}
