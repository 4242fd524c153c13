/** The teacher's page: powers survive a reload in every phase. */
import { atTick, door, expect, inPhase, linked, test } from './classroom.ts';

test('the host reloads in the lobby and in mid-round, and keeps all powers', async ({ classroom }) => {
  const { page: host, code } = await classroom.host({ seconds: 180 });
  const ada = await classroom.student(code, 'Ada');

  await host.reload();
  await linked(host);
  expect((await door(host, 'room'))!.role).toBe('host');
  await host.getByRole('button', { name: 'Lock', exact: true }).click();
  await expect.poll(async () => (await door(ada, 'room'))!.locked).toBe(true);
  await host.getByRole('button', { name: 'Locked' }).click();
  await expect.poll(async () => (await door(ada, 'room'))!.locked).toBe(false);

  await host.getByRole('button', { name: 'Start', exact: true }).click();
  await atTick(ada, 5);
  await host.reload();
  await linked(host);
  await atTick(host, 5);
  await host.getByRole('button', { name: 'Pause' }).click();
  await inPhase(ada, 'paused');
  await host.getByRole('button', { name: 'Resume' }).click();
  await inPhase(ada, 'running');
  await host.getByRole('button', { name: 'End round' }).click();
  await host.getByRole('button', { name: 'Press again to end' }).click();
  for (const page of [host, ada]) await inPhase(page, 'podium');
  await host.getByRole('button', { name: 'Same class again' }).click();
  for (const page of [host, ada]) await inPhase(page, 'lobby');
  expect((await door(host, 'room'))!.roster.filter((entry) => entry.role === 'player').map((entry) => entry.name)).toEqual(['Ada']);
});

test('a student who is removed is told so, and can come back; a locked room says that it is locked', async ({ classroom }) => {
  const { page: host, code } = await classroom.host();
  const ada = await classroom.student(code, 'Ada');
  await host.getByRole('button', { name: 'Remove Ada' }).click();
  await expect(ada.getByRole('alert')).toContainText('You are out of the room');
  expect(await door(ada, 'ended')).toBe('KICKED');
  await ada.getByRole('button', { name: 'Come back in' }).click();
  await linked(ada);
  await host.getByRole('main').getByRole('button', { name: 'Lock', exact: true }).click();
  await expect.poll(async () => (await door(host, 'room'))!.locked).toBe(true);
  const late = await classroom.somebody();
  await late.goto(`${classroom.house.url}/j/${code}?test`);
  await late.getByRole('button', { name: 'Join', exact: true }).click();
  await expect(late.getByRole('alert')).toContainText(/locked/i);
});

test('a student who is removed while their page is still connecting is told so, too, and stays out', async ({ classroom }) => {
  const { page: host, code } = await classroom.host();
  const ada = await classroom.somebody();
  let answer = (): void => {};
  const held = new Promise<void>((resolve) => (answer = resolve));
  await ada.route('**/seat', async (route) => {
    const response = await route.fetch();
    await held;
    await route.fulfill({ response });
  });
  await ada.goto(`${classroom.house.url}/j/${code}?test`);
  await ada.getByLabel('Your name in the game').fill('Ada');
  await ada.getByRole('button', { name: 'Join', exact: true }).click();
  const players = async () => (await door(host, 'room'))!.roster.filter((entry) => entry.role === 'player');
  await expect.poll(async () => (await players()).map(({ name }) => name)).toEqual(['Ada']);
  await door(host, 'host', { do: 'kick', id: (await players())[0]!.id });
  answer();
  await expect(ada.getByRole('alert')).toContainText('removed you');
  expect(await players()).toEqual([]);
});

test('bots fill the room and play', async ({ classroom }) => {
  const { page: host, code } = await classroom.host({ seconds: 180 });
  expect(await door(host, 'host', { do: 'addBots', bots: ['free', 'never', 'splinter'] })).toMatchObject({ ok: true });
  await host.getByRole('button', { name: 'Start', exact: true }).click();
  await atTick(host, 40);
  const truth = (await classroom.house.round(code))!;
  expect(truth.now).toBeGreaterThanOrEqual(40);
  // A head and three rows: for the eye in the console, for the ear beside the canvas.
  const tables = host.getByRole('table', { name: 'Processes' });
  await expect(tables).toHaveCount(2);
  for (const table of await tables.all()) await expect(table.getByRole('row')).toHaveCount(4);
});

test('who watches stands in the teacher’s list and can be taken out; rounds of before are listed, each with its replay', async ({
  classroom,
}) => {
  const { page: host, code } = await classroom.host({ seconds: 10 });
  const ada = await classroom.student(code, 'Ada');
  const [screen, eve] = [await classroom.somebody(), await classroom.somebody()];
  await screen.goto(`${classroom.house.url}/screen/${code}?test`);
  await eve.goto(`${classroom.house.url}/watch/${code}?test`);
  for (const page of [screen, eve]) await linked(page);
  await expect(host.getByText('2 watch')).toBeVisible();
  await host.getByRole('button', { name: 'Remove Spectator 1' }).click();
  await expect.poll(() => door(eve, 'ended')).toBe('KICKED');
  await expect(host.getByText('1 watches')).toBeVisible();
  await expect(host.getByText('in this room')).toHaveCount(0);

  await door(host, 'host', { do: 'start' });
  await atTick(ada, 5);
  await host.getByRole('button', { name: 'Code and bots' }).click();
  await host.getByRole('button', { name: 'Remove Screen 1' }).click();
  await expect.poll(() => door(screen, 'ended')).toBe('KICKED');
  await inPhase(host, 'podium');
  const truth = (await classroom.house.round(code))!;
  await host.getByText('1 round in this room').click();
  await host.getByRole('button', { name: 'Same class again' }).click();
  await inPhase(host, 'lobby');
  await host.getByText('1 round in this room').click();
  const [replay] = await Promise.all([
    host.context().waitForEvent('page'),
    host.getByRole('link', { name: 'Round 1', exact: true }).click(),
  ]);
  await expect(replay.getByRole('slider', { name: 'Moment of the round' })).toBeVisible();
  await expect(replay.getByRole('slider', { name: 'Moment of the round' })).toHaveAttribute('max', String(truth.now));

  // And all of it can be deleted, by two presses.
  await host.getByRole('button', { name: 'Delete this room' }).click();
  await host.getByRole('button', { name: 'Press again to delete' }).click();
  for (const page of [host, ada]) await expect(page.getByRole('alert')).toContainText('deleted this room');
  const file = replay.url().replace('/replay/', '/api/rounds/');
  await expect.poll(async () => (await replay.request.get(file)).status()).toBe(404);
});
