/** `npm run test:oracles`: compares with files that nobody of the project wrote; ORACLES names their folder. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { become } from './process.mjs';
import { setupOrEnd } from './setup.mjs';

const folder = process.env.ORACLES && resolve(process.env.INIT_CWD ?? '.', process.env.ORACLES);
if (!folder || !existsSync(folder)) {
  console.error(
    folder
      ? `test:oracles: no folder ${folder}`
      : 'test:oracles: set ORACLES to the folder with the oracles, e.g. ORACLES=../shared/oracles npm run test:oracles',
  );
  process.exit(1);
}
const node = setupOrEnd({ client: false });
become(node, ['node_modules/vitest/vitest.mjs', 'run', '--project', 'oracles'], { env: { ...process.env, ORACLES: folder } });
