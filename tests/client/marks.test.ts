/** What stands on the timeline: where keys jump, and that each kind of thing has its sentence. */
import { describe, expect, test } from 'vitest';
import type { Cause, Mark } from '#game/chronicle.ts';
import { nextMark } from '../../client/panels/replay/marks.ts';
import { LANGS, textsOf } from '../helpers/texts.ts';

const left = (tick: number): Mark => ({ kind: 'left', tick, seat: 1, pid: 4 });

describe('jumping from event to event', () => {
  const marks = [left(10), left(10), left(30), left(70)];

  test('goes to the next tick with an event, and to the one before; beyond them there is none', () => {
    expect(nextMark(marks, 0, 1)?.tick).toBe(10);
    expect(nextMark(marks, 10, 1)?.tick).toBe(30);
    expect(nextMark(marks, 69, 1)?.tick).toBe(70);
    expect(nextMark(marks, 70, 1)).toBeNull();
    expect(nextMark(marks, 70, -1)?.tick).toBe(30);
    expect(nextMark(marks, 30, -1)?.tick).toBe(10);
    expect(nextMark(marks, 10, -1)).toBeNull();
    expect(nextMark([], 5, 1)).toBeNull();
  });
});

test.each(LANGS)('in %s every kind of mark, cause and moment has a sentence', (lang) => {
  const marks: Record<Exclude<Mark['kind'], 'phase'>, string[]> = {
    killed: ['killed', 'killedBy'],
    failed: ['fragmented', 'low', 'more'],
    crashed: ['crashed'],
    joined: ['joined'],
    left: ['left'],
  };
  const causes: Record<Cause['kind'], true> = { low: true, took: true, kept: true, asked: true };
  const keys = [
    ...Object.values(marks).flatMap((names) => names.map((name) => `replay.mark.${name}`)),
    ...Object.keys(causes).map((name) => `replay.cause.${name}`),
    ...['fragmentation', 'freed', 'kill'].flatMap((name) => ['title', 'text', 'none'].map((part) => `replay.moment.${name}.${part}`)),
    ...['calm', 'work', 'rush', 'last', 'over'].map((phase) => `play.log.phase.${phase}`),
  ];
  const texts = textsOf(lang);
  expect(keys.filter((key) => !texts.has(key))).toEqual([]);
});
