/** The first page: what it carries and what it says to a wrong code. */
import { expect, test } from './classroom.ts';

test('GET and HEAD of / carry a strict Content-Security-Policy', async ({ house, request }) => {
  for (const method of ['GET', 'HEAD']) {
    const answer = await request.fetch(`${house.url}/`, { method });
    expect(answer.status()).toBe(200);
    const policy = answer.headers()['content-security-policy']!;
    expect(policy).toContain("default-src 'self'");
    expect(policy).not.toMatch(/unsafe-inline|unsafe-eval|\*/);
  }
});

test('a code that no room has is answered by a sentence, in the language of the browser', async ({ classroom }) => {
  for (const [locale, label] of [
    ['en-US', 'No room'],
    ['zh-CN', '房间'],
  ] as const) {
    const page = await classroom.somebody({ locale });
    await page.goto(`${classroom.house.url}/j/ZZZZZZ`);
    await expect(page.locator('#join-code-says')).toContainText(label);
  }
});

test('nothing is asked of any other host, and the page loads without one', async ({ classroom }) => {
  const page = await classroom.somebody();
  const hosts = new Set<string>();
  page.on('request', (asked) => hosts.add(new URL(asked.url()).origin));
  await page.goto(`${classroom.house.url}/`);
  await expect(page.getByRole('button', { name: 'Join', exact: true })).toBeVisible();
  await page.goto(`${classroom.house.url}/host`);
  await expect(page.getByRole('button', { name: 'Create room' })).toBeEnabled();
  expect([...hosts].filter((origin) => origin !== classroom.house.url && !origin.startsWith('data:') && origin !== 'null')).toEqual([]);
});
