/** `npm start`: sets up, then becomes the server. */
import { become, ENGINE } from './process.mjs';
import { setupOrEnd } from './setup.mjs';

const node = setupOrEnd({ say: console.log });
become(node, [...ENGINE, 'server/main.ts', ...process.argv.slice(2)], { env: { NODE_ENV: 'production', ...process.env } });
