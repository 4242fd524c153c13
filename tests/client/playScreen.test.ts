/** What the play screen decides for itself: hues, the panels that open, the log's lines, motions, and the room in the browser. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createFacts, emit, FACT } from '#kernel/facts.ts';
import { parseScenario } from '#game/scenario.ts';
import { roundHash, seatView } from '#game/round.ts';
import type { ProcessRow, RoundEvent, SeatView } from '#game/types.ts';
import { lineOf } from '../../client/panels/play/logLines.ts';
import { openedBy, PANELS } from '../../client/panels/play/opening.ts';
import { rankOf } from '../../client/panels/play/PlayHeader.tsx';
import { adjRefusal } from '../../client/panels/play/YouPanel.tsx';
import { LocalSession } from '../../client/session/LocalSession.ts';
import { motionsOf, MOTIONS_MAX } from '../../client/views/motions.ts';
import { chooseHues, looks, watchedSeats } from '../../client/views/owners.ts';
import { HUES, STYLE } from '../../client/views/palette.ts';

const SCENARIO = parseScenario(JSON.parse(readFileSync(new URL('../../assets/scenarios/swiss-cheese.json', import.meta.url), 'utf8')));

describe('hues', () => {
  const seats = (n: number): number[] => Array.from({ length: n }, (_, seat) => seat);

  test('go to the eight most watched, none to oneself', () => {
    const hues = chooseHues(new Map(), seats(30), 3);
    expect([...hues.keys()]).toEqual([0, 1, 2, 4, 5, 6, 7, 8]);
    expect(new Set(hues.values()).size).toBe(HUES);
  });

  test('stay with their owner while it is near the top, and go to another when it is not', () => {
    const first = chooseHues(new Map(), seats(30), -1);
    const swapped = [1, 0, 3, 2, 5, 4, 7, 8, 6, ...seats(30).slice(9)];
    expect(chooseHues(first, swapped, -1)).toBe(first);
    const away = [...seats(30).slice(1), 0];
    const after = chooseHues(first, away, -1);
    expect(after.has(0)).toBe(false);
    expect(after.get(8)).toBe(first.get(0));
    expect(after.get(1)).toBe(first.get(1));
  });

  test('a small room keeps its order of seats, a large one watches whom the OOM killer would take', () => {
    const row = (seat: number, killRank: number): ProcessRow => ({ seat, killRank }) as ProcessRow;
    expect(watchedSeats([row(0, 3), row(1, 1), row(2, 2)], 1)).toEqual([0, 2]);
    const rows = seats(12).map((seat) => row(seat, 12 - seat));
    expect(watchedSeats(rows, 0).slice(0, 3)).toEqual([11, 10, 9]);
  });

  test('a child is painted as its seat, the kernel as the kernel; a pid that nobody knows yet is asked for again', () => {
    let known = false;
    const lookOf = looks((pid) => (pid === 7 || known ? 2 : null), 2, new Map(), 2);
    expect(lookOf(0)).toMatchObject({ style: STYLE.kernel, lit: false });
    expect(lookOf(7)).toMatchObject({ style: STYLE.mine, glyph: 2, lit: true });
    expect(lookOf(8).style).toBe(STYLE.kernel);
    known = true;
    expect(lookOf(8).style).toBe(STYLE.mine);
  });
});

describe('panels', () => {
  const refused = { type: 'refused', seat: 3, card: 1, why: { code: 'NO_PROCESS' } } as RoundEvent;

  test('the first failed order opens the free lists, for whom it concerns', () => {
    const before = openedBy(false);
    expect(before.has('lists')).toBe(false);
    expect(openedBy(false, before, [refused], 4)).toBe(before);
    expect(openedBy(false, before, [refused], 3).has('lists')).toBe(true);
  });

  test('who has played sees all', () => {
    expect([...openedBy(true)]).toEqual([...PANELS]);
  });
});

describe('the log', () => {
  const names = (seat: number | null): string => (seat === 1 ? 'Ada' : '');

  test('says what happened to oneself, and of others what concerns all', () => {
    const freed: RoundEvent = { type: 'freed', seat: 1, frames: 8 };
    expect(lineOf(freed, 7, 1, names)).toMatchObject({ key: 'play.log.freed', numbers: { n: 8, kib: 32 }, mine: true, tick: 7 });
    expect(lineOf(freed, 7, 2, names)).toBeNull();
    expect(lineOf({ ...freed, frames: 0 }, 7, 1, names)).toBeNull();
    const killed: RoundEvent = { type: 'killed', seat: 1, pid: 9, asker: null, badness: 40, lost: 3 };
    expect(lineOf(killed, 7, 2, names)).toMatchObject({ key: 'play.log.killed', numbers: { who: 'Ada', badness: 40 } });
    expect(lineOf({ ...killed, seat: 5 }, 7, 2, names)).toMatchObject({ numbers: { who: 'PID 9' } });
    expect(lineOf(killed, 7, 1, names)).toMatchObject({ key: 'play.log.killedYou', numbers: { lost: 3 } });
  });

  test('addresses are not called frames', () => {
    const granted: RoundEvent = { type: 'granted', seat: 1, card: 2, fit: 'best', frames: 8, wasted: 0, kind: 'area' };
    expect(lineOf(granted, 7, 1, names)).toMatchObject({ key: 'play.log.mapped.best', numbers: { n: 8, kib: 32 } });
    expect(lineOf({ ...granted, kind: 'block' }, 7, 1, names)).toMatchObject({ key: 'play.log.granted.best' });
    const wasteful: RoundEvent = { ...granted, fit: 'fair', wasted: 2 };
    expect(lineOf(wasteful, 7, 1, names)).toMatchObject({ key: 'play.log.mapped.fair', numbers: { more: 2 } });
  });

  test('a refusal carries the kernel’s own numbers', () => {
    const why = { code: 'FRAGMENTED', order: 5, needed: 32, freePages: 90, largestOrder: 3, largestRun: 8 } as const;
    expect(lineOf({ type: 'refused', seat: 1, card: 2, why }, 1, 1, names)).toMatchObject({
      key: 'why.FRAGMENTED',
      numbers: { order: 5, needed: 32, freePages: 90, largestOrder: 3, largestRun: 8 },
    });
  });
});

describe('motions', () => {
  test('few at once, the largest first; a dead process’ blocks are known', () => {
    const ring = createFacts(256);
    for (let n = 0; n < 40; n++) emit(ring, FACT.blockSplit, n * 2, 1, 0);
    emit(ring, FACT.blockMerged, 512, 9, 0);
    emit(ring, FACT.pagesAllocated, 3, 0, 7);
    emit(ring, FACT.pagesFreed, 100, 2, 5);
    emit(ring, FACT.oomKilled, 5, 7, 90);
    emit(ring, FACT.pagesFreed, 200, 3, 5);
    emit(ring, FACT.pagesFreed, 300, 3, 6);
    const { motions, deaths } = motionsOf(ring, 0, (pid) => pid === 7);
    expect(motions.length).toBe(MOTIONS_MAX);
    expect(motions[0]).toEqual({ type: 'join', pfn: 512, order: 9 });
    expect(deaths).toEqual([{ pid: 5, blocks: [[200, 3]] }]);
  });
});

describe('the room in the browser', () => {
  const entropy = (): (() => number) => {
    let state = 11;
    return () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0);
  };
  const open = (): LocalSession =>
    new LocalSession({
      scenario: SCENARIO,
      name: 'Ada',
      bots: [
        { bot: 'free', name: 'one' },
        { bot: 'never', name: 'two' },
      ],
      seconds: 20,
      seed: 5,
      entropy: entropy(),
      timer: false,
    });

  test('seats everybody, plays to the end, and comes out the same each time', () => {
    const [one, two] = [open(), open()];
    expect(one.room.value?.roster.map(({ name }) => name)).toEqual(['Ada', 'one', 'two']);
    expect(seatView(one.round.value!, 0)?.alive).toBe(true);
    for (let n = 0; n < 300; n++) {
      one.step();
      two.step();
    }
    expect(one.room.value?.phase).toBe('podium');
    expect(one.tick.value).toBe(200);
    expect(roundHash(one.round.value!)).toBe(roundHash(two.round.value!));
  });

  test('an action comes back in the next tick, as its events', async () => {
    const session = open();
    const seen: RoundEvent[] = [];
    session.onEvents((events) => seen.push(...events));
    while (seatView(session.round.value!, 0)!.hand.length === 0) session.step();
    const card = seatView(session.round.value!, 0)!.hand[0]!;
    seen.length = 0;
    expect(await session.act({ do: 'use', tool: 'mmap', card: card.id })).toMatchObject({ ok: true });
    expect(seen).toEqual([]);
    session.step();
    expect(seen.filter((event) => 'seat' in event && event.seat === 0).length).toBeGreaterThan(0);
  });

  test('paused, nothing moves; again begins anew', async () => {
    const session = open();
    await session.host({ do: 'pause' });
    session.step();
    expect(session.tick.value).toBe(1);
    expect(await session.act({ do: 'freeDone' })).toEqual({ ok: false, code: 'WRONG_PHASE' });
    await session.host({ do: 'resume' });
    session.step();
    expect(session.tick.value).toBe(2);
    await session.host({ do: 'again' });
    expect(session.round.value!.now).toBe(1);
  });
});

describe('one’s own standing', () => {
  const mine = (over: Partial<SeatView>): SeatView => ({ points: 40, rank: 9, third: 2, of: 20, climb: 12, ...over }) as SeatView;

  test('is told in thirds, the first three as places; the last third hears what it takes to leave it', () => {
    expect(rankOf(mine({}), 'thirds')).toBe('second');
    expect(rankOf(mine({ rank: 5, third: 1, climb: null }), 'thirds')).toBe('first');
    expect(rankOf(mine({ rank: 2, third: 1, climb: null }), 'thirds')).toBe('place');
    expect(rankOf(mine({ rank: 20, third: 3 }), 'thirds')).toBe('climb');
    expect(rankOf(mine({ rank: 2, of: 2, third: 3 }), 'thirds')).toBe('climb');
    expect(rankOf(mine({ rank: 20, third: 3, climb: null }), 'thirds')).toBe(null);
  });

  test('is a place where ranks are full, nothing where there are none or nobody has points', () => {
    expect(rankOf(mine({ rank: 20, third: 3 }), 'full')).toBe('place');
    expect(rankOf(mine({}), 'none')).toBe(null);
    expect(rankOf(mine({ points: 0, rank: 1, third: 1, climb: null }), 'thirds')).toBe(null);
  });
});

test('a step of oom_score_adj that has no effect or no right says which', () => {
  const mine = (value: number, tokens: number, adjPages = 2): SeatView =>
    ({ adjPages, adj: { value, min: tokens > 0 ? -500 : 0, max: 1000, tokens } }) as SeatView;
  expect(adjRefusal(mine(0, 1), 100)).toBe(null);
  expect(adjRefusal(mine(0, 1), -100)).toBe(null);
  expect(adjRefusal(mine(0, 0), -100)).toBe('adjRoot');
  expect(adjRefusal(mine(300, 0), -100)).toBe(null);
  expect(adjRefusal(mine(-500, 1), -100)).toBe('adjLeast');
  expect(adjRefusal(mine(1000, 1), 100)).toBe('adjMost');
  expect(adjRefusal(mine(0, 1, 0), 100)).toBe('adjNone');
});
