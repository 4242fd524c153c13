/** The OOM killer: the kernel chooses by badness; the game takes what the victim held, some points, and gives it a new PID. */
import { describe, expect, test } from 'vitest';
import { oomBadness } from '#kernel/mm/oom_badness.ts';
import type { RoundEvent, Scenario } from '#game/types.ts';
import { ofType, plain, Table } from './helpers/rounds.ts';

/** Two seats on a small machine; seat 0 takes kernel pages until somebody dies. */
function crowded(over: Partial<Scenario> = {}): Table {
  return new Table(plain('buffer', [{}], { machine: { framesPerSeat: 60, homeFrames: 4, kernel: {} }, ...over }), 2);
}

/** Seat 1 takes memory for nothing, seat 0 asks for more and more, until a kill. */
function untilKill(table: Table, hog: 0 | 1): RoundEvent[] {
  for (let i = 0; i < 400; i++) {
    const seat = i % 4 === 0 ? 1 - hog : hog;
    const order = seat === hog ? 3 : 0;
    const events = table.act(seat, { do: 'use', tool: 'alloc_pages', card: 0, order });
    if (ofType(events, 'killed').length > 0) return events;
    table.wait(2);
  }
  throw new Error('nobody was killed');
}

describe('a kill', () => {
  test('takes the process with the highest badness, whoever asked', () => {
    const table = crowded();
    const before = new Map<number, number>();
    for (let i = 0; ; i++) {
      before.clear();
      for (const task of table.round.machine.tasks.values()) before.set(task.pid, oomBadness(table.round.machine, task) ?? -1);
      const [killed] = ofType(
        table.act(i % 3 === 0 ? 0 : 1, { do: 'use', tool: 'alloc_pages', card: 0, order: i % 3 === 0 ? 1 : 3 }),
        'killed',
      );
      table.wait(2);
      if (!killed) continue;
      expect(Math.max(...before.values())).toBe(before.get(killed.pid));
      expect(killed.badness).toBe(before.get(killed.pid));
      break;
    }
  });

  test('has two rows, asker and victim, and names the next in line', () => {
    const table = crowded();
    const [killed] = ofType(untilKill(table, 1), 'killed');
    const victim = killed!.seat!;
    const { killed: card } = table.view(victim);
    expect(card).toMatchObject({ victim: { seat: victim, pid: killed!.pid, badness: killed!.badness }, asker: { seat: killed!.asker } });
    expect(card!.victim.badness).toBeGreaterThan(40);
    expect(card!.next).not.toBe(victim);
  });

  test('takes everything that the process held, and all of its frames are free again', () => {
    const table = crowded();
    const [killed] = ofType(untilKill(table, 1), 'killed');
    const seen = table.view(killed!.seat!);
    expect(seen).toMatchObject({ alive: false, pid: 0, holdings: [], badness: 0 });
    const { owner, flags } = table.round.machine.frames;
    const owned = Array.from(owner).filter((pid, pfn) => pid === killed!.pid && flags[pfn] !== 0 && (flags[pfn]! & 2) === 0);
    expect(owned).toEqual([]);
  });

  test('costs a tenth of the points, at most 60; pending pay is lost; the points are never below 0 by it', () => {
    for (const [milli, penalty] of [
      [200_000, 20],
      [900_000, 60],
      [-5_000, 0],
    ] as const) {
      const table = crowded();
      const start = untilKillPrepared(table, 1, milli);
      expect(start.lost).toBe(penalty);
      expect(table.milli(1)).toBe(start.milli - penalty * 1000);
    }
  });

  test('the first kill of a student’s first 90 s is free', () => {
    const table = crowded({ economy: { ...plain().economy, graceSeconds: 90 } });
    const start = untilKillPrepared(table, 1, 500_000);
    expect(start.lost).toBe(0);
    expect(table.milli(1)).toBe(start.milli);
  });
});

/** Sets the hog's points just before the tick of its kill, with no rent to blur them. */
function untilKillPrepared(table: Table, hog: 0 | 1, milli: number): { lost: number; milli: number } {
  (table.round.scenario.economy as { rentMilliPerFrameSecond: number }).rentMilliPerFrameSecond = 0;
  for (let i = 0; i < 400; i++) {
    table.state(hog).milli = milli;
    const events = table.act(i % 4 === 0 ? 1 - hog : hog, { do: 'use', tool: 'alloc_pages', card: 0, order: i % 4 === 0 ? 0 : 3 });
    const [killed] = ofType(events, 'killed');
    if (killed?.seat === hog) return { lost: killed.lost, milli };
    table.wait(2);
  }
  throw new Error('nobody was killed');
}

