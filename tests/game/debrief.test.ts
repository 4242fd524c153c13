/** The debrief's three moments are in the round: each is checked against the machine at its tick, or against a round made for it. */
import { describe, expect, test } from 'vitest';
import { createChronicle, note, type Chronicle } from '#game/chronicle.ts';
import { debriefOf } from '#game/debrief.ts';
import { classView, createRound, playTick, roundHash, type Round } from '#game/round.ts';
import type { RoundEvent, Tick } from '#game/types.ts';
import { botLog, startOf, type Log } from './helpers/logs.ts';
import { ofType, plain, shipped, Table } from './helpers/rounds.ts';

interface Read {
  chronicle: Chronicle;
  /** Events of tick n at index n − 1. */
  events: RoundEvent[][];
  round: Round;
}

function read(round: Round, ticks: readonly Tick[]): Read {
  const chronicle = createChronicle(round);
  const events = ticks.map((tick) => {
    const happened = playTick(round, tick);
    note(chronicle, round, tick, happened);
    return happened;
  });
  return { chronicle, events, round };
}

const readLog = (log: Log): Read => read(startOf(log), log.ticks);
const logs = (['who-is-next', 'swiss-cheese', 'swiss-cheese'] as const).map((id, n) => botLog({ ...shipped(id), seconds: 180 }, 3 + n, 12));

describe('a chronicle', () => {
  test('is read back by no rule: the round is the same with it', () => {
    for (const log of logs) expect(roundHash(readLog(log).round)).toBe(roundHash(log.round));
  });

  test('has a number of free frames for every tick, those of the machine', () => {
    const log = logs[0]!;
    const { chronicle } = readLog(log);
    expect(chronicle.free).toHaveLength(log.ticks.length);
    expect(chronicle.largest).toHaveLength(log.ticks.length);
    const round = startOf(log);
    for (const tick of log.ticks) {
      playTick(round, tick);
      if (tick.n % 97 !== 0) continue;
      const { machine } = classView(round);
      expect([tick.n, chronicle.free[tick.n - 1], chronicle.largest[tick.n - 1]]).toEqual([tick.n, machine.free, machine.largestOrder]);
    }
  });

  test('marks every kill at its tick, every refused order once, late joins and leaves', () => {
    for (const log of logs) {
      const { chronicle, events } = readLog(log);
      const killed = events.flatMap((happened, at) => ofType(happened, 'killed').map(({ pid }) => `${at + 1} ${pid}`));
      expect(chronicle.marks.flatMap((mark) => (mark.kind === 'killed' ? [`${mark.tick} ${mark.pid}`] : []))).toEqual(killed);
      const refused = events.flatMap((happened) =>
        ofType(happened, 'refused').filter(({ why }) => why.code === 'FRAGMENTED' || why.code === 'LOW_MEMORY'),
      );
      expect(chronicle.marks.reduce((sum, mark) => sum + (mark.kind === 'failed' ? mark.count : 0), 0)).toBe(refused.length);
      for (const mark of chronicle.marks) {
        if (mark.kind !== 'failed') continue;
        const whys = ofType(events[mark.tick - 1]!, 'refused').map(({ why }) => why);
        // What the kernel keeps back is a reason only where free memory is short, not where it lies in pieces.
        expect(whys).toContainEqual(
          mark.fragmented
            ? expect.objectContaining({ code: 'FRAGMENTED', freePages: mark.free })
            : expect.objectContaining({ code: 'LOW_MEMORY', freePages: mark.free, mark: mark.kept }),
        );
      }
      expect(chronicle.marks.filter(({ kind }) => kind === 'joined').length).toBeGreaterThanOrEqual(1);
      expect(chronicle.marks.filter(({ kind }) => kind === 'left')).toHaveLength(1);
      const ticks = chronicle.marks.map(({ tick }) => tick);
      expect(ticks).toEqual(ticks.toSorted((a, b) => a - b));
    }
  });

  test('can begin in the middle', () => {
    const log = logs[0]!;
    const round = startOf(log);
    for (const tick of log.ticks.slice(0, 500)) playTick(round, tick);
    const late = read(round, log.ticks.slice(500)).chronicle;
    expect(late.first).toBe(500);
    const whole = readLog(log).chronicle;
    expect(late.free).toEqual(whole.free.slice(500));
    expect(late.marks.filter(({ kind }) => kind === 'killed')).toEqual(
      whole.marks.filter(({ kind, tick }) => kind === 'killed' && tick > 500),
    );
  });
});

