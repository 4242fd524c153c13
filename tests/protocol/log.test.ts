/** A round's file: what goes in comes out; what was cut, changed or made by another version is refused by name. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { hashBytes } from '#kernel/hash.ts';
import { RULES } from '#game/round.ts';
import { parseScenario } from '#game/scenario.ts';
import { WireFormatError } from '#protocol/bytes.ts';
import { checkRules, decodeLog, encodeLog, LOG_VERSION, type RoundLog } from '#protocol/log.ts';
import { encodeTick } from '#protocol/tick.ts';

const scenario = parseScenario(JSON.parse(readFileSync('assets/scenarios/swiss-cheese.json', 'utf8')));

function logOf(count: number): RoundLog {
  const ticks = Array.from({ length: count }, (_, index) =>
    encodeTick({ n: index + 1, entropy: (index * 2_654_435_761) >>> 0, inputs: index === 0 ? [{ type: 'join', seat: 0, bot: null }] : [] }),
  );
  return { rules: RULES, scenario, seed: 0xdead_beef, seats: 3, ticks };
}

/** The hash at the end as it would be, had the rest been written so. */
function signed(bytes: Uint8Array): Uint8Array {
  const rest = bytes.slice(0, -8);
  return new Uint8Array([...rest, ...Buffer.from(hashBytes(rest), 'hex')]);
}

test('a log survives the trip, its scenario in all languages', () => {
  for (const count of [0, 1, 400]) {
    const log = logOf(count);
    const bytes = encodeLog(log);
    expect(decodeLog(bytes)).toEqual(log);
    expect(encodeLog(decodeLog(bytes))).toEqual(bytes);
  }
  expect(decodeLog(encodeLog(logOf(1))).scenario.title['zh-CN']).toBe(scenario.title['zh-CN']);
});

test('a quiet tick takes ten bytes', () => {
  expect((encodeLog(logOf(400)).length - encodeLog(logOf(100)).length) / 300).toBeLessThanOrEqual(10);
});

test('one byte changed or missing anywhere is refused', () => {
  const bytes = encodeLog(logOf(20));
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
      const changed = bytes.slice();
      changed[at]! ^= change;
      expect(() => decodeLog(changed)).toThrow(WireFormatError);
      expect(() => decodeLog(bytes.slice(0, at))).toThrow(WireFormatError);
    }),
  );
  expect(() => decodeLog(new Uint8Array([...bytes, 0]))).toThrow(WireFormatError);
});

test('bytes with a true hash either decode and encode to themselves, or are refused by WireFormatError', () => {
  const bytes = encodeLog(logOf(20));
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(bytes.length - 9), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 3 }),
      (changes) => {
        const changed = bytes.slice();
        for (const [at, byte] of changes) changed[at] = byte;
        const whole = signed(changed);
        let log: RoundLog;
        try {
          log = decodeLog(whole);
        } catch (error) {
          expect(error).toBeInstanceOf(WireFormatError);
          return;
        }
        expect(encodeLog(log)).toEqual(whole);
      },
    ),
    { numRuns: 500 },
  );
});

test('another version of the file and other rules are refused by name', () => {
  const other = encodeLog(logOf(1));
  other[4] = LOG_VERSION + 1;
  expect(() => decodeLog(signed(other))).toThrow(`a log of version ${LOG_VERSION + 1}, not ${LOG_VERSION}`);
  const log = decodeLog(encodeLog({ ...logOf(1), rules: RULES + 6 }));
  expect(() => checkRules(log)).toThrow(`under rules ${RULES + 6}. This version has rules ${RULES}.`);
  expect(() => checkRules(logOf(1))).not.toThrow();
});
