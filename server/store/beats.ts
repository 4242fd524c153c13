/**
 * Two binary forms of ticks on the disk. A beat: the ticks of all rooms that one commit wrote, one row for all of them, so that
 * a commit touches one page. A chunk: a stretch of one round's ticks, which the rows of many beats are gathered into.
 */
import { ByteReader, ByteWriter, WireFormatError } from '#protocol/bytes.ts';
import { TICK_BYTES_MAX } from '#protocol/limits.ts';

const VERSION = 1;

export interface LoggedTick {
  /** Key of the round. */
  round: number;
  n: number;
  /** protocol/tick.ts. */
  bytes: Uint8Array;
}

export class BeatWriter {
  private readonly to = new ByteWriter();

  constructor() {
    this.to.byte(VERSION);
  }

  add(round: number, n: number, bytes: Uint8Array): void {
    this.to.varint(round);
    this.to.varint(n);
    this.to.varint(bytes.length);
    this.to.raw(bytes);
  }

  done(): Uint8Array {
    return this.to.done();
  }
}

/** Throws WireFormatError. */
export function decodeBeat(bytes: Uint8Array): LoggedTick[] {
  const from = begin(bytes);
  const ticks: LoggedTick[] = [];
  while (from.left > 0) ticks.push({ round: from.varint(), n: from.varint(), bytes: from.take(from.varint(TICK_BYTES_MAX)) });
  return ticks;
}

export function encodeChunk(ticks: readonly Uint8Array[]): Uint8Array {
  const to = new ByteWriter();
  to.byte(VERSION);
  for (const bytes of ticks) {
    to.varint(bytes.length);
    to.raw(bytes);
  }
  return to.done();
}

/** Throws WireFormatError. */
export function decodeChunk(bytes: Uint8Array): Uint8Array[] {
  const from = begin(bytes);
  const ticks: Uint8Array[] = [];
  while (from.left > 0) ticks.push(from.take(from.varint(TICK_BYTES_MAX)));
  return ticks;
}

function begin(bytes: Uint8Array): ByteReader {
  const from = new ByteReader(bytes);
  const version = from.byte();
  if (version !== VERSION) throw new WireFormatError(`ticks on the disk of version ${version}, not ${VERSION}`);
  return from;
}
