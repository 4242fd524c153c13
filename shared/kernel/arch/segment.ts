/**
 * Segment registers (spec §1): what loading a selector checks, what each access checks, and the addresses that come out.
 * A process whose registers are the flat ones that it was born with has `segments: null`, and no access looks further.
 */
import type { Why } from '../why.ts';
import {
  bytesWithin,
  decode,
  effectiveLimit,
  indexOf,
  isCode,
  isConforming,
  isLocal,
  isNull,
  isReadable,
  isWritable,
  linearOf,
  rplOf,
  selectorError,
  TYPE,
  type Descriptor,
  type Words,
} from './desc.ts';
import { GDT_I386, GDT_X86_64, type Gdt } from './gdt.ts';

export const REGISTERS = ['cs', 'ss', 'ds', 'es', 'fs', 'gs'] as const;
export type Register = (typeof REGISTERS)[number];

/** A register: the selector that a program sees, and the descriptor as it was when it was loaded (null after a null selector). */
export interface SegmentRegister {
  selector: number;
  cache: Words | null;
}

/** What a process has that differs from the flat model. */
export interface Segments {
  registers: Record<Register, SegmentRegister>;
  /** The local table, by entry; it ends with the highest that was ever written. */
  ldt: Map<number, Words>;
  ldtEntries: number;
}

/** A fault of the processor before paging: its vector, the error code that it pushes, and what was wrong. */
export interface SegmentFault {
  vector: '#GP' | '#NP' | '#SS';
  errorCode: number;
  why: Why;
}

/** Processes run in ring 3. */
export const USER_CPL = 3;

export function gdtOf(arch: string): Gdt {
  return arch === 'x86_64' ? GDT_X86_64 : GDT_I386;
}

/** The registers as exec leaves them: flat; i386 has FS and GS null. */
export function flatSegments(gdt: Gdt): Segments {
  const loaded = (selector: number): SegmentRegister => ({ selector, cache: { ...gdt.entries.get(indexOf(selector))! } });
  const nothing = (): SegmentRegister => ({ selector: 0, cache: null });
  const registers = {
    cs: loaded(gdt.userCs),
    ss: loaded(gdt.userDs),
    ds: loaded(gdt.userDs),
    es: loaded(gdt.userDs),
    fs: nothing(),
    gs: nothing(),
  };
  return { registers, ldt: new Map(), ldtEntries: 0 };
}

/** The child's own registers and table (ldt_dup_context). */
export function copySegments(segments: Segments | null): Segments | null {
  if (segments === null) return null;
  const copy = ({ selector, cache }: SegmentRegister): SegmentRegister => ({ selector, cache: cache === null ? null : { ...cache } });
  const { cs, ss, ds, es, fs, gs } = segments.registers;
  const registers = { cs: copy(cs), ss: copy(ss), ds: copy(ds), es: copy(es), fs: copy(fs), gs: copy(gs) };
  const ldt = new Map<number, Words>();
  for (const [entry, words] of segments.ldt) ldt.set(entry, { ...words });
  return { registers, ldt, ldtEntries: segments.ldtEntries };
}

const EMPTY: Words = { low: 0, high: 0 };

/** The descriptor behind a selector; null where its table ends before it. */
export function descriptorOf(segments: Segments | null, gdt: Gdt, selector: number): Words | null {
  const index = indexOf(selector);
  if (!isLocal(selector)) return index * 8 + 7 > gdt.limit ? null : (gdt.entries.get(index) ?? EMPTY);
  if (segments === null || index >= segments.ldtEntries) return null;
  return segments.ldt.get(index) ?? EMPTY;
}

function gp(selector: number, why: Why): SegmentFault {
  return { vector: '#GP', errorCode: selectorError(selector), why };
}

function privilege(selector: number, descriptor: Descriptor): SegmentFault {
  const errorCode = selectorError(selector);
  return gp(selector, { code: 'SEGMENT_PRIVILEGE', selector, cpl: USER_CPL, rpl: rplOf(selector), dpl: descriptor.dpl, errorCode });
}

type Check = (selector: number, descriptor: Descriptor) => SegmentFault | null;

function wrongType(register: Register, selector: number, access: string): SegmentFault {
  return gp(selector, { code: 'SEGMENT_TYPE', register, access, errorCode: selectorError(selector) });
}

/** DS, ES, FS, GS: data, or code that may be read; max(CPL, RPL) ≤ DPL unless the code is conforming. */
const checkDataRegister =
  (register: Register): Check =>
  (selector, descriptor) => {
    if (!isReadable(descriptor)) return wrongType(register, selector, 'read');
    if (!isConforming(descriptor) && Math.max(USER_CPL, rplOf(selector)) > descriptor.dpl) return privilege(selector, descriptor);
    return null;
  };

const checkSs: Check = (selector, descriptor) => {
  if (rplOf(selector) !== USER_CPL) return privilege(selector, descriptor);
  if (!isWritable(descriptor)) return wrongType('ss', selector, 'write');
  return descriptor.dpl === USER_CPL ? null : privilege(selector, descriptor);
};

