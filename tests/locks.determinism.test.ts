/** The fourth lock, tried: rules with a planted offence do not give the same hashes, and the comparison says at which tick. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import { createRound, playTick, restoreRound, roundHash, saveRound } from '#game/round.ts';
import { botLog, type Log } from './game/helpers/logs.ts';
import { shipped } from './game/helpers/rounds.ts';

const planted = vi.hoisted(() => ({ offence: 'none' as 'none' | 'chance' | 'clock' | 'hidden', calls: 0 }));

vi.mock('#kernel/rng.ts', async (original) => {
  const real = await original<typeof import('#kernel/rng.ts')>();
  const shift = {
    none: () => 0,
    chance: () => Math.floor(Math.random() * 2 ** 32),
    clock: () => performance.now() * 1000,
    hidden: () => planted.calls++,
  };
  return {
    ...real,
    randomBelow: (from: Parameters<typeof real.randomBelow>[0], limit: number) =>
      (real.randomBelow(from, limit) + (Math.floor(shift[planted.offence]()) % limit)) % limit,
  };
});

afterEach(() => {
  planted.offence = 'none';
});

/** The hash after each tick; with a save, a restore and all in between after every 20th where `saves`. */
function hashes(log: Log, saves: boolean): string[] {
  let round = createRound(log.scenario, log.seed, log.seats);
  return log.ticks.map((tick) => {
    playTick(round, tick);
    if (saves && tick.n % 20 === 0) round = restoreRound(saveRound(round));
    return roundHash(round);
  });
}

describe('lock 4: determinism', () => {
  const log = botLog({ ...shipped('first-touch'), seconds: 30 }, 5);

  test('without an offence the same log gives the same hashes, saved or not', () => {
    const once = hashes(log, false);
    expect(hashes(log, false)).toEqual(once);
    expect(hashes(log, true)).toEqual(once);
  });

  test.each(['chance', 'clock', 'hidden'] as const)('%s in the rules is seen', (offence) => {
    planted.offence = offence;
    const once = hashes(log, false);
    const again = hashes(log, false);
    const first = once.findIndex((hash, at) => hash !== again[at]);
    expect(first).toBeGreaterThanOrEqual(0);
    expect(again.at(-1)).not.toBe(once.at(-1));
  });
});
