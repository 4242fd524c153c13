/**
 * Machines that only translate (calls.md, `arch`): the lengths of the indices, of an entry and of the offset, and the bytes of
 * a physical memory in which the tables lie. They are what textbooks draw.
 */
import type { Step, TableCost } from './steps.ts';

export interface CustomMmu {
  /** Bits of the index of each level, from the top. */
  levels: number[];
  offsetBits: number;
  /** Bytes of an entry, the lowest first. */
  pteBytes: number;
  /** The bit that makes an entry valid; all others are the number of a page frame. */
  validBit: number;
  /** Frame in which the top table begins (a page-directory base register). */
  root: number;
  memory: Uint8Array;
}

/** The example of the notes, 4 bits of page and 12 of offset, sixteen pages on eight frames, which pid 0 of a toy16 machine sees: an entry is three bits of frame and the present bit; page 2 is in frame 6. */
export const NOTES_16: CustomMmu = {
  levels: [4],
  offsetBits: 12,
  pteBytes: 1,
  validBit: 0,
  root: 0,
  memory: Uint8Array.of(0b0101, 0b0011, 0b1101, 0b0001, 0, 0b1001, 0, 0, 0b0111, 0, 0, 0b1111, 0, 0, 0b1011, 0),
};

export interface CustomWalk {
  steps: Step[];
  /** The physical address; −1 where an entry is not valid. */
  phys: number;
  /** The byte there; undefined beyond the given memory. */
  value: number | undefined;
  /** Levels that were valid. */
  depth: number;
  tables: TableCost;
}

const spaceBits = (mmu: CustomMmu): number => mmu.levels.reduce((sum, bits) => sum + bits, mmu.offsetBits);

/** 2^bits, below 2^53. */
function power(bits: number): number {
  return bits < 31 ? 1 << bits : 0x40000000 * power(bits - 30);
}

/** One past the last address. */
export const spaceEnd = (mmu: CustomMmu): number => power(spaceBits(mmu));

/** An entry's valid bit and frame; beyond the memory all bytes are 0. */
function entryAt(mmu: CustomMmu, at: number): { raw: bigint; valid: boolean; pfn: number } {
  let raw = 0n;
  for (let n = mmu.pteBytes - 1; n >= 0; n--) raw = (raw << 8n) | BigInt(mmu.memory[at + n] ?? 0);
  const bit = BigInt(mmu.validBit);
  const low = raw & ((1n << bit) - 1n);
  // A frame beyond 2^40 is no place in any memory; it is cut there, so that addresses stay exact.
  const pfn = Number(BigInt.asUintN(40, ((raw >> (bit + 1n)) << bit) | low));
  return { raw, valid: ((raw >> bit) & 1n) === 1n, pfn };
}

/** Entries that counting the tree may read. */
const ENTRIES_COUNTED_MAX = 65536;

/** Bytes of all tables that can be reached, each once a level; −1 for a tree too large to be counted. */
function treeBytes(mmu: CustomMmu): number {
  let tables = new Set([mmu.root]);
  let [sum, read] = [0, 0];
  for (let level = 0; level < mmu.levels.length; level++) {
    const entries = power(mmu.levels[level]!);
    const below = new Set<number>();
    sum += tables.size * entries * mmu.pteBytes;
    if (level === mmu.levels.length - 1) break;
    for (const table of tables) {
      const start = table * power(mmu.offsetBits);
      const inMemory = Math.min(entries, Math.max(0, Math.ceil((mmu.memory.length - start) / mmu.pteBytes)));
      read += inMemory;
      if (read > ENTRIES_COUNTED_MAX) return -1;
      for (let index = 0; index < inMemory; index++) {
        const { valid, pfn } = entryAt(mmu, start + index * mmu.pteBytes);
        if (valid) below.add(pfn);
      }
    }
    tables = below;
  }
  return sum;
}

/** Translates; addresses beyond the space have been refused. */
export function customWalk(mmu: CustomMmu, addr: number): CustomWalk {
  const page = power(mmu.offsetBits);
  const steps: Step[] = [];
  let left = spaceBits(mmu);
  let table = mmu.root * page;
  const tables = { oneLevelBytes: power(left - mmu.offsetBits) * mmu.pteBytes, treeBytes: treeBytes(mmu) };
  for (let level = 0; level < mmu.levels.length; level++) {
    const bits = mmu.levels[level]!;
    left -= bits;
    const index = Math.floor(addr / power(left)) % power(bits);
    const at = table + index * mmu.pteBytes;
    const { raw, valid, pfn } = entryAt(mmu, at);
    const entry = raw <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(raw) : `0x${raw.toString(16)}`;
    steps.push({ step: 'entry', level: level + 1, index, at, entry, valid, pfn: valid ? pfn : null });
    if (!valid) return { steps, phys: -1, value: undefined, depth: level, tables };
    table = pfn * page;
  }
  const phys = table + (addr % page);
  steps.push({ step: 'page', pfn: table / page, offset: addr % page, phys });
  return { steps, phys, value: mmu.memory[phys], depth: mmu.levels.length, tables };
}
