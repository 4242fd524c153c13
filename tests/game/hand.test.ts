/** The hand: cards come when there is a place, the next one lies face up, and nobody can foresee the one after it. */
import { describe, expect, test } from 'vitest';
import { playTick, restoreRound, saveRound, seatView } from '#game/round.ts';
import { ofType, plain, shipped, Table } from './helpers/rounds.ts';

describe('dealing', () => {
  test('the first card comes at once, the next every 5 s until the hand is full', () => {
    const table = new Table(plain());
    expect(table.view().hand.length).toBe(1);
    const dealt: number[] = [];
    while (table.round.now < 280) if (ofType(table.tick(), 'dealt').length > 0) dealt.push(table.round.now);
    expect(dealt).toEqual([51, 101]);
    expect(table.view().hand.length).toBe(3);
  });

  test('a place that becomes free is filled at once when the interval is over', () => {
    const table = new Table(plain());
    table.until(() => table.view().hand.length === 3);
    table.wait(60);
    const events = table.act(0, { do: 'use', tool: 'mmap', card: table.view().hand[0]!.id });
    expect(ofType(events, 'dealt').length).toBe(1);
  });

  test('the card that lies face up is the one that comes', () => {
    const table = new Table(shipped('swiss-cheese'), 2);
    let dealt = 0;
    while (dealt < 10) {
      const { next, hand } = table.view();
      const events = hand.length === 3 ? table.act(0, { do: 'discard', card: hand[0]!.id }) : table.tick();
      const [mine] = ofType(events, 'dealt').filter(({ seat }) => seat === 0);
      if (!mine) continue;
      expect(mine.card).toBe(next!.id);
      const card = table.view().hand.find(({ id }) => id === next!.id)!;
      expect(card).toMatchObject({ frames: next!.frames, text: next!.text, pay: next!.pay });
      dealt += 1;
    }
  });

  test('the card after it comes from entropy that is drawn later', () => {
    const table = new Table(shipped('swiss-cheese'), 1);
    const saved = saveRound(table.round);
    const futures = [1, 2, 3, 4, 5, 6].map((entropy) => {
      const round = restoreRound(saved);
      for (let i = 0; i < 200; i++) playTick(round, { n: round.now + 1, entropy: entropy * 7919 + i, inputs: [] });
      return JSON.stringify(seatView(round, 0)!.hand.map(({ frames, count }) => [frames, count]));
    });
    expect(new Set(futures).size).toBeGreaterThan(1);
  });

  test('a discarded card is replaced after 10 s', () => {
    const table = new Table(plain());
    table.until(() => table.view().hand.length === 3);
    table.wait(60);
    const start = table.round.now + 1;
    table.act(0, { do: 'discard', card: table.view().hand[0]!.id });
    const events = table.until(() => table.view().hand.length === 3);
    expect(ofType(events, 'dealt').length).toBe(1);
    expect(table.round.now - start).toBe(100);
  });
});

describe('the end of a round', () => {
  test('no card is dealt whose work cannot end and be freed', () => {
    for (const id of ['first-touch', 'swiss-cheese', 'who-is-next']) {
      const table = new Table(shipped(id), 1);
      let last = 0;
      while (!table.round.over) {
        for (const { card } of ofType(table.tick(), 'dealt')) {
          const dealt = table.state().hand.find((each) => each.id === card);
          last = table.round.now;
          if (dealt) expect(table.round.now + dealt.holdTicks).toBeLessThanOrEqual(table.round.game.endsAt - 30);
        }
        for (const card of table.state().hand.slice(0, 1)) table.act(0, { do: 'discard', card: card.id });
      }
      expect(last).toBeLessThan(table.round.now - 30);
      expect(last).toBeGreaterThan(table.round.now - 300);
    }
  });

  test('in the last 30 s no long card is drawn', () => {
    const variants = [
      { bytes: 4096, holdMilli: 400 },
      { bytes: 8192, holdMilli: 3000 },
    ];
    const table = new Table(
      plain('buffer', variants, { pulse: { calmSeconds: 0, demandMilli: [20, 20], rushSeconds: 0, noLongCardsSeconds: 30 } }),
    );
    table.until(() => table.round.game.phase === 'last');
    // What lay face up was drawn before.
    table.until(() => ofType(table.events, 'dealt').length > 0 || table.tick().some(({ type }) => type === 'dealt'));
    const before = new Set([...table.state().hand.map(({ id }) => id), table.state().next?.id]);
    while (!table.round.over) {
      for (const card of table.state().hand) if (!before.has(card.id)) expect(card.frames).toBe(1);
      const [card] = table.state().hand;
      if (card) table.act(0, { do: 'discard', card: card.id });
      else table.tick();
    }
  });
});
