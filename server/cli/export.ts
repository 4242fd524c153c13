/** `npm run -s export -- CODE|ROUND FILE`: writes the round of this id, or the newest of the room of this code, to one file (- for standard output). */
import { writeFileSync } from 'node:fs';
import { encodeLog } from '#protocol/log.ts';
import { findRound, logOf } from '../store/rounds.ts';
import { codeOrId, Mistake, runTool, withStore } from './rounds.ts';

await runTool(async () => {
  const [name, path, ...more] = process.argv.slice(2);
  if (name === undefined || path === undefined || more.length > 0)
    throw new Mistake('usage: npm run -s export -- CODE|ROUND FILE   (- for standard output)', 2);
  const { id, bytes, ticks } = await withStore((store) => {
    const row = findRound(store, codeOrId(name));
    if (row === null) throw new Mistake(`no round of the room or the id ${name}`);
    const log = logOf(store, row);
    return { id: row.id, bytes: encodeLog(log), ticks: log.ticks.length };
  });
  if (path === '-') {
    process.stdout.write(bytes);
    return;
  }
  writeFileSync(path, bytes);
  console.log(`round ${id}: ${ticks} ticks, ${bytes.length} bytes in ${path}`);
});
