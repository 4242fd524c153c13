/**
 * A value in bytes and back, for snapshots and hashes: null, booleans, numbers, strings, arrays, plain objects,
 * Maps, Sets and typed arrays. One value has one encoding (keys and entries in their own order), so equal bytes
 * mean equal state. Little endian, as every machine that runs this.
 */
export class CodecError extends Error {
  override name = 'CodecError';
}

const TAG = {
  null: 0,
  false: 1,
  true: 2,
  uint: 3,
  nint: 4,
  double: 5,
  string: 6,
  array: 7,
  object: 8,
  map: 9,
  set: 10,
  typed: 11,
  undefined: 12,
};
const TYPED = [Uint8Array, Int8Array, Uint16Array, Int16Array, Uint32Array, Int32Array, Float64Array] as const;
type Typed = InstanceType<(typeof TYPED)[number]>;
const DEPTH_MAX = 64;

export type Value =
  | null
  | undefined
  | boolean
  | number
  | string
  | readonly Value[]
  | Map<Value, Value>
  | Set<Value>
  | Typed
  | { readonly [key: string]: Value };

interface Sink {
  bytes: Uint8Array;
  at: number;
}

function room(sink: Sink, more: number): void {
  if (sink.at + more <= sink.bytes.length) return;
  const bytes = new Uint8Array(Math.max(sink.bytes.length * 2, sink.at + more));
  bytes.set(sink.bytes.subarray(0, sink.at));
  sink.bytes = bytes;
}

function putByte(sink: Sink, byte: number): void {
  room(sink, 1);
  sink.bytes[sink.at++] = byte;
}

/** Seven bits a byte, lowest first; up to 2^53. */
function putVarint(sink: Sink, value: number): void {
  room(sink, 8);
  let left = value;
  while (left >= 0x80) {
    sink.bytes[sink.at++] = (left % 0x80) | 0x80;
    left = Math.floor(left / 0x80);
  }
  sink.bytes[sink.at++] = left;
}

const doubleBytes = new Uint8Array(8);
const doubleView = new DataView(doubleBytes.buffer);

function putNumber(sink: Sink, value: number): void {
  if (Number.isSafeInteger(value) && !Object.is(value, -0)) {
    putByte(sink, value < 0 ? TAG.nint : TAG.uint);
    putVarint(sink, value < 0 ? -value : value);
    return;
  }
  putByte(sink, TAG.double);
  doubleView.setFloat64(0, value, true);
  room(sink, 8);
  sink.bytes.set(doubleBytes, sink.at);
  sink.at += 8;
}

/** UTF-16 units as varints: most text is ASCII and takes a byte a letter. */
function putString(sink: Sink, text: string): void {
  putVarint(sink, text.length);
  for (let i = 0; i < text.length; i++) putVarint(sink, text.charCodeAt(i));
}

function putTyped(sink: Sink, array: Typed, kind: number): void {
  putByte(sink, TAG.typed);
  putByte(sink, kind);
  putVarint(sink, array.length);
  const raw = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
  room(sink, raw.length);
  sink.bytes.set(raw, sink.at);
  sink.at += raw.length;
}

function putObject(sink: Sink, value: object, depth: number): void {
  const kind = TYPED.findIndex((type) => value instanceof type);
  if (kind >= 0) return putTyped(sink, value as Typed, kind);
  if (Array.isArray(value)) {
    putByte(sink, TAG.array);
    putVarint(sink, value.length);
    for (const item of value) put(sink, item, depth);
  } else if (value instanceof Map) {
    putByte(sink, TAG.map);
    putVarint(sink, value.size);
    for (const [key, item] of value) {
      put(sink, key, depth);
      put(sink, item, depth);
    }
  } else if (value instanceof Set) {
    putByte(sink, TAG.set);
    putVarint(sink, value.size);
    for (const item of value) put(sink, item, depth);
  } else {
    const keys = Object.keys(value);
    putByte(sink, TAG.object);
    putVarint(sink, keys.length);
    for (const key of keys) {
      putString(sink, key);
      put(sink, (value as Record<string, Value>)[key], depth);
    }
  }
}

