/** Jobs touch their memory page by page through the kernel, within bounds. */
import { describe, expect, test } from 'vitest';
import { JOB_TOUCHES, TOUCHES_PER_TICK } from '#game/work.ts';
import { plain, Table } from './helpers/rounds.ts';

describe('a job at work', () => {
  test('touches 16 pages a tick, and each touch is a fault of its process', () => {
    const table = new Table(plain('buffer', [{ bytes: 40 * 4096 }], { meanAsk: 40 }));
    const task = () => table.round.machine.tasks.get(table.view().pid)!;
    const before = task().minFlt;
    const seen: number[] = [];
    table.serve('mmap');
    for (let i = 0; i < 4; i++) {
      seen.push(table.holding().frames);
      table.tick();
    }
    expect(seen).toEqual([JOB_TOUCHES, 32, 40, 40]);
    expect(task().minFlt - before).toBe(40);
  });

  test('is not done before all of its pages were touched', () => {
    const economy = { ...plain().economy, budgetPerTick: 2, stallTicksMax: 600 };
    const table = new Table(
      plain('buffer', [{ bytes: 60 * 4096 }], { meanAsk: 60, economy, pulse: { ...plain().pulse, demandMilli: [50, 50] } }),
    );
    const id = table.serve('mmap').id;
    const held = table.state().holdings.get(id)!;
    table.until(() => held.state === 'done');
    expect(held.touched).toBe(60);
    expect(table.round.now).toBeGreaterThan(held.endsAt);
  });

  test('a machine’s touches are bounded a tick', () => {
    expect(100 * 5 * JOB_TOUCHES).toBeLessThanOrEqual(TOUCHES_PER_TICK);
  });
});
