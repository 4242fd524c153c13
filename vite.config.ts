import { defineConfig } from 'vite';

/** `npm run dev` sets it: where the game's own server listens behind Vite (scripts/dev.mjs). */
const behind = process.env.OVERCOMMIT_SERVER;

export default defineConfig({
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
});
