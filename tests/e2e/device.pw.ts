/** Going on on another device, by a link that is one's own. */
import type { Page } from '@playwright/test';
import { atTick, door, expect, linked, test } from './classroom.ts';

/** The link that the page shows when it is asked to. */
async function ownLink(page: Page): Promise<string> {
  await page.getByRole('button', { name: 'Other device' }).click();
  const link = await page.getByRole('textbox', { name: 'Your own link' }).inputValue();
  await expect(page.getByRole('img', { name: 'QR code of your own link' })).toBeVisible();
  await page.getByRole('button', { name: 'Close', exact: true }).click();
  return link;
}

test('a student and the teacher go on on other devices, as who they were; a link that was used opens nothing', async ({ classroom }) => {
  const { page: host, code } = await classroom.host({ seconds: 180 });
  const ada = await classroom.student(code, 'Ada');
  await door(host, 'host', { do: 'start' });
  await atTick(ada, 3);
  const before = { seat: await door(ada, 'seat'), pid: await door(ada, 'pid') };
  const link = await ownLink(ada);
  expect(new URL(link).pathname).toBe(`/j/${code}`);

  const phone = await classroom.somebody({ viewport: { width: 390, height: 844 } });
  await phone.goto(link.replace('#', '?test#'));
  await linked(phone);
  await atTick(phone, 5);
  await expect.poll(async () => ({ seat: await door(phone, 'seat'), pid: await door(phone, 'pid') })).toEqual(before);
  // Nobody who looks at the address learns the pass.
  expect(new URL(phone.url()).hash).toBe('');
  await expect(ada.getByRole('alert')).toContainText('on another device');
  await phone.reload();
  await linked(phone);
  expect(await door(phone, 'seat')).toBe(before.seat);
  expect((await door(host, 'room'))!.roster.filter((entry) => entry.role === 'player').map((entry) => entry.name)).toEqual(['Ada']);

  await host.getByRole('button', { name: 'Code and bots' }).click();
  const consoleLink = await ownLink(host);
  const tablet = await classroom.somebody({ viewport: { width: 1024, height: 768 } });
  await tablet.goto(consoleLink.replace('#', '?test#'));
  await linked(tablet);
  expect((await door(tablet, 'room'))!.role).toBe('host');
  await expect.poll(() => door(host, 'ended')).toBe('REPLACED');
  await tablet.getByRole('button', { name: 'Pause' }).click();
  await expect.poll(() => door(phone, 'phase')).toBe('paused');

  // Opened once more where it was opened it is the way back; anywhere else it opens nothing, and tells why.
  await phone.goto(`${classroom.house.url}/`);
  await phone.goto(link.replace('#', '?test#'));
  await linked(phone);
  expect(await door(phone, 'seat')).toBe(before.seat);
  const stranger = await classroom.somebody();
  for (const used of [link, consoleLink, link.replace(/=.*/, `=${'0'.repeat(32)}`)]) {
    await stranger.goto('about:blank');
    await stranger.goto(used.replace('#', '?test#'));
    await expect(stranger.getByRole('alert')).toContainText('used already, or is too old');
  }
  await stranger.getByRole('button', { name: /New room|first page/ }).click();
  await stranger.goto(`${classroom.house.url}/host/${code}?test`);
  await expect(stranger.getByRole('alert')).toContainText('Only the device that made this room');
  // What is no pass is no more than an address; and who leaves takes their proof along.
  await phone.getByRole('button', { name: 'Leave' }).click();
  await phone.goto(`${classroom.house.url}/j/${code}?test#pass=xyz`);
  await phone.getByRole('button', { name: 'Join', exact: true }).click();
  await linked(phone);
  expect(await door(phone, 'seat')).not.toBe(before.seat);
});
