/**
 * Addresses of 64 bits as numbers, and as text. A user's address is itself. A kernel's, from 0xffff800000000000 on, is
 * kept as the processor extends its sign: negative, exact and in order (0xffff888000000000 is −0x778000000000), for
 * beyond 2^53 JavaScript's numbers have holes. In answers it is a string that begins with 0x.
 */
import type { Addr, Answer } from '../types.ts';

/** Bit 47, which bits 63 to 48 repeat in every address that is one. */
const CANONICAL_END = 0x8000_0000_0000;

/** Are bits 63 to 47 alike? Any other address is none: its use is a general protection fault, never a page fault. */
export function isCanonical(addr: Addr): boolean {
  return addr < CANONICAL_END && addr >= -CANONICAL_END;
}

/** An address from its hex digits, at most 16 of them. Of those that are not canonical the lowest bits are lost. */
export function addressFrom(digits: string): Addr {
  const padded = digits.padStart(16, '0');
  const high = Number.parseInt(padded.slice(0, 8), 16);
  return (high >= 0x8000_0000 ? high - 0x1_0000_0000 : high) * 0x1_0000_0000 + Number.parseInt(padded.slice(8), 16);
}

/** Its hex digits, at least 8 of them as %08lx prints it; the kernel's have 16. */
export function addressDigits(addr: Addr): string {
  return (addr < 0 ? BigInt.asUintN(64, BigInt(addr)) : addr).toString(16).padStart(8, '0');
}

/** What an answer says: a number as long as it is below 2^53. */
export function addressOut(addr: Addr): number | string {
  return addr < 0 || addr > Number.MAX_SAFE_INTEGER ? `0x${addressDigits(addr)}` : addr;
}

/** Writes the addresses of an answer as callers are told them. */
export function tellAddresses(answer: Answer): void {
  const said = (answer.ok ? answer : answer.why) as { addr?: unknown };
  if (typeof said.addr === 'number') said.addr = addressOut(said.addr);
}
