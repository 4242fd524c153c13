/**
 * Selectors and descriptors of x86 segmentation, bit by bit (arch/x86/include/asm/desc_defs.h, segment.h; spec §1).
 * A descriptor is its 8 bytes, kept as two words: `low` holds bytes 0 to 3, `high` bytes 4 to 7.
 */

/** 8 bytes of a descriptor table. */
export interface Words {
  low: number;
  high: number;
}

/** A descriptor taken apart. */
export interface Descriptor {
  /** 32 bits. */
  base: number;
  /** 20 bits, in bytes or pages. */
  limit: number;
  /** Bits 43 to 40: see TYPE. */
  type: number;
  /** S, bit 44: code or data; clear for gates, task states and tables. */
  isSegment: boolean;
  dpl: number;
  present: boolean;
  /** AVL, bit 52: the system's to use. */
  available: boolean;
  /** L, bit 53: 64-bit code. */
  long: boolean;
  /** D/B, bit 54: 32-bit code or stack; the upper bound of an expand-down segment. */
  big: boolean;
  /** G, bit 55: the limit counts pages. */
  granularity: boolean;
}

/** Bits of `type`: code or data; conforming or expand-down; readable or writable; accessed. */
export const TYPE = { code: 8, conforming: 4, expandDown: 4, readable: 2, writable: 2, accessed: 1 } as const;

/** What the processor's manual calls each type, for arguments and answers; the accessed bit aside. */
export const TYPE_NAMES: Readonly<Record<string, number>> = {
  'read-only': 0,
  'read/write': 2,
  'read-only, expand-down': 4,
  'read/write, expand-down': 6,
  'execute-only': 8,
  'execute/read': 10,
  'execute-only, conforming': 12,
  'execute/read, conforming': 14,
};

const SPACE_END = 0x1_0000_0000;
export const LIMIT_MAX = 0xfffff;
/** Entries of a table: 13 bits of index. */
export const ENTRIES_MAX = 8192;

export function encode(descriptor: Descriptor): Words {
  const { base, limit, type, dpl } = descriptor;
  const bit = (flag: boolean, at: number): number => (flag ? 1 << at : 0);
  const high =
    ((base >>> 16) & 0xff) |
    (type << 8) |
    bit(descriptor.isSegment, 12) |
    (dpl << 13) |
    bit(descriptor.present, 15) |
    (limit & 0xf0000) |
    bit(descriptor.available, 20) |
    bit(descriptor.long, 21) |
    bit(descriptor.big, 22) |
    bit(descriptor.granularity, 23) |
    (base & 0xff000000);
  return { low: (((base & 0xffff) << 16) | (limit & 0xffff)) >>> 0, high: high >>> 0 };
}

export function decode({ low, high }: Words): Descriptor {
  return {
    base: ((low >>> 16) | ((high & 0xff) << 16) | (high & 0xff000000)) >>> 0,
    limit: (low & 0xffff) | (high & 0xf0000),
    type: (high >>> 8) & 0xf,
    isSegment: (high & (1 << 12)) !== 0,
    dpl: (high >>> 13) & 3,
    present: (high & (1 << 15)) !== 0,
    available: (high & (1 << 20)) !== 0,
    long: (high & (1 << 21)) !== 0,
    big: (high & (1 << 22)) !== 0,
    granularity: (high & (1 << 23)) !== 0,
  };
}

/** The last byte that the limit names, which for an expand-down segment is the last that may not be used. */
export function effectiveLimit(descriptor: Descriptor): number {
  return descriptor.granularity ? descriptor.limit * 4096 + 4095 : descriptor.limit;
}

export const isCode = (descriptor: Descriptor): boolean => descriptor.isSegment && (descriptor.type & TYPE.code) !== 0;
export const isData = (descriptor: Descriptor): boolean => descriptor.isSegment && (descriptor.type & TYPE.code) === 0;
export const isConforming = (descriptor: Descriptor): boolean => isCode(descriptor) && (descriptor.type & TYPE.conforming) !== 0;
export const isReadable = (descriptor: Descriptor): boolean =>
  isData(descriptor) || (isCode(descriptor) && (descriptor.type & TYPE.readable) !== 0);
export const isWritable = (descriptor: Descriptor): boolean => isData(descriptor) && (descriptor.type & TYPE.writable) !== 0;
export const isExpandDown = (descriptor: Descriptor): boolean => isData(descriptor) && (descriptor.type & TYPE.expandDown) !== 0;

/** The name of a type, the accessed bit aside. */
export function typeName(descriptor: Descriptor): string {
  for (const [name, type] of Object.entries(TYPE_NAMES)) if (type === (descriptor.type & ~TYPE.accessed)) return name;
  return '';
}

/** How many of `length` bytes from `offset` lie within the segment; offsets do not wrap. */
export function bytesWithin(descriptor: Descriptor, offset: number, length: number): number {
  const limit = effectiveLimit(descriptor);
  const first = isExpandDown(descriptor) ? limit + 1 : 0;
  const last = isExpandDown(descriptor) ? (descriptor.big ? 0xffffffff : 0xffff) : limit;
  if (offset < first || offset > last) return 0;
  return Math.min(length, last - offset + 1);
}

export const linearOf = (descriptor: Descriptor, offset: number): number => (descriptor.base + offset) % SPACE_END;

/** A selector's fields: bits 15 to 3, bit 2 (1: the LDT), bits 1 and 0. */
export const indexOf = (selector: number): number => selector >>> 3;
export const isLocal = (selector: number): boolean => (selector & 4) !== 0;
export const rplOf = (selector: number): number => selector & 3;
/** Selectors 0 to 3 name nothing, whatever the first entry of the GDT holds. */
export const isNull = (selector: number): boolean => selector <= 3;

/** The error code that names a selector: its index and its table; the lowest bits would say external and IDT. */
export const selectorError = (selector: number): number => selector & 0xfffc;
