/**
 * htonl, htons, ntohl, ntohs, and how a value lies in memory (spec §16). All our machines are little endian, the network
 * is big endian, so each of the four turns the bytes round, and doing it twice undoes it.
 */
import { int, word } from '../args.ts';
import type { Answer, Machine, Task } from '../types.ts';
import { badArgument, granted } from './answer.ts';

export const longArgs = { value: int(0, 0xffffffff) };
export const shortArgs = { value: int(0, 0xffff) };

function swap32(value: number): number {
  return ((value << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24)) >>> 0;
}

export function sysSwapLong(_machine: Machine, _task: Task | null, value: number): Answer {
  return granted({ value: swap32(value) });
}

export function sysSwapShort(_machine: Machine, _task: Task | null, value: number): Answer {
  return granted({ value: ((value & 0xff) << 8) | (value >>> 8) });
}

const ORDERS = ['host', 'little', 'big', 'network'] as const;
export const bytesOfArgs = { value: int(0, Number.MAX_SAFE_INTEGER), size: int(1, 8), order: word(ORDERS) };

/** The bytes of a value from the lowest address up: least significant first on these machines, most significant first on the wire. */
export function sysBytesOf(_machine: Machine, _task: Task | null, value: number, size: number, order: (typeof ORDERS)[number]): Answer {
  const bytes: number[] = [];
  let left = value;
  for (let n = 0; n < size; n++) {
    bytes.push(left % 256);
    left = Math.floor(left / 256);
  }
  if (left > 0) return badArgument('value', `a number of ${size} bytes`);
  if (order === 'big' || order === 'network') bytes.reverse();
  return granted({ bytes });
}
