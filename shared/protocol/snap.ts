/** The message `snap`: a round as it was after tick n, compressed (raw deflate of `saveRound`'s bytes). */
import { ByteReader, ByteWriter } from './bytes.ts';
import { UINT32_MAX } from './limits.ts';

export interface Snap {
  /** The last tick that the round has played; the next one to play is n + 1. */
  n: number;
  /** Raw deflate. */
  deflated: Uint8Array;
}

export function encodeSnap(snap: Snap): Uint8Array {
  const to = new ByteWriter();
  to.varint(snap.n);
  to.raw(snap.deflated);
  return to.done();
}

/** Throws `WireFormatError`. The bytes are a view into those given. */
export function decodeSnap(bytes: Uint8Array): Snap {
  const from = new ByteReader(bytes);
  return { n: from.varint(UINT32_MAX), deflated: from.rest() };
}
