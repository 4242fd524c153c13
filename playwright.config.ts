import { defineConfig } from '@playwright/test';
import { BROWSER_FLAGS, findBrowser } from './scripts/browser.mjs';

const browser = findBrowser();

export default defineConfig({
  testDir: 'tests/e2e',
  testMatch: '**/*.pw.ts',
  outputDir: 'test-results/e2e',
  // One at a time: a round runs at 10 Hz on the same cores as four drawing browsers.
  workers: 1,
  fullyParallel: false,
  forbidOnly: true,
  retries: 0,
  // Two slow cores draw four pages in software: what is waited for comes, and nobody waits for less.
  timeout: 300_000,
  expect: { timeout: 30_000 },
  reporter: [['list'], ['json', { outputFile: 'test-results/e2e.json' }]],
  use: {
    browserName: 'chromium',
    locale: 'en-US',
    viewport: { width: 1366, height: 768 },
    trace: 'retain-on-failure',
    screenshot: 'only-on-failure',
    launchOptions: { args: BROWSER_FLAGS, ...(browser === null ? {} : { executablePath: browser }) },
  },
});
