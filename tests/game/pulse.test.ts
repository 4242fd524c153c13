/** The pulse of a round, and that a very short one still deals, works and pays. */
import { describe, expect, test } from 'vitest';
import { playBots } from '#game/bots/calibration.ts';
import { demandMilli } from '#game/pulse.ts';
import type { ClassView } from '#game/types.ts';
import { ofType, plain, shipped, shippedAll, Table } from './helpers/rounds.ts';

const ids = shippedAll().map(({ id }) => id);

describe('phases', () => {
  test('calm, work, one rush, work, last, over', () => {
    const table = new Table(shipped('swiss-cheese'), 1);
    const phases: [ClassView['phase'], number][] = [];
    while (!table.round.over) for (const { phase } of ofType(table.tick(), 'phase')) phases.push([phase, table.round.now]);
    expect(phases).toEqual([
      ['work', 600],
      ['rush', 1650],
      ['work', 1850],
      ['last', 2700],
      ['over', 3000],
    ]);
  });

  test('the cards ask for more and more of the machine', () => {
    const table = new Table(shipped('swiss-cheese'), 1);
    const [from, to] = table.round.scenario.pulse.demandMilli;
    const seen: number[] = [];
    while (!table.round.over) {
      table.tick();
      seen.push(demandMilli(table.round));
    }
    expect(seen[0]).toBeLessThan(from);
    expect(seen[600]).toBe(from);
    expect(seen.at(-1)).toBe(to);
    expect(seen.slice(600).every((demand, i, all) => i === 0 || demand >= all[i - 1]!)).toBe(true);
  });
});

describe.each(ids)('%s in short', (id) => {
  test.each([10, 20, 45, 90])('%i s: cards are dealt, work ends, pay is settled', (seconds) => {
    const round = playBots({ ...shipped(id), seconds }, 3, ['free', 'free', 'half']);
    expect(round.now).toBe(seconds * 10);
    expect(round.game.tally.dealt).toBeGreaterThan(6);
    expect(round.game.tally.settled).toBeGreaterThan(1);
    for (const seat of round.game.seats.values()) expect(seat.granted).toBeGreaterThan(0);
  });
});

test('in ten seconds nobody’s first card runs out before it can be read', () => {
  const table = new Table({ ...plain(), seconds: 10 }, 1);
  expect(table.card().patienceTicks).toBeGreaterThanOrEqual(100);
});
