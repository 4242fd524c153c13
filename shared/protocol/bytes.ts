/** Reading and writing compact binary: varints of seven bits a byte, lowest first, in the shortest form only. */

/** Bytes that no encoder of this protocol made. */
export class WireFormatError extends Error {
  override readonly name = 'WireFormatError';
}

/** Appends to a buffer that grows. */
export class ByteWriter {
  private bytes = new Uint8Array(256);
  private length = 0;

  private room(count: number): void {
    if (this.length + count <= this.bytes.length) return;
    const larger = new Uint8Array(Math.max(this.bytes.length * 2, this.length + count));
    larger.set(this.bytes);
    this.bytes = larger;
  }

  byte(value: number): void {
    this.room(1);
    this.bytes[this.length++] = value;
  }

  /** An integer from 0 to 2^53 − 1. */
  varint(value: number): void {
    if (!Number.isSafeInteger(value) || value < 0) throw new WireFormatError(`${value} is not an unsigned integer`);
    this.room(8);
    let rest = value;
    while (rest >= 0x80) {
      this.bytes[this.length++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.bytes[this.length++] = rest;
  }

  /** Small numbers of either sign: 0, −1, 1, −2, … as 0, 1, 2, 3, … */
  signed(value: number): void {
    this.varint(value < 0 ? -2 * value - 1 : 2 * value);
  }

  /** 32 bits, lowest byte first. */
  uint32(value: number): void {
    if (!Number.isInteger(value) || value < 0 || value > 0xffff_ffff) throw new WireFormatError(`${value} is not 32 bits`);
    this.room(4);
    for (let shift = 0; shift < 32; shift += 8) this.bytes[this.length++] = (value >>> shift) & 0xff;
  }

  /** Printable ASCII with its length in front. */
  text(value: string): void {
    this.varint(value.length);
    this.room(value.length);
    for (let i = 0; i < value.length; i++) {
      const unit = value.charCodeAt(i);
      if (unit < 0x20 || unit > 0x7e) throw new WireFormatError('text is not printable ASCII');
      this.bytes[this.length++] = unit;
    }
  }

  raw(value: Uint8Array): void {
    this.room(value.length);
    this.bytes.set(value, this.length);
    this.length += value.length;
  }

  done(): Uint8Array {
    return this.bytes.slice(0, this.length);
  }
}

/** Reads what ByteWriter wrote. Every method throws `WireFormatError` at the first byte that cannot be. */
export class ByteReader {
  private readonly bytes: Uint8Array;
  private offset = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  get left(): number {
    return this.bytes.length - this.offset;
  }

  byte(): number {
    const value = this.bytes[this.offset++];
    if (value === undefined) throw new WireFormatError('bytes end too early');
    return value;
  }

  varint(max: number = Number.MAX_SAFE_INTEGER): number {
    let value = 0;
    for (let scale = 1; ; scale *= 0x80) {
      const byte = this.byte();
      const bits = byte & 0x7f;
      // 2^53 / 2^49 = 16: the eighth byte may hold four bits.
      if (scale === 2 ** 49 && bits > 15) throw new WireFormatError('varint too large');
      value += bits * scale;
      if (byte < 0x80) {
        if (byte === 0 && scale > 1) throw new WireFormatError('varint not in its shortest form');
        break;
      }
      if (scale === 2 ** 49) throw new WireFormatError('varint too long');
    }
    if (value > max) throw new WireFormatError(`${value} is above ${max}`);
    return value;
  }

  signed(): number {
    const value = this.varint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  uint32(): number {
    let value = 0;
    for (let shift = 0; shift < 32; shift += 8) value |= this.byte() << shift;
    return value >>> 0;
  }

  text(max: number): string {
    const length = this.varint(max);
    if (length > this.left) throw new WireFormatError('bytes end too early');
    let text = '';
    for (let i = 0; i < length; i++) {
      const unit = this.byte();
      if (unit < 0x20 || unit > 0x7e) throw new WireFormatError('text is not printable ASCII');
      text += String.fromCharCode(unit);
    }
    return text;
  }

  /** The next bytes, as a view. */
  take(count: number): Uint8Array {
    if (count > this.left) throw new WireFormatError('bytes end too early');
    const taken = this.bytes.subarray(this.offset, this.offset + count);
    this.offset += count;
    return taken;
  }

  /** All bytes that are left. */
  rest(): Uint8Array {
    const rest = this.bytes.subarray(this.offset);
    this.offset = this.bytes.length;
    return rest;
  }

  end(): void {
    if (this.left > 0) throw new WireFormatError(`${this.left} bytes too many`);
  }
}
