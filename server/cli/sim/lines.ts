/**
 * Bytes in, lines out. Decisions, where NDJSON leaves them open:
 * a byte order mark at the very start is skipped · a line ends with LF or CRLF, the last one may end with the file ·
 * an empty line, or one of only spaces and tabs, is no line (it is counted, and answered by nothing) ·
 * bytes that are not UTF-8 are not JSON.
 */
import { isUtf8 } from 'node:buffer';

export const LINE_BYTES_MAX = 64 * 1024;
export const FILE_BYTES_MAX = 64 * 1024 * 1024;

/** A line that cannot be played, and where. */
export class LineError extends Error {
  override name = 'LineError';
  readonly line: number;
  readonly column: number;

  constructor(line: number, column: number, message: string) {
    super(message);
    this.line = line;
    this.column = column;
  }
}

const LF = 10;
const CR = 13;
const BOM = Buffer.from([0xef, 0xbb, 0xbf]);

export class LineSplitter {
  private readonly see: (text: string, line: number) => void;
  private line = 0;
  private bytes = 0;
  private rest: Buffer = Buffer.alloc(0);

  /** `see` is called for each line that is not blank, with its number from 1. */
  constructor(see: (text: string, line: number) => void) {
    this.see = see;
  }

  push(chunk: Buffer): void {
    this.bytes += chunk.length;
    let from = 0;
    for (let end = chunk.indexOf(LF); end !== -1; end = chunk.indexOf(LF, from)) {
      const head = this.rest.length === 0 ? chunk.subarray(from, end) : this.joined(chunk.subarray(from, end));
      this.rest = this.rest.subarray(0, 0);
      this.take(head, this.bytes - chunk.length + end + 1);
      from = end + 1;
    }
    this.rest = this.joined(chunk.subarray(from));
    if (this.rest.length > LINE_BYTES_MAX + 1) this.tooLong();
    if (this.bytes > FILE_BYTES_MAX) this.tooMuch(this.line + 1);
  }

  end(): void {
    if (this.rest.length > 0) this.take(this.rest, this.bytes);
    this.rest = this.rest.subarray(0, 0);
  }

  /** The unfinished line before a chunk and the chunk's part of it; copied, since the reader may use the chunk's memory again. */
  private joined(part: Buffer): Buffer {
    return Buffer.concat([this.rest, part]);
  }

  private take(bytes: Buffer, endsAt: number): void {
    this.line += 1;
    let end = bytes.length;
    if (end > 0 && bytes[end - 1] === CR) end -= 1;
    const start = this.line === 1 && bytes.subarray(0, 3).equals(BOM) ? 3 : 0;
    if (end - start > LINE_BYTES_MAX) this.tooLong(this.line);
    if (endsAt > FILE_BYTES_MAX) this.tooMuch(this.line);
    const text = bytes.toString('utf8', start, end);
    if (text.includes('\ufffd') && !isUtf8(bytes.subarray(start, end))) {
      throw new LineError(this.line, text.indexOf('\ufffd') + 1, 'not UTF-8');
    }
    if (!isBlank(text)) this.see(text, this.line);
  }

  private tooLong(line = this.line + 1): never {
    throw new LineError(line, LINE_BYTES_MAX + 1, `a line has at most ${LINE_BYTES_MAX} bytes`);
  }

  private tooMuch(line: number): never {
    throw new LineError(line, 1, `a file has at most ${FILE_BYTES_MAX} bytes`);
  }
}

function isBlank(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code !== 32 && code !== 9 && code !== CR) return false;
  }
  return true;
}
