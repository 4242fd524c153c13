/** `npm run -s import -- FILE`: takes up a round that `export` wrote, on this server or another, and prints its id. It is played before it is believed. */
import { podium, roundHash } from '#game/round.ts';
import { importLog } from '../store/rounds.ts';
import { Mistake, playRound, readRoundFile, runTool, withStore } from './rounds.ts';

await runTool(async () => {
  const [path, ...more] = process.argv.slice(2);
  if (path === undefined || more.length > 0) throw new Mistake('usage: npm run -s import -- FILE   (- for standard input)', 2);
  const log = readRoundFile(path);
  const round = playRound(log);
  console.log(await withStore((store) => importLog(store, log, roundHash(round), podium(round))));
});
