/** `rules`: whose kernel it is where 2.6.32 and 6.x differ (spec, tag [K26]). */
import { expect, test } from 'vitest';
import { ConfigError, createMachine } from '#kernel/machine.ts';

test('rules is one of two words, 6.x when it is left out', () => {
  expect(createMachine({ frames: 64 }).config.rules).toBe('6.x');
  expect(createMachine({ frames: 64, rules: '2.6.32' }).config.rules).toBe('2.6.32');
  for (const rules of ['2.6', '2.6.33', '6.X', '', null, 6, 2.6, ['6.x'], {}, true]) {
    expect(() => createMachine({ frames: 64, rules }), String(rules)).toThrow(ConfigError);
  }
});

test('2.6.32 has no contiguous memory area: CMA came with 3.5', () => {
  expect(() => createMachine({ frames: 1024, cma: { frames: 64 }, rules: '2.6.32' })).toThrow(/cma/);
});
