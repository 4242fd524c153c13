/** Identity: a device's secret is kept and compared as its SHA-256 only, and never reaches state or logs. */
import { createHash, randomBytes, randomInt, timingSafeEqual } from 'node:crypto';
import { SECRET_DIGITS } from '#protocol/limits.ts';

/** 64 hex digits. */
export type Digest = string;

export function digestOf(secret: string): Digest {
  return createHash('sha256').update(secret, 'utf8').digest('hex');
}

/** In constant time. */
export function sameDigest(one: Digest, other: Digest): boolean {
  const a = Buffer.from(one, 'hex');
  const b = Buffer.from(other, 'hex');
  return a.length === b.length && timingSafeEqual(a, b);
}

/** 128 bits that nobody can foresee, as a device's secret is written. */
export function randomSecret(): string {
  return randomBytes(SECRET_DIGITS / 2).toString('hex');
}

/** An integer from 0 to n − 1 that nobody can foresee. */
export function randomBelow(n: number): number {
  return randomInt(n);
}

/** 32 bits that nobody can foresee. */
export function randomUint32(): number {
  return randomBytes(4).readUInt32LE();
}

/** The handle of a person in a room's roster: names nobody, opens nothing. */
export function randomId(): string {
  return randomLetters(8, '0123456789abcdefghijklmnopqrstuvwxyz');
}

function randomLetters(count: number, letters: string): string {
  return Array.from({ length: count }, () => letters[randomInt(letters.length)]).join('');
}

/** Names a round in links: whoever has it may see the round, and nobody finds it by guessing: there are 2^70. */
export function randomRoundId(): string {
  return randomLetters(14, '0123456789abcdefghjkmnpqrstvwxyz');
}
