/** Seats come and go: a seat outlives its process, and who comes late brings memory along. */
import { describe, expect, test } from 'vitest';
import { classView, podium } from '#game/round.ts';
import { ofType, plain, shipped, Table } from './helpers/rounds.ts';

describe('the machine', () => {
  test('grows with the seats and is a multiple of 64 frames', () => {
    const sizes = [1, 2, 10, 30, 60, 100].map((seats) => new Table(shipped('swiss-cheese'), seats, 7, false).round.machine.frames.count);
    for (const frames of sizes) expect(frames % 64).toBe(0);
    expect([...sizes].sort((a, b) => a - b)).toEqual(sizes);
    expect(sizes.at(-1)! / 100).toBeGreaterThan(75);
    expect(sizes.at(-1)! / 100).toBeLessThan(95);
  });

  test('a joining seat that was planned changes nothing; one beyond brings its frames', () => {
    const table = new Table(plain(), 2, 7, false);
    const start = table.round.machine.frames.count;
    table.tick({ type: 'join', seat: 0, bot: null }, { type: 'join', seat: 5, bot: null });
    expect(table.round.machine.frames.count).toBe(start);
    const { hand } = table.view(0);
    table.tick({ type: 'join', seat: 9, bot: null });
    expect(table.round.machine.frames.count).toBe(start + 128);
    expect(table.view(9)).toMatchObject({ alive: true, of: 3 });
    expect(table.view(9).hand.length).toBe(1);
    expect(table.view(0).hand.length).toBe(hand.length);
  });

  test('up to a hundred seats find room', () => {
    const table = new Table(plain(), 1, 7, false);
    table.tick(...Array.from({ length: 100 }, (_, seat) => ({ type: 'join', seat, bot: null }) as const));
    expect(classView(table.round).processes.every(({ alive }) => alive)).toBe(true);
    expect(table.round.machine.frames.count).toBeLessThanOrEqual(65536);
  });
});

describe('a seat', () => {
  test('joined twice is joined once', () => {
    const table = new Table(plain(), 1);
    const { pid } = table.view();
    table.tick({ type: 'join', seat: 0, bot: null });
    expect(table.view().pid).toBe(pid);
    expect(table.round.game.seats.size).toBe(1);
  });

  test('that leaves gives its memory back and keeps its points; when it returns it is a new process', () => {
    const table = new Table(plain(), 2);
    table.serve('mmap');
    table.state().milli = 5_000;
    const { pid } = table.view();
    const free = () => table.round.machine.zones.reduce((sum, zone) => sum + zone.free, 0);
    const before = free();
    const events = table.tick({ type: 'leave', seat: 0 });
    expect(ofType(events, 'left')).toEqual([{ type: 'left', seat: 0 }]);
    expect(free()).toBeGreaterThan(before);
    expect(table.view()).toMatchObject({ alive: false, points: 5, holdings: [], hand: [] });
    table.wait(100);
    expect(table.view().alive).toBe(false);
    table.tick({ type: 'join', seat: 0, bot: null });
    expect(table.view()).toMatchObject({ alive: true, points: 5 });
    expect(table.view().pid).not.toBe(pid);
  });

  test('that came late is ranked by what it makes of its cards', () => {
    const table = new Table(plain('buffer', [{}], { seconds: 120 }), 2);
    table.wait(600);
    table.tick({ type: 'join', seat: 2, bot: null });
    table.wait(100);
    Object.assign(table.state(0), { milli: 100_000, dealt: 20 });
    Object.assign(table.state(1), { milli: 60_000, dealt: 20 });
    Object.assign(table.state(2), { milli: 40_000, dealt: 10 });
    expect(podium(table.round).points.map(({ seat }) => seat)).toEqual([0, 2, 1]);
    Object.assign(table.state(2), { dealt: 4 });
    expect(podium(table.round).points.map(({ seat }) => seat)).toEqual([0, 1, 2]);
  });

  test('ties go to fewer misfits, then to the better citizen', () => {
    const table = new Table(plain(), 3);
    for (const seat of [0, 1, 2])
      Object.assign(table.state(seat), { milli: 50_000, misfits: seat === 1 ? 0 : 2, granted: 6, heldSum: 100 });
    table.state(0).neededSum = 40;
    table.state(2).neededSum = 90;
    expect(podium(table.round).points.map(({ seat }) => seat)).toEqual([1, 2, 0]);
  });
});

describe('the host', () => {
  test('extends and ends a round', () => {
    const table = new Table(plain('buffer', [{}], { seconds: 20 }), 1);
    table.tick({ type: 'extend', ticks: 100 });
    table.wait(250);
    expect(table.round.over).toBe(false);
    const events = table.tick({ type: 'end' });
    expect(table.round.over).toBe(true);
    expect(ofType(events, 'over').length).toBe(1);
    const points = table.milli();
    expect(ofType(table.act(0, { do: 'freeDone' }), 'ignored')).toMatchObject([{ reason: 'ROUND_OVER' }]);
    expect(table.milli()).toBe(points);
  });
});
