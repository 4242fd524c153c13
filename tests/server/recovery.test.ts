/** Rooms outlive their server: in every phase, with names, seats, options and the round to the last tick that anybody heard. */
import { afterAll, describe, expect, test } from 'vitest';
import { createServer } from 'node:http';
import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { RULES } from '#game/round.ts';
import type { Input } from '#game/types.ts';
import { FILE } from '../../server/store/Store.ts';
import { at, crash, hashOnDisk, openHome, removeHomes, type Housed } from './homes.ts';
import { askSeat, begin, describe as describeRoom, enter, enterHost, insideOf, makeRoom, newSecret, type Guest } from './people.ts';

afterAll(removeHomes);

/** Someone who was in the room comes back, on whatever server there is now. */
const back = (guest: Guest, room: Parameters<typeof enter>[0], role: 'host' | 'player' = 'player') =>
  enter(room, { role, secret: guest.secret });

const actsOf = (guest: Guest, seat: number): Input[] =>
  [...guest.heard.values()].flat().filter((input) => input.type === 'act' && input.seat === seat);

test('a killed server’s round goes on: same seats, names and numbers, not a tick missing or twice', async () => {
  let house = await openHome();
  const room = await makeRoom(house, { seconds: 3600, seats: 8 });
  const host = await enterHost(room);
  const ada = await enter(room, { name: 'Ada' });
  const grace = await enter(room, { name: 'Grace' });
  await host.host({ do: 'addBots', bots: ['free', 'splinter'] });
  await host.host({ do: 'standIns', on: true });
  await host.host({ do: 'start' });
  await ada.untilTick(1);
  for (let i = 0; i < 3; i++) expect(await ada.act({ do: 'freeDone' })).toMatchObject({ ok: true });
  await ada.untilTick(120);
  house = await crash(house);
  const again = at(room, house);
  expect(await describeRoom(again)).toMatchObject({ phase: 'running', players: 4, seats: 8 });
  const [adaBack, hostBack] = [await back(ada, again), await back(host, again, 'host')];
  await adaBack.untilTick(ada.round!.now + 60);
  expect(adaBack.seat).toMatchObject({ seat: ada.seat.seat, name: 'Ada' });
  expect(adaBack.welcome).toMatchObject({ id: ada.welcome!.id, seq: 3, own: 3 });
  expect(adaBack.snaps[0]).toBeLessThanOrEqual(ada.round!.now);
  // What the first heard and the second heard is one sequence.
  for (const [n, inputs] of adaBack.heard) if (ada.heard.has(n)) expect(inputs).toEqual(ada.heard.get(n));
  expect(Math.min(...adaBack.heard.keys())).toBeLessThanOrEqual(Math.max(...ada.heard.keys()) + 1);
  await hostBack.until(() => hostBack.roster.length === 5);
  expect(hostBack.roster.map(({ name, role, bot }) => [name, role, bot])).toEqual([
    ['Host', 'host', ''],
    ['Ada', 'player', ''],
    ['Grace', 'player', ''],
    ['free 1', 'player', 'free'],
    ['splinter 1', 'player', 'splinter'],
  ]);
  expect(hostBack.socket.state.standIns).toBe(true);
  const graceBack = await back(grace, again);
  expect(graceBack.seat.seat).toBe(grace.seat.seat);
  expect(await adaBack.act({ do: 'freeDone' })).toEqual({ ok: true, value: { queued: 4 } });
  await adaBack.until(() => actsOf(adaBack, ada.seat.seat).length > 0);
  // Bots play on, with numbers above those they had.
  const bot = hostBack.roster.find((entry) => entry.bot === 'free')!.seat;
  const before = actsOf(ada, bot).length;
  expect(before).toBeGreaterThan(0);
  await hostBack.until(() => actsOf(hostBack, bot).length > 1);
  const numbers = actsOf(hostBack, bot).map((input) => (input.type === 'act' ? input.seq : 0));
  expect(Math.min(...numbers.slice(-1))).toBeGreaterThan(before);
  await adaBack.until(() => adaBack.digests.length > 0);
  expect([...adaBack.differences, ...hostBack.differences]).toEqual([]);
  await hostBack.host({ do: 'end' });
  await hostBack.untilPhase('podium');
  expect(await hashOnDisk(house.folder, room.code)).toBe(hostBack.hash);
  await house.close();
});

