/** The codec of ticks: what goes in comes out, one encoding for each tick, and nothing but WireFormatError for other bytes. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Action, Input, Tick } from '#game/types.ts';
import { isCall } from '#protocol/call.ts';
import { SEAT_NUMBERS_MAX, UINT32_MAX } from '#protocol/limits.ts';
import { BOTS, decodeTick, encodeTick, TOOLS, WireFormatError } from '#protocol/tick.ts';

const uint32 = fc.oneof(fc.nat(200), fc.integer({ min: 0, max: UINT32_MAX }));
const seat = fc.integer({ min: 0, max: SEAT_NUMBERS_MAX - 1 });
const scalar = fc.oneof(
  fc.maxSafeInteger().map((value) => value + 0),
  fc.boolean(),
  fc.string({ unit: 'grapheme-ascii', maxLength: 40 }),
);
const call = fc
  .tuple(
    fc.dictionary(fc.stringMatching(/^[a-z][a-z0-9_]{0,31}$/), fc.oneof(scalar, fc.array(scalar, { maxLength: 8 })), { maxKeys: 12 }),
    fc.string({ unit: 'grapheme-ascii', maxLength: 30 }),
  )
  .map(([args, name]) => ({ ...args, call: name }))
  .filter(isCall);

const action: fc.Arbitrary<Action> = fc.oneof(
  fc.record({ do: fc.constant('use' as const), tool: fc.constantFrom(...TOOLS), card: uint32 }),
  fc.record({ do: fc.constant('use' as const), tool: fc.constantFrom(...TOOLS), card: uint32, order: fc.nat(31) }),
  fc.record({ do: fc.constant('discard' as const), card: uint32 }),
  fc.record({ do: fc.constant('free' as const), holding: uint32 }),
  fc.constant({ do: 'freeDone' as const }),
  fc.record({ do: fc.constant('reuse' as const), card: uint32, holding: uint32 }),
  fc.record({ do: fc.constant('adj' as const), value: fc.integer({ min: -1000, max: 1000 }) }),
  fc.record({ do: fc.constant('call' as const), call }),
);
const input: fc.Arbitrary<Input> = fc.oneof(
  fc.record({ type: fc.constant('join' as const), seat, bot: fc.constantFrom(null, ...BOTS) }),
  fc.record({ type: fc.constant('leave' as const), seat }),
  fc.record({ type: fc.constant('act' as const), seat, seq: uint32, action }),
  fc.record({ type: fc.constant('extend' as const), ticks: uint32 }),
  fc.constant({ type: 'end' as const }),
  fc.record({ type: fc.constant('cap' as const), seat, on: fc.boolean() }),
);
const tick: fc.Arbitrary<Tick> = fc.record({ n: uint32, entropy: uint32, inputs: fc.array(input, { maxLength: 60 }) });

test('a tick survives the trip, whatever its inputs', () => {
  fc.assert(
    fc.property(tick, (value) => {
      expect(decodeTick(encodeTick(value))).toEqual(value);
    }),
    { numRuns: 500 },
  );
});

test('bytes that decode are the encoding of what they decode to; all others throw WireFormatError', () => {
  const mutated = fc
    .tuple(tick, fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 4 }))
    .map(([value, changes]) => {
      const bytes = encodeTick(value);
      for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
      return bytes;
    });
  const cut = fc.tuple(tick, fc.nat()).map(([value, at]) => encodeTick(value).slice(0, at % 40));
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 60 }), mutated, cut), (bytes) => {
      let value: Tick;
      try {
        value = decodeTick(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(WireFormatError);
        return;
      }
      expect(encodeTick(value)).toEqual(bytes);
    }),
    { numRuns: 3000 },
  );
});

test('a call takes nine bytes', () => {
  const inputs: Input[] = Array.from({ length: 40 }, (_, i) => ({
    type: 'act',
    seat: i,
    seq: 300,
    action: { do: 'use', tool: 'mmap', card: 500 },
  }));
  expect(encodeTick({ n: 3000, entropy: 1, inputs }).length).toBe(8 + 40 * 9);
});

test('the layout of version 1 stands still: logs are read by later versions', () => {
  const inputs: Input[] = [
    { type: 'join', seat: 3, bot: 'never' },
    { type: 'act', seat: 3, seq: 200, action: { do: 'use', tool: 'alloc_pages', card: 9, order: 4 } },
    { type: 'act', seat: 3, seq: 201, action: { do: 'adj', value: -7 } },
    { type: 'act', seat: 3, seq: 202, action: { do: 'call', call: { call: 'sbrk', increment: 8 } } },
    { type: 'leave', seat: 130 },
    { type: 'extend', ticks: 600 },
    { type: 'cap', seat: 1, on: true },
    { type: 'end' },
  ];
  const hex = Buffer.from(encodeTick({ n: 1000, entropy: 0xdeadbeef, inputs })).toString('hex');
  expect(hex).toBe(
    '01e807efbeadde08' +
      '010302' +
      '0303c801' +
      '01020905' +
      '0303c901' +
      '060d' +
      '0303ca01' +
      '071d' +
      Buffer.from('{"call":"sbrk","increment":8}').toString('hex') +
      '028201' +
      '04d804' +
      '060101' +
      '05',
  );
});

test.each([
  ['nothing', ''],
  ['another version', '0201000000000'.padEnd(14, '0')],
  ['a count without inputs', '0101000000007f'],
  ['a varint that never ends', `01${'ff'.repeat(9)}`],
  ['a varint longer than it needs', '018100000000000000'],
  ['an unknown input', '01010000000001ff'],
  ['bytes after the end', '0101000000000000'],
  ['a call that is no call', `0101000000000103000107${'02'}${Buffer.from('{}').toString('hex')}`],
  ['a call with spaces', `010100000000010300010710${Buffer.from('{ "call": "fork"}').toString('hex')}`],
])('%s is refused', (_what, hex) => {
  expect(() => decodeTick(Uint8Array.from(Buffer.from(hex, 'hex')))).toThrow(WireFormatError);
});

test('what the wire cannot carry is not encoded', () => {
  const broken: Input[] = [
    { type: 'extend', ticks: -1 },
    { type: 'extend', ticks: 1.5 },
    { type: 'extend', ticks: NaN },
    { type: 'act', seat: 0, seq: 1, action: { do: 'use', tool: 'sudo' as never, card: 1 } },
    { type: 'vote' as never, seat: 0 } as never,
    { type: 'toString' as never } as never,
  ];
  for (const one of broken) expect(() => encodeTick({ n: 1, entropy: 0, inputs: [one] })).toThrow(WireFormatError);
});
