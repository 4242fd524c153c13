/** The machine's own generator (mulberry32): its 32-bit state is part of the machine, saved and hashed. */
export interface Seeded {
  rng: number;
}

/** The next 32 bits, unsigned. */
export function random32(state: Seeded): number {
  // Signed: a small integer to the engine, not a double.
  const next = (state.rng + 0x6d2b79f5) | 0;
  state.rng = next;
  let x = next;
  x = Math.imul(x ^ (x >>> 15), x | 1);
  x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
  return (x ^ (x >>> 14)) >>> 0;
}

/** An integer from 0 to n − 1; n from 1 to 2^32. */
export function randomBelow(state: Seeded, n: number): number {
  return Math.floor((random32(state) * n) / 0x100000000);
}
