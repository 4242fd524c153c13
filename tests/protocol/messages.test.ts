/** The schemas refuse what is not a message, field by field. Over the wire: tests/server/hostile.test.ts. */
import { expect, test } from 'vitest';
import type { Action } from '#game/types.ts';
import { isCall } from '#protocol/call.ts';
import { ActionSchema, CreateRoomBody, HostActionSchema, InputMessage, SeatBody, type HostAction } from '#protocol/messages.ts';

const ACTIONS: Action[] = [
  { do: 'use', tool: 'mmap', card: 0 },
  { do: 'use', tool: 'alloc_pages', card: 7, order: 10 },
  { do: 'discard', card: 7 },
  { do: 'free', holding: 1 },
  { do: 'freeDone' },
  { do: 'reuse', card: 7, holding: 2 },
  { do: 'adj', value: -500 },
  { do: 'call', call: { call: 'mmap', length: 8192, prot: ['PROT_READ'], addr: '0xffff800000000000' } },
];
const HOST: HostAction[] = [
  { do: 'start' },
  { do: 'pause' },
  { do: 'resume' },
  { do: 'extend', seconds: 30 },
  { do: 'end' },
  { do: 'again' },
  { do: 'kick', id: 'abcd1234' },
  { do: 'lock', locked: true },
  { do: 'addBots', bots: ['free', 'smallOnly'] },
  { do: 'removeBots' },
  { do: 'cap', seat: 3, on: false },
  { do: 'options', scenario: 'S1', seconds: 60 },
  { do: 'options' },
];

test('every action of the game is a message', () => {
  for (const action of ACTIONS) expect(ActionSchema.parse(action)).toEqual(action);
  for (const action of HOST) expect(HostActionSchema.parse(action)).toEqual(action);
});

const BAD_NUMBERS = [
  undefined,
  null,
  NaN,
  -0,
  1e309,
  -1e309,
  2 ** 53,
  0.5,
  -1,
  '1',
  '',
  [],
  [1],
  {},
  true,
  1n,
  new Date(0),
  Symbol.iterator,
];

/** Every field of every message, one at a time, holds each of the bad values. */
test.each([
  [
    'input',
    InputMessage,
    { seq: 1, action: { do: 'use', tool: 'mmap', card: 1, order: 1 } },
    ['seq', 'action.card', 'action.order', 'action.tool', 'action.do', 'action'],
  ],
  ['reuse', InputMessage, { seq: 1, action: { do: 'reuse', card: 1, holding: 1 } }, ['action.card', 'action.holding']],
  ['host extend', HostActionSchema, { do: 'extend', seconds: 60 }, ['seconds', 'do']],
  ['host cap', HostActionSchema, { do: 'cap', seat: 1, on: true }, ['seat']],
  [
    'create',
    CreateRoomBody,
    { scenario: 'S1', secret: '0'.repeat(32), seconds: 60, seats: 10 },
    ['scenario', 'secret', 'seconds', 'seats'],
  ],
  ['seat', SeatBody, { secret: '0'.repeat(32), name: 'Ada', role: 'player' }, ['secret', 'role']],
])('%s: a bad value in any field is refused', (_name, schema, good, paths) => {
  expect(schema.safeParse(good).success).toBe(true);
  for (const path of paths)
    for (const bad of BAD_NUMBERS) {
      const message = structuredClone(good) as Record<string, unknown>;
      const keys = path.split('.');
      const last = keys.pop()!;
      const owner = keys.reduce((at, key) => at[key] as Record<string, unknown>, message);
      const optional = ['order', 'seconds', 'seats'].includes(last) && schema !== HostActionSchema;
      if (bad === undefined && optional) continue;
      // '1' is a possible scenario.
      if (bad === '1' && last === 'scenario') continue;
      owner[last] = bad;
      expect(schema.safeParse(message).success, `${path} = ${String(bad)}`).toBe(false);
    }
});

test('unknown keys are refused everywhere, __proto__ among them', () => {
  for (const action of [...ACTIONS, ...HOST]) {
    const schema = ACTIONS.includes(action as Action) ? ActionSchema : HostActionSchema;
    expect(schema.safeParse({ ...action, more: 1 }).success).toBe(false);
    expect(schema.safeParse(JSON.parse(`${JSON.stringify(action).slice(0, -1)},"__proto__":{"x":1}}`)).success).toBe(false);
  }
});

test('a call is flat, bounded and plain', () => {
  expect(isCall({ call: 'fork' })).toBe(true);
  expect(isCall(Object.assign(Object.create(null), { call: 'fork' }))).toBe(true);
  for (const bad of [
    undefined,
    null,
    'fork',
    [],
    {},
    { call: 7 },
    { call: 'x', Upper: 1 },
    { call: 'x', a: undefined },
    { call: 'x', a: null },
    { call: 'x', a: -0 },
    { call: 'x', a: 0.1 },
    { call: 'x', a: {} },
    { call: 'x', a: [[]] },
    { call: 'x', a: 'ü' },
    { call: 'x', a: Array.from({ length: 65 }, () => 1) },
    { call: 'x', a: Array.from({ length: 60 }, () => 123_456_789) },
    new Map([['call', 'fork']]),
    Object.create({ call: 'fork' }),
    new (class {
      call = 'fork';
    })(),
    JSON.parse('{"call":"fork","__proto__":1}'),
  ])
    expect(isCall(bad)).toBe(false);
});
