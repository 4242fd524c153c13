/** The whole path, end to end: a teacher, three students, one short round. */
import { atTick, door, expect, inPhase, linked, test } from './classroom.ts';

test('a host and three students play a round; one reloads, one comes late; all end with the server’s machine', async ({ classroom }) => {
  const { house } = classroom;
  const { page: host, code } = await classroom.host({ seconds: 40 });
  const ada = await classroom.student(code, 'Ada');
  const bob = await classroom.student(code, 'Bob');
  await expect(host.getByText('2 of')).toBeVisible();
  await host.getByRole('button', { name: 'Start', exact: true }).click();
  for (const page of [host, ada, bob]) await inPhase(page, 'running');

  await atTick(ada, 1);
  const before = { seat: await door(ada, 'seat'), pid: await door(ada, 'pid') };
  expect(before.pid).toBeGreaterThan(0);
  const [cy] = await Promise.all([
    classroom.student(code, 'Cy'),
    ada.reload().then(() => linked(ada)),
    door(bob, 'view').then((view) => door(bob, 'act', { do: 'use', tool: view!.tray[0]!.id, card: view!.hand[0]!.id, order: 0 })),
  ]);
  await atTick(ada, 1);
  await atTick(cy, 1);
  await expect.poll(async () => ({ seat: await door(ada, 'seat'), pid: await door(ada, 'pid') })).toEqual(before);
  for (const page of [bob, cy]) await expect.poll(() => door(page, 'pid')).not.toBeNull();
  const pids = await Promise.all([ada, bob, cy].map((page) => door(page, 'pid')));
  expect(new Set(pids).size).toBe(3);

  const pages = [host, ada, bob, cy];
  for (const page of pages) await inPhase(page, 'podium');
  const truth = (await house.round(code))!;
  expect(truth.now).toBe(400);
  for (const page of pages) {
    await atTick(page, truth.now);
    expect(await door(page, 'hash')).toBe(truth.hash);
    expect(await door(page, 'over')).toBe(true);
    await expect(page.getByRole('heading', { name: 'Round over' })).toBeVisible();
  }
  // The teacher's list, folded at first, has everybody.
  for (const name of ['Ada', 'Bob', 'Cy']) await expect(host.getByText(name).first()).toBeAttached();
  // One process a person, the reload notwithstanding: three joins in the log, Cy's after the first tick.
  const podium = await door(ada, 'podium');
  expect(podium!.rows.map((row) => row.seat).sort()).toEqual([0, 1, 2]);
});

test('a cut socket comes back by itself as the same process', async ({ classroom }) => {
  const { page: host, code } = await classroom.host({ seconds: 180 });
  const ada = await classroom.student(code, 'Ada');
  await door(host, 'host', { do: 'start' });
  await atTick(ada, 5);
  const pid = await door(ada, 'pid');
  await door(ada, 'cut');
  await atTick(ada, 15);
  await linked(ada);
  // Until the machine is there again the page has none to look into.
  await expect.poll(() => door(ada, 'pid')).toBe(pid);
  await door(host, 'host', { do: 'end' });
  for (const page of [host, ada]) await inPhase(page, 'podium');
  const truth = (await classroom.house.round(code))!;
  for (const page of [host, ada]) await expect.poll(() => door(page, 'hash')).toBe(truth.hash);
});

test('the same device in a second tab: the newest plays, the older is told and may take over', async ({ classroom }) => {
  const { code } = await classroom.host();
  const older = await classroom.student(code, 'Ada');
  const newer = await older.context().newPage();
  await newer.goto(`${classroom.house.url}/j/${code}?test`);
  await newer.getByRole('button', { name: 'Join', exact: true }).click();
  await linked(newer);
  await expect(older.getByRole('alert')).toContainText('You are out of the room');
  expect(await door(older, 'ended')).toBe('REPLACED');
  expect(await door(newer, 'seat')).toBe(await door(older, 'seat'));
  await older.getByRole('button', { name: 'Play here instead' }).click();
  await linked(older);
  await expect.poll(() => door(newer, 'ended')).toBe('REPLACED');
});
