/** `npm run golden`: writes the answers of all golden scripts anew, and the golden rounds. Not in CI: there they are what is compared with. */
import { writeFileSync } from 'node:fs';
import { rewriteRounds } from './rounds.ts';
import { answersTo, goldenScripts } from './scripts.ts';

if (process.env.CI !== undefined && process.env.CI !== '' && process.env.CI !== 'false') {
  process.stderr.write('golden: refused, because CI is set; golden files are written by people, who then read the difference\n');
  process.exitCode = 1;
} else {
  for (const { name, script, answers } of goldenScripts()) {
    writeFileSync(answers, answersTo(script));
    console.log(`golden: ${name}`);
  }
  for (const name of rewriteRounds()) console.log(`golden: round ${name}`);
}
