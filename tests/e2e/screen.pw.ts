/** The projector's page and the spectator's: the whole round, nothing to press, and nobody's name unless it is asked for. */
import type { Page } from '@playwright/test';
import { atTick, door, expect, inPhase, linked, test } from './classroom.ts';

const BEAMER = { viewport: { width: 1920, height: 1080 } };

/** Nothing lies outside the page, and nothing on it can be pressed or typed into. */
async function isWholeAndStill(page: Page): Promise<void> {
  const overflow = () =>
    page.evaluate(() => {
      const { scrollWidth, scrollHeight, clientWidth, clientHeight } = document.documentElement;
      return { x: scrollWidth - clientWidth, y: scrollHeight - clientHeight };
    });
  await expect.poll(overflow).toEqual({ x: 0, y: 0 });
  for (const role of ['button', 'link', 'textbox', 'combobox'] as const) {
    const there = page.getByRole(role);
    for (const one of await there.all()) await expect(one).toHaveCSS('pointer-events', 'none');
  }
}

test('a screen shows code, clock, machine, figures and podium, and no name', async ({ classroom }) => {
  const { page: host, code } = await classroom.host({ seconds: 180 });
  const ada = await classroom.student(code, 'Ada');
  const screen = await classroom.somebody(BEAMER);
  await screen.goto(`${classroom.house.url}/screen/${code}?test`);
  await linked(screen);
  await expect(screen.getByLabel(code.split('').join(' '))).toBeVisible();
  await expect(screen.getByText('1 of')).toBeVisible();
  expect((await screen.locator('.screen-head').boundingBox())!).toMatchObject({ x: 0, y: 0, width: 1920 });
  await expect(screen.getByText('Ada')).toHaveCount(0);
  await isWholeAndStill(screen);

  await door(host, 'host', { do: 'addBots', bots: ['free', 'never', 'keep'] });
  await host.getByRole('button', { name: 'Start', exact: true }).click();
  await inPhase(screen, 'running');
  await atTick(screen, 20);
  const size = await screen.locator('.screen-code strong').evaluate((text) => parseFloat(getComputedStyle(text).fontSize));
  expect(size).toBeGreaterThan(60);
  await expect(screen.getByRole('timer')).toHaveText(/^[0-3]:\d\d$/);
  await expect(screen.locator('.screen-machine canvas')).toBeVisible();
  await expect(screen.locator('.figure')).toHaveCount(4);
  // The machine has most of the page, and its free lists are whole.
  expect((await screen.locator('.screen-machine').boundingBox())!.height).toBeGreaterThan(600);
  const [side, last] = [screen.locator('.machine-side'), screen.locator('.list').last()];
  const bottom = async (of: typeof side) => of.boundingBox().then((box) => box!.y + box!.height);
  expect(await bottom(last)).toBeLessThanOrEqual(await bottom(side));
  await isWholeAndStill(screen);

  await screen.reload();
  await linked(screen);
  await atTick(screen, 25);
  await door(host, 'host', { do: 'end' });
  for (const page of [screen, ada]) await inPhase(page, 'podium');
  const { hash } = (await classroom.house.round(code))!;
  await expect.poll(() => door(screen, 'hash')).toBe(hash);
  await expect(screen.getByRole('heading', { name: 'Round over' })).toBeVisible();
  // Who has points is named by PID; so early perhaps nobody has points, or five jobs.
  await expect(screen.getByText(/PID \d+|Nobody has points/).first()).toBeVisible();
  await expect(screen.getByText(/Nobody has served five jobs yet|Needed memory/).first()).toBeVisible();
  await expect(screen.getByText('Ada')).toHaveCount(0);
  await isWholeAndStill(screen);
});

test('names stand on a screen whose address asks for them', async ({ classroom }) => {
  const { code } = await classroom.host();
  await classroom.student(code, 'Ada');
  const screen = await classroom.somebody(BEAMER);
  await screen.goto(`${classroom.house.url}/screen/${code}?test&names`);
  await linked(screen);
  await expect(screen.getByText('Ada')).toBeVisible();
});

test('who only wants to watch comes by a link of the join page, and can leave', async ({ classroom }) => {
  const { page: host, code } = await classroom.host({ seconds: 180 });
  await classroom.student(code, 'Ada');
  await door(host, 'host', { do: 'start' });
  const eve = await classroom.somebody();
  await eve.goto(`${classroom.house.url}/j/${code}?test`);
  await eve.getByRole('link', { name: 'Only watch this room' }).click();
  await linked(eve);
  await atTick(eve, 5);
  expect(await door(eve, 'room')).toMatchObject({ role: 'spectator', seat: -1 });
  expect((await door(host, 'room'))!.roster.filter((entry) => entry.role === 'player')).toHaveLength(1);
  await eve.reload();
  await linked(eve);
  expect(await door(eve, 'room')).toMatchObject({ role: 'spectator' });
  await eve.getByRole('button', { name: 'Leave' }).click();
  await expect(eve.getByLabel('Room code')).toBeVisible();
});

/** As a page that is five seconds behind does; again, as one that stays behind. */
function askForSnapshot(page: Page): Promise<boolean> {
  return page.evaluate(async () => {
    const { session } = (window as unknown as { __overcommit: { session: unknown } }).__overcommit;
    const { socket } = session as { socket: { request(type: string, payload: object): Promise<unknown> } };
    return socket.request('resync', {}).then(
      () => true,
      () => false,
    );
  });
}

test('a page that cannot keep up watches, says why, and can play again', async ({ classroom }) => {
  const { page: host, code } = await classroom.host({ seconds: 180 });
  const ada = await classroom.student(code, 'Ada');
  await door(host, 'host', { do: 'start' });
  await atTick(ada, 5);
  const seat = await door(ada, 'seat');
  await expect
    .poll(async () => (await askForSnapshot(ada)) && (await door(ada, 'room'))!.role, { intervals: [100, 700] })
    .toBe('spectator');
  await expect(ada.getByRole('alert')).toContainText('too slow to play along');
  await expect(ada.locator('.screen-machine canvas')).toBeVisible();
  // What it sees goes on, by pictures.
  const tick = (await door(ada, 'tick'))!;
  await expect.poll(() => door(ada, 'tick')).toBeGreaterThan(tick + 40);
  await ada.getByRole('button', { name: 'Come back in' }).click();
  await expect.poll(async () => (await door(ada, 'room'))?.role).toBe('player');
  expect(await door(ada, 'seat')).toBe(seat);
});
