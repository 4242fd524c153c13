/** Type check, layer by layer: each layer's own tsconfig.json says what it may see (the first of the four locks). */
import { join } from 'node:path';
import { projectNode, ROOT, run } from './process.mjs';

const LAYERS = ['shared/kernel', 'shared/game', 'shared/protocol', 'server', 'client', '.'];

const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
const node = projectNode() ?? process.execPath;
const failed = LAYERS.filter((layer) => {
  const ok = run(node, [tsc, '-p', layer, '--pretty', 'false']);
  if (!ok) console.error(`types: ${layer} failed`);
  return !ok;
});
process.exitCode = failed.length === 0 ? 0 : 1;
