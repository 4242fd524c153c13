/** A round from start to podium: real server, real sockets, every guest with a round of its own. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { enter, enterHost, makeRoom, openPlace, type Guest, type Place } from './people.ts';

// One for each test: rounds of an hour that nobody looks at any more take their time from the others.
let place: Place;
beforeEach(async () => {
  place = await openPlace();
});
afterEach(() => place.close());

async function classOf(count: number, options: { seconds?: number; seats?: number } = {}) {
  const room = await makeRoom(place, options);
  const host = await enterHost(room);
  const players = await Promise.all(Array.from({ length: count }, () => enter(room)));
  return { room, host, players, all: [host, ...players] };
}

async function start(host: Guest): Promise<void> {
  expect(await host.host({ do: 'start' })).toMatchObject({ ok: true });
  await host.untilPhase('running');
}

test('three players and a host see the whole short round, and all end with the server’s hash', async () => {
  const { host, players, all } = await classOf(3, { seconds: 30 });
  await start(host);
  for (const [index, player] of players.entries()) {
    await player.untilTick(5 + index);
    expect(await player.act({ do: 'freeDone' })).toMatchObject({ ok: true });
  }
  for (const guest of all) await guest.until(() => guest.round?.over === true && guest.phase === 'podium');
  const last = host.digests.at(-1)!;
  expect(last.n).toBe(host.round!.now);
  for (const guest of all) {
    await guest.until(() => guest.digests.at(-1)?.n === last.n);
    expect(guest.hash).toBe(last.hash);
    expect(guest.differences).toEqual([]);
    expect(guest.digests.map((digest) => digest.n)).toEqual([50, 100, 150, 200, 250, 300]);
  }
});

test('the first tick has a process for everybody, in the order of the seats', async () => {
  const { host, players } = await classOf(3);
  await start(host);
  await host.untilTick(1);
  const seats = players.map((player) => player.welcome!.seat).sort();
  expect(seats).toEqual([0, 1, 2]);
  expect(
    host.heard
      .get(1)!
      .filter((input) => input.type === 'join')
      .map((input) => input.seat),
  ).toEqual([0, 1, 2]);
});

test('an input comes back in a tick, once, with seat and number', async () => {
  const { host, players } = await classOf(1);
  const player = players[0]!;
  await start(host);
  await player.untilTick(1);
  const same = { seq: 7, action: { do: 'freeDone' as const } };
  expect(await player.ask('input', same)).toEqual({ ok: true, value: { queued: 7 } });
  // Sent again after a doubt: answered alike, queued once.
  expect(await player.ask('input', same)).toEqual({ ok: true, value: { queued: 7 } });
  expect(await player.ask('input', { seq: 3, action: { do: 'freeDone' } })).toEqual({ ok: true, value: { queued: 3 } });
  const heard = () => [...player.heard.values()].flat().filter((input) => input.type === 'act');
  await player.until(() => heard().length > 0);
  await player.untilTick(player.round!.now + 5);
  expect(heard()).toEqual([{ type: 'act', seat: player.welcome!.seat, seq: 7, action: { do: 'freeDone' } }]);
});

test('a reloaded page is the same process, with the state of now', async () => {
  const { room, host, players } = await classOf(2, { seconds: 3600 });
  const player = players[0]!;
  await start(host);
  await player.untilTick(20);
  await player.act({ do: 'freeDone' });
  await player.drop();
  await host.until(() => host.roster.some((entry) => entry.seat === player.welcome!.seat && !entry.online));
  const back = await enter(room, { secret: player.secret });
  await back.untilTick(40);
  expect(back.welcome).toMatchObject({ id: player.welcome!.id, seat: player.welcome!.seat, seq: 1 });
  expect(back.seat.name).toBe(player.seat.name);
  // No second process: the seat joined in tick 1 only.
  const joins = [...host.heard.values()].flat().filter((input) => input.type === 'join' && input.seat === back.welcome!.seat);
  expect(joins).toHaveLength(1);
  await back.until(() => back.digests.length > 0);
  expect(back.differences).toEqual([]);
});

test('a second window wins, the first is told', async () => {
  const { room, host, players } = await classOf(1, { seconds: 3600 });
  const first = players[0]!;
  await start(host);
  const second = await enter(room, { secret: first.secret });
  await first.until(() => first.closed !== null);
  expect(first.closed).toMatchObject({ reason: 'REPLACED' });
  await second.untilTick(3);
  expect(await second.act({ do: 'freeDone' })).toMatchObject({ ok: true });
  expect(host.roster.filter((entry) => entry.role === 'player')).toMatchObject([{ online: true }]);
});

test('a host who reloads is host again, in the lobby and in mid-round', async () => {
  const { room, host, players } = await classOf(1, { seconds: 3600 });
  await host.drop();
  const again = await enterHost(room);
  expect(again.welcome ?? (await again.until(() => again.welcome !== null), again.welcome)).toMatchObject({ role: 'host', seat: -1 });
  await start(again);
  await again.drop();
  await players[0]!.untilTick(10);
  const third = await enterHost(room);
  expect(await third.host({ do: 'pause' })).toMatchObject({ ok: true });
  await third.untilPhase('paused');
});

test('a late joiner gets a snapshot, the ticks since, and a process at once', async () => {
  const { room, host } = await classOf(2, { seconds: 3600 });
  await start(host);
  await host.untilTick(70);
  const late = await enter(room);
  await late.until(() => late.heard.size > 0 && late.digests.length > 0);
  expect(late.snaps).toHaveLength(1);
  expect(late.snaps[0]).toBeGreaterThan(0);
  expect(late.differences).toEqual([]);
  await host.until(() => [...host.heard.values()].flat().some((input) => input.type === 'join' && input.seat === late.welcome!.seat));
});

test('twenty who come late at once all get to the same state', async () => {
  const { room, host } = await classOf(1, { seconds: 3600 });
  await start(host);
  await host.untilTick(60);
  const late = await Promise.all(Array.from({ length: 20 }, () => enter(room)));
  await Promise.all(late.map((guest) => guest.until(() => guest.digests.length > 0)));
  for (const guest of late) expect(guest.differences).toEqual([]);
});

test('a client that differs asks, and gets a snapshot of now', async () => {
  const { host, players } = await classOf(1, { seconds: 3600 });
  const player = players[0]!;
  await start(host);
  await player.untilTick(30);
  player.round!.now += 0;
  (player.round as unknown as { seed: number }).seed ^= 1;
  await player.until(() => player.differences.length > 0);
  const before = player.differences[0]!.n;
  expect(await player.ask('resync', {})).toMatchObject({ ok: true });
  await player.until(() => player.snaps.length > 1 && player.digests.at(-1)!.n > before);
  expect(player.snaps[1]).toBeGreaterThanOrEqual(before);
  expect(player.differences.filter((digest) => digest.n > player.snaps[1]!)).toEqual([]);
});

test('resync has a budget', async () => {
  const { host, players } = await classOf(1, { seconds: 3600 });
  await start(host);
  const answers = await Promise.all(Array.from({ length: 6 }, () => players[0]!.ask('resync', {})));
  expect(answers.filter((answer) => answer.ok)).toHaveLength(3);
  expect(answers.filter((answer) => !answer.ok)).toEqual(Array.from({ length: 3 }, () => ({ ok: false, code: 'TOO_FAST' })));
});

test('a paused round has no ticks and takes no inputs, and goes on where it was', async () => {
  const { host, players } = await classOf(1, { seconds: 3600 });
  const player = players[0]!;
  await start(host);
  await player.untilTick(10);
  await host.host({ do: 'pause' });
  await player.untilPhase('paused');
  const now = player.round!.now;
  expect(await player.act({ do: 'freeDone' })).toEqual({ ok: false, code: 'WRONG_PHASE' });
  // Answers come in order with ticks: a few of them, and no tick between.
  for (let i = 0; i < 5; i++) await player.ask('resync', { not: 'this' });
  expect(player.round!.now).toBe(now);
  await host.host({ do: 'resume' });
  await player.untilTick(now + 5);
  expect([...player.heard.keys()]).toEqual(Array.from({ length: player.round!.now }, (_, index) => index + 1));
});

test('the host extends by ticks in the log', async () => {
  const { host, players } = await classOf(1, { seconds: 30 });
  await start(host);
  expect(await host.host({ do: 'extend', seconds: 5 })).toMatchObject({ ok: true });
  await players[0]!.until(() => players[0]!.round?.over === true);
  expect(players[0]!.round!.now).toBe(350);
});

test('the host ends the round, and the same class plays another with another seed', async () => {
  const { host, players, all } = await classOf(2, { seconds: 3600 });
  await start(host);
  const seed = host.round?.seed ?? (await host.untilTick(0), host.round!.seed);
  await host.untilTick(10);
  await host.host({ do: 'end' });
  for (const guest of all) await guest.untilPhase('podium');
  expect(host.round!.over).toBe(true);
  expect(host.round!.now).toBeLessThan(36_000);
  expect(await host.host({ do: 'again' })).toMatchObject({ ok: true });
  await host.untilPhase('lobby');
  expect(host.roster.filter((entry) => entry.role === 'player' && entry.online)).toHaveLength(2);
  await start(host);
  await players[0]!.until(() => players[0]!.snaps.length === 2 && players[0]!.round!.now > 0);
  expect(players[0]!.round!.seed).not.toBe(seed);
  expect(await players[0]!.act({ do: 'freeDone' })).toMatchObject({ ok: true });
});

test('ending a paused round ends it', async () => {
  const { host } = await classOf(1, { seconds: 3600 });
  await start(host);
  await host.host({ do: 'pause' });
  await host.untilPhase('paused');
  await host.host({ do: 'end' });
  await host.untilPhase('podium');
  expect(host.round!.over).toBe(true);
});

test('who comes to the podium sees the end of the round', async () => {
  const { room, host } = await classOf(1, { seconds: 3600 });
  await start(host);
  await host.untilTick(10);
  await host.host({ do: 'end' });
  await host.untilPhase('podium');
  const guest = await enter(room);
  await guest.until(() => guest.digests.length > 0);
  expect(guest.round!.over).toBe(true);
  expect(guest.differences).toEqual([]);
});

test('bots play in a room as ordinary seats, and can be taken out again', async () => {
  const { host } = await classOf(1, { seconds: 3600 });
  expect(await host.host({ do: 'addBots', bots: ['free', 'never', 'splinter'] })).toMatchObject({ ok: true });
  await host.until(() => host.roster.filter((entry) => entry.bot !== '').length === 3);
  await start(host);
  const acts = () => new Set([...host.heard.values()].flat().flatMap((input) => (input.type === 'act' ? [input.seat] : [])));
  await host.until(() => acts().size >= 2);
  expect(host.heard.get(1)!.filter((input) => input.type === 'join' && input.bot !== null)).toHaveLength(3);
  await host.host({ do: 'removeBots' });
  await host.until(() => host.roster.every((entry) => entry.bot === ''));
  await host.until(() => [...host.heard.values()].flat().filter((input) => input.type === 'leave').length === 3);
  await host.until(() => host.digests.length > 0);
  expect(host.differences).toEqual([]);
});
