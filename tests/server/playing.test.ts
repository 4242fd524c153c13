/** The server's own play of a round: ticks as bytes, snapshots, and the way back after a fault. */
import { inflateRawSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { createBot } from '#game/bots/bots.ts';
import { createRound, playTick, restoreRound, roundHash } from '#game/round.ts';
import { TICK_BYTES_MAX, TICK_INPUTS_MAX } from '#protocol/limits.ts';
import { decodeSnap } from '#protocol/snap.ts';
import { BOTS, decodeTick } from '#protocol/tick.ts';
import { createLog } from '../../server/log.ts';
import { loadScenarios } from '../../server/scenarios.ts';
import { Playing } from '../../server/sequencer/Playing.ts';

const scenarios = loadScenarios(createLog('silent'));
const scenario = scenarios.get(scenarios.list()[0]!.id)!;

/** A round of nine bots, one of each kind, for so many ticks. */
function played(ticks: number, each: (playing: Playing) => void = () => {}): Playing {
  const playing = new Playing({ ...scenario, seconds: 3600 }, 7, BOTS.length);
  const bots = BOTS.map((name, seat) => createBot(name, seat, 7));
  const seqs = BOTS.map(() => 0);
  for (const [seat, bot] of BOTS.entries()) playing.queue({ type: 'join', seat, bot });
  for (let n = 1; n <= ticks; n++) {
    for (const bot of bots) {
      const action = bot.act(playing.round);
      if (action !== null) playing.queue({ type: 'act', seat: bot.seat, seq: ++seqs[bot.seat]!, action });
    }
    playing.close();
    each(playing);
  }
  return playing;
}

test('the ticks alone lead to the server’s hash, and so does every snapshot with the ticks after it', async () => {
  const snapshots: ReturnType<Playing['freshSnapshot']>[] = [];
  const playing = played(400, (now) => {
    if (now.ticks.length % 67 === 0) snapshots.push(now.freshSnapshot());
    now.keepSnapshot();
  });
  const hash = roundHash(playing.round);
  const round = createRound(playing.scenario, playing.seed, BOTS.length);
  for (const bytes of playing.ticks) playTick(round, decodeTick(bytes));
  expect(roundHash(round)).toBe(hash);
  for (const snapshot of await Promise.all([...snapshots, playing.recentSnapshot()])) {
    const { n, deflated } = decodeSnap(snapshot.message);
    expect(n).toBe(snapshot.n);
    const late = restoreRound(inflateRawSync(deflated));
    for (const bytes of playing.ticks.slice(n)) playTick(late, decodeTick(bytes));
    expect(roundHash(late)).toBe(hash);
  }
});

test('a recent snapshot is shared for fifty ticks, a fresh one is of now', async () => {
  const playing = played(30);
  expect((await playing.recentSnapshot()).n).toBe(0);
  expect((await playing.freshSnapshot()).n).toBe(30);
  for (let i = 0; i < 51; i++) playing.close();
  expect((await playing.recentSnapshot()).n).toBe(81);
});

test('rebuilding gives the round as it was, and puts back who came', () => {
  const playing = played(120);
  const hash = roundHash(playing.round);
  playing.queue({ type: 'join', seat: 40, bot: null });
  playing.queue({ type: 'act', seat: 0, seq: 99_999, action: { do: 'freeDone' } });
  (playing.round as { machine: unknown }).machine = null;
  expect(() => playing.close()).toThrow();
  playing.rebuild();
  expect(playing.ticks).toHaveLength(120);
  expect(roundHash(playing.round)).toBe(hash);
  playing.close();
  expect(decodeTick(playing.ticks[120]!).inputs).toEqual([{ type: 'join', seat: 40, bot: null }]);
});

test('what fails after a tick exists does not put its inputs into the next one too', () => {
  const playing = played(20);
  playing.queue({ type: 'extend', ticks: 100 });
  playing.queue({ type: 'leave', seat: 3 });
  playing.close();
  // Sending it failed.
  playing.rebuild();
  playing.close();
  expect(decodeTick(playing.ticks[21]!).inputs).toEqual([]);
});

test('a tick holds no more inputs than its bytes allow, the rest waits its turn', () => {
  const playing = played(1);
  const path = 'x'.repeat(200);
  const count = 2 * TICK_INPUTS_MAX + 100;
  for (let seq = 1; seq <= count; seq++)
    playing.queue({ type: 'act', seat: 0, seq: 10_000 + seq, action: { do: 'call', call: { call: 'cat', path, more: path } } });
  const sizes = [playing.close(), playing.close(), playing.close()].map(({ bytes }) => {
    expect(bytes.length).toBeLessThan(TICK_BYTES_MAX);
    return decodeTick(bytes).inputs.length;
  });
  expect(sizes).toEqual([TICK_INPUTS_MAX, TICK_INPUTS_MAX, 100]);
});
