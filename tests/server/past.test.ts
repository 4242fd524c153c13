/** An interrupted round goes on from any tick: the log alone, and any snapshot with the ticks after it, lead to the same hash. */
import { expect, test } from 'vitest';
import { createBot } from '#game/bots/bots.ts';
import { playTick, roundHash } from '#game/round.ts';
import { BOTS, decodeTick } from '#protocol/tick.ts';
import { createLog } from '../../server/log.ts';
import { loadScenarios } from '../../server/scenarios.ts';
import { resume } from '../../server/sequencer/past.ts';
import { Playing } from '../../server/sequencer/Playing.ts';
import { picker, seeds } from '../helpers/seeds.ts';

const TICKS = 500;
const SNAP_TICKS = 7;
const scenarios = loadScenarios(createLog('silent'));

interface Played {
  playing: Playing;
  /** After tick n at n. */
  hashes: string[];
  /** Messages `snap`, one in so many ticks. */
  snapshots: Promise<Uint8Array>[];
}

/** Nine bots of all kinds, one that comes late and one that leaves. */
function play(id: string, seed: number): Played {
  const scenario = { ...scenarios.get(id)!, seconds: 3600 };
  const playing = new Playing(scenario, seed, BOTS.length);
  const bots = BOTS.map((name, seat) => ({ bot: createBot(name, seat, seed, 5), seq: 0 }));
  const hashes = [roundHash(playing.round)];
  const snapshots = [playing.freshSnapshot().then(({ message }) => message)];
  for (const { bot } of bots.slice(0, -1)) playing.queue({ type: 'join', seat: bot.seat, bot: bot.name });
  for (let n = 1; n <= TICKS; n++) {
    if (n === 120) playing.queue({ type: 'join', seat: bots.at(-1)!.bot.seat, bot: null });
    if (n === 300) playing.queue({ type: 'leave', seat: 0 });
    for (const seated of bots) {
      if (!playing.seats.has(seated.bot.seat)) continue;
      const action = seated.bot.act(playing.round);
      if (action !== null) playing.queue({ type: 'act', seat: seated.bot.seat, seq: ++seated.seq, action });
    }
    playing.close();
    hashes.push(roundHash(playing.round));
    if (n % SNAP_TICKS === 0) snapshots.push(playing.freshSnapshot().then(({ message }) => message));
  }
  return { playing, hashes, snapshots };
}

test.each(seeds(3).map((seed, index) => [scenarios.list()[index % scenarios.list().length]!.id, seed] as const))(
  '%s, seed %i: cut anywhere, resumed from the log alone or from any snapshot before',
  async (id, seed) => {
    const { playing, hashes, snapshots } = play(id, seed);
    const { scenario, ticks, seatsPlanned } = playing;
    const below = picker(seed);
    for (let i = 0; i < 12; i++) {
      const cut = below(TICKS + 1);
      const kept = { scenario, seed, seats: seatsPlanned, ticks: ticks.slice(0, cut) };
      const snapshot = await snapshots[below(Math.floor(cut / SNAP_TICKS) + 1)]!;
      for (const past of [
        { ...kept, snapshot: null },
        { ...kept, snapshot },
      ]) {
        const { playing: resumed } = await resume(past);
        expect(roundHash(resumed.round)).toBe(hashes[cut]);
        // And goes on from there as if nothing had been.
        const next = ticks.slice(cut, cut + 20);
        for (const bytes of next) playTick(resumed.round, decodeTick(bytes));
        expect(roundHash(resumed.round)).toBe(hashes[cut + next.length]);
      }
    }
    // A snapshot that is ahead of its log is not believed.
    const { playing: early } = await resume({
      scenario,
      seed,
      seats: seatsPlanned,
      ticks: ticks.slice(0, 10),
      snapshot: await snapshots[400]!,
    });
    expect(roundHash(early.round)).toBe(hashes[10]);
  },
);

test('who sits where, and which numbers are used, comes from the ticks', async () => {
  const scenario = scenarios.get(scenarios.list()[0]!.id)!;
  const playing = new Playing(scenario, 1, 3);
  const act = (seat: number, seq: number) => playing.queue({ type: 'act', seat, seq, action: { do: 'freeDone' } });
  for (const seat of [0, 1, 2]) playing.queue({ type: 'join', seat, bot: null });
  playing.close();
  act(0, 4);
  act(1, 1);
  act(2, 9);
  playing.close();
  // A bot stands in for the first, and hands back; the second is the bot's still; the third leaves.
  for (const seat of [0, 1]) playing.queue({ type: 'join', seat, bot: 'free' });
  act(0, 5);
  act(1, 2);
  playing.queue({ type: 'join', seat: 0, bot: null });
  act(0, 6);
  act(0, 3);
  playing.queue({ type: 'leave', seat: 2 });
  playing.close();
  const { playing: resumed, hands } = await resume({ scenario, seed: 1, seats: 3, ticks: playing.ticks, snapshot: null });
  expect([...hands]).toEqual([
    [0, { bot: null, seq: 6, ownSeq: 6 }],
    [1, { bot: 'free', seq: 2, ownSeq: 1 }],
  ]);
  expect([...resumed.seats]).toEqual([0, 1]);
  resumed.close();
  expect(resumed.ticks).toHaveLength(4);
  expect(playing.ticks).toHaveLength(3);
});

test('a round that is over is over, with its last hash', async () => {
  const scenario = { ...scenarios.get(scenarios.list()[0]!.id)!, seconds: 10 };
  const playing = new Playing(scenario, 1, 1);
  playing.queue({ type: 'join', seat: 0, bot: null });
  while (!playing.round.over) playing.close();
  const { playing: resumed } = await resume({ scenario, seed: 1, seats: 1, ticks: playing.ticks, snapshot: null });
  expect(resumed.round.over).toBe(true);
  expect(resumed.digest).toEqual(playing.digest);
});
