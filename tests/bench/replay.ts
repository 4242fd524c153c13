/** P4, third part: five minutes of the big round, played again from its log as an audit or a late repair would. */
import { createRound, playTick, roundHash } from '#game/round.ts';
import { decodeTick } from '#protocol/tick.ts';
import { FRAMES, playBigRound, SEATS } from './bigRound.ts';
import { median, timed, type Row } from './measure.ts';

const FIVE_MINUTES = 3000;
const S = 1e9;

export async function measureReplay(rounds: number, ticks = FIVE_MINUTES): Promise<Row> {
  const { playing } = await playBigRound(ticks, []);
  const wanted = roundHash(playing.round);
  const bytes = playing.ticks.reduce((sum, tick) => sum + tick.length, 0);
  const times: number[] = [];
  for (let n = 0; n <= rounds; n++) {
    const round = createRound(playing.scenario, playing.seed, playing.seatsPlanned);
    const ns = timed(() => {
      for (const tick of playing.ticks) playTick(round, decodeTick(tick));
    });
    if (roundHash(round) !== wanted) throw new Error('the replay ended in another state');
    if (n > 0) times.push(ns / S); // the first lets the engine compile
  }
  return {
    id: 'P4r',
    what: 'a round of 5 minutes: replayed',
    value: median(times),
    unit: 's',
    must: 1,
    stretch: 0.5,
    note: `${SEATS} players, ${FRAMES} frames, ${ticks} ticks, a log of ${Math.round(bytes / 1024)} KiB; equal hashes`,
    rounds: times,
  };
}
