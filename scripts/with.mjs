/** `node scripts/with.mjs FILE …`: sets up without a word, then becomes FILE on the project's Node, in the caller's folder. */
import { join } from 'node:path';
import { become, ENGINE, ROOT } from './process.mjs';
import { setupOrEnd } from './setup.mjs';

const [file = '', ...words] = process.argv.slice(2);
const node = setupOrEnd({ client: false });
become(node, [...ENGINE, join(ROOT, file), ...words], { cwd: process.env.INIT_CWD });
