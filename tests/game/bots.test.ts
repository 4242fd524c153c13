/** Bots are players: they see what a seat sees, act at their own speed, and have a generator of their own. */
import { describe, expect, test } from 'vitest';
import { BOTS, createBot } from '#game/bots/bots.ts';
import { playBots } from '#game/bots/calibration.ts';
import type { Action, BotName } from '#game/types.ts';
import { roundHash } from '#game/round.ts';
import { plain, shipped, shippedAll, Table } from './helpers/rounds.ts';

const names = Object.keys(BOTS) as BotName[];

/** How often a bot acts in a minute of a round that it plays alone. */
function actions(name: BotName, ticks?: number): Action[] {
  const table = new Table(shipped('swiss-cheese'), 1);
  const bot = createBot(name, 0, 99, ticks);
  const done: Action[] = [];
  while (table.round.now < 600) {
    const action = bot.act(table.round);
    if (action === null) table.tick();
    else {
      done.push(action);
      table.act(0, action);
    }
  }
  return done;
}

describe('a bot', () => {
  test.each(names)('%s plays by the rules: nothing of what it does is malformed or closed to it', (name) => {
    for (const scenario of shippedAll()) {
      const table = new Table({ ...scenario, seconds: 60 }, 1);
      const bot = createBot(name, 0, 5);
      while (!table.round.over) {
        const action = bot.act(table.round);
        if (action === null) table.tick();
        else {
          for (const event of table.act(0, action)) {
            if (event.type === 'ignored') expect(['MALFORMED', 'NOT_OPEN', 'TOO_FAST'], JSON.stringify(action)).not.toContain(event.reason);
          }
        }
      }
    }
  });

  test('acts once in 15 ticks or so; its speed can be set, and *half* is half as fast', () => {
    expect(actions('spam').length).toBeGreaterThan(34);
    expect(actions('spam').length).toBeLessThan(46);
    expect(actions('spam', 5).length).toBeGreaterThan(100);
    const pauses = (name: BotName) => {
      const round = new Table(plain(), 1).round;
      const bot = createBot(name, 0, 3);
      let looked = 0;
      for (round.now = 0; round.now < 3000; round.now++) if (bot.act(round) !== null) looked += 1;
      return looked;
    };
    // With a card in hand that nobody serves, a bot acts whenever it is its time.
    expect(pauses('free') / pauses('half')).toBeGreaterThan(1.8);
    expect(pauses('free') / pauses('half')).toBeLessThan(2.2);
  });

  test('looks without touching', () => {
    const table = new Table(shipped('swiss-cheese'), 1);
    table.wait(100);
    const before = roundHash(table.round);
    for (const name of names) createBot(name, 0, 1, 1).act(table.round);
    expect(roundHash(table.round)).toBe(before);
  });

  test('repeats itself with the same seed', () => {
    expect(actions('guess')).toEqual(actions('guess'));
    const hashes = [1, 1, 2].map((seed) => roundHash(playBots({ ...shipped('who-is-next'), seconds: 30 }, seed, names)));
    expect(hashes[0]).toBe(hashes[1]);
    expect(hashes[0]).not.toBe(hashes[2]);
  });
});
