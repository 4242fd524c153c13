/** The heap gives back only from its top: what lies under a live block waits, costs rent and is paid late. */
import { describe, expect, test } from 'vitest';
import { ofType, plain, Table } from './helpers/rounds.ts';

/** Two blocks on the heap: the lower one short, the upper one long. */
function twoBlocks(): { table: Table; lower: number; upper: number } {
  const table = new Table(plain('buffer', [{}], { hand: 2, dealSeconds: 1 }));
  table.until(() => table.view().hand.length === 2);
  const lower = table.serve('brk').id;
  const upper = table.serve('brk').id;
  const [low, up] = [lower, upper].map((id) => table.state().holdings.get(id)!);
  up!.endsAt = low!.endsAt + 300;
  return { table, lower, upper };
}

const viewOf = (table: Table, id: number) => table.view().holdings.find((holding) => holding.id === id);

describe('a block under a live top block', () => {
  test('is not given back when it is freed: it stays resident, is marked, and pays rent', () => {
    const { table, lower } = twoBlocks();
    table.until(() => viewOf(table, lower)!.state === 'done');
    const { rss } = table.view().memory;
    const events = table.act(0, { do: 'free', holding: lower });
    expect(ofType(events, 'settled')).toEqual([]);
    expect(viewOf(table, lower)).toMatchObject({ state: 'done', blocked: true, rentMilli: 400 });
    expect(table.view().memory.rss).toBe(rss);
  });

  test('goes back and is paid when the top goes', () => {
    const { table, lower, upper } = twoBlocks();
    const start = table.round.machine.tasks.get(table.view().pid)!.mm;
    table.until(() => viewOf(table, lower)!.state === 'done');
    table.act(0, { do: 'free', holding: lower });
    table.until(() => viewOf(table, upper)!.state === 'done');
    const events = table.act(0, { do: 'free', holding: upper });
    expect(ofType(events, 'settled').map(({ holding }) => holding)).toEqual([upper, lower]);
    expect(start.brk).toBe(start.startBrk);
  });

  test('can serve a card that fits, as malloc’s free list does', () => {
    const { table, lower } = twoBlocks();
    table.until(() => viewOf(table, lower)!.state === 'done');
    table.act(0, { do: 'free', holding: lower });
    const card = table.card();
    expect(card.reusable).toEqual([lower]);
    const events = table.act(0, { do: 'reuse', card: card.id, holding: lower });
    expect(ofType(events, 'settled')).toMatchObject([{ holding: lower }]);
    expect(table.holding()).toMatchObject({ state: 'running', blocked: false });
    const { mm } = table.round.machine.tasks.get(table.view().pid)!;
    expect(mm.brk - mm.startBrk).toBe(16 * 4096);
  });
});

test('areas of mmap go back in any order', () => {
  const table = new Table(plain('buffer', [{}], { hand: 2, dealSeconds: 1 }));
  table.until(() => table.view().hand.length === 2);
  const first = table.serve('mmap').id;
  const second = table.serve('mmap').id;
  table.state().holdings.get(second)!.endsAt += 300;
  table.until(() => viewOf(table, first)!.state === 'done');
  const { rss } = table.view().memory;
  table.act(0, { do: 'freeDone' });
  expect(viewOf(table, first)).toBeUndefined();
  expect(table.view().memory.rss).toBe(rss - 8);
});
