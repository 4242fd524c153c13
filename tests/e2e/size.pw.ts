/** P10 of the qualities: what a school's slow link carries before somebody plays. Bytes of files, counted as gzip leaves them. */
import { gzipSync } from 'node:zlib';
import type { Page } from '@playwright/test';
import { door, expect, inPhase, join, test } from './classroom.ts';

const JOIN_PAGE_BYTES = 60_000;
const TO_PLAY_BYTES = 600_000;

/** Every file that the page fetches from now on, with its bytes: the fonts are compressed as they are. */
function weigh(page: Page): () => Promise<Map<string, number>> {
  const files = new Map<string, Promise<number>>();
  page.on('response', (answer) => {
    const path = new URL(answer.url()).pathname;
    const isFile = path.startsWith('/assets/') || answer.request().resourceType() === 'document';
    if (!isFile || answer.status() !== 200) return;
    const size = async (): Promise<number> => {
      const body = await answer.body();
      return path.endsWith('.woff2') ? body.length : gzipSync(body, { level: 9 }).length;
    };
    files.set(path, size());
  });
  return async () => new Map(await Promise.all([...files].map(async ([path, size]) => [path, await size] as const)));
}

const sum = (files: Map<string, number>): number => [...files.values()].reduce((all, bytes) => all + bytes, 0);
/** What a failure prints: the heaviest first. */
const listed = (files: Map<string, number>): string =>
  [...files]
    .sort(([, a], [, b]) => b - a)
    .map(([path, bytes]) => `${bytes} ${path}`)
    .join('\n');

test('the join page is small', async ({ classroom }) => {
  const page = await classroom.somebody();
  // What is fetched in idle time is not the page's own.
  await page.addInitScript(() => (window.requestIdleCallback = () => 0));
  const files = weigh(page);
  await page.goto(`${classroom.house.url}/`);
  await expect(page.getByRole('button', { name: 'Join', exact: true })).toBeVisible();
  await page.waitForLoadState('networkidle');
  const found = await files();
  expect(found.size).toBeGreaterThan(2);
  expect(sum(found), listed(found)).toBeLessThanOrEqual(JOIN_PAGE_BYTES);
});

test('all that a student fetches to play is small enough', async ({ classroom }) => {
  const { page: host, code } = await classroom.host({ seconds: 60 });
  const page = await classroom.somebody();
  const files = weigh(page);
  await join(page, classroom.house, code, 'Ada');
  await door(host, 'host', { do: 'start' });
  await inPhase(page, 'running');
  await expect(page.locator('.map-host canvas')).toBeVisible();
  await page.waitForLoadState('networkidle');
  const found = await files();
  expect([...found.keys()].filter((path) => /startMap|woff2/.test(path))).toHaveLength(5);
  expect([...found.keys()].filter((path) => /\/(en|zh-CN)-/.test(path))).toHaveLength(1);
  expect(sum(found), listed(found)).toBeLessThanOrEqual(TO_PLAY_BYTES);
});
