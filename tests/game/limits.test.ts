/** Griefing is contained as the kernel does it: by limits on what one process may hold. */
import { describe, expect, test } from 'vitest';
import type { Call } from '#kernel/types.ts';
import { CALL_TOUCHES } from '#game/actions.ts';
import { TOUCHES_PER_TICK } from '#game/work.ts';
import { ofType, plain, Table } from './helpers/rounds.ts';

describe('limits of a seat', () => {
  test('kernel pages: 1.5 fair shares', () => {
    const table = new Table(plain(), 4);
    const managed = table.round.machine.zones.reduce((sum, zone) => sum + zone.managed, 0);
    const limit = Math.trunc((Math.trunc(managed / 4) * 1500) / 1000);
    let refused;
    for (let i = 0; i < 100 && !refused; i++) {
      const events = table.act(0, { do: 'use', tool: 'alloc_pages', card: 0, order: 4 });
      refused = ofType(events, 'refused')[0];
      table.wait(3);
    }
    expect(refused!.why).toMatchObject({ code: 'RLIMIT', limit });
    const { kernel } = table.view().memory;
    expect(kernel).toBeLessThanOrEqual(limit);
    expect(kernel + 16).toBeGreaterThan(limit);
  });

  test('children: four', () => {
    const table = new Table(plain(), 4);
    for (let i = 0; i < 4; i++) {
      expect(ofType(table.act(0, { do: 'use', tool: 'fork', card: 0 }), 'refused')).toEqual([]);
      table.wait(3);
    }
    const [refused] = ofType(table.act(0, { do: 'use', tool: 'fork', card: 0 }), 'refused');
    expect(refused!.why).toEqual({ code: 'TOO_MANY_PROCESSES', limit: 4 });
  });

  test('capped by the host: one fair share of address space and of kernel pages', () => {
    const table = new Table(plain(), 4);
    table.tick({ type: 'cap', seat: 0, on: true });
    const managed = table.round.machine.zones.reduce((sum, zone) => sum + zone.managed, 0);
    const { cur } = table.round.machine.tasks.get(table.view().pid)!.rlimits.RLIMIT_AS!;
    expect(cur).toBe(Math.trunc(managed / 4) * 4096);
  });
});

describe('oom_score_adj', () => {
  test('weighs a thousandth of the machine a point, in whole pages: nothing on a small one, as in Linux', () => {
    for (const [seats, pages] of [
      [2, 0],
      [30, 3],
    ] as const) {
      const table = new Table(plain(), seats);
      const before = table.view().badness;
      table.act(0, { do: 'adj', value: 200 });
      expect(table.view().adjPages).toBe(pages);
      expect(table.view().badness - before).toBe(200 * pages);
    }
  });

  test('may be raised freely and taken back', () => {
    const table = new Table(plain());
    table.act(0, { do: 'adj', value: 300 });
    expect(table.view().oomScoreAdj).toBe(300);
    table.act(0, { do: 'adj', value: 0 });
    expect(table.view().oomScoreAdj).toBe(0);
  });

  test('is lowered by one root token a round, for 30 s, not below −500', () => {
    const table = new Table(plain());
    const adj = () => table.round.machine.tasks.get(table.view().pid)!.oomScoreAdj;
    expect(ofType(table.act(0, { do: 'adj', value: -501 }), 'ignored')).toMatchObject([{ reason: 'LIMIT' }]);
    table.act(0, { do: 'adj', value: -400 });
    expect(adj()).toBe(-400);
    table.wait(299);
    expect(adj()).toBe(-400);
    table.wait(1);
    expect(adj()).toBe(0);
    expect(table.view().oomScoreAdj).toBe(0);
    expect(ofType(table.act(0, { do: 'adj', value: -1 }), 'ignored')).toMatchObject([{ reason: 'LIMIT' }]);
  });
});

describe('calls outside the tray', () => {
  test('only those that the scenario opens', () => {
    const table = new Table(plain());
    const call = { call: 'mmap', length: 4096, prot: 'PROT_READ', flags: 'MAP_PRIVATE|MAP_ANONYMOUS' };
    expect(ofType(table.act(0, { do: 'call', call }), 'ignored')).toMatchObject([{ reason: 'NOT_OPEN' }]);
    const open = new Table(plain('buffer', [{}], { calls: ['mmap'] }));
    const { vss } = open.view().memory;
    open.act(0, { do: 'call', call });
    expect(open.view().memory.vss).toBe(vss + 1);
  });

  test('none touches more than 256 pages at once, so that a machine’s touches are bounded a tick', () => {
    const table = new Table(
      plain('buffer', [{}], {
        calls: ['mmap', 'write', 'read'],
        economy: { ...plain().economy, budgetPerTick: 100_000 },
        machine: { framesPerSeat: 2000, homeFrames: 4, kernel: {} },
      }),
    );
    const map = { call: 'mmap', prot: 'PROT_READ|PROT_WRITE', flags: 'MAP_PRIVATE|MAP_ANONYMOUS' };
    const reasons = (call: Call) => ofType(table.act(0, { do: 'call', call }), 'ignored').map(({ reason }) => reason);
    const length = CALL_TOUCHES * 4096;
    expect(reasons({ ...map, length: 4 * length })).toEqual([]);
    const { addr } = { addr: table.view().areas.at(-1)!.start };
    expect(reasons({ call: 'write', addr, length })).toEqual([]);
    for (const call of [
      { call: 'write', addr, length: length + 1 },
      { call: 'read', addr, length: length + 1 },
      { ...map, flags: 'MAP_PRIVATE|MAP_ANONYMOUS|MAP_POPULATE', length: length + 1 },
      { ...map, flags: ['MAP_LOCKED', 'MAP_PRIVATE', 'MAP_ANONYMOUS'], length: length + 1 },
    ]) {
      table.wait(1);
      expect(reasons(call)).toEqual(['LIMIT']);
    }
    // Half a call a tick and seat, a hundred seats.
    expect((100 / 2) * CALL_TOUCHES).toBeLessThanOrEqual(TOUCHES_PER_TICK);
  });

  test('a job whose memory was unmapped behind its back is no job any more', () => {
    const table = new Table(plain('buffer', [{}], { calls: ['munmap'] }));
    const { addr } = table.serve('mmap');
    table.act(0, { do: 'call', call: { call: 'munmap', addr, length: 4096 } });
    expect(table.view().holdings.filter(({ tool }) => tool !== 'call')).toEqual([]);
    expect(table.state().settled).toBe(0);
  });

  test('a segmentation fault ends the process; it comes back without a penalty', () => {
    const table = new Table(plain('buffer', [{}], { calls: ['write'] }));
    table.state().milli = 100_000;
    const { pid } = table.view();
    const events = table.act(0, { do: 'call', call: { call: 'write', addr: 4096, length: 1 } });
    expect(ofType(events, 'crashed')).toMatchObject([{ seat: 0, pid, signal: 'SIGSEGV' }]);
    table.until(() => table.view().alive);
    expect(table.milli()).toBe(100_000);
    expect(table.view().pid).not.toBe(pid);
  });
});
