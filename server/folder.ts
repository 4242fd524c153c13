/** Where the server keeps its rooms and logs, for the server and for the tools beside it. */
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Durability } from './store/Store.ts';

/** DATA_DIR, from the folder that the command was given in; `data` of the project, if it is not set. */
export function dataFolder(): string {
  const named = process.env['DATA_DIR'];
  if (named === undefined || named === '') return fileURLToPath(new URL('../data', import.meta.url));
  return resolve(process.env['INIT_CWD'] ?? '.', named);
}

/** Null for a word that is none of the two. */
export function readDurability(word: string | undefined): Durability | null {
  if (word === undefined || word === '') return 'process';
  return word === 'process' || word === 'power' ? word : null;
}
