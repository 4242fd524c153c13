/** The server is killed under a class in browsers, again and again: nobody touches anything, and nothing is lost. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join as joinPath } from 'node:path';
import { expect, test, type Browser, type Page } from '@playwright/test';
import { roundHash } from '#game/round.ts';
import { Prey } from '../../server/cli/soak/Prey.ts';
import { resume } from '../../server/sequencer/past.ts';
import { findRound, logOf } from '../../server/store/rounds.ts';
import { Store } from '../../server/store/Store.ts';
import { atTick, door, inPhase, join, linked, type House } from './classroom.ts';

const KILLS = 4;

let folder: string;
let prey: Prey;
test.beforeEach(async () => {
  folder = mkdtempSync(joinPath(tmpdir(), 'recovery-'));
  prey = await Prey.on(folder);
  prey.start();
  await prey.answers();
});
test.afterEach(async () => {
  await prey.kill();
  rmSync(folder, { recursive: true, force: true });
});

async function openClass(browser: Browser): Promise<{ host: Page; students: Page[]; code: string }> {
  const newPage = async () => (await browser.newContext({ locale: 'en-US' })).newPage();
  const host = await newPage();
  await host.goto(`${prey.url}/host?test`);
  await host.getByRole('button', { name: 'Create room' }).click();
  await host.waitForURL(/\/host\/[0-9A-Z]{6}/);
  await inPhase(host, 'lobby');
  const code = /\/host\/(\w{6})/.exec(host.url())![1]!;
  const house: House = { url: prey.url, round: async () => null, failDisk: async () => {} };
  const students: Page[] = [];
  for (const name of ['Ada', 'Bob']) {
    const page = await newPage();
    await join(page, house, code, name);
    students.push(page);
  }
  return { host, students, code };
}

/** Newly loaded pages do not have it. */
const mark = (page: Page) => page.evaluate(() => void Object.assign(window, { neverReloaded: true }));
const isMarked = (page: Page) => page.evaluate(() => 'neverReloaded' in window);

/** The newest round of a room, played from the disk alone. */
async function playFromDisk(code: string): Promise<{ hash: string; recorded: string | null }> {
  const store = await Store.openBeside(folder);
  const row = findRound(store, code)!;
  const { playing } = await resume({ ...logOf(store, row), snapshot: null });
  await store.close();
  return { hash: roundHash(playing.round), recorded: row.hash };
}

test('pages come back by themselves after each kill, to the same processes, and end with the log’s machine', async ({ browser }) => {
  const { host, students, code } = await openClass(browser);
  const pages = [host, ...students];
  await door(host, 'host', { do: 'options', seconds: 240 });
  await door(host, 'host', { do: 'addBots', bots: ['free', 'splinter', 'never'] });
  await door(host, 'host', { do: 'start' });
  for (const page of pages) {
    await atTick(page, 3);
    await mark(page);
  }
  const pids = await Promise.all(students.map((page) => door(page, 'pid')));
  for (let kill = 1; kill <= KILLS; kill++) {
    const [ada] = students;
    await door(ada!, 'act', { do: 'freeDone' });
    const stood = Math.max(...(await Promise.all(pages.map((page) => door(page, 'tick')))));
    await prey.kill();
    // Once the server stays away until everybody sees it.
    if (kill === 2) for (const page of pages) await expect(page.locator('.link-banner.lost')).toBeVisible();
    prey.start();
    for (const page of pages) {
      await atTick(page, stood + 5);
      await linked(page);
      await expect(page.locator('.link-banner.lost')).toBeHidden();
    }
  }
  await expect.poll(() => Promise.all(students.map((page) => door(page, 'pid')))).toEqual(pids);
  expect(await Promise.all(pages.map(isMarked))).toEqual(pages.map(() => true));
  await door(host, 'host', { do: 'end' });
  for (const page of pages) await inPhase(page, 'podium');
  // The last tick may be on its way from the page's queue to its round.
  for (const page of pages) await expect.poll(() => door(page, 'over')).toBe(true);
  const hashes = await Promise.all(pages.map((page) => door(page, 'hash')));
  expect(await prey.stop()).toBe(0);
  const { hash, recorded } = await playFromDisk(code);
  expect(recorded).toBe(hash);
  expect(hashes).toEqual(pages.map(() => hash));
});

/** The host's page may still be on its way back. */
async function hostDoes(host: Page, action: Parameters<typeof door<'host'>>[2]): Promise<void> {
  await expect.poll(() => door(host, 'host', action), { timeout: 30_000 }).toMatchObject({ ok: true });
}

test('a lobby and a podium outlive the server too', async ({ browser }) => {
  const { host, students } = await openClass(browser);
  await prey.kill();
  prey.start();
  await hostDoes(host, { do: 'options', seconds: 10 });
  await expect(host.getByText('Bob')).toBeVisible();
  await hostDoes(host, { do: 'start' });
  for (const page of students) await inPhase(page, 'podium');
  expect(await prey.stop()).toBe(0);
  prey.start();
  await hostDoes(host, { do: 'again' });
  for (const page of students) await inPhase(page, 'lobby');
});
