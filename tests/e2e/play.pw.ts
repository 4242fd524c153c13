/** Playing: with the keyboard alone, and with a thumb on a phone. */
import type { Page } from '@playwright/test';
import { atTick, door, expect, inPhase, linked, test } from './classroom.ts';

/** The key of the tray's call that gives memory to a process. */
async function keyOf(page: Page, tool: string): Promise<string> {
  return (await door(page, 'view'))!.tray.find(({ id }) => id === tool)!.key;
}

const holdings = async (page: Page) => (await door(page, 'view'))!.holdings;

test('one card from the code to the pay, without a mouse', async ({ classroom }) => {
  const { page: host, code } = await classroom.host({ seconds: 120 });
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
  const { page: host, code } = await classroom.host({ seconds: 60 });
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
