/** Rounds that were played once are played the same for ever, under the same rules: from start to end, and with a save at random ticks. */
import { expect, test } from 'vitest';
import { RULES } from '#game/round.ts';
import { decodeLog } from '#protocol/log.ts';
import { picker, seeds } from '../helpers/seeds.ts';
import { hashesOf } from './hashes.ts';
import { goldenRounds } from './rounds.ts';

const rounds = goldenRounds();

test('there are some, under the rules of today', () => {
  expect(rounds.length).toBeGreaterThanOrEqual(3);
  for (const { log } of rounds) expect(decodeLog(log).rules).toBe(RULES);
});

test.each(rounds)('$name', ({ log, hashes }) => {
  expect(hashesOf(log)).toBe(hashes);
});

test.each(rounds.map((round, index) => ({ ...round, every: 1 + picker(seeds(rounds.length)[index] ?? 1)(90) })))(
  '$name, saved and restored every $every ticks',
  ({ log, hashes, every }) => {
    expect(hashesOf(log, every)).toBe(hashes);
  },
);
