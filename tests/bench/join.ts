/** P9: what a newcomer at minute ten gets, and how long the page computes before its map is live. The way over the network comes on top. */
import { inflateRawSync } from 'node:zlib';
import { createFacts } from '#kernel/facts.ts';
import { classView, playTick, restoreRound, roundHash, seatView } from '#game/round.ts';
import { decodeSnap } from '#protocol/snap.ts';
import { decodeTick } from '#protocol/tick.ts';
import { FRAMES, playBigRound, SEATS, TAIL_TICKS } from './bigRound.ts';
import { median, type Row } from './measure.ts';

const MINUTE_TEN = 6000;
const KIB = 1024;

export async function measureJoin(joins: number, atTick = MINUTE_TEN): Promise<Row> {
  const places = Array.from({ length: joins }, (_, index) => atTick - index * 2 * TAIL_TICKS);
  const { playing, snapshots } = await playBigRound(atTick + TAIL_TICKS, places);
  const kib: number[] = [];
  const ms: number[] = [];
  for (const { n, message } of snapshots) {
    const tail = playing.ticks.slice(n, n + TAIL_TICKS);
    kib.push((message.length + tail.reduce((sum, bytes) => sum + bytes.length, 0)) / KIB);
    const since = performance.now();
    const round = restoreRound(inflateRawSync(decodeSnap(message).deflated), createFacts(1 << 14));
    for (const bytes of tail) playTick(round, decodeTick(bytes));
    seatView(round, 0);
    classView(round);
    ms.push(performance.now() - since);
    if (n === atTick && roundHash(round) !== roundHash(playing.round)) throw new Error('the newcomer has another round');
  }
  const machine = classView(playing.round).machine;
  const used = Math.round((100 * (machine.managed - machine.free)) / machine.managed);
  const note =
    `snapshot and ${TAIL_TICKS} ticks, ${SEATS} players, ${FRAMES} frames ${used} % in use; computed in ${median(ms).toFixed(0)} ms ` +
    `(must 2,000, stretch 1,000), ${joins} joins`;
  return { id: 'P9', what: 'join at minute ten: KiB', value: median(kib), unit: 'KiB', must: 300, stretch: 100, note, rounds: kib };
}