test('what was queued and in no tick yet is sent again, and applies once', async () => {
  let house = await openHome();
  const { room, host, player } = await begin(house);
  await host.host({ do: 'pause' });
  await player.untilPhase('paused');
  await host.host({ do: 'resume' });
  // Queued in the moment of the crash: the server is closed before its next tick.
  const sent = player.ask('input', { seq: 1, action: { do: 'freeDone' } });
  house = await crash(house);
  await sent;
  const again = at(room, house);
  const returned = await back(player, again);
  await returned.until(() => returned.welcome !== null);
  for (let i = 0; i < 2; i++) expect(await returned.ask('input', { seq: 1, action: { do: 'freeDone' } })).toMatchObject({ ok: true });
  await returned.untilTick(player.round!.now + 30);
  const heard = new Map([...player.heard, ...returned.heard]);
  const acts = [...heard.values()].flat().filter((input) => input.type === 'act');
  expect(acts).toEqual([{ type: 'act', seat: player.seat.seat, seq: 1, action: { do: 'freeDone' } }]);
  await house.close();
});

test('the lobby: names, lock and options; who was here comes back, others do not', async () => {
  let house = await openHome();
  const room = await makeRoom(house, { seconds: 30, seats: 5 });
  const host = await enterHost(room);
  const player = await enter(room, { name: 'Ada' });
  await host.host({ do: 'options', seconds: 90 });
  await host.host({ do: 'lock', locked: true });
  house = await crash(house);
  const again = at(room, house);
  expect(await describeRoom(again)).toMatchObject({ phase: 'lobby', locked: true, players: 1, seats: 5 });
  expect((await askSeat(again, { secret: newSecret(), role: 'player' })).body.error).toBe('LOCKED');
  expect((await back(player, again)).seat).toMatchObject({ seat: 0, name: 'Ada' });
  const hostBack = await back(host, again, 'host');
  await hostBack.until(() => hostBack.socket.state.seconds === 90);
  expect(await hostBack.host({ do: 'start' })).toMatchObject({ ok: true });
  await house.close();
});

test('the briefing goes on, and the round begins by itself', async () => {
  let house = await openHome();
  const room = await makeRoom(house, { seconds: 3600 });
  const host = await enterHost(room);
  const player = await enter(room);
  await host.host({ do: 'start' });
  house = await crash(house);
  const again = at(room, house);
  expect(await describeRoom(again)).toMatchObject({ phase: 'briefing' });
  const returned = await back(player, again);
  await returned.untilTick(10);
  expect(returned.heard.get(1)).toEqual([{ type: 'join', seat: 0, bot: null }]);
  await house.close();
});

test('a paused round stays paused until the host says so', async () => {
  let house = await openHome();
  const { room, host, player } = await begin(house, { ticks: 20 });
  await host.host({ do: 'pause' });
  await player.untilPhase('paused');
  const stood = player.round!.now;
  house = await crash(house);
  const again = at(room, house);
  const returned = await back(player, again);
  const hostBack = await back(host, again, 'host');
  await returned.until(() => returned.round !== null);
  expect(returned.phase).toBe('paused');
  expect(returned.round!.now).toBe(stood);
  await hostBack.host({ do: 'resume' });
  await returned.untilTick(stood + 10);
  await returned.until(() => returned.digests.length > 0);
  expect(returned.differences).toEqual([]);
  await house.close();
});

test('the podium stands, and the same class plays again', async () => {
  let house = await openHome();
  const { room, host, player } = await begin(house, { ticks: 20 });
  await host.host({ do: 'end' });
  await player.untilPhase('podium');
  house = await crash(house);
  const again = at(room, house);
  const hostBack = await back(host, again, 'host');
  const returned = await back(player, again);
  await returned.until(() => returned.round !== null);
  expect(returned.phase).toBe('podium');
  expect(returned.hash).toBe(player.hash);
  await hostBack.host({ do: 'again' });
  await hostBack.untilPhase('lobby');
  await hostBack.host({ do: 'start' });
  await returned.until(() => returned.snaps.length > 1 && returned.round!.now > 3);
  expect(await returned.act({ do: 'freeDone' })).toMatchObject({ ok: true });
  await house.close();
});

test('a stop in good order tells everybody that it is worth coming back, and loses nothing', async () => {
  let house = await openHome();
  const { room, player } = await begin(house, { ticks: 40 });
  const { folder } = house;
  await house.close();
  await player.until(() => player.closed !== null);
  expect(player.closed).toEqual({ code: 4010, reason: 'STOPPING' });
  house = await openHome({ dataFolder: folder });
  const returned = await back(player, at(room, house));
  await returned.untilTick(player.round!.now + 20);
  expect(returned.differences).toEqual([]);
  await house.close();
});

test('a port that is taken leaves the folder free', async () => {
  const house = await openHome();
  const other = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => other.once('listening', resolve));
  const { folder } = house;
  await house.close();
  await expect(openHome({ dataFolder: folder, port: (other.address() as { port: number }).port })).rejects.toThrow(/EADDRINUSE/);
  other.close();
  await (await openHome({ dataFolder: folder })).close();
});

/** Changes the database of a server that is not running. */
function rewrite(folder: string, sql: string): void {
  const database = new DatabaseSync(join(folder, FILE));
  database.exec(sql);
  database.close();
}

