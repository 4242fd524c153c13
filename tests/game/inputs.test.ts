/** Whatever stands in a tick, a round never throws, and an action counts once. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { playTick, roundHash, seatView } from '#game/round.ts';
import type { Input } from '#game/types.ts';
import { ofType, plain, shipped, Table } from './helpers/rounds.ts';

describe('an action', () => {
  test('counts once: what was applied already, or is older, is ignored without a word', () => {
    const table = new Table(plain());
    const card = table.card();
    const input: Input = { type: 'act', seat: 0, seq: 5, action: { do: 'use', tool: 'mmap', card: card.id } };
    expect(ofType(table.tick(input), 'granted').length).toBe(1);
    expect(table.tick(input, { ...input, seq: 4 }, { ...input, seq: 5, action: { do: 'freeDone' } })).toEqual([]);
    expect(table.view().holdings.length).toBe(1);
  });

  test('uses up its number even when it cannot be taken', () => {
    const table = new Table(plain());
    const bad: Input = { type: 'act', seat: 0, seq: 9, action: { do: 'discard', card: 9999 } };
    expect(ofType(table.tick(bad), 'ignored')).toMatchObject([{ seq: 9, reason: 'NO_SUCH_CARD' }]);
    expect(table.tick({ type: 'act', seat: 0, seq: 8, action: { do: 'freeDone' } })).toEqual([]);
  });

  test.each([
    ['NO_SUCH_CARD', { do: 'use', tool: 'mmap', card: 4_000_000_000 }],
    ['NO_SUCH_HOLDING', { do: 'free', holding: 77 }],
    ['MALFORMED', { do: 'use', tool: 'mmap', card: -1 }],
    ['MALFORMED', { do: 'use', tool: 'mmap', card: 1, order: 1.5 }],
    ['MALFORMED', { do: 'dance' }],
    ['NOT_OPEN', { do: 'use', tool: 'kmalloc', card: 1 }],
    ['NOT_OPEN', { do: 'call', call: { call: 'sysctl' } }],
    ['MALFORMED', null],
  ])('is ignored by name: %s', (reason, action) => {
    const table = new Table(plain());
    const events = table.tick({ type: 'act', seat: 0, seq: 1, action } as never);
    expect(ofType(events, 'ignored')).toMatchObject([{ reason }]);
  });
});

const odd = fc.oneof(
  fc.constantFrom<unknown>(null, undefined, NaN, -0, 1e309, 2 ** 53, -1, 0, 1, 2, 3, '', '__proto__', 'mmap', true, [], {}, [[]]),
  fc.integer({ min: -5, max: 40 }),
  fc.jsonValue({ maxDepth: 2 }),
);
const action = fc.oneof(
  fc.record(
    {
      do: fc.constantFrom('use', 'discard', 'free', 'freeDone', 'reuse', 'adj', 'call', 'toString'),
      tool: odd,
      card: odd,
      order: odd,
      holding: odd,
      value: odd,
      call: odd,
    },
    { requiredKeys: ['do'] },
  ),
  fc.record({
    do: fc.constant('use'),
    tool: fc.constantFrom('mmap', 'brk', 'alloc_pages', 'fork'),
    card: fc.integer({ min: 0, max: 12 }),
    order: fc.integer({ min: 0, max: 12 }),
  }),
  fc.record({
    do: fc.constant('call'),
    call: fc.record(
      {
        call: fc.constantFrom('mmap', 'munmap', 'write', 'alloc_pages', 'free_pages', 'read', 'setrlimit'),
        addr: odd,
        length: odd,
        order: odd,
        pfn: odd,
        gfp: odd,
        prot: odd,
        flags: odd,
      },
      { requiredKeys: ['call'] },
    ),
  }),
  odd,
);
const input = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constant('act'),
      seat: fc.integer({ min: 0, max: 2 }),
      seq: fc.integer({ min: 1, max: 100_000 }),
      action,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record(
      {
        type: fc.constantFrom('join', 'leave', 'act', 'extend', 'end', 'cap', 'constructor'),
        seat: odd,
        seq: odd,
        bot: odd,
        ticks: odd,
        on: odd,
        action: odd,
      },
      { requiredKeys: ['type'] },
    ),
  },
  { weight: 1, arbitrary: odd },
);
const CALLS = ['mmap', 'munmap', 'read', 'write', 'alloc_pages', 'free_pages', 'setrlimit'];

test('hostile ticks: nothing is thrown, the views hold, and the same ticks give the same round (seed in the report)', () => {
  fc.assert(
    fc.property(fc.array(fc.array(input, { maxLength: 6 }), { maxLength: 60 }), fc.integer(), (ticks, seed) => {
      const scenario = { ...shipped('who-is-next'), seconds: 30, tools: ['mmap', 'brk', 'alloc_pages', 'fork'] as never, calls: CALLS };
      const tables = [new Table(scenario, 3, seed), new Table(scenario, 3, seed)];
      // Each act of a seat gets a rising number now and then, so that most of them count.
      const rising = ticks.map((inputs, n) => inputs.map((each) => (isAct(each) && n % 3 !== 0 ? { ...each, seq: n * 10 } : each)));
      for (const { round } of tables) {
        for (const inputs of rising) playTick(round, { n: round.now + 1, entropy: seed, inputs: inputs as Input[] });
        for (const seat of round.game.seats.keys()) expect(seatView(round, seat)).not.toBeNull();
      }
      expect(roundHash(tables[0]!.round)).toBe(roundHash(tables[1]!.round));
    }),
    { numRuns: 150, verbose: 1, ...(process.env.TEST_SEED === undefined ? {} : { seed: Number(process.env.TEST_SEED) }) },
  );
});

function isAct(value: unknown): value is { type: 'act' } {
  return typeof value === 'object' && value !== null && (value as { type?: unknown }).type === 'act';
}
