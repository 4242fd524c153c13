/** What a job pays: half when it is done, half when its memory is back; less for waiting, for waste and for tries that did not serve. */
import { describe, expect, test } from 'vitest';
import { ofType, plain, Table } from './helpers/rounds.ts';

describe('a job of 8 frames pays 20 + 8', () => {
  test('half when it is done, the other half when its memory is freed', () => {
    const table = new Table(plain());
    table.serve('mmap');
    expect(table.milli()).toBe(0);
    // It was served a tick after it was dealt: a thousandth of the pay is gone.
    const done = table.until(() => table.holding().state === 'done');
    expect(ofType(done, 'done')).toMatchObject([{ points: 13 }]);
    const before = table.milli();
    const freed = table.act(0, { do: 'freeDone' });
    expect(ofType(freed, 'settled')).toMatchObject([{ points: 13, family: 'buffer' }]);
    expect(table.milli() - before).toBe(13_986);
  });

  test('the pending half is lost at the end of the round', () => {
    const table = new Table(plain('buffer', [{}], { seconds: 30 }));
    table.serve('mmap');
    table.finish();
    const { points } = table.view();
    expect(points).toBeLessThan(14 + 1);
    expect(table.state().settled).toBe(0);
  });

  test('a call for no card pays nothing', () => {
    const table = new Table(plain());
    table.act(0, { do: 'use', tool: 'mmap', card: 0 });
    expect(table.holding()).toMatchObject({ state: 'unused', needed: 0 });
    table.wait(200);
    expect(table.milli()).toBe(0);
  });
});

describe('patience', () => {
  test('the pay falls to half over the patience, in a line', () => {
    const table = new Table(plain());
    const card = table.card();
    const full = card.payNow;
    const start = table.state().hand[0]!.offeredAt;
    table.until(() => table.round.now === start + card.patienceTicks / 2);
    expect(table.view().hand[0]!.payNow).toBe(Math.trunc(full * 0.75));
    table.until(() => table.round.now === start + card.patienceTicks - 1);
    expect(table.view().hand[0]!.payNow).toBe(Math.trunc((28 * (1000 - Math.trunc((500 * 299) / 300))) / 1000));
  });

  test('a card whose patience has run out is gone', () => {
    const table = new Table(plain());
    const card = table.card();
    const events = table.wait(card.patienceTicks);
    expect(ofType(events, 'expired')[0]).toMatchObject({ seat: 0, card: card.id });
    expect(table.view().hand.some(({ id }) => id === card.id)).toBe(false);
  });

  test('what counts is the moment at which it is served', () => {
    const table = new Table(plain());
    const card = table.card();
    const start = table.state().hand[0]!.offeredAt;
    table.until(() => table.round.now === start + 149);
    table.act(0, { do: 'use', tool: 'mmap', card: card.id });
    table.until(() => table.holding().state === 'done');
    table.act(0, { do: 'freeDone' });
    const rent = table.milli() - 28_000 * 0.75;
    expect(rent).toBeLessThanOrEqual(0);
    expect(rent).toBeGreaterThan(-200);
  });
});

describe('a try that does not serve', () => {
  test('takes a quarter of the card’s pay each time, and says why', () => {
    const table = new Table(plain());
    const card = table.card();
    table.act(0, { do: 'use', tool: 'alloc_pages', card: card.id, order: 3 });
    let seen = table.view().hand.find(({ id }) => id === card.id)!;
    expect(seen).toMatchObject({ misfits: 1, why: { code: 'NOT_IN_ADDRESS_SPACE', needed: 8 } });
    expect(seen.payNow).toBeLessThanOrEqual(21);
    expect(seen.payNow).toBeGreaterThan(19);
    table.act(0, { do: 'use', tool: 'fork', card: card.id });
    seen = table.view().hand.find(({ id }) => id === card.id)!;
    expect(seen).toMatchObject({ misfits: 2, why: { code: 'GIVES_NO_MEMORY' } });
    expect(seen.payNow).toBeLessThanOrEqual(14);
  });

  test('leaves what was granted lying unused', () => {
    const table = new Table(plain());
    table.serve('alloc_pages', 3);
    expect(table.holding()).toMatchObject({ state: 'unused', frames: 8, rentMilli: 400 });
  });

  test('a refusal of the kernel costs time, not pay', () => {
    const table = new Table(plain('capture'));
    const card = table.card();
    table.act(0, { do: 'use', tool: 'alloc_pages', card: card.id, order: 10 });
    const seen = table.view().hand.find(({ id }) => id === card.id)!;
    expect(seen.misfits).toBe(0);
    expect(seen.why).not.toBeNull();
  });
});

describe('reuse', () => {
  test('settles the old job, allocates nothing and pays a quarter more', () => {
    const table = new Table(plain());
    const first = table.serve('mmap');
    table.until(() => table.view().hand.length > 0 && table.holding().state === 'done');
    const card = table.view().hand[0]!;
    expect(card.reusable).toEqual([first.id]);
    const free = table.round.machine.zones.map((zone) => zone.free);
    const before = table.milli();
    const payNow = 28_000 - Math.trunc((14_000 * (table.round.now + 1 - table.state().hand[0]!.offeredAt)) / 300);
    const events = table.act(0, { do: 'reuse', card: card.id, holding: first.id });
    expect(ofType(events, 'settled')).toMatchObject([{ holding: first.id }]);
    expect(table.milli() - before).toBe(13_986);
    expect(table.round.machine.zones.map((zone) => zone.free)).toEqual(free);
    expect(table.holding().state).toBe('running');
    expect(Math.abs(table.state().holdings.get(table.holding().id)!.payMilli - payNow * 1.25)).toBeLessThan(50);
  });

  test('takes no memory that is more than a quarter too large, too small, or of another kind', () => {
    const table = new Table(
      plain('buffer', [{ bytes: 6 * 4096 }, { bytes: 7 * 4096 }, { bytes: 16 * 4096 }], { meanAsk: 10, seconds: 600 }),
    );
    const sizes = new Set<string>();
    table.act(0, { do: 'use', tool: 'alloc_pages', card: 0, order: 3 });
    while (table.round.now < 3000) {
      const { hand, holdings } = table.view();
      for (const card of hand) {
        for (const holding of holdings) {
          if (holding.state === 'running') continue;
          const held = table.state().holdings.get(holding.id)!;
          const fits = held.kind === 'area' && held.pages >= card.frames && held.pages * 0.75 <= card.frames;
          expect(card.reusable.includes(holding.id), `${held.kind} of ${held.pages} for ${card.frames}`).toBe(fits);
          sizes.add(`${fits} ${held.pages} ${card.frames}`);
        }
      }
      const card = hand[0];
      if (card && holdings.length < 8) table.act(0, { do: 'use', tool: 'mmap', card: card.id });
      else table.act(0, { do: 'freeDone' });
      table.wait(20);
    }
    expect([...sizes].some((size) => size.startsWith('true'))).toBe(true);
    expect([...sizes].some((size) => size.startsWith('false'))).toBe(true);
  });

  test('refuses by name what does not fit', () => {
    const table = new Table(plain());
    table.act(0, { do: 'use', tool: 'alloc_pages', card: 0, order: 3 });
    const card = table.card();
    const events = table.act(0, { do: 'reuse', card: card.id, holding: table.holding().id });
    expect(ofType(events, 'ignored')).toMatchObject([{ reason: 'DOES_NOT_FIT' }]);
  });
});
