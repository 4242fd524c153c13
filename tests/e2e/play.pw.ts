/** Playing: with the keyboard alone, and with a thumb on a phone. */
import type { Page } from '@playwright/test';
import { atTick, door, expect, inPhase, linked, test } from './classroom.ts';

/** The key of the tray's call that gives memory to a process. */
async function keyOf(page: Page, tool: string): Promise<string> {
  return (await door(page, 'view'))!.tray.find(({ id }) => id === tool)!.key;
}

const holdings = async (page: Page) => (await door(page, 'view'))!.holdings;

test('one card from the code to the pay, without a mouse', async ({ classroom }) => {
  const { page: host, code } = await classroom.host({ seconds: 180 });
  const ada = await classroom.somebody();
  await ada.goto(`${classroom.house.url}/?test`);
  await expect(ada.getByLabel('Room code')).toBeFocused();
  await ada.keyboard.type(code.toLowerCase());
  await ada.keyboard.press('Tab');
  await ada.keyboard.press('ControlOrMeta+a');
  await ada.keyboard.type('Ada');
  await ada.keyboard.press('Enter');
  await linked(ada);
  await door(host, 'host', { do: 'start' });
  await atTick(ada, 5);
  await expect.poll(async () => (await door(ada, 'view'))!.hand.length).toBeGreaterThan(0);

  await ada.keyboard.press('1');
  await ada.keyboard.press(await keyOf(ada, 'mmap'));
  await expect.poll(async () => (await holdings(ada)).length).toBeGreaterThan(0);
  await expect.poll(async () => (await holdings(ada)).map(({ state }) => state), { timeout: 90_000 }).toContain('done');
  const held = (await holdings(ada)).find(({ state }) => state === 'done')!;
  await ada.keyboard.press('Space');
  await expect.poll(async () => (await holdings(ada)).some(({ id }) => id === held.id)).toBe(false);
  expect((await door(ada, 'view'))!.points).toBeGreaterThan(0);
});

test('on a phone of 390 px everything needed is on the screen, and a thumb plays', async ({ classroom }) => {
  const { page: host, code } = await classroom.host({ seconds: 180 });
  const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 };
  const ada = await classroom.student(code, 'Ada', phone);
  await door(host, 'host', { do: 'start' });
  await atTick(ada, 5);
  await expect.poll(async () => (await door(ada, 'view'))!.hand.length).toBeGreaterThan(0);
  const keys = ada.getByRole('region', { name: 'Calls' }).locator('button.key');
  expect(await keys.count()).toBeGreaterThan(0);
  for (const key of await keys.all()) {
    const box = (await key.boundingBox())!;
    expect(box.x).toBeGreaterThanOrEqual(0);
    expect(box.x + box.width).toBeLessThanOrEqual(390);
    expect(box.y + box.height).toBeLessThanOrEqual(844);
    expect(Math.min(box.width, box.height)).toBeGreaterThanOrEqual(48);
  }
  expect(await ada.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
  await keys.first().tap();
  await expect
    .poll(async () => (await holdings(ada)).length + (await door(ada, 'view'))!.hand.filter(({ why }) => why !== null).length)
    .toBeGreaterThan(0);
  await door(host, 'host', { do: 'end' });
  await inPhase(ada, 'podium');
  expect(await ada.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
});

test('on a phone with its browser’s bars the introduction, the cards and all keys are above the fold', async ({ classroom }) => {
  const { page: host, code } = await classroom.host({ seconds: 180, scenario: 'swiss-cheese' });
  const phone = { viewport: { width: 390, height: 664 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 };
  const ada = await classroom.student(code, 'Ada', phone);
  await expect(ada.getByText('Tap it, then tap the call')).toBeVisible();
  await door(host, 'host', { do: 'start' });
  await atTick(ada, 1);
  const needed = [
    ada.getByRole('button', { name: 'Start', exact: true }),
    ada.getByText('Tap a card: memory that somebody needs.'),
    ada.getByText('Tap “Free done” later. Then you are paid in full.'),
    ada.getByRole('button', { name: 'Free done' }).last(),
    ada.getByText('Tap a card, then a call.'),
    ada.getByRole('button', { name: 'Larger order' }),
    ada.getByRole('region', { name: 'Calls' }).locator('button.key').last(),
    ada.getByRole('region', { name: 'Cards' }).locator('.tile').first(),
  ];
  for (const part of needed) await expect(part).toBeInViewport({ ratio: 1 });
  await ada.getByRole('button', { name: 'Start', exact: true }).tap();
  await expect(ada.locator('.intro')).toHaveCount(0);

  // What concerns one comes over every tab, those that hide the map too; and nothing moves under the thumb when it comes.
  await expect.poll(async () => (await door(ada, 'view'))!.hand.length).toBeGreaterThan(0);
  const free = ada.locator('.held-line .free-done');
  const before = (await free.boundingBox())!.y;
  const card = (await door(ada, 'view'))!.hand[0]!;
  await door(ada, 'act', { do: 'use', tool: card.toucher === 'device' ? 'mmap' : 'alloc_pages', card: card.id, order: 0 });
  await expect.poll(async () => (await door(ada, 'view'))!.hand.some(({ why }) => why !== null)).toBe(true);
  expect((await free.boundingBox())!.y).toBe(before);
  await ada.getByRole('tab', { name: 'Class' }).tap();
  await ada.locator('.tile').first().tap();
  await ada.locator('.card-words .tile-why').tap();
  const why = ada.getByRole('dialog', { name: 'Why' });
  await expect(why).toBeInViewport({ ratio: 1 });
  await why.getByRole('button', { name: 'Close' }).tap();
  await expect(why).toHaveCount(0);
});

test('a held item lights its own frames on the map, and the key that frees says what it pays', async ({ classroom }) => {
  const { page: host, code } = await classroom.host({ seconds: 180 });
  const ada = await classroom.student(code, 'Ada');
  await door(host, 'host', { do: 'start' });
  await atTick(ada, 5);
  await expect.poll(async () => (await door(ada, 'view'))!.hand.length).toBeGreaterThan(0);
  await ada.keyboard.press(await keyOf(ada, 'mmap'));
  const item = ada.getByRole('button', { name: /fr \(.*mmap/ }).first();
  await item.click();
  await expect(item).toHaveAttribute('aria-pressed', 'true');
  await ada.keyboard.press('Escape');
  await expect(item).toHaveAttribute('aria-pressed', 'false');
  await expect.poll(async () => (await door(ada, 'view'))!.totals.pending, { timeout: 90_000 }).toBeGreaterThan(0);
  const { pending } = (await door(ada, 'view'))!.totals;
  await expect(ada.locator('.part-held .free-done')).toContainText(`+${pending}`);
});
