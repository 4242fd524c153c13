/** After the podium: the round is looked at again, tick by tick, with the server's own log as the truth. */
import { writeFileSync } from 'node:fs';
import type { Page } from '@playwright/test';
import { decodeLog, encodeLog } from '#protocol/log.ts';
import { type Classroom, atTick, door, expect, inPhase, linked, test } from './classroom.ts';
import { playLog } from './playLog.ts';

async function playRound(classroom: Classroom, seconds = 20) {
  const { page: host, code } = await classroom.host({ seconds, scenario: 'swiss-cheese' });
  const ada = await classroom.student(code, 'Ada');
  await door(host, 'host', { do: 'addBots', bots: ['free', 'splinter', 'never', 'keep', 'spam'] });
  await door(host, 'host', { do: 'start' });
  await inPhase(ada, 'running');
  return { host, ada, code };
}

async function openDebrief(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Look at the round again' }).click();
  await expect(page.getByRole('slider', { name: 'Moment of the round' })).toBeVisible();
  await expect.poll(() => door(page, 'story'), { timeout: 60_000 }).not.toBeNull();
}

/** The replay stands at a tick, and its machine is the one that the server's log gives there. */
async function standsAt(page: Page, tick: number, hashes: readonly string[]): Promise<void> {
  await expect.poll(() => door(page, 'tick')).toBe(tick);
  expect(await door(page, 'hash')).toBe(hashes[tick - 1]);
}

const slider = (page: Page) => page.getByRole('slider', { name: 'Moment of the round' });

test('everybody looks at the round again; at each tick the machine is the server’s', async ({ classroom }) => {
  const { host, ada, code } = await playRound(classroom);
  // Whoever comes in the middle has not seen the beginning: the server has it.
  await atTick(ada, 60);
  const eve = await classroom.somebody();
  await eve.goto(`${classroom.house.url}/watch/${code}?test`);
  await linked(eve);
  for (const page of [host, ada, eve]) await inPhase(page, 'podium');
  const truth = (await classroom.house.round(code))!;
  const hashes = playLog(truth);
  expect(hashes.at(-1)).toBe(truth.hash);
  // One after another: three machines at once are drawn by one processor. Ada's stays open.
  for (const page of [host, eve, ada]) {
    await openDebrief(page);
    expect(await door(page, 'last')).toBe(200);
    await standsAt(page, 1, hashes);
    for (const tick of [137, 50, 200, 1, 99]) {
      await slider(page).fill(String(tick));
      await standsAt(page, tick, hashes);
      await expect(slider(page)).toHaveAttribute('aria-valuetext', /\d:\d\d of 0:20; \d+ frames free/);
    }
    await expect(page.getByText('This replay ends otherwise')).toHaveCount(0);
    await expect(page.locator('.debrief canvas')).toBeVisible();
    if (page !== ada) await page.getByRole('button', { name: 'Close', exact: true }).click();
  }

  // The keyboard alone: a tick, a second, the ends, an event, a speed, a player.
  await ada.keyboard.press('.');
  await standsAt(ada, 100, hashes);
  await ada.keyboard.press(',');
  await ada.keyboard.press('ArrowLeft');
  await standsAt(ada, 89, hashes);
  await ada.keyboard.press('Shift+ArrowRight');
  await standsAt(ada, 189, hashes);
  await ada.keyboard.press('Home');
  await expect.poll(() => door(ada, 'tick')).toBe(0);
  const [first] = await door(ada, 'marks');
  await ada.keyboard.press('n');
  await standsAt(ada, first!.tick, hashes);
  await ada.keyboard.press('ArrowUp');
  await expect(ada.getByRole('button', { name: 'Speed 2 times' })).toHaveAttribute('aria-pressed', 'true');
  await ada.keyboard.press(' ');
  await expect(ada.getByRole('button', { name: 'Pause' })).toBeVisible();
  await expect.poll(() => door(ada, 'tick')).toBeGreaterThan(first!.tick + 10);
  await ada.keyboard.press(' ');
  await ada.keyboard.press('f');
  await expect(ada.getByLabel('See the round of')).toHaveValue('0');
  await expect(ada.locator('.head-name')).toHaveText('Ada');
  await expect(ada.getByRole('heading', { name: 'Held' })).toBeVisible();

  // The next round of the class takes everybody along.
  await host.getByRole('button', { name: 'Same class again' }).click();
  for (const page of [ada, eve]) await inPhase(page, 'lobby');
  await expect(slider(ada)).toHaveCount(0);
});

test('a link shows the same round, without names; a file too, and a spoilt one is refused with a sentence', async ({
  classroom,
}, testInfo) => {
  const { ada, code } = await playRound(classroom, 10);
  await inPhase(ada, 'podium');
  const truth = (await classroom.house.round(code))!;
  const hashes = playLog(truth);
  await openDebrief(ada);
  await slider(ada).fill('70');
  await standsAt(ada, 70, hashes);
  await ada.getByRole('button', { name: 'Link' }).click();
  const address = await ada.getByRole('textbox').inputValue();
  expect(address).toMatch(/\/replay\/[\w-]+\?t=70$/);

  const page = await classroom.somebody({ viewport: { width: 390, height: 844 } });
  await page.goto(`${address}&test`);
  await expect(slider(page)).toBeVisible();
  await standsAt(page, 70, hashes);
  await page.getByRole('tab', { name: 'Processes' }).click();
  await expect(page.getByRole('heading', { name: 'Who is next' })).toBeVisible();
  await expect(page.getByText('Ada')).toHaveCount(0);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  expect(wide).toBe(0);

  const id = new URL(address).pathname.split('/')[2]!;
  const response = await page.request.get(`${classroom.house.url}/api/rounds/${id}`);
  const file = new Uint8Array(await response.body());
  const files: [string, Uint8Array, RegExp][] = [
    ['cut', file.slice(0, 900), /It was cut or changed/],
    ['rules', encodeLog({ ...decodeLog(file), rules: 99 }), /older or newer rules/],
  ];
  await page.goto(`${classroom.house.url}/replay?test`);
  for (const [name, bytes, sentence] of files) {
    const path = testInfo.outputPath(name);
    writeFileSync(path, bytes);
    await page.locator('input[type="file"]').setInputFiles(path);
    await expect(page.getByRole('alert')).toHaveText(sentence);
  }
  const path = testInfo.outputPath('whole');
  writeFileSync(path, file);
  await page.locator('input[type="file"]').setInputFiles(path);
  await expect(slider(page)).toBeVisible();
  await page.evaluate(() => (window as unknown as { __overcommit: { seek(n: number): void } }).__overcommit.seek(33));
  await standsAt(page, 33, hashes);
  await page.goto(`${classroom.house.url}/replay/nothing?test`);
  await expect(page.getByRole('alert')).toHaveText('This round is not on this server. It may have been deleted.');
});

test('practice can be looked at again, too', async ({ classroom }) => {
  const page = await classroom.somebody();
  await page.goto(`${classroom.house.url}/?practice&test`);
  await page.getByLabel('Swiss cheese').check();
  await page.getByRole('button', { name: 'Start', exact: true }).click();
  await expect(page.locator('main.play')).toContainText(/\d+ frames/);
  await page.getByRole('button', { name: 'End', exact: true }).click();
  await openDebrief(page);
  await page.getByRole('button', { name: 'Link' }).click();
  await expect(page.getByText('The server does not have this round.')).toBeVisible();
  await page.getByRole('button', { name: 'Close', exact: true }).click();
  await expect(page.getByRole('heading', { name: 'Round over' })).toBeVisible();
});