describe('coming back', () => {
  test('as a new PID after 5 s, then 10, then 20 within a minute', () => {
    const table = crowded({ seconds: 600 });
    const waits: number[] = [];
    const pids: number[] = [];
    for (let n = 0; n < 3; n++) {
      const [killed] = ofType(untilKill(table, 1), 'killed');
      expect(killed!.seat).toBe(1);
      pids.push(killed!.pid);
      const at = table.state(1).diedAt;
      table.until(() => table.view(1).alive);
      waits.push(table.round.now - at);
      table.act(0, { do: 'freeDone' });
    }
    expect(waits).toEqual([50, 100, 200]);
    expect(new Set(pids).size).toBe(3);
    expect(table.view(1).pid).toBeGreaterThan(Math.max(...pids));
  });

  test('cards lose no patience meanwhile, and actions are ignored', () => {
    const table = crowded();
    table.until(() => table.view(1).hand.length > 0);
    untilKill(table, 1);
    const before = table.view(1).hand.map(({ id, patienceLeftTicks }) => [id, patienceLeftTicks]);
    expect(ofType(table.act(1, { do: 'freeDone' }), 'ignored')).toMatchObject([{ reason: 'DEAD' }]);
    table.until(() => table.view(1).alive);
    expect(table.view(1).hand.map(({ id, patienceLeftTicks }) => [id, patienceLeftTicks])).toEqual(before);
  });

  test('from the second kill on the address space is limited to 2.5 fair shares', () => {
    const table = crowded({ seconds: 600 });
    const limit = () => table.round.machine.tasks.get(table.view(1).pid)!.rlimits.RLIMIT_AS!.cur;
    const free = limit();
    untilKill(table, 1);
    table.until(() => table.view(1).alive);
    expect(limit()).toBe(free);
    table.act(0, { do: 'freeDone' });
    untilKill(table, 1);
    table.until(() => table.view(1).alive);
    const managed = table.round.machine.zones.reduce((sum, zone) => sum + zone.managed, 0);
    expect(limit()).toBe(Math.trunc((Math.trunc(managed / 2) * 2500) / 1000) * 4096);
  });
});

describe('a child', () => {
  test('dies with its parent', () => {
    const table = crowded();
    table.act(1, { do: 'use', tool: 'fork', card: 0 });
    const child = table.state(1).holdings.get(table.holding(1).id)!.pid;
    expect(table.round.machine.tasks.has(child)).toBe(true);
    untilKill(table, 1);
    expect(table.view(1).alive).toBe(false);
    expect(table.round.machine.tasks.has(child)).toBe(false);
  });

  test('killed alone it counts to its seat, which lives on', () => {
    const table = new Table(
      plain('buffer', [{}], { calls: ['mmap', 'write'], machine: { framesPerSeat: 40, homeFrames: 4, kernel: {} } }),
      4,
    );
    const { pid } = table.view(1);
    table.act(1, {
      do: 'call',
      call: { call: 'mmap', length: 90 * 4096, prot: 'PROT_READ|PROT_WRITE', flags: 'MAP_PRIVATE|MAP_ANONYMOUS' },
    });
    table.act(1, { do: 'call', call: { call: 'write', addr: table.view(1).areas[0]!.start, length: 90 * 4096 } });
    table.act(1, { do: 'use', tool: 'fork', card: 0 });
    const child = [...table.state(1).holdings.values()].find(({ kind }) => kind === 'child')!.pid;
    const killed = (() => {
      for (let i = 0; i < 300; i++) {
        const [found] = ofType(table.act([0, 2, 3][i % 3]!, { do: 'use', tool: 'alloc_pages', card: 0, order: 1 }), 'killed');
        if (found) return found;
        table.wait(2);
      }
      throw new Error('nobody was killed');
    })();
    // Parent and child have the same pages; of equals the kernel takes the later process.
    expect(killed).toMatchObject({ seat: 1, pid: child });
    expect(table.view(1)).toMatchObject({ alive: true, pid });
    expect(table.view(1).holdings.every(({ tool }) => tool !== 'fork')).toBe(true);
  });
});
