/** Kernel time is charged: who uses more than a tick's worth waits, with a cause, and never longer than three seconds. */
import { describe, expect, test } from 'vitest';
import { ofType, plain, Table } from './helpers/rounds.ts';

const slow = (budgetPerTick: number) => ({ economy: { ...plain().economy, budgetPerTick } });

describe('a stall', () => {
  test('lasts until the debt is paid, and says what it was for', () => {
    const table = new Table(plain('buffer', [{}], slow(10)));
    // Order 4 costs 4 + 16 × 2 = 36 µs; the budget is 10 units of 2 µs a tick.
    table.act(0, { do: 'use', tool: 'alloc_pages', card: 0, order: 5 });
    expect(table.view().stall).toMatchObject({ cause: 'contiguous', numbers: { us: 68, frames: 32 } });
    const { ticks } = table.view().stall!;
    expect(ofType(table.act(0, { do: 'freeDone' }), 'ignored')).toMatchObject([{ reason: 'STALLED' }]);
    table.wait(ticks - 1);
    expect(table.view().stall).toBeNull();
    expect(ofType(table.act(0, { do: 'freeDone' }), 'freed').length).toBe(1);
  });

  test('is never longer than 30 ticks', () => {
    const table = new Table(plain('buffer', [{}], slow(1)));
    for (let i = 0; i < 5; i++) table.tick(table.input(0, { do: 'use', tool: 'alloc_pages', card: 0, order: 5 }));
    expect(table.view().stall!.ticks).toBeLessThanOrEqual(30);
    table.wait(30);
    expect(table.view().stall).toBeNull();
  });

  test('a failed call costs eight units', () => {
    const table = new Table(plain());
    table.act(0, { do: 'use', tool: 'alloc_pages', card: 0, order: 0 });
    table.wait(3);
    const spent = () => table.state().spentUs;
    expect(spent()).toBe(0);
    const [input] = [table.input(0, { do: 'use', tool: 'alloc_pages', card: 0, order: 12 })];
    table.round.scenario.economy.budgetPerTick = 1;
    table.tick(input!);
    expect(table.view().stall).toMatchObject({ cause: 'failed', numbers: { us: 16 } });
  });
});

describe('the rate of actions', () => {
  test('is five a second, ten at once', () => {
    const table = new Table(plain());
    table.wait(20);
    const burst = Array.from({ length: 12 }, () => table.input(0, { do: 'freeDone' }));
    expect(ofType(table.tick(...burst), 'ignored').map(({ reason }) => reason)).toEqual(['TOO_FAST', 'TOO_FAST']);
    let taken = 0;
    for (let i = 0; i < 100; i++) taken += 1 - ofType(table.act(0, { do: 'freeDone' }), 'ignored').length;
    expect(taken).toBe(50);
  });
});