/** The one round of a server that is not running. */
function rowOf(folder: string): Record<string, unknown> {
  const database = new DatabaseSync(join(folder, FILE));
  const rows = database.prepare('select * from rounds').all();
  database.close();
  expect(rows).toHaveLength(1);
  return rows[0]!;
}

async function playedHouse(): Promise<{ house: Housed; room: Awaited<ReturnType<typeof makeRoom>>; player: Guest }> {
  const house = await openHome();
  const { room, player } = await begin(house, { name: 'Ada', ticks: 30 });
  await house.close();
  return { house, room, player };
}

test('a room of long ago is not in memory until somebody asks; then it is as it was', async () => {
  const {
    house: { folder },
    room,
    player,
  } = await playedHouse();
  rewrite(folder, 'update rooms set touched = touched - 660000');
  const lines: string[] = [];
  const house = await openHome({ dataFolder: folder, logLevel: 'info', logTo: { write: (line) => void lines.push(line) } });
  const again = at(room, house);
  expect(lines.join('')).not.toContain('rooms are back');
  // To look costs nothing and wakes nobody.
  expect(await describeRoom(again)).toMatchObject({ code: room.code, phase: 'running', players: 1 });
  expect(lines.join('')).not.toContain('round goes on');
  const [returned, ...strangers] = await Promise.all([back(player, again), enter(again), enter(again)]);
  expect(lines.join('').match(/round goes on/g)).toHaveLength(1);
  await returned.untilTick(player.round!.now + 20);
  expect(returned.seat).toMatchObject({ seat: player.seat.seat, name: 'Ada' });
  for (const stranger of strangers) await stranger.until(() => stranger.digests.length > 0);
  expect([returned, ...strangers].flatMap((guest) => guest.differences)).toEqual([]);
  await house.close();
});

test('a room that was empty for long leaves memory; one that has played comes back when asked for', async () => {
  const house = await openHome({ patience: { emptyMs: 1 } });
  const { room, host, player } = await begin(house, { ticks: 10 });
  await Promise.all([host.drop(), player.drop()]);
  while (insideOf(room) !== undefined) await new Promise((resolve) => setImmediate(resolve));
  expect(await describeRoom(room)).toMatchObject({ phase: 'running', players: 1 });
  const returned = await back(player, room);
  await returned.untilTick(player.round!.now + 5);
  expect(returned.seat.seat).toBe(player.seat.seat);
  await house.close();
});

describe.each([RULES - 1, 999])('a room of rules %i is closed with a sentence, its results kept', (rules) => {
  test.each(['running', 'podium'])('%s', async (phase) => {
    const before = await openHome();
    const { room, host, player } = await begin(before, { ticks: 20 });
    if (phase === 'podium') {
      await host.host({ do: 'end' });
      await player.untilPhase('podium');
    }
    await before.close();
    const recorded = rowOf(before.folder);
    expect(recorded).toMatchObject({ rules: RULES, ended: phase === 'podium' ? expect.any(Number) : null });
    if (phase === 'podium') expect(JSON.parse(recorded.result as string)).toMatchObject({ points: [{ seat: 0 }] });
    rewrite(before.folder, `update rounds set rules = ${rules}`);
    const house = await openHome({ dataFolder: before.folder });
    const again = at(room, house);
    for (const { secret } of [player, player, { secret: newSecret() }])
      expect(await askSeat(again, { secret, role: 'player' })).toMatchObject({ status: 410, body: { error: 'OTHER_RULES' } });
    expect((await fetch(`${house.url}/api/rooms/${room.code}`)).status).toBe(410);
    await house.close();
    expect(rowOf(before.folder)).toEqual({ ...recorded, rules });
  });
});

test('a snapshot that was spoilt costs time, not the round', async () => {
  const {
    house: { folder },
    room,
    player,
  } = await playedHouse();
  for (const bytes of ["x'05ffffff'", "x'00'", 'zeroblob(1000)']) {
    rewrite(folder, `insert or replace into snapshots select key, 5, ${bytes} from rounds`);
    const house = await openHome({ dataFolder: folder });
    const returned = await back(player, at(room, house));
    await returned.until(() => returned.digests.length > 0);
    expect(returned.differences).toEqual([]);
    await house.close();
  }
});

test('a log that cannot be read leaves the class in the lobby, with everybody in it', async () => {
  const {
    house: { folder },
    room,
    player,
  } = await playedHouse();
  rewrite(folder, "update chunks set bytes = x'0101ff' where first = 1; delete from snapshots");
  const house = await openHome({ dataFolder: folder });
  const again = at(room, house);
  expect(await describeRoom(again)).toMatchObject({ phase: 'lobby', players: 1 });
  const returned = await back(player, again);
  expect(returned.seat).toMatchObject({ seat: player.seat.seat, name: 'Ada' });
  const host = await enterHost(again);
  await host.host({ do: 'start' });
  await returned.untilTick(5);
  await house.close();
});
