/** A 64-bit hash of state in two 32-bit lanes: fast over typed arrays, the same in every engine. Not for secrets. */
export interface Hasher {
  a: number;
  b: number;
}

export function createHasher(): Hasher {
  return { a: 0x9e3779b9, b: 0x85ebca6b };
}

export function hashWord(hasher: Hasher, word: number): void {
  const a = Math.imul(hasher.a ^ word, 0xcc9e2d51);
  hasher.a = (a << 15) | (a >>> 17);
  const b = Math.imul(hasher.b + word, 0x1b873593);
  hasher.b = b ^ (b >>> 15);
}

/** All bytes of an array; arrays whose length is not a multiple of four bytes end with a shorter word. */
export function hashArray(hasher: Hasher, array: Uint8Array | Int32Array | Uint32Array | Float64Array): void {
  const wordCount = array.byteLength >>> 2;
  const aligned = (array.byteOffset & 3) === 0;
  const bytes = aligned ? array : new Uint8Array(array.buffer.slice(array.byteOffset, array.byteOffset + array.byteLength));
  const words = new Int32Array(bytes.buffer, bytes.byteOffset, wordCount);
  let { a, b } = hasher;
  for (let i = 0; i < wordCount; i++) {
    const word = words[i]!;
    a = Math.imul(a ^ word, 0xcc9e2d51);
    a = (a << 15) | (a >>> 17);
    b = Math.imul(b + word, 0x1b873593);
    b ^= b >>> 15;
  }
  hasher.a = a;
  hasher.b = b;
  const rest = new Uint8Array(bytes.buffer, bytes.byteOffset + wordCount * 4, bytes.byteLength - wordCount * 4);
  let tail = array.byteLength;
  for (const byte of rest) tail = Math.imul(tail, 257) + byte;
  hashWord(hasher, tail);
}

/** 16 hex digits. */
export function hashText(hasher: Hasher): string {
  const last = { a: hasher.a, b: hasher.b };
  for (let i = 0; i < 4; i++) {
    const mixed = last.a ^ (last.b >>> 7);
    hashWord(last, mixed);
    hashWord(last, last.b);
  }
  const hex = (word: number) => (word >>> 0).toString(16).padStart(8, '0');
  return hex(last.a) + hex(last.b);
}

export function hashBytes(bytes: Uint8Array): string {
  const hasher = createHasher();
  hashArray(hasher, bytes);
  return hashText(hasher);
}