// Simplified: CS is loaded as by a far jump in ring 3; call gates and task gates do not exist.
const checkCs: Check = (selector, descriptor) => {
  if (!isCode(descriptor)) return wrongType('cs', selector, 'exec');
  if (isConforming(descriptor)) return descriptor.dpl > USER_CPL ? privilege(selector, descriptor) : null;
  return rplOf(selector) > USER_CPL || descriptor.dpl !== USER_CPL ? privilege(selector, descriptor) : null;
};

const CHECKS: Readonly<Record<Register, Check>> = {
  cs: checkCs,
  ss: checkSs,
  ds: checkDataRegister('ds'),
  es: checkDataRegister('es'),
  fs: checkDataRegister('fs'),
  gs: checkDataRegister('gs'),
};

/** Why a selector may not be loaded; null when it may. Order of the checks: table, type, privilege, present. */
export function loadFault(segments: Segments | null, gdt: Gdt, register: Register, selector: number): SegmentFault | null {
  if (isNull(selector)) {
    if (register !== 'cs' && register !== 'ss') return null;
    return { vector: '#GP', errorCode: 0, why: { code: 'SEGMENT_NULL', register, errorCode: 0 } };
  }
  const words = descriptorOf(segments, gdt, selector);
  const errorCode = selectorError(selector);
  if (words === null) {
    const limit = isLocal(selector) ? (segments?.ldtEntries ?? 0) * 8 - 1 : gdt.limit;
    return gp(selector, { code: 'SELECTOR_BEYOND_TABLE', selector, limit, errorCode });
  }
  const descriptor = decode(words);
  const refused = CHECKS[register](selector, descriptor);
  if (refused) return refused;
  if (descriptor.present) return null;
  return { vector: register === 'ss' ? '#SS' : '#NP', errorCode, why: { code: 'SEGMENT_NOT_PRESENT', selector, errorCode } };
}

/** Loads a register that `loadFault` has no objection to. CS takes the ring that it runs in as RPL; the accessed bit is set, in the table too. */
export function loadRegister(segments: Segments, gdt: Gdt, register: Register, selector: number): void {
  if (isNull(selector)) {
    segments.registers[register] = { selector, cache: null };
    return;
  }
  const words = { ...descriptorOf(segments, gdt, selector)! };
  words.high = (words.high | (TYPE.accessed << 8)) >>> 0;
  if (isLocal(selector)) segments.ldt.set(indexOf(selector), { ...words });
  segments.registers[register] = { selector: register === 'cs' ? (selector & ~3) | USER_CPL : selector, cache: words };
}

/** What an access through a register comes to. */
export interface SegmentedAddress {
  /** Of the first byte. */
  linear: number;
  /** Bytes from there that the segment allows. */
  allowed: number;
  /** What stops the access after them, null if nothing does. */
  fault: SegmentFault | null;
  /** 64-bit code: addresses have 64 bits, of which those above 47 must be alike. */
  long: boolean;
}

function accessFault(register: Register, why: Why): SegmentFault {
  return { vector: register === 'ss' && why.code === 'SEGMENT_LIMIT' ? '#SS' : '#GP', errorCode: 0, why };
}

/** 64-bit code has no bases and no limits but the bases of FS and GS. */
function longAccess(segments: Segments, register: Register, offset: number, length: number): SegmentedAddress {
  const { cache } = segments.registers[register];
  const base = cache !== null && (register === 'fs' || register === 'gs') ? decode(cache).base : 0;
  return { linear: offset + base, allowed: length, fault: null, long: true };
}

/** Checks [offset, offset + length) against a register's hidden descriptor and adds its base. */
export function segmentAccess(
  segments: Segments,
  register: Register,
  offset: number,
  length: number,
  access: 'read' | 'write' | 'exec',
): SegmentedAddress {
  if (decode(segments.registers.cs.cache!).long) return longAccess(segments, register, offset, length);
  const { cache } = segments.registers[register];
  const stopped = (why: Why): SegmentedAddress => ({ linear: 0, allowed: 0, fault: accessFault(register, why), long: false });
  if (cache === null) return stopped({ code: 'SEGMENT_NULL', register, errorCode: 0 });
  const descriptor = decode(cache);
  const may = access === 'write' ? isWritable(descriptor) : access === 'exec' ? isCode(descriptor) : isReadable(descriptor);
  if (!may) return stopped({ code: 'SEGMENT_TYPE', register, access, errorCode: 0 });
  const allowed = bytesWithin(descriptor, offset, length);
  const linear = linearOf(descriptor, offset);
  if (allowed === length) return { linear, allowed, fault: null, long: false };
  const why: Why = { code: 'SEGMENT_LIMIT', register, addr: offset + allowed, limit: effectiveLimit(descriptor), errorCode: 0 };
  return { linear, allowed, fault: accessFault(register, why), long: false };
}
