/** The signs that decide whether the game teaches, on few fixed seeds; `npm run -s calibrate` prints the whole gate on more. */
import { describe, expect, test } from 'vitest';
import { calibrate, gateOf } from '#game/bots/calibration.ts';
import { shippedAll } from './helpers/rounds.ts';

describe.each(shippedAll().map((scenario) => [scenario.id, scenario] as const))('%s', (_id, scenario) => {
  const result = calibrate(scenario, 2, 27, 4242);

  test.each(gateOf(result).map(({ rule, holds, value }) => [rule, holds, value] as const))('%s', (_rule, holds, value) => {
    expect(holds, String(value)).toBe(true);
  });

  test('who frees is killed least', () => {
    const kills = (bot: string) => result.rows.find((row) => row.bot === bot)!.kills;
    expect(kills('free')).toBeLessThanOrEqual(kills('never'));
  });
});
