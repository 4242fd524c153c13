/** The keys of a machine that only translates (calls.md, `arch`), checked one by one. */
import type { CustomMmu } from './custom_mmu.ts';

const KEYS = ['levels', 'offsetBits', 'pteBytes', 'validBit', 'memory', 'root'];
const MEMORY_MAX = 65536;
const isInt = (value: unknown, low: number, high: number): value is number =>
  Number.isInteger(value) && (value as number) >= low && (value as number) <= high;

/** A list of bytes, or their hex digits. */
function bytesFrom(value: unknown): Uint8Array | null {
  if (typeof value === 'string') {
    if (value.length % 2 !== 0 || value.length > 2 * MEMORY_MAX || !/^[0-9a-fA-F]*$/.test(value)) return null;
    const bytes = new Uint8Array(value.length / 2);
    for (let n = 0; n < bytes.length; n++) bytes[n] = Number.parseInt(value.slice(2 * n, 2 * n + 2), 16);
    return bytes;
  }
  if (!Array.isArray(value) || value.length > MEMORY_MAX) return null;
  return value.every((byte) => isInt(byte, 0, 255)) ? Uint8Array.from(value as number[]) : null;
}

/** What is wrong with the shape of the tables; '' for nothing. */
function shapeFault(keys: Readonly<Record<string, unknown>>): string {
  const { levels, offsetBits, pteBytes, validBit, root } = keys;
  for (const key of Object.keys(keys)) if (!KEYS.includes(key)) return `arch.${key} is not a key of a machine`;
  if (!Array.isArray(levels) || levels.length < 1 || levels.length > 6) return 'arch.levels is a list of 1 to 6 numbers of bits';
  if (!levels.every((bits) => isInt(bits, 1, 20))) return 'arch.levels holds bits from 1 to 20';
  if (!isInt(offsetBits, 1, 30)) return 'arch.offsetBits is a whole number from 1 to 30';
  const bits = (levels as number[]).reduce((sum, more) => sum + more, offsetBits);
  if (bits > 48) return `arch: addresses of ${bits} bits, at most 48 can be`;
  if (pteBytes !== 1 && pteBytes !== 2 && pteBytes !== 4 && pteBytes !== 8) return 'arch.pteBytes is 1, 2, 4 or 8';
  if (!isInt(validBit, 0, pteBytes * 8 - 1)) return `arch.validBit is a whole number from 0 to ${pteBytes * 8 - 1}`;
  if (root !== undefined && !isInt(root, 0, 0xffffffff)) return 'arch.root is the number of a frame';
  return '';
}

/** The machine's tables, or the sentence that says which key is wrong. */
export function customMmu(keys: Readonly<Record<string, unknown>>): CustomMmu | string {
  const fault = shapeFault(keys);
  if (fault !== '') return fault;
  const memory = bytesFrom(keys.memory);
  if (memory === null) return `arch.memory is a list of at most ${MEMORY_MAX} bytes, or their hex digits`;
  const { levels, offsetBits, pteBytes, validBit, root = 0 } = keys as unknown as CustomMmu;
  return { levels: [...levels], offsetBits, pteBytes, validBit, root, memory };
}
