import { defineConfig } from 'vitest/config';

/** Three suites that one person may want alone: rules (fast, nothing but Node), server (real sockets), oracles (needs files from outside). */
export default defineConfig({
  test: {
    // By default one processor stays idle; the long walks of random calls are better played side by side.
    maxWorkers: '100%',
    projects: [
      {
        test: {
          name: 'unit',
          include: ['tests/{kernel,game,protocol,client,golden}/**/*.test.ts', 'tests/*.test.ts'],
          testTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'server',
          include: ['tests/server/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 30_000,
          // Real servers with a 10 Hz clock: several at once on two cores would starve each other.
          fileParallelism: false,
        },
      },
      { test: { name: 'oracles', include: ['tests/oracles/**/*.oracle.ts'], testTimeout: 300_000 } },
    ],
  },
});
