/** The folder of oracles: data made by a real kernel, a real CPU, published dumps. ORACLES names it; without it nothing here can be asked. */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const ROOT = join(import.meta.dirname, '..', '..');

/** The folder's path; throws, with what is missing, when there is none. */
function folder(): string {
  const named = process.env.ORACLES;
  if (named === undefined || named === '')
    throw new Error('ORACLES is not set: it names the folder of recorded data, as in `ORACLES=../shared/oracles npm run test:oracles`');
  const path = resolve(ROOT, named);
  if (!existsSync(join(path, 'README.md')))
    throw new Error(`ORACLES=${named}: there is no folder of oracles at ${path} (its README.md is missing)`);
  return path;
}

/** One file of the folder; throws, with its name, when it is not there. */
export function oracle(name: string): string {
  const path = join(folder(), name);
  if (!existsSync(path)) throw new Error(`the oracle ${name} is missing from ${process.env.ORACLES}`);
  return readFileSync(path, 'utf8');
}
