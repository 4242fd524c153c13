/** modify_ldt, load_segment: a process's own segments. */
import { BadArgument, address, int, word, type Argument } from '../args.ts';
import { decode, effectiveLimit, encode, ENTRIES_MAX, indexOf, LIMIT_MAX, TYPE, TYPE_NAMES, typeName, type Words } from '../arch/desc.ts';
import { flatSegments, gdtOf, loadFault, loadRegister, REGISTERS, type Register, type Segments } from '../arch/segment.ts';
import { doExit } from '../kernel/exit.ts';
import { signalOf } from '../mm/logical.ts';
import type { Answer, Machine, Task } from '../types.ts';
import { granted } from './answer.ts';

const SIGNAL_NUMBERS = { SIGSEGV: 11, SIGBUS: 7 } as const;

const badType = new BadArgument(`bits 43 to 40 of the descriptor, 0 to 15, or one of ${Object.keys(TYPE_NAMES).join(', ')}`);
const segmentType: Argument<number> = {
  parse: (value) => {
    if (typeof value === 'string') return Object.hasOwn(TYPE_NAMES, value) ? TYPE_NAMES[value]! : badType;
    return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 15 && !Object.is(value, -0) ? value : badType;
  },
  optional: false,
};

const badBit = new BadArgument('true or false, or 1 or 0');
const bit: Argument<boolean> = {
  parse: (value) => {
    if (typeof value === 'boolean') return value;
    return value === 1 || (value === 0 && !Object.is(value, -0)) ? value === 1 : badBit;
  },
  optional: false,
};

/** A whole number up to `max`, or such a number as 0x…. */
function upTo(max: number): Argument<number> {
  const bad = new BadArgument(`a whole number from 0 to ${max}, or such a number as 0x…`);
  return {
    parse: (value) => {
      const number = address.parse(value, false);
      return typeof number === 'number' && number <= max ? number : bad;
    },
    optional: false,
  };
}

export const modifyLdtArgs = {
  entry: int(0, ENTRIES_MAX - 1),
  base: upTo(0xffffffff),
  limit: int(0, LIMIT_MAX),
  type: segmentType,
  dpl: int(0, 3),
  granularity: bit,
  present: bit,
};

/** The process's segments, flat ones if it never had others. */
function ownSegments(machine: Machine, task: Task): Segments {
  return (task.segments ??= flatSegments(gdtOf(machine.config.arch)));
}

/** A descriptor's 8 bytes as they lie in memory. */
function bytesOf({ low, high }: Words): number[] {
  return [low, high].flatMap((word32) => [word32 & 0xff, (word32 >>> 8) & 0xff, (word32 >>> 16) & 0xff, word32 >>> 24]);
}

/** Writes an entry of the local table, which grows up to it; loaded registers keep what they hold. The accessed bit is set from the start (fill_ldt). */
// Simplified: Linux's own call has no DPL, which is always 3, and the table costs no frame here.
export function sysModifyLdt(
  machine: Machine,
  task: Task,
  entry: number,
  base: number,
  limit: number,
  type: number,
  dpl: number,
  granularity: boolean,
  present: boolean,
): Answer {
  const segments = ownSegments(machine, task);
  const words = encode({
    base,
    limit,
    type: type | TYPE.accessed,
    isSegment: true,
    dpl,
    present,
    available: false,
    long: false,
    big: true,
    granularity,
  });
  segments.ldt.set(entry, words);
  segments.ldtEntries = Math.max(segments.ldtEntries, entry + 1);
  return granted({ selector: entry * 8 + 4 + 3, descriptor: bytesOf(words) });
}

export const loadSegmentArgs = { register: word(REGISTERS), selector: upTo(0xffff) };

/** Loads a register with its hidden descriptor; a selector that may not be loaded is a fault, and its signal ends the process. */
export function sysLoadSegment(machine: Machine, task: Task, register: Register, selector: number): Answer {
  const gdt = gdtOf(machine.config.arch);
  const fault = loadFault(task.segments, gdt, register, selector);
  if (fault !== null) {
    const signal = signalOf(fault);
    machine.entry.fatal += 1;
    doExit(machine, task, SIGNAL_NUMBERS[signal]);
    return { ok: false, signal, why: fault.why, fault: { vector: fault.vector, errorCode: fault.errorCode }, cost: 0 };
  }
  const segments = ownSegments(machine, task);
  loadRegister(segments, gdt, register, selector);
  const loaded = segments.registers[register];
  if (loaded.cache === null) return granted({ selector, index: 0, table: 'GDT', rpl: selector });
  const descriptor = decode(loaded.cache);
  return granted({
    selector: loaded.selector,
    index: indexOf(loaded.selector),
    table: (selector & 4) === 0 ? 'GDT' : 'LDT',
    rpl: loaded.selector & 3,
    base: descriptor.base,
    limit: effectiveLimit(descriptor),
    type: typeName(descriptor),
    dpl: descriptor.dpl,
  });
}
