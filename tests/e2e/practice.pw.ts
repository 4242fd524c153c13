/** A round alone: the same game without a server's room. */
import { expect, test } from './classroom.ts';

test('practice deals real cards, plays, ends on a podium and starts again', async ({ classroom }) => {
  const page = await classroom.somebody();
  await page.goto(`${classroom.house.url}/`);
  await page.getByRole('link', { name: 'Practice alone' }).click();
  await page.getByLabel('Swiss cheese').check();
  await page.getByRole('button', { name: 'Start', exact: true }).click();
  await expect(
    page
      .getByRole('heading', { name: /PID \d+/ })
      .or(page.getByText(/You are PID/))
      .first(),
  ).toBeVisible();
  await expect(page.locator('main.play')).toContainText(/\d+ frames/);
  await expect(page.locator('main.play')).not.toContainText('NaN');
  await page.getByRole('button', { name: 'End', exact: true }).click();
  await expect(page.getByRole('heading', { name: 'Round over' })).toBeVisible();
  await page.getByRole('button', { name: 'Again', exact: true }).click();
  await expect(page.locator('main.play')).toBeVisible();
});
