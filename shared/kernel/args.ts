/** Arguments of calls: each is checked once, here; what comes out is what the kernel's functions take. */
import { addressFrom } from './arch/address.ts';
import { GFP } from './gfp.ts';
import type { Addr } from './types.ts';

/** What the argument must be, for the answer to a malformed call. */
export class BadArgument {
  readonly rule: string;
  constructor(rule: string) {
    this.rule = rule;
  }
}

export interface Argument<T> {
  /** `wide`: the machine's addresses have 64 bits. */
  readonly parse: (value: unknown, wide: boolean) => T | BadArgument;
  readonly optional: boolean;
  /** A whole number in [low, high] is the argument as it is, on every machine; whatever else comes is for `parse`. */
  readonly whole?: { readonly low: number; readonly high: number };
}

function argument<T>(parse: (value: unknown, wide: boolean) => T | BadArgument): Argument<T> {
  return { parse, optional: false };
}

export function optional<T>(inner: Argument<T>): Argument<T | undefined> {
  return { ...inner, optional: true };
}

/** A whole number in [low, high]; −0 is not one. */
export function int(low: number, high: number): Argument<number> {
  const bad = new BadArgument(`a whole number from ${low} to ${high}`);
  const parse = (value: unknown): number | BadArgument => {
    if (typeof value !== 'number' || !Number.isInteger(value) || value < low || value > high || Object.is(value, -0)) return bad;
    return value;
  };
  return { parse, optional: false, whole: { low, high } };
}

/** i386: 32 bits. */
export const ADDRESS_MAX = 0xffffffff;
const badAddress = new BadArgument('an address: a whole number from 0 to 2^32 − 1, or such a number as 0x…');

const badWide = new BadArgument('an address: a whole number from 0 to 2^53 − 1, or such a number as 0x… of at most 16 digits');
const HEX = /^0x[0-9a-fA-F]{1,16}$/;

function wideAddress(value: unknown): Addr | BadArgument {
  if (typeof value === 'string') return HEX.test(value) ? addressFrom(value.slice(2)) : badWide;
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && !Object.is(value, -0) ? value : badWide;
}

/** An address, as a number or as a string of hex digits. */
export const address: Argument<Addr> = {
  parse: (value, wide) => {
    if (wide) return wideAddress(value);
    const number = typeof value === 'string' && HEX.test(value) ? Number.parseInt(value.slice(2), 16) : value;
    if (typeof number !== 'number' || !Number.isInteger(number) || number < 0 || number > ADDRESS_MAX || Object.is(number, -0))
      return badAddress;
    return number;
  },
  optional: false,
  whole: { low: 0, high: ADDRESS_MAX },
};

const [step32, step64] = [int(-0x80000000, 0x7fffffff), int(-0x7fff_ffff_ffff, 0x7fff_ffff_ffff)];
/** A difference of addresses: 32 bits with their sign, or what a canonical address can be moved by. */
export const increment: Argument<number> = argument((value, wide) => (wide ? step64 : step32).parse(value, wide));

/** A size in bytes. */
export const SIZE_MAX = 0xffff_ffff_ffff;
export const bytes = int(0, SIZE_MAX);
export const positiveBytes = int(1, SIZE_MAX);

/** Bits by name: a list of names or one string joined by |. */
export function flags(names: Readonly<Record<string, number>>): Argument<number> {
  const bad = new BadArgument(`names from ${Object.keys(names).join(', ')}`);
  const known = new Map(Object.entries(names));
  const seen = new Map<string, number>();
  const bitsOf = (parts: readonly unknown[]): number | BadArgument => {
    let bits = 0;
    for (const part of parts) {
      const bit = typeof part === 'string' ? known.get(part) : undefined;
      if (bit === undefined) return bad;
      bits |= bit;
    }
    return bits;
  };
  return argument((value) => {
    if (typeof value === 'string') {
      const cached = seen.get(value);
      if (cached !== undefined) return cached;
      if (value.length > 512) return bad;
      const bits = bitsOf(value.split('|'));
      if (typeof bits === 'number' && seen.size < 256) seen.set(value, bits);
      return bits;
    }
    return Array.isArray(value) && value.length > 0 && value.length <= 16 ? bitsOf(value) : bad;
  });
}

export const gfp = flags(GFP);

/** One of a few words. */
export function word<W extends string>(words: readonly W[]): Argument<W> {
  const bad = new BadArgument(`one of ${words.join(', ')}`);
  return argument((value) => (words.includes(value as W) ? (value as W) : bad));
}

/** At most `max` bytes, 0 to 255 each. */
export function byteList(max: number): Argument<number[]> {
  const bad = new BadArgument(`a list of 1 to ${max} bytes`);
  return argument((value) => {
    if (!Array.isArray(value) || value.length === 0 || value.length > max) return bad;
    for (const byte of value) if (!Number.isInteger(byte) || byte < 0 || byte > 255 || Object.is(byte, -0)) return bad;
    return value as number[];
  });
}

export function text(max: number): Argument<string> {
  const bad = new BadArgument(`text of at most ${max} characters`);
  return argument((value) => (typeof value === 'string' && value.length <= max ? value : bad));
}

/** −1 or the word RLIM_INFINITY for no limit, else bytes (or a count). */
export const rlimit: Argument<number> = argument((value, wide) => {
  if (value === -1 || value === 'RLIM_INFINITY') return Number.MAX_SAFE_INTEGER;
  return bytes.parse(value, wide);
});

const SIGNALS: Readonly<Record<string, number>> = { SIGHUP: 1, SIGINT: 2, SIGABRT: 6, SIGKILL: 9, SIGSEGV: 11, SIGTERM: 15 };
const badSignal = new BadArgument('0, or a signal that ends a process, by number or name');

/** 0 (only look whether it lives) or a signal that ends a process. */
export const signal: Argument<number> = argument((value) => {
  const number = typeof value === 'string' ? SIGNALS[value] : value;
  if (number === 0 && !Object.is(number, -0)) return 0;
  return typeof number === 'number' && Object.values(SIGNALS).includes(number) ? number : badSignal;
});
export function signalName(number: number): string {
  for (const [name, value] of Object.entries(SIGNALS)) if (value === number) return name;
  return `SIG${number}`;
}

export type Arguments = Readonly<Record<string, Argument<unknown>>>;
