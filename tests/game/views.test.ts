/** What a screen shows is what the machine is: views against the kernel's own files and lists. */
import { describe, expect, test } from 'vitest';
import { call } from '#kernel/machine.ts';
import { classView, framesOfHolding, podium, restoreRound, roundHash, saveRound, seatOfPid, seatView } from '#game/round.ts';
import { playBots } from '#game/bots/calibration.ts';
import { MIX } from './helpers/logs.ts';
import { plain, shipped, Table } from './helpers/rounds.ts';

const text = (table: { machine: Parameters<typeof call>[0] }, path: string): string => {
  const answer = call(table.machine, 0, { call: 'cat', path });
  return answer.ok ? answer.text! : '';
};
const kb = (status: string, field: string): number => Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(status)?.[1]);

/** A round in the middle, with all kinds of things held. */
function midRound(): ReturnType<typeof playBots> {
  let saved: Uint8Array | null = null;
  playBots({ ...shipped('who-is-next'), seconds: 60 }, 5, [...MIX, ...MIX], (round) => {
    if (round.now === 400) saved = saveRound(round);
  });
  return restoreRound(saved!);
}

describe('a seat’s view', () => {
  const round = midRound();
  const views = [...round.game.seats.keys()].map((seat) => seatView(round, seat)!);

  test('agrees with /proc/PID/status', () => {
    for (const { pid, memory, alive } of views) {
      if (!alive) continue;
      const status = text(round, `/proc/${pid}/status`);
      expect(memory.rss * 4).toBe(kb(status, 'VmRSS'));
      expect(memory.vss * 4).toBe(kb(status, 'VmSize'));
      expect(memory.tables * 4).toBe(kb(status, 'VmPTE'));
      expect(memory.vss).toBeGreaterThanOrEqual(memory.rss);
      expect(memory.rss).toBeGreaterThanOrEqual(memory.pss);
      expect(memory.pss).toBeGreaterThanOrEqual(memory.uss);
    }
  });

  test('agrees with /proc/PID/oom_score, and the next in line is the same on all screens', () => {
    for (const { pid, oomScore, alive } of views) if (alive) expect(oomScore).toBe(Number(text(round, `/proc/${pid}/oom_score`)));
    expect(new Set(views.map(({ killNext }) => killNext)).size).toBe(1);
    const first = views.find(({ killRank }) => killRank === 1)!;
    expect(first.seat).toBe(first.killNext);
  });

  test('lists areas whose resident pages add up to RSS, and holdings that add up to what is held', () => {
    for (const { areas, memory, alive } of views) {
      if (alive) expect(areas.reduce((sum, area) => sum + area.resident, 0)).toBe(memory.rss);
    }
    for (const row of classView(round).processes) {
      const view = views[row.seat]!;
      expect(view.holdings.reduce((sum, { frames }) => sum + frames, 0)).toBe(row.held);
    }
  });

  test('what a seat holds for itself is what the kernel has given it', () => {
    for (const [number, seat] of round.game.seats) {
      const task = round.machine.tasks.get(seat.pid);
      if (!task) continue;
      const own = [...seat.holdings.values()].filter(({ kind }) => kind !== 'child').reduce((sum, { frames }) => sum + frames, 0);
      expect(own, `seat ${number}`).toBe(task.mm.rssAnon + task.kernelPages - round.scenario.machine.homeFrames);
    }
  });

  test('sums up what is held', () => {
    for (const { holdings, totals } of views) {
      const done = holdings.filter(({ state }) => state === 'done');
      expect(totals.rentMilli).toBe(holdings.reduce((sum, { rentMilli }) => sum + rentMilli, 0));
      expect([totals.done, totals.doneFrames]).toEqual([done.length, done.reduce((sum, { frames }) => sum + frames, 0)]);
      // What is freed already, and blocked on the heap, no key can free again.
      expect(totals.pending).toBe(done.filter(({ blocked }) => !blocked).reduce((sum, { pending }) => sum + pending, 0));
    }
    expect(views.some(({ totals }) => totals.done > 0)).toBe(true);
  });

  test('a process and its children count to its seat, the kernel and the dead to none', () => {
    for (const { pid, ppid } of round.machine.tasks.values()) {
      const own = views.find((view) => view.alive && (view.pid === pid || view.pid === ppid));
      expect(seatOfPid(round, pid)).toBe(own?.seat ?? null);
    }
    expect(seatOfPid(round, 0)).toBe(null);
    expect(seatOfPid(round, round.machine.nextPid)).toBe(null);
  });

  test('names the frames of each holding, as many as it has and each its own', () => {
    let asked = 0;
    for (const [number, seat] of round.game.seats) {
      const seen = new Set<number>();
      for (const holding of seat.holdings.values()) {
        const tables = holding.kind === 'child' ? round.machine.tasks.get(holding.pid)!.mm.tables : 0;
        const pfns = framesOfHolding(round, number, holding.id);
        expect(pfns.length, `${holding.kind} of seat ${number}`).toBe(holding.frames - tables);
        for (const pfn of pfns) {
          expect(seatOfPid(round, round.machine.frames.owner[pfn]!) ?? number).toBe(number);
          expect(seen.has(pfn)).toBe(false);
          seen.add(pfn);
        }
        asked += pfns.length;
      }
    }
    expect(asked).toBeGreaterThan(0);
    expect(framesOfHolding(round, 0, 0)).toEqual([]);
  });

  test('a seat that climbs by the points it is told leaves its third', () => {
    for (const { points, third, climb, seat } of views) {
      expect(climb === null, `seat ${seat}`).toBe(third === 1);
      if (climb === null) continue;
      const better = views.filter((view) => view.third < third);
      expect(better.some((view) => view.points < points + climb)).toBe(true);
    }
  });

  test('looking changes nothing', () => {
    const before = roundHash(round);
    for (const seat of round.game.seats.keys()) seatView(round, seat);
    classView(round);
    podium(round);
    expect(roundHash(round)).toBe(before);
  });
});

