/**
 * A tick in bytes: what the server sends ten times a second, and (with a log on disk) what it keeps.
 * Layout: version, varint n, 32 bits of entropy, varint count of inputs, the inputs. An input is its kind in one byte,
 * then its fields; tables below give the bytes of kinds, actions, tools and bots. Rows are only ever appended.
 * There is one encoding for each tick, and decode refuses every other, so that bytes can be compared and hashed.
 */
import type { Action, BotName, Input, Tick, ToolId } from '#game/types.ts';
import { ByteReader, ByteWriter, WireFormatError } from './bytes.ts';
import { isCall } from './call.ts';
import { CALL_BYTES_MAX, SEAT_NUMBERS_MAX, TICK_BYTES_MAX, UINT32_MAX } from './limits.ts';

export { WireFormatError } from './bytes.ts';

export const TICK_VERSION = 1;

export const TOOLS = ['mmap', 'brk', 'alloc_pages', 'fork'] as const satisfies readonly ToolId[];
export const BOTS = [
  'free',
  'never',
  'keep',
  'splinter',
  'spam',
  'guess',
  'half',
  'bigOnly',
  'smallOnly',
] as const satisfies readonly BotName[];
/** Does not compile when a tool or a bot of the game has no row above. */
type Missing = Exclude<ToolId, (typeof TOOLS)[number]> | Exclude<BotName, (typeof BOTS)[number]>;
const complete: Missing extends never ? true : Missing = true;
void complete;

const ORDER_MAX = 31;

interface Row<T> {
  byte: number;
  write(to: ByteWriter, value: T): void;
  read(from: ByteReader): T;
}

type ActionOf<K extends Action['do']> = Extract<Action, { do: K }>;
type InputOf<K extends Input['type']> = Extract<Input, { type: K }>;

const ACTIONS: { [K in Action['do']]: Row<ActionOf<K>> } = {
  use: {
    byte: 1,
    write: (to, action) => {
      to.byte(indexIn(TOOLS, action.tool));
      to.varint(action.card);
      to.byte(action.order === undefined ? 0 : action.order + 1);
    },
    read: (from) => {
      const tool = entryOf(TOOLS, from.byte());
      const card = from.varint(UINT32_MAX);
      const order = from.byte();
      if (order > ORDER_MAX + 1) throw new WireFormatError(`order ${order - 1} is too large`);
      return order === 0 ? { do: 'use', tool, card } : { do: 'use', tool, card, order: order - 1 };
    },
  },
  discard: {
    byte: 2,
    write: (to, action) => to.varint(action.card),
    read: (from) => ({ do: 'discard', card: from.varint(UINT32_MAX) }),
  },
  free: {
    byte: 3,
    write: (to, action) => to.varint(action.holding),
    read: (from) => ({ do: 'free', holding: from.varint(UINT32_MAX) }),
  },
  freeDone: { byte: 4, write: () => {}, read: () => ({ do: 'freeDone' }) },
  reuse: {
    byte: 5,
    write: (to, action) => {
      to.varint(action.card);
      to.varint(action.holding);
    },
    read: (from) => ({ do: 'reuse', card: from.varint(UINT32_MAX), holding: from.varint(UINT32_MAX) }),
  },
  adj: {
    byte: 6,
    write: (to, action) => to.signed(action.value),
    read: (from) => ({ do: 'adj', value: from.signed() }),
  },
  call: {
    byte: 7,
    write: (to, action) => to.text(JSON.stringify(action.call)),
    read: (from) => ({ do: 'call', call: parseCall(from.text(CALL_BYTES_MAX)) }),
  },
};

