/**
 * P14: one tick of the large round on a page: played, and every number that the screen shows worked out. At 6× throttle.
 * Of each tick the fastest of some plays counts: one tick is too short for the clock of processor time, and nothing else makes it faster.
 */
import { inflateRawSync } from 'node:zlib';
import { createFacts } from '#kernel/facts.ts';
import { VMSTAT } from '#kernel/mm/vmstat.ts';
import { classView, playTick, restoreRound, seatView } from '#game/round.ts';
import { TOUCHES_PER_TICK } from '#game/work.ts';
import { decodeSnap } from '#protocol/snap.ts';
import { decodeTick } from '#protocol/tick.ts';
import { FRAMES, playBigRound, SEATS } from './bigRound.ts';
import type { Row } from './measure.ts';

const THROTTLE = 6;
const FROM_TICK = 1000;
const TICKS = 1000;

const p95 = (values: Float64Array): number => values.toSorted()[Math.floor(values.length * 0.95)]!;

export async function measureClientTick(rounds: number, ticks = TICKS): Promise<Row> {
  const { playing, snapshots } = await playBigRound(FROM_TICK + ticks, [FROM_TICK]);
  const { deflated } = decodeSnap(snapshots[0]!.message);
  const alone = new Float64Array(ticks).fill(Infinity);
  const all = new Float64Array(ticks).fill(Infinity);
  let touches = 0;
  for (let again = 0; again < rounds; again++) {
    const round = restoreRound(inflateRawSync(deflated), createFacts(1 << 14));
    for (let n = 0; n < ticks; n++) {
      const bytes = playing.ticks[FROM_TICK + n]!;
      const before = round.machine.vmstat[VMSTAT.pgfault]!;
      const since = performance.now();
      playTick(round, decodeTick(bytes));
      const played = performance.now();
      seatView(round, 0);
      classView(round);
      all[n] = Math.min(all[n]!, performance.now() - since);
      alone[n] = Math.min(alone[n]!, played - since);
      touches = Math.max(touches, round.machine.vmstat[VMSTAT.pgfault]! - before);
    }
  }
  const [value, bare] = [THROTTLE * p95(all), THROTTLE * p95(alone)];
  const note =
    `${SEATS} players, ${FRAMES} frames, ${ticks} ticks; ${bare.toFixed(1)} ms without the views; ` +
    `at most ${touches} page faults a tick (bound of touches ${TOUCHES_PER_TICK})`;
  return {
    id: 'P14',
    what: `client: tick and views at ${THROTTLE}×, p95`,
    value,
    unit: 'ms',
    must: 20,
    stretch: 8,
    note,
    rounds: [...all],
  };
}
