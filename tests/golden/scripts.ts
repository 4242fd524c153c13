/** The golden scripts: where they are, where their answers are, and how they are played. */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { scriptPlayer } from '../../server/cli/sim/script.ts';

const HERE = import.meta.dirname;
export const EXAMPLES = join(HERE, '..', '..', 'assets', 'examples');

export interface GoldenScript {
  name: string;
  script: string;
  answers: string;
}

export function goldenScripts(): GoldenScript[] {
  return [HERE, EXAMPLES].flatMap((folder) =>
    readdirSync(folder)
      .filter((file) => file.endsWith('.ndjson'))
      .toSorted()
      .map((file) => ({ name: basename(file, '.ndjson'), script: join(folder, file), answers: join(HERE, `${basename(file, '.ndjson')}.answers`) })),
  );
}

/** All answers, a line each. */
export function answersTo(script: string): string {
  let answers = '';
  const player = scriptPlayer((answer) => {
    answers += `${answer}\n`;
  });
  readFileSync(script, 'utf8')
    .split('\n')
    .forEach((line, index) => {
      if (line.trim() !== '') player.line(line, index + 1);
    });
  player.end();
  return answers;
}
