/** Links that break without a word, and devices that sleep: the page says so, and is back by itself as who it was. */
import type { Page } from '@playwright/test';
import { decodeTick } from '#protocol/tick.ts';
import { atTick, door, expect, inPhase, join, linked, test as base, type Classroom } from './classroom.ts';
import { Wire } from './Wire.ts';

const test = base.extend<{ wire: Wire }>({
  wire: async ({ house }, use) => {
    const wire = await Wire.to(house.url);
    await use(wire);
    await wire.close();
  },
});

/** A round with a student behind the wire; the host is not. */
async function classBehind(wire: Wire, classroom: Classroom) {
  const { page: host, code } = await classroom.host({ seconds: 240 });
  const ada = await classroom.somebody();
  await join(ada, { ...classroom.house, url: wire.url }, code, 'Ada');
  await door(host, 'host', { do: 'start' });
  await atTick(ada, 5);
  await ada.evaluate(() => void Object.assign(window, { neverReloaded: true }));
  return { host, code, ada, pid: await door(ada, 'pid'), seat: await door(ada, 'seat') };
}

const isOnline = async (host: Page, seat: number | null) =>
  (await door(host, 'room'))!.roster.find((entry) => entry.role === 'player' && entry.seat === seat)?.online;

/** It hears the round of now, as the same process, and nobody has loaded it anew; in the end its machine is the server's. */
async function isBack({ host, code, ada, pid }: Awaited<ReturnType<typeof classBehind>>, classroom: Classroom): Promise<void> {
  await atTick(ada, (await door(host, 'tick'))! + 5);
  await linked(ada);
  await expect(ada.locator('.link-banner.lost')).toBeHidden();
  await expect.poll(() => door(ada, 'pid')).toBe(pid);
  expect(await ada.evaluate(() => 'neverReloaded' in window)).toBe(true);
  await door(host, 'host', { do: 'end' });
  await inPhase(ada, 'podium');
  const { hash } = (await classroom.house.round(code))!;
  await expect.poll(() => door(ada, 'hash')).toBe(hash);
}

test('a link that fell silent is noticed and replaced; what was pressed meanwhile applies once or not at all', async ({
  classroom,
  wire,
}) => {
  const there = await classBehind(wire, classroom);
  wire.silence();
  // Nobody has closed anything: the page and the server find out by themselves.
  const pressed = door(there.ada, 'act', { do: 'freeDone' });
  await expect(there.ada.locator('.link-banner.lost')).toBeVisible();
  await expect(there.ada.locator('.link-banner.lost')).toBeHidden();
  // Where it took too long the page says so, and it is not done behind anybody's back.
  const { ok } = await pressed;
  expect(await door(there.ada, 'act', { do: 'adj', value: 1 })).toMatchObject({ ok: true });
  await isBack(there, classroom);
  const { ticks } = (await classroom.house.round(there.code))!;
  const inputs = ticks.flatMap((bytes) => decodeTick(Buffer.from(bytes, 'base64')).inputs);
  const acts = inputs.flatMap((input) => (input.type === 'act' ? [input.action.do] : []));
  expect(acts).toEqual(ok ? ['freeDone', 'adj'] : ['adj']);
});

test('a network that is gone until the server has given up: players and screens come back when it is there again', async ({
  classroom,
  wire,
}) => {
  const there = await classBehind(wire, classroom);
  const screen = await classroom.somebody();
  await screen.goto(`${wire.url}/screen/${there.code}?test`);
  await linked(screen);
  wire.cut();
  for (const page of [there.ada, screen]) await expect(page.locator('.link-banner.lost')).toBeVisible();
  await expect.poll(() => isOnline(there.host, there.seat)).toBe(false);
  wire.mend();
  await atTick(screen, (await door(there.host, 'tick'))! + 5);
  await linked(screen);
  await isBack(there, classroom);
});

test('a laptop that slept wakes up in the round of now', async ({ classroom, wire }) => {
  const there = await classBehind(wire, classroom);
  const device = await there.ada.context().newCDPSession(there.ada);
  await device.send('Page.setWebLifecycleState', { state: 'frozen' });
  wire.cut();
  await expect.poll(() => isOnline(there.host, there.seat)).toBe(false);
  await atTick(there.host, (await door(there.host, 'tick'))! + 50);
  wire.mend();
  await device.send('Page.setWebLifecycleState', { state: 'active' });
  await isBack(there, classroom);
});