function put(sink: Sink, value: Value | unknown, depth: number): void {
  if (depth > DEPTH_MAX) throw new CodecError(`nested deeper than ${DEPTH_MAX}`);
  if (value === null) putByte(sink, TAG.null);
  else if (value === undefined) putByte(sink, TAG.undefined);
  else if (typeof value === 'boolean') putByte(sink, value ? TAG.true : TAG.false);
  else if (typeof value === 'number') putNumber(sink, value);
  else if (typeof value === 'string') {
    putByte(sink, TAG.string);
    putString(sink, value);
  } else if (typeof value === 'object') putObject(sink, value, depth + 1);
  else throw new CodecError(`cannot encode a ${typeof value}`);
}

export function encode(value: unknown): Uint8Array {
  const sink: Sink = { bytes: new Uint8Array(1024), at: 0 };
  put(sink, value, 0);
  return sink.bytes.slice(0, sink.at);
}

interface Source {
  bytes: Uint8Array;
  at: number;
}

function takeByte(source: Source): number {
  const byte = source.bytes[source.at++];
  if (byte === undefined) throw new CodecError('ends too early');
  return byte;
}

function takeVarint(source: Source): number {
  let value = 0;
  let scale = 1;
  for (let n = 0; n < 8; n++) {
    const byte = takeByte(source);
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) {
      if (value > Number.MAX_SAFE_INTEGER) break;
      return value;
    }
    scale *= 0x80;
  }
  throw new CodecError('number too large');
}

/** A count of things that take at least a byte each: what is left bounds it before anything is allocated. */
function takeCount(source: Source, bytesEach = 1): number {
  const count = takeVarint(source);
  if (count * bytesEach > source.bytes.length - source.at) throw new CodecError('a count is larger than what follows');
  return count;
}

function takeString(source: Source): string {
  const length = takeCount(source);
  let text = '';
  for (let i = 0; i < length; i++) text += String.fromCharCode(takeVarint(source));
  return text;
}

function takeTyped(source: Source): Typed {
  const type = TYPED[takeByte(source)];
  if (!type) throw new CodecError('unknown kind of array');
  const length = takeCount(source, type.BYTES_PER_ELEMENT);
  const array = new type(length);
  const size = array.byteLength;
  new Uint8Array(array.buffer).set(source.bytes.subarray(source.at, source.at + size));
  source.at += size;
  return array;
}

function takePlain(source: Source, depth: number): Record<string, unknown> {
  const value: Record<string, unknown> = {};
  for (let n = takeCount(source, 2); n > 0; n--) {
    const key = takeString(source);
    if (key === '__proto__') throw new CodecError('a key that no snapshot has');
    value[key] = take(source, depth);
  }
  return value;
}

function take(source: Source, depth: number): unknown {
  if (depth > DEPTH_MAX) throw new CodecError(`nested deeper than ${DEPTH_MAX}`);
  const tag = takeByte(source);
  switch (tag) {
    case TAG.null:
      return null;
    case TAG.undefined:
      return undefined;
    case TAG.false:
      return false;
    case TAG.true:
      return true;
    case TAG.uint:
      return takeVarint(source);
    case TAG.nint:
      return -takeVarint(source);
    case TAG.double: {
      for (let i = 0; i < 8; i++) doubleBytes[i] = takeByte(source);
      return doubleView.getFloat64(0, true);
    }
    case TAG.string:
      return takeString(source);
    case TAG.array: {
      const value: unknown[] = [];
      for (let n = takeCount(source); n > 0; n--) value.push(take(source, depth + 1));
      return value;
    }
    case TAG.map: {
      const value = new Map<unknown, unknown>();
      for (let n = takeCount(source, 2); n > 0; n--) {
        const key = take(source, depth + 1);
        value.set(key, take(source, depth + 1));
      }
      return value;
    }
    case TAG.set: {
      const value = new Set<unknown>();
      for (let n = takeCount(source); n > 0; n--) value.add(take(source, depth + 1));
      return value;
    }
    case TAG.object:
      return takePlain(source, depth + 1);
    case TAG.typed:
      return takeTyped(source);
    default:
      throw new CodecError(`unknown tag ${tag}`);
  }
}

/** Throws CodecError for bytes that `encode` did not make. */
export function decode(bytes: Uint8Array): unknown {
  const source: Source = { bytes, at: 0 };
  const value = take(source, 0);
  if (source.at !== bytes.length) throw new CodecError('bytes left over');
  return value;
}