describe('the kill', () => {
  test('is the one that cost most, with at most five causes in their order, the request last', () => {
    const told = logs.map((log) => ({ ...readLog(log), log })).filter(({ chronicle }) => chronicle.kills.length > 0);
    expect(told.length).toBeGreaterThan(0);
    for (const { chronicle, events } of told) {
      const kill = debriefOf(chronicle).kill!;
      const lost = events.flatMap((happened) => ofType(happened, 'killed').map((event) => event.lost));
      expect(kill.mark.lost).toBe(Math.max(...lost));
      expect(kill.causes.length).toBeGreaterThanOrEqual(1);
      expect(kill.causes.length).toBeLessThanOrEqual(5);
      const ticks = kill.causes.map(({ tick }) => tick);
      expect(ticks).toEqual(ticks.toSorted((a, b) => a - b));
      expect(kill.causes.at(-1)).toMatchObject({ kind: 'asked', tick: kill.mark.tick, seat: kill.mark.asker });
      for (const cause of kill.causes) {
        if (cause.kind === 'took') {
          expect(ofType(events[cause.tick - 1]!, 'granted')).toContainEqual(
            expect.objectContaining({ seat: cause.seat, frames: cause.frames }),
          );
        }
        if (cause.kind === 'kept') expect(cause.seat).toBe(kill.mark.seat);
      }
    }
  });

  test('a seat that never frees is told what it kept', () => {
    const table = new Table(
      plain('buffer', [{ frames: 30, bytes: 30 * 4096, holdMilli: 100 }], { machine: { framesPerSeat: 60, homeFrames: 4, kernel: {} } }),
      1,
    );
    const first = createRound(table.round.scenario, table.round.seed, 1);
    for (let n = 0; n < 400 && ofType(table.events, 'killed').length === 0; n++) {
      const card = table.view().hand[0];
      if (card === undefined || !table.view().alive) table.tick();
      else table.act(0, { do: 'use', tool: 'mmap', card: card.id });
    }
    const { chronicle } = read(first, table.ticks);
    const { kill } = debriefOf(chronicle);
    expect(kill).not.toBeNull();
    const kept = kill!.causes.find(({ kind }) => kind === 'kept');
    expect(kept).toMatchObject({ seat: 0 });
    expect(kept!.frames).toBeGreaterThanOrEqual(30);
  });
});

describe('fragmentation and the free that ends it', () => {
  const empty = (): Chronicle => createChronicle(createRound(plain(), 1, 1));
  const shortage = (tick: number, free: number) => ({ tick, seat: 1, pid: 5, order: 4, needed: 16, free, largestRun: 8 });

  test('the first failure with half of the memory free; without one, that with most free', () => {
    const half = { ...empty(), managed: 100, shortages: [shortage(5, 40), shortage(9, 50), shortage(12, 90)] };
    expect(debriefOf(half).fragmentation).toMatchObject({ tick: 9, half: true, managed: 100 });
    const less = { ...empty(), managed: 100, shortages: [shortage(5, 30), shortage(9, 45), shortage(12, 45)] };
    expect(debriefOf(less).fragmentation).toMatchObject({ tick: 9, half: false });
    expect(debriefOf(empty()).fragmentation).toBeNull();
  });

  test('in a real round it says the kernel’s own numbers', () => {
    const found = logs.map((log) => readLog(log)).filter(({ chronicle }) => chronicle.shortages.length > 0);
    expect(found.length).toBeGreaterThan(0);
    for (const { chronicle, events } of found) {
      const { tick, seat, order, free, needed } = debriefOf(chronicle).fragmentation!;
      const whys = ofType(events[tick - 1]!, 'refused').filter((event) => event.seat === seat);
      expect(whys.map(({ why }) => why)).toContainEqual(expect.objectContaining({ code: 'FRAGMENTED', order, freePages: free, needed }));
    }
  });

  test('the decisive free is one that was waited for, then the one that let most through', () => {
    const opening = (tick: number, from: number, to: number) => ({ tick, seat: 2, pid: 6, frames: 8, from, to });
    const ask = (tick: number, order: number, granted: boolean) => ({ tick, seat: 3, order, granted });
    const chronicle = {
      ...empty(),
      openings: [opening(100, 2, 4), opening(500, 1, 3), opening(900, 2, 4)],
      asks: [ask(101, 4, true), ask(102, 4, true), ask(450, 3, false), ask(510, 2, true), ask(880, 5, false), ask(950, 4, true)],
    };
    expect(debriefOf(chronicle).freed).toMatchObject({ tick: 500, seat: 2, refusedBefore: 1, grantedAfter: 1 });
    expect(debriefOf({ ...chronicle, asks: chronicle.asks.slice(0, 2) }).freed).toMatchObject({ tick: 100, grantedAfter: 2 });
    expect(debriefOf({ ...chronicle, asks: [] }).freed).toBeNull();
  });

  test('an opening stands where somebody freed, and the largest free block grew', () => {
    for (const log of logs) {
      const { chronicle, events } = readLog(log);
      for (const { tick, seat, frames, from, to } of chronicle.openings) {
        expect(to).toBeGreaterThan(from);
        expect(chronicle.largest[tick - 1]).toBe(to);
        expect(ofType(events[tick - 1]!, 'freed')).toContainEqual(expect.objectContaining({ seat, frames }));
      }
    }
  });
});
