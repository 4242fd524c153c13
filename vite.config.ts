import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

/** `npm run dev` sets it: where the game's own server listens behind Vite (scripts/dev.mjs). */
const behind = process.env.OVERCOMMIT_SERVER;

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Phaser cannot be shaken: the build takes its parts one by one. The development server takes it whole, which needs no CommonJS of it. */
const PHASER_PARTS = {
  resolve: {
    alias: [
      { find: /^phaser$/, replacement: here('client/phaser/parts.js') },
      { find: /^phaser\/src\//, replacement: here('node_modules/phaser/src/') },
    ],
  },
  // What Phaser's own build defines (its config/webpack.config.js), with what the map does not use left out.
  define: {
    'typeof CANVAS_RENDERER': 'true',
    'typeof WEBGL_RENDERER': 'true',
    'typeof WEBGL_DEBUG': 'false',
    'typeof FEATURE_SOUND': 'false',
    'typeof PLUGIN_CAMERA3D': 'false',
    'typeof PLUGIN_FBINSTANT': 'false',
  },
};

export default defineConfig(({ command }) => ({
  ...(command === 'build' ? PHASER_PARTS : {}),
  root: 'client',
  publicDir: false,
  appType: 'spa',
  build: {
    outDir: '../dist/client',
    emptyOutDir: true,
    target: 'es2022',
    // A strict Content-Security-Policy allows no data: URLs in scripts and no inline code.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // Phaser alone is above the default; what must stay small is the join page (quality.md, P10).
    chunkSizeWarningLimit: 2000,
  },
  server: {
    strictPort: true,
    fs: { allow: ['..'] },
    ...(behind === undefined
      ? {}
      : {
          proxy: {
            '^/(api|healthz|matchmake)(/|\\?|$)': { target: behind },
            // Rooms' sockets are /<process>/<room>; a page's file of that shape is no upgrade and stays with Vite.
            '^/[\\w-]+/[\\w-]+(\\?|$)': {
              target: behind,
              ws: true,
              bypass: (request) => (request.headers.upgrade === undefined ? request.url : undefined),
            },
          },
        }),
  },
}));
