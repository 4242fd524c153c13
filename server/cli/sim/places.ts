/**
 * Where things stand in one line of JSON (RFC 8259): JSON.parse says that a text is wrong, but not always where, and
 * nothing about where a key of a right one stands. Only read when a line is refused, so clearness goes before speed.
 * Not recursive: a line of 65,536 brackets is a line like any other.
 */
export interface Places {
  /** Index of the first character that no JSON text could have there; -1 when the text is JSON. */
  errorAt: number;
  /** Index of a key's opening quote, by dotted path, three levels deep. */
  keys: Map<string, number>;
  /** Index of a value's first character, by dotted path. */
  values: Map<string, number>;
}

const DEPTH_RECORDED = 3;
const SPACE = /[ \t\n\r]*/y;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const ESCAPES = '"\\/bfnrt';

interface Open {
  kind: '{' | '[';
  path: string | null;
  index: number;
}

export function placesOf(text: string): Places {
  return new Scan(text).run();
}

/** Index into a string → column as people count: from 1, in characters (code points). */
export function columnOf(text: string, index: number): number {
  let column = 1;
  for (const character of text.slice(0, index)) column += character === '' ? 0 : 1;
  return column;
}

class Scan {
  private at = 0;
  private readonly text: string;
  private readonly keys = new Map<string, number>();
  private readonly values = new Map<string, number>();
  private readonly open: Open[] = [];

  constructor(text: string) {
    this.text = text;
  }

  run(): Places {
    const errorAt = this.document() ? -1 : this.at;
    return { errorAt, keys: this.keys, values: this.values };
  }

  private document(): boolean {
    if (!this.value('')) return false;
    while (this.open.length > 0) if (!this.member()) return false;
    this.space();
    return this.at === this.text.length;
  }

  /** The next element of the innermost open object or array, or its end. */
  private member(): boolean {
    const inner = this.open.at(-1)!;
    const end = inner.kind === '{' ? '}' : ']';
    this.space();
    if (this.text[this.at] === end && inner.index === 0) return this.close();
    if (inner.index > 0) {
      if (this.text[this.at] === end) return this.close();
      if (this.text[this.at] !== ',') return false;
      this.at += 1;
    }
    const name = inner.kind === '{' ? this.key(inner) : String(inner.index);
    if (name === null) return false;
    inner.index += 1;
    return this.value(inner.path === null || this.open.length > DEPTH_RECORDED ? null : joined(inner.path, name));
  }

  private close(): boolean {
    this.at += 1;
    this.open.pop();
    return true;
  }

  private key(inner: Open): string | null {
    this.space();
    const start = this.at;
    if (!this.string()) return null;
    const name = JSON.parse(this.text.slice(start, this.at)) as string;
    if (inner.path !== null && this.open.length <= DEPTH_RECORDED) this.keys.set(joined(inner.path, name), start);
    this.space();
    if (this.text[this.at] !== ':') return null;
    this.at += 1;
    return name;
  }

  private value(path: string | null): boolean {
    this.space();
    if (path !== null) this.values.set(path, this.at);
    const first = this.text[this.at];
    if (first === '{' || first === '[') {
      this.open.push({ kind: first, path, index: 0 });
      this.at += 1;
      return true;
    }
    if (first === '"') return this.string();
    for (const word of ['true', 'false', 'null']) if (first === word[0]) return this.word(word);
    return this.number();
  }

  private word(word: string): boolean {
    for (const letter of word) {
      if (this.text[this.at] !== letter) return false;
      this.at += 1;
    }
    return true;
  }

  private number(): boolean {
    NUMBER.lastIndex = this.at;
    const found = NUMBER.exec(this.text);
    if (found === null) {
      if (this.text[this.at] === '-') this.at += 1;
      return false;
    }
    this.at += found[0].length;
    return this.numberEnds(found[0]);
  }

  /** `1.` and `1e` are a number so far, but not yet one: the error stands after them. */
  private numberEnds(number: string): boolean {
    const rest = this.text.slice(this.at, this.at + 2);
    const broken = /^(?:\.|[eE][+-]?)/.exec(rest);
    if (broken === null || (broken[0] === '.' && /[.eE]/.test(number))) return true;
    if (broken[0] !== '.' && /[eE]/.test(number)) return true;
    this.at += broken[0].length;
    return false;
  }

  private string(): boolean {
    if (this.text[this.at] !== '"') return false;
    this.at += 1;
    for (;;) {
      const character = this.text[this.at];
      if (character === undefined || character < ' ') return false;
      this.at += 1;
      if (character === '"') return true;
      if (character === '\\' && !this.escape()) return false;
    }
  }

  private escape(): boolean {
    const letter = this.text[this.at];
    if (letter === undefined) return false;
    if (letter !== 'u') {
      if (!ESCAPES.includes(letter)) return false;
      this.at += 1;
      return true;
    }
    this.at += 1;
    for (let n = 0; n < 4; n++) {
      if (!/^[0-9a-fA-F]$/.test(this.text[this.at] ?? '')) return false;
      this.at += 1;
    }
    return true;
  }

  private space(): void {
    SPACE.lastIndex = this.at;
    this.at += SPACE.exec(this.text)![0].length;
  }
}

function joined(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}
