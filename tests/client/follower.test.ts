import { describe, expect, test } from 'vitest';
import type { Round } from '#game/round.ts';
import type { Tick } from '#game/types.ts';
import { Follower } from '../../client/session/Follower.ts';

/** A stand-in for a round: its hash is the list of the ticks that it has played. */
interface Played {
  now: number;
  ticks: number[];
}

function follow() {
  const asked: string[] = [];
  const waiting: number[] = [];
  const loads: (() => void)[] = [];
  const later: (() => void)[] = [];
  let time = 0;
  const follower = new Follower({
    restore: (deflated) =>
      new Promise((resolve, reject) => {
        loads.push(() =>
          deflated.length === 0 ? reject(new Error('no snapshot')) : resolve({ now: deflated[0], ticks: [] } as unknown as Round),
        );
      }),
    play: (round, tick) => {
      time += 10;
      const played = round as unknown as Played;
      played.ticks.push(tick.n);
      played.now = tick.n;
      return [];
    },
    hash: (round) => (round as unknown as Played).ticks.join(),
    played: () => {},
    restored: () => {},
    worked: (n) => waiting.push(n),
    needSnap: (reason) => asked.push(reason),
    time: () => time,
    later: (work) => later.push(work),
  });
  const load = async () => {
    loads.shift()!();
    await Promise.resolve();
    await Promise.resolve();
  };
  const rest = () => {
    while (later.length > 0) later.shift()!();
  };
  const ticks = () => (follower.round as unknown as Played | null)?.ticks ?? null;
  const wait = (ms: number) => void (time += ms);
  return { follower, asked, waiting, load, rest, ticks, wait };
}

const tick = (n: number): Tick => ({ n, entropy: 0, inputs: [] });
const snapAt = (n: number) => Uint8Array.of(n);

describe('a follower of a round', () => {
  test('plays what came while the snapshot was being read, once and in order', async () => {
    const { follower, load, rest, ticks } = follow();
    follower.snap(40, snapAt(40));
    for (const n of [39, 40, 41, 42]) follower.tick(tick(n));
    expect(follower.round).toBeNull();
    await load();
    rest();
    expect(ticks()).toEqual([41, 42]);
    follower.tick(tick(42));
    follower.tick(tick(43));
    expect(ticks()).toEqual([41, 42, 43]);
  });

  test('who plays ticks five seconds later than before asks for a snapshot, and plays no more until it is there', async () => {
    const { follower, asked, load, rest, ticks, wait } = follow();
    follower.snap(0, snapAt(0));
    // The tail that comes with a snapshot is played, however long.
    for (let n = 1; n <= 60; n++) follower.tick(tick(n));
    await load();
    rest();
    for (let n = 61; n <= 100; n++) {
      wait(200);
      follower.tick(tick(n));
    }
    expect(asked).toEqual([]);
    wait(2000);
    follower.tick(tick(101));
    expect(asked).toEqual(['behind']);
    follower.tick(tick(102));
    expect(ticks()).toHaveLength(101);
    follower.snap(110, snapAt(110));
    await load();
    follower.tick(tick(111));
    expect(ticks()).toEqual([111]);
    expect(asked).toEqual(['behind']);
  });

  test('a round that stood still made nobody late', async () => {
    const { follower, asked, load, wait } = follow();
    follower.snap(0, snapAt(0));
    await load();
    follower.tick(tick(1));
    wait(60_000);
    follower.goOn();
    follower.tick(tick(2));
    expect(asked).toEqual([]);
  });

  test('plays nothing before the first snapshot, and asks for none: the server sends it', () => {
    const { follower, asked } = follow();
    follower.tick(tick(7));
    expect(follower.round).toBeNull();
    expect(asked).toEqual([]);
  });

  test('a gap asks for a snapshot once, and stops until it is there', async () => {
    const { follower, asked, load, ticks } = follow();
    follower.snap(0, snapAt(0));
    await load();
    for (const n of [1, 3, 4, 5]) follower.tick(tick(n));
    expect(asked).toEqual(['gap']);
    expect(follower.waitsForSnap).toBe(true);
    expect(ticks()).toEqual([1]);
    follower.snap(5, snapAt(5));
    await load();
    follower.tick(tick(6));
    expect(follower.waitsForSnap).toBe(false);
    expect(ticks()).toEqual([6]);
  });

  test('a hash that differs throws the round away for a new snapshot', async () => {
    const { follower, asked, load } = follow();
    follower.snap(0, snapAt(0));
    await load();
    follower.tick(tick(1));
    follower.digest(1, '1');
    expect(asked).toEqual([]);
    follower.tick(tick(2));
    follower.digest(2, 'another');
    expect(asked).toEqual(['hash']);
  });

  test('a digest of a tick that the snapshot holds already proves nothing', async () => {
    const { follower, asked, load } = follow();
    follower.snap(60, snapAt(60));
    follower.digest(50, 'of another moment');
    await load();
    follower.tick(tick(61));
    follower.digest(50, 'late');
    expect(asked).toEqual([]);
  });

  test('bytes that are no snapshot ask for another one', async () => {
    const { follower, asked, load } = follow();
    follower.snap(3, new Uint8Array());
    await load();
    expect(asked).toEqual(['broken']);
  });

  test('a snapshot of another tick than it says is not believed', async () => {
    const { follower, asked, load } = follow();
    follower.snap(9, snapAt(8));
    await load();
    expect(asked).toEqual(['broken']);
    expect(follower.round).toBeNull();
  });

  test('a newer snapshot supersedes what waits', async () => {
    const { follower, load, ticks } = follow();
    follower.snap(0, snapAt(0));
    for (const n of [1, 2, 3]) follower.tick(tick(n));
    follower.snap(3, snapAt(3));
    follower.tick(tick(4));
    await load();
    await load();
    expect(ticks()).toEqual([4]);
  });

  test('a long tail is played in stretches, so that the page can draw', async () => {
    const { follower, waiting, load, rest, ticks } = follow();
    follower.snap(0, snapAt(0));
    for (let n = 1; n <= 30; n++) follower.tick(tick(n));
    await load();
    expect(ticks()!.length).toBeLessThan(30);
    expect(waiting.at(-1)).toBeGreaterThan(0);
    rest();
    expect(ticks()).toEqual(Array.from({ length: 30 }, (_, at) => at + 1));
    expect(waiting.at(-1)).toBe(0);
  });

  test('back in the lobby nothing of the old round is left, not even a snapshot on its way', async () => {
    const { follower, load, asked } = follow();
    follower.snap(0, snapAt(0));
    follower.clear();
    await load();
    follower.tick(tick(1));
    expect(follower.round).toBeNull();
    expect(asked).toEqual([]);
  });
});