const INPUTS: { [K in Input['type']]: Row<InputOf<K>> } = {
  join: {
    byte: 1,
    write: (to, input) => {
      to.varint(input.seat);
      to.byte(input.bot === null ? 0 : indexIn(BOTS, input.bot) + 1);
    },
    read: (from) => {
      const seat = readSeat(from);
      const bot = from.byte();
      return { type: 'join', seat, bot: bot === 0 ? null : entryOf(BOTS, bot - 1) };
    },
  },
  leave: {
    byte: 2,
    write: (to, input) => to.varint(input.seat),
    read: (from) => ({ type: 'leave', seat: readSeat(from) }),
  },
  act: {
    byte: 3,
    write: (to, input) => {
      to.varint(input.seat);
      to.varint(input.seq);
      writeRow(ACTIONS, input.action.do, to, input.action);
    },
    read: (from) => ({ type: 'act', seat: readSeat(from), seq: from.varint(UINT32_MAX), action: readRow<Action>(ACTIONS, from) }),
  },
  extend: {
    byte: 4,
    write: (to, input) => to.varint(input.ticks),
    read: (from) => ({ type: 'extend', ticks: from.varint(UINT32_MAX) }),
  },
  end: { byte: 5, write: () => {}, read: () => ({ type: 'end' }) },
  cap: {
    byte: 6,
    write: (to, input) => {
      to.varint(input.seat);
      to.byte(input.on ? 1 : 0);
    },
    read: (from) => {
      const seat = readSeat(from);
      const on = from.byte();
      if (on > 1) throw new WireFormatError(`${on} is neither yes nor no`);
      return { type: 'cap', seat, on: on === 1 };
    },
  },
};

/** Throws `WireFormatError` for a tick that the wire cannot carry; inputs that passed the protocol's schemas always can be. */
export function encodeTick(tick: Tick): Uint8Array {
  const to = new ByteWriter();
  to.byte(TICK_VERSION);
  to.varint(tick.n);
  to.uint32(tick.entropy);
  to.varint(tick.inputs.length);
  for (const input of tick.inputs) writeRow(INPUTS, input.type, to, input);
  return to.done();
}

/** Throws `WireFormatError` for bytes that `encodeTick` did not make. */
export function decodeTick(bytes: Uint8Array): Tick {
  if (bytes.length > TICK_BYTES_MAX) throw new WireFormatError(`a tick of ${bytes.length} bytes`);
  const from = new ByteReader(bytes);
  const version = from.byte();
  if (version !== TICK_VERSION) throw new WireFormatError(`ticks of version ${version}, not ${TICK_VERSION}`);
  const n = from.varint(UINT32_MAX);
  const entropy = from.uint32();
  // An input has one byte at least, so this bounds the list before it is built.
  const count = from.varint(from.left);
  const inputs: Input[] = [];
  for (let i = 0; i < count; i++) inputs.push(readRow<Input>(INPUTS, from));
  from.end();
  return { n, entropy, inputs };
}

function readSeat(from: ByteReader): number {
  return from.varint(SEAT_NUMBERS_MAX - 1);
}

function parseCall(text: string): Extract<Action, { do: 'call' }>['call'] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new WireFormatError('a call is not JSON');
  }
  if (!isCall(value)) throw new WireFormatError('JSON that is not a call');
  if (JSON.stringify(value) !== text) throw new WireFormatError('JSON that is not in its shortest form');
  return value;
}

/* The tables are keyed by the kind that their rows take; TypeScript cannot follow that through a variable key. */
type Table = Record<string, Row<never>>;

function writeRow<T>(table: object, kind: string, to: ByteWriter, value: T): void {
  const row = Object.hasOwn(table, kind) ? ((table as Table)[kind] as unknown as Row<T>) : undefined;
  if (row === undefined) throw new WireFormatError(`unknown kind ${kind}`);
  to.byte(row.byte);
  row.write(to, value);
}

function readRow<T>(table: object, from: ByteReader): T {
  const byte = from.byte();
  for (const row of Object.values(table as Table)) if (row.byte === byte) return row.read(from);
  throw new WireFormatError(`unknown kind ${byte}`);
}

function indexIn<T>(list: readonly T[], entry: T): number {
  const index = list.indexOf(entry);
  if (index < 0) throw new WireFormatError(`unknown word ${String(entry)}`);
  return index;
}

function entryOf<T>(list: readonly T[], index: number): T {
  const entry = list[index];
  if (entry === undefined) throw new WireFormatError(`unknown word ${index}`);
  return entry;
}
