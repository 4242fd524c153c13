/** What is held for nothing costs 0.05 points a frame and second; what works costs nothing. */
import { describe, expect, test } from 'vitest';
import { plain, Table } from './helpers/rounds.ts';

describe('rent', () => {
  test('a running job pays none, a done one 5 thousandths a frame and tick', () => {
    const table = new Table(plain());
    table.serve('mmap');
    table.until(() => table.holding().state === 'done');
    expect(table.holding().rentMilli).toBe(8 * 50);
    const before = table.milli();
    table.wait(10);
    expect(before - table.milli()).toBe(8 * 50);
  });

  test('memory that serves nothing pays from the first tick on', () => {
    const table = new Table(plain());
    table.act(0, { do: 'use', tool: 'alloc_pages', card: 0, order: 4 });
    const before = table.milli();
    table.wait(10);
    expect(before - table.milli()).toBe(16 * 50);
  });

  test('asking is not using: an area that nobody touched has no frames and no rent', () => {
    const table = new Table(plain());
    table.act(0, { do: 'use', tool: 'mmap', card: 0 });
    table.wait(20);
    expect(table.holding()).toMatchObject({ frames: 0, rentMilli: 0 });
    expect(table.milli()).toBe(0);
  });

  test('points below zero are shown as zero, and have to be made up for', () => {
    const table = new Table(plain());
    table.act(0, { do: 'use', tool: 'alloc_pages', card: 0, order: 5 });
    table.wait(100);
    expect(table.milli()).toBeLessThan(0);
    expect(table.view().points).toBe(0);
  });

  test('rents that are no whole thousandth a tick add up', () => {
    const economy = { ...plain().economy, rentMilliPerFrameSecond: 3 };
    const table = new Table(plain('buffer', [{}], { economy }));
    table.act(0, { do: 'use', tool: 'alloc_pages', card: 0, order: 0 });
    const before = table.milli();
    table.wait(100);
    expect(before - table.milli()).toBe(30);
  });
});
