/**
 * `npm run -s replay -- FILE [--hash]`: plays the file of a round. It prints the hash after every 50 ticks and after the last,
 * one a line as `tick hash`; without --hash also what the class had reached by then, and the podium.
 */
import { parseArgs } from 'node:util';
import { classView, podium, roundHash, type Round } from '#game/round.ts';
import { DIGEST_EVERY_TICKS } from '#protocol/limits.ts';
import { Mistake, playRound, readRoundFile, runTool } from './rounds.ts';

const USAGE = 'usage: npm run -s replay -- FILE [--hash]   (- for standard input)';

function figures(round: Round): string {
  const { phase, settled, dealt, kills, machine } = classView(round);
  return `  ${phase}  settled ${settled}/${dealt}  kills ${kills}  free ${machine.free} of ${machine.managed} frames`;
}

function readWords(): { path: string; isBare: boolean } {
  let words: { values: { hash: boolean }; positionals: string[] };
  try {
    words = parseArgs({ allowPositionals: true, options: { hash: { type: 'boolean', default: false } } });
  } catch {
    throw new Mistake(USAGE, 2);
  }
  const [path, ...more] = words.positionals;
  if (path === undefined || more.length > 0) throw new Mistake(USAGE, 2);
  return { path, isBare: words.values.hash };
}

await runTool(() => {
  const { path, isBare } = readWords();
  const log = readRoundFile(path);
  const lines: string[] = [];
  const round = playRound(log, (now) => {
    if (now.now % DIGEST_EVERY_TICKS !== 0 && now.now !== log.ticks.length) return;
    lines.push(`${now.now} ${roundHash(now)}${isBare ? '' : figures(now)}`);
  });
  if (!isBare) for (const { seat, points } of podium(round).points) lines.push(`seat ${seat}: ${points} points`);
  console.log(lines.join('\n'));
});
