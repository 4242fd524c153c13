/** The golden scripts: where they are, where their answers are, and how they are played. */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { newPlay, playLine } from '../../server/cli/sim/play.ts';

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
  const play = newPlay();
  return readFileSync(script, 'utf8')
    .split('\n')
    .map((line, index) => (line.trim() === '' ? null : playLine(play, line, index + 1)))
    .filter((answer) => answer !== null)
    .map((answer) => `${answer}\n`)
    .join('');
}
