/** Fit is read from what the kernel gave, never from the name of the call. */
import { describe, expect, test } from 'vitest';
import { PG } from '#kernel/types.ts';
import { ofType, plain, Table } from './helpers/rounds.ts';

function fitOf(table: Table, tool: 'mmap' | 'brk' | 'alloc_pages' | 'fork', order?: number): string {
  const card = table.card();
  const events = table.act(0, order === undefined ? { do: 'use', tool, card: card.id } : { do: 'use', tool, card: card.id, order });
  const granted = ofType(events, 'granted')[0];
  if (granted) return granted.fit;
  return ofType(events, 'refused')[0]!.why.code;
}

describe('a device card', () => {
  const capture = (frames: number) => new Table(plain('capture', [{ frames }]));

  test('mmap gives frames that a device does not see', () => {
    expect(fitOf(capture(8), 'mmap')).toBe('NOT_REACHABLE_BY_DEVICE');
    expect(fitOf(capture(8), 'brk')).toBe('NOT_REACHABLE_BY_DEVICE');
  });

  test('the order that just holds it is best, one more is fair, two more are poor, one less does not serve', () => {
    expect(fitOf(capture(8), 'alloc_pages', 3)).toBe('best');
    expect(fitOf(capture(8), 'alloc_pages', 4)).toBe('fair');
    expect(fitOf(capture(8), 'alloc_pages', 5)).toBe('poor');
    expect(fitOf(capture(8), 'alloc_pages', 2)).toBe('TOO_SMALL');
  });

  test('33 frames waste 31 of the smallest block that holds them: fair at best', () => {
    expect(fitOf(capture(33), 'alloc_pages', 6)).toBe('fair');
    expect(fitOf(capture(33), 'alloc_pages', 5)).toBe('TOO_SMALL');
    const table = capture(33);
    const events = table.act(0, { do: 'use', tool: 'alloc_pages', card: table.card().id, order: 6 });
    expect(ofType(events, 'granted')).toMatchObject([{ frames: 64, wasted: 31, kind: 'block' }]);
  });

  test('the block is real: its frames are kernel frames in a row', () => {
    const table = capture(8);
    const { pfn } = table.serve('alloc_pages', 3);
    const { flags, order, owner } = table.round.machine.frames;
    expect(flags[pfn]! & PG.kernel).not.toBe(0);
    expect(order[pfn]).toBe(3);
    expect(owner[pfn]).toBe(table.view().pid);
  });
});

describe('a card for the CPU', () => {
  test('one piece is served alike by mmap and by the heap', () => {
    expect(fitOf(new Table(plain()), 'mmap')).toBe('best');
    expect(fitOf(new Table(plain()), 'brk')).toBe('best');
  });

  test('many small objects waste most of their pages when each has a mapping of its own', () => {
    const small = () => new Table(plain('buffer', [{ count: 40, bytes: 700 }]));
    expect(fitOf(small(), 'brk')).toBe('best');
    expect(fitOf(small(), 'mmap')).toBe('poor');
    const threeQuarters = () => new Table(plain('buffer', [{ count: 20, bytes: 2900 }]));
    expect(fitOf(threeQuarters(), 'mmap')).toBe('fair');
  });

  test('kernel pages are in nobody’s address space', () => {
    expect(fitOf(new Table(plain()), 'alloc_pages', 3)).toBe('NOT_IN_ADDRESS_SPACE');
  });

  test('pages that are never touched take no frame: a sparse job holds only what it uses', () => {
    const table = new Table(plain('buffer', [{ bytes: 64 * 4096, touchMilli: 125 }], { meanAsk: 8 }));
    const rss = table.view().memory.rss;
    table.serve('mmap');
    table.until(() => table.holding().state === 'done');
    expect(table.holding().frames).toBe(8);
    expect(table.view().memory).toMatchObject({ rss: rss + 8 });
    expect(table.view().memory.vss).toBeGreaterThanOrEqual(64);
  });
});

describe('a card for a second process', () => {
  const worker = () => new Table(plain('worker', [{ writesMilli: 500 }]));

  test('memory alone does not run', () => {
    expect(fitOf(worker(), 'mmap')).toBe('NO_PROCESS');
    expect(fitOf(worker(), 'alloc_pages', 3)).toBe('NO_PROCESS');
  });

  test('a fork serves best when its parent holds nothing for nothing', () => {
    expect(fitOf(worker(), 'fork')).toBe('best');
  });

  test('memory that its parent holds for nothing is copied for nothing', () => {
    const table = new Table(plain('worker', [{ writesMilli: 1000 }], { tools: ['mmap', 'fork'], calls: ['mmap', 'write'] }));
    table.act(0, {
      do: 'call',
      call: { call: 'mmap', length: 40 * 4096, prot: 'PROT_READ|PROT_WRITE', flags: 'MAP_PRIVATE|MAP_ANONYMOUS' },
    });
    const area = table.view().areas[0]!;
    table.act(0, { do: 'call', call: { call: 'write', addr: area.start, length: 40 * 4096 } });
    expect(table.holding()).toMatchObject({ tool: 'call', state: 'unused', frames: 40 });
    expect(fitOf(table, 'fork')).toBe('poor');
  });

  test('the child writes the share that the card names, and each write copies a page', () => {
    const table = worker();
    const holding = table.serve('fork');
    const held = table.state().holdings.get(holding.id)!;
    const child = table.round.machine.tasks.get(held.pid)!;
    expect(child.ppid).toBe(table.view().pid);
    const before = child.mm.tables;
    table.until(() => table.holding().state === 'done');
    expect(child.minFlt).toBe(2);
    expect(table.holding().frames).toBe(before + 2);
  });

  test('freeing it ends the child', () => {
    const table = worker();
    const { pid } = table.state().holdings.get(table.serve('fork').id)!;
    table.until(() => table.holding().state === 'done');
    table.act(0, { do: 'freeDone' });
    expect(table.round.machine.tasks.has(pid)).toBe(false);
    expect(table.view().holdings).toEqual([]);
  });
});
