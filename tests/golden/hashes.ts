/** Plays the file of a round: in Node, and bundled in a browser. */
import { createRound, playTick, restoreRound, roundHash, saveRound } from '#game/round.ts';
import { checkRules, decodeLog } from '#protocol/log.ts';
import { decodeTick } from '#protocol/tick.ts';

const EVERY_TICKS = 50;

/** A line `tick hash` every 50 ticks and at the end. `reloadEvery`: saved and restored after so many ticks, 0 for never. */
export function hashesOf(file: Uint8Array, reloadEvery = 0): string {
  const log = decodeLog(file);
  checkRules(log);
  let round = createRound(log.scenario, log.seed, log.seats);
  let lines = '';
  for (const bytes of log.ticks) {
    playTick(round, decodeTick(bytes));
    if (reloadEvery > 0 && round.now % reloadEvery === 0) round = restoreRound(saveRound(round));
    if (round.now % EVERY_TICKS === 0 || round.now === log.ticks.length) lines += `${round.now} ${roundHash(round)}\n`;
  }
  return lines;
}