describe('the class’ view', () => {
  const round = midRound();

  test('agrees with /proc/buddyinfo', () => {
    const { machine } = classView(round);
    const rows = text(round, '/proc/buddyinfo')
      .trim()
      .split('\n')
      .map((line) => line.trim().split(/\s+/).slice(4).map(Number));
    expect(machine.freeLists).toEqual(rows[0]!.map((_, order) => rows.reduce((sum, row) => sum + row[order]!, 0)));
    expect(machine.free).toBe(machine.freeLists.reduce((sum, blocks, order) => sum + (blocks << order), 0));
    expect(machine.largestOrder).toBe(machine.freeLists.findLastIndex((blocks) => blocks > 0));
    expect(machine.unusableMilli[0]).toBe(0);
  });

  test('ranks everybody once, points falling', () => {
    const { rows, points, class: figures } = podium(round);
    expect(rows.length).toBe(round.game.seats.size);
    for (let i = 1; i < points.length; i++) expect(points[i]!.points).toBeLessThanOrEqual(points[i - 1]!.points);
    expect(figures.settled).toBeLessThanOrEqual(figures.dealt);
  });
});

describe('the podium', () => {
  test('names no citizen before the fifth job, and equals share a place', () => {
    const table = new Table(plain('buffer', [{}], { seconds: 300 }), 3);
    expect(podium(table.round).citizen).toEqual([]);
    expect(podium(table.round).points.map(({ place }) => place)).toEqual([1, 1, 1]);
    for (let n = 0; n < 5; n++) {
      table.serve('mmap');
      table.until(() => table.holding().state === 'done');
      table.act(0, { do: 'freeDone' });
    }
    const { points, citizen } = podium(table.round);
    expect(points.map(({ seat, place }) => [seat, place])).toEqual([
      [0, 1],
      [1, 2],
      [2, 2],
    ]);
    expect(citizen.map(({ seat, place }) => [seat, place])).toEqual([[0, 1]]);
  });
});

describe('the range of oom_score_adj', () => {
  test('is what the next action takes: down with a root token, up without', () => {
    const table = new Table(plain());
    expect(table.view().adj).toEqual({ value: 0, min: -500, max: 1000, tokens: 1 });
    table.act(0, { do: 'adj', value: -500 });
    expect(table.view().adj).toEqual({ value: -500, min: -500, max: 1000, tokens: 0 });
    table.wait(310);
    expect(table.view().adj).toEqual({ value: 0, min: 0, max: 1000, tokens: 0 });
    expect(table.act(0, { do: 'adj', value: -1 })).toMatchObject([{ type: 'ignored', reason: 'LIMIT' }]);
    table.act(0, { do: 'adj', value: 300 });
    expect(table.view().adj).toEqual({ value: 300, min: 0, max: 1000, tokens: 0 });
  });
});

describe('the figure of good citizens', () => {
  test('is needed ÷ held page time, from five jobs on', () => {
    const table = new Table(plain('buffer', [{}], { seconds: 300 }));
    for (let n = 0; n < 5; n++) {
      table.serve('mmap');
      expect(table.view().citizenMilli === 0).toBe(n < 4);
      table.until(() => table.holding().state === 'done');
      table.act(0, { do: 'freeDone' });
    }
    const tight = table.view().citizenMilli;
    expect(tight).toBeGreaterThan(900);
    table.serve('mmap');
    table.until(() => table.holding().state === 'done');
    table.wait(500);
    expect(table.view().citizenMilli).toBeLessThan(tight - 300);
  });
});
