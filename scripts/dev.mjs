/**
 * `npm run dev`: one address that reloads on save. Vite answers the pages, and hands API, matchmaking and sockets to the server behind it,
 * which Node starts again whenever one of its files changes.
 */
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { endWithNpm, ROOT } from './process.mjs';
import { setupOrEnd } from './setup.mjs';

const node = setupOrEnd({ say: console.log, client: false });
const port = process.env.PORT ?? '2567';

function freePort() {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const found = probe.address().port;
      probe.close(() => resolve(found));
    });
  });
}

const behind = await freePort();
const parts = [
  // The server prints the addresses that a person opens, which are Vite's.
  [['--watch', '--watch-preserve-output', 'server/main.ts'], { PORT: String(behind), SHOWN_PORT: port }],
  [
    [join('node_modules', 'vite', 'bin', 'vite.js'), '--port', port, '--host', '--logLevel', 'warn'],
    { OVERCOMMIT_SERVER: `http://127.0.0.1:${behind}` },
  ],
].map(([words, env]) => spawn(node, words, { cwd: ROOT, env: { ...process.env, ...env }, stdio: 'inherit' }));

const end = () => parts.forEach((part) => part.kill('SIGTERM'));
for (const part of parts) part.on('exit', end);
process.on('SIGTERM', end);
process.on('SIGINT', end);
endWithNpm(end);
