/** A round is a pure function of scenario, seed and ticks: the same log gives the same round, from the start or from any snapshot. */
import { describe, expect, test } from 'vitest';
import { createFacts } from '#kernel/facts.ts';
import { CodecError } from '#kernel/codec.ts';
import { createRound, playTick, restoreRound, roundHash, saveRound } from '#game/round.ts';
import { checkMachine } from '../helpers/check.ts';
import { picker, seeds } from '../helpers/seeds.ts';
import { botLog, startOf } from './helpers/logs.ts';
import { plain, shippedAll, Table } from './helpers/rounds.ts';

const short = shippedAll().map((scenario) => ({ ...scenario, seconds: 60 }));

describe.each(short.map((scenario) => [scenario.id, scenario] as const))('%s', (_id, scenario) => {
  test.each(seeds(3))('seed %i: the same log twice, with and without a ring of facts', (seed) => {
    const log = botLog(scenario, seed);
    const again = createRound(log.scenario, log.seed, log.seats, createFacts(1 << 10));
    const events = log.ticks.flatMap((tick) => playTick(again, tick));
    expect(again.over).toBe(true);
    expect(events.length).toBeGreaterThan(100);
    expect(roundHash(again)).toBe(roundHash(log.round));
  });

  test.each(seeds(3))('seed %i: saved, restored and continued at random ticks', (seed) => {
    const log = botLog(scenario, seed);
    const pick = picker(seed);
    let round = startOf(log);
    for (const tick of log.ticks) {
      playTick(round, tick);
      if (pick(40) !== 0) continue;
      checkMachine(round.machine);
      const restored = restoreRound(saveRound(round));
      expect(roundHash(restored), `after tick ${tick.n} of seed ${seed}`).toBe(roundHash(round));
      round = restored;
    }
    expect(roundHash(round)).toBe(roundHash(log.round));
  });
});

test('another seed, another entropy, another input: another round', () => {
  const log = botLog(short[0]!, 11);
  const hashOf = (change: (n: number) => Partial<(typeof log.ticks)[number]>, seed = log.seed) => {
    const round = createRound(log.scenario, seed, log.seats);
    for (const tick of log.ticks) playTick(round, { ...tick, ...change(tick.n) });
    return roundHash(round);
  };
  const hashes = [
    hashOf(() => ({})),
    hashOf(() => ({}), 12),
    hashOf((n) => (n === 200 ? { entropy: 1 } : {})),
    hashOf((n) => (n === 200 ? { inputs: [] } : {})),
  ];
  expect(hashes[0]).toBe(roundHash(log.round));
  expect(new Set(hashes).size).toBeGreaterThanOrEqual(3);
});

test('a tick that was played is ignored, a gap is refused', () => {
  const table = new Table(plain());
  table.wait(5);
  const before = roundHash(table.round);
  expect(playTick(table.round, { n: 3, entropy: 9, inputs: [{ type: 'leave', seat: 0 }] })).toEqual([]);
  expect(roundHash(table.round)).toBe(before);
  expect(() => playTick(table.round, { n: 99, entropy: 9, inputs: [] })).toThrow(RangeError);
});

test('bytes that no round made are refused', () => {
  const bytes = saveRound(new Table(plain()).round);
  expect(() => restoreRound(new Uint8Array([1, 2, 3]))).toThrow(CodecError);
  expect(() => restoreRound(new Uint8Array(0))).toThrow(CodecError);
  expect(() => restoreRound(bytes.slice(0, bytes.length - 1))).toThrow(CodecError);
});
