/** How rooms are made, found, entered, locked, filled and left. */
import { afterAll, beforeAll, describe as group, expect, test, vi } from 'vitest';
import { CLOSE, CODES } from '#protocol/codes.ts';
import { RoundRoom } from '../../server/rooms/RoundRoom.ts';
import { askSeat, describe, enter, enterHost, Guest, makeRoom, newSecret, openPlace, post, type Place } from './people.ts';

let place: Place;
beforeAll(async () => {
  // Hundreds of sockets on a slow machine take their time.
  place = await openPlace({ patience: { reservationMs: 120_000 } });
});
afterAll(() => place.close());

const RULE_OF_ROOMS = { scenario: '', secret: '0'.repeat(32) };

group('making a room', () => {
  test('answers 201 with a code of six characters without I, L, O and U', async () => {
    const made = await post<{ code: string }>(`${place.url}/api/rooms`, { scenario: place.scenario, secret: newSecret() });
    expect(made.status).toBe(201);
    expect(made.body.code).toMatch(/^[0-9A-HJKMNP-TV-Z]{6}$/);
  });

  test.each([
    ['no body', undefined],
    ['an empty body', ''],
    ['not JSON', '{"scenario":'],
    ['a list', '[]'],
    ['a number', '7'],
    ['null', 'null'],
    ['an unknown key', { ...RULE_OF_ROOMS, scenario: 'S1', more: 1 }],
    ['__proto__', `{"scenario":"S1","secret":"${'0'.repeat(32)}","__proto__":{"admin":true}}`],
    ['no secret', { scenario: 'S1' }],
    ['a short secret', { scenario: 'S1', secret: '00' }],
    ['a secret in capitals', { scenario: 'S1', secret: 'A'.repeat(32) }],
    ['a secret that is a number', { scenario: 'S1', secret: 7 }],
    ['a path for a scenario', { ...RULE_OF_ROOMS, scenario: '../../package' }],
    ['null for seconds', { ...RULE_OF_ROOMS, scenario: 'S1', seconds: null }],
    ['NaN for seconds', `{"scenario":"S1","secret":"${'0'.repeat(32)}","seconds":NaN}`],
    ['1e309 seconds', `{"scenario":"S1","secret":"${'0'.repeat(32)}","seconds":1e309}`],
    ['2^53 seconds', { ...RULE_OF_ROOMS, scenario: 'S1', seconds: 2 ** 53 }],
    ['−0 seats', `{"scenario":"S1","secret":"${'0'.repeat(32)}","seats":-0}`],
    ['9 seconds', { ...RULE_OF_ROOMS, scenario: 'S1', seconds: 9 }],
    ['3601 seconds', { ...RULE_OF_ROOMS, scenario: 'S1', seconds: 3601 }],
    ['half a second', { ...RULE_OF_ROOMS, scenario: 'S1', seconds: 10.5 }],
    ['101 seats', { ...RULE_OF_ROOMS, scenario: 'S1', seats: 101 }],
    ['seconds in text', { ...RULE_OF_ROOMS, scenario: 'S1', seconds: '60' }],
    ['a deep scenario', `{"secret":"${'0'.repeat(32)}","scenario":${'['.repeat(1000)}${']'.repeat(1000)}}`],
  ])('refuses %s', async (_what, body) => {
    const answer = await post(`${place.url}/api/rooms`, body as string);
    expect(answer).toMatchObject({ status: 400, body: { error: 'MALFORMED' } });
    expect(answer.body.sentence).toMatch(/\.$/);
  });

  test('refuses a scenario that does not exist', async () => {
    const answer = await post(`${place.url}/api/rooms`, { scenario: 'nothing', secret: newSecret() });
    expect(answer).toMatchObject({ status: 404, body: { error: 'NO_SCENARIO' } });
  });

  test('refuses a body above 4 KB', async () => {
    const answer = await post(`${place.url}/api/rooms`, { scenario: 'x'.repeat(5000), secret: newSecret() });
    expect(answer).toMatchObject({ status: 413, body: { error: 'TOO_LARGE' } });
  });
});

group('codes', () => {
  test('case, hyphens and look-alike letters do not count', async () => {
    const room = await makeRoom(place);
    const typed = room.code.toLowerCase().replaceAll('0', 'o').replaceAll('1', 'l');
    const found = await fetch(`${place.url}/api/rooms/${typed.slice(0, 3)}-${typed.slice(3)}`);
    expect(await found.json()).toMatchObject({ code: room.code, phase: 'lobby', players: 0, locked: false });
  });

  test.each(['ABC', 'ABCDEFG', 'UUUUUU', 'AB%20', '%00%00%00%00%00%00', '‮ABCDE', '__proto__', 'constructor'])(
    '%s is no code',
    async (code) => {
      const answer = await fetch(`${place.url}/api/rooms/${code}`);
      expect(answer.status).toBe(400);
      expect(await answer.json()).toMatchObject({ error: 'BAD_CODE' });
    },
  );

  test('a code without a room answers NO_ROOM, for a seat too', async () => {
    expect(await (await fetch(`${place.url}/api/rooms/000000`)).json()).toMatchObject({ error: 'NO_ROOM' });
    const answer = await post(`${place.url}/api/rooms/000000/seat`, { secret: newSecret(), role: 'player' });
    expect(answer).toMatchObject({ status: 404, body: { error: 'NO_ROOM' } });
  });

  test('a malformed escape is refused as JSON', async () => {
    const answer = await fetch(`${place.url}/api/rooms/%E0%A4%A`);
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ error: 'MALFORMED' });
  });

  test('the internal room of the health check cannot be found', async () => {
    await fetch(`${place.url}/healthz`);
    expect((await fetch(`${place.url}/api/rooms/probe`)).status).toBe(400);
  });
});

group('seats', () => {
  test.each([
    ['an unknown role', { secret: newSecret(), role: 'admin' }],
    ['no role', { secret: newSecret() }],
    ['null for a name', { secret: newSecret(), role: 'player', name: null }],
    ['an unknown key', { secret: newSecret(), role: 'player', seat: 3 }],
    ['__proto__', `{"secret":"${newSecret()}","role":"player","__proto__":{"role":"host"}}`],
    ['text', '"player"'],
  ])('refuses %s', async (_what, body) => {
    const room = await makeRoom(place);
    expect(await askSeat(room, body)).toMatchObject({ status: 400, body: { error: 'MALFORMED' } });
  });

  test('a host needs the secret that made the room', async () => {
    const room = await makeRoom(place);
    expect(await askSeat(room, { secret: newSecret(), role: 'host' })).toMatchObject({ status: 403, body: { error: 'NOT_HOST' } });
    expect(await askSeat(room, { secret: room.hostSecret, role: 'host' })).toMatchObject({ status: 200, body: { role: 'host', seat: -1 } });
  });

  test('the same secret has the same seat and name', async () => {
    const room = await makeRoom(place);
    const secret = newSecret();
    const first = await askSeat(room, { secret, role: 'player' });
    const second = await askSeat(room, { secret, role: 'player' });
    expect(second.body).toMatchObject({ seat: first.body.seat, name: first.body.name });
    expect(second.body.reservation.sessionId).not.toBe(first.body.reservation.sessionId);
  });

  test('a reservation opens the room once', async () => {
    const room = await makeRoom(place);
    const secret = newSecret();
    const seat = await askSeat(room, { secret, role: 'player' });
    await Guest.connect(room, seat.body, secret);
    await expect(Guest.connect(room, seat.body, secret)).rejects.toThrow();
  });

  test('a seat asked for again and again is refused for a while', async () => {
    const room = await makeRoom(place);
    const secret = newSecret();
    const answers = [];
    // As fast as it goes: the budget fills again while a slow machine asks.
    while (answers.length < 200 && answers.at(-1) !== 'TOO_FAST')
      answers.push((await askSeat(room, { secret, role: 'player' })).body.error ?? 'ok');
    expect(answers.slice(0, 11)).toEqual(Array.from({ length: 11 }, () => 'ok'));
    expect(answers.at(-1)).toBe('TOO_FAST');
  });

  test('of 200 who come at once to a room of 40, exactly 40 get in, and the rest are told why', async () => {
    const room = await makeRoom(place, { seats: 40 });
    const answers = await Promise.all(Array.from({ length: 200 }, () => askSeat(room, { secret: newSecret(), role: 'player' })));
    const seated = answers.filter((answer) => answer.status === 200);
    expect(seated).toHaveLength(40);
    expect(new Set(seated.map((answer) => answer.body.seat)).size).toBe(40);
    expect(new Set(seated.map((answer) => answer.body.name)).size).toBe(40);
    const rest = answers.filter((answer) => answer.status !== 200);
    expect(rest.every((answer) => answer.status === 409 && answer.body.error === 'FULL')).toBe(true);
    expect((await describe(room)).players).toBe(40);
  });

  test('200 sockets at once in a room of 40: 40 open', async () => {
    const room = await makeRoom(place, { seats: 40 });
    const tries = await Promise.allSettled(Array.from({ length: 200 }, () => enter(room)));
    expect(tries.filter((entry) => entry.status === 'fulfilled')).toHaveLength(40);
    const reasons = new Set(tries.flatMap((entry) => (entry.status === 'rejected' ? [(entry.reason as Error).message] : [])));
    expect(reasons).toEqual(new Set(['FULL']));
  });

  test('bots take seats, all of a request or none', async () => {
    const room = await makeRoom(place, { seats: 3 });
    const host = await enterHost(room);
    await enter(room);
    expect(await host.host({ do: 'addBots', bots: ['free', 'free', 'free'] })).toEqual({ ok: false, code: 'FULL' });
    expect((await describe(room)).players).toBe(1);
    expect(await host.host({ do: 'addBots', bots: ['free', 'never'] })).toMatchObject({ ok: true });
    expect(await askSeat(room, { secret: newSecret(), role: 'player' })).toMatchObject({ body: { error: 'FULL' } });
  });
});

group('names', () => {
  test('without one, a made-up name is given', async () => {
    const room = await makeRoom(place);
    const seat = await askSeat(room, { secret: newSecret(), role: 'player' });
    expect(seat.body.name).toMatch(/^[A-Z][a-z]+ [A-Z][a-z]+$/);
  });

  test('a name is one’s own: case, accents and look-alikes do not make another', async () => {
    const room = await makeRoom(place);
    expect((await askSeat(room, { secret: newSecret(), role: 'player', name: 'Alice' })).status).toBe(200);
    for (const name of ['Alice', 'alice', 'ALICE', 'Аlice', 'Al1ce', 'Ａｌｉｃｅ', 'Álice'])
      expect(await askSeat(room, { secret: newSecret(), role: 'player', name })).toMatchObject({
        status: 409,
        body: { error: 'NAME_TAKEN' },
      });
  });

  test.each([
    ['', 'NAME_EMPTY'],
    ['   ', 'NAME_EMPTY'],
    ['a'.repeat(21), 'NAME_TOO_LONG'],
    ['evil\u202egnp.exe', 'NAME_CHARACTERS'],
    ['tab\there', 'NAME_CHARACTERS'],
    ['Host', 'NAME_TAKEN'],
    ['H0st', 'NAME_TAKEN'],
  ])('%j is refused: %s', async (name, code) => {
    const room = await makeRoom(place);
    const answer = await askSeat(room, { secret: newSecret(), role: 'player', name });
    expect(answer.body.error).toBe(code);
    expect(answer.status).toBe(CODES[code as keyof typeof CODES]);
  });

  test('in the lobby one may come back under another name', async () => {
    const room = await makeRoom(place);
    const host = await enterHost(room);
    const secret = newSecret();
    await enter(room, { secret, name: 'Ada' });
    await enter(room, { secret, name: 'Grace' });
    await host.until(() => host.roster.some((entry) => entry.name === 'Grace'));
    expect(host.roster.filter((entry) => entry.role === 'player')).toHaveLength(1);
  });
});

group('locked, kicked', () => {
  test('a locked room takes no newcomers, but those who were here', async () => {
    const room = await makeRoom(place);
    const host = await enterHost(room);
    const player = await enter(room);
    await host.host({ do: 'lock', locked: true });
    expect(await askSeat(room, { secret: newSecret(), role: 'player' })).toMatchObject({ status: 403, body: { error: 'LOCKED' } });
    await player.drop();
    const back = await enter(room, { secret: player.secret });
    expect(back.seat.seat).toBe(player.seat.seat);
    await host.drop();
    const hostAgain = await enterHost(room);
    await hostAgain.host({ do: 'lock', locked: false });
    expect((await askSeat(room, { secret: newSecret(), role: 'player' })).status).toBe(200);
  });

  test('who is kicked is told, and may come back as a newcomer', async () => {
    const room = await makeRoom(place, { seconds: 3600 });
    const host = await enterHost(room);
    const [player, other] = [await enter(room), await enter(room)];
    await player.until(() => player.welcome !== null);
    await host.host({ do: 'start' });
    await host.untilTick(3);
    expect(await host.host({ do: 'kick', id: player.welcome!.id })).toMatchObject({ ok: true });
    await player.until(() => player.closed !== null);
    expect(player.closed!.reason).toBe('KICKED');
    await host.until(() => [...host.heard.values()].flat().some((input) => input.type === 'leave' && input.seat === player.seat.seat));
    const back = await enter(room, { secret: player.secret });
    // The number of a process that is gone is not given again in the same round.
    expect([player.seat.seat, other.seat.seat]).not.toContain(back.seat.seat);
    expect(await host.host({ do: 'kick', id: 'nobody' })).toEqual({ ok: false, code: 'NO_PERSON' });
    expect(await host.host({ do: 'kick', id: host.welcome!.id })).toEqual({ ok: false, code: 'NO_PERSON' });
  });

  test('who is kicked before their socket came is told so when it comes, and nothing fails', async () => {
    const faults = vi.spyOn(RoundRoom.prototype, 'onUncaughtException');
    const room = await makeRoom(place);
    const host = await enterHost(room);
    const secret = newSecret();
    const seat = await askSeat(room, { secret, role: 'player' });
    await host.until(() => host.roster.some((entry) => entry.name === seat.body.name));
    const { id } = host.roster.find((entry) => entry.name === seat.body.name)!;
    expect(await host.host({ do: 'kick', id })).toMatchObject({ ok: true });
    await expect(Guest.connect(room, seat.body, secret)).rejects.toMatchObject({ code: CLOSE.KICKED });
    await host.until(() => host.roster.length === 1);
    expect(faults).not.toHaveBeenCalled();
    faults.mockRestore();
    expect((await enter(room, { secret })).seat.role).toBe('player');
  });
});

group('banned', () => {
  test('who is banned cannot come back in any role or under any name, before and after a kick; the others can', async () => {
    const room = await makeRoom(place);
    const host = await enterHost(room);
    const [present, kicked, other] = [await enter(room), await enter(room), await enter(room)];
    for (const guest of [present, kicked, other]) await guest.until(() => guest.welcome !== null);
    const watcher = await enter(room, { role: 'spectator', secret: present.secret });
    expect(await host.host({ do: 'ban', id: present.welcome!.id })).toMatchObject({ ok: true });
    for (const guest of [present, watcher]) {
      await guest.until(() => guest.closed !== null);
      expect(guest.closed!.reason).toBe('KICKED');
    }
    await host.host({ do: 'kick', id: kicked.welcome!.id });
    expect(await host.host({ do: 'ban', id: kicked.welcome!.id })).toMatchObject({ ok: true });
    for (const { secret } of [present, kicked])
      for (const role of ['player', 'spectator', 'screen'] as const)
        expect(await askSeat(room, { secret, role, name: 'Somebody else' })).toMatchObject({ status: 403, body: { error: 'BANNED' } });
    await other.drop();
    expect((await enter(room, { secret: other.secret })).seat.seat).toBe(other.seat.seat);
    // A seat that was asked for just before the ban opens nothing after it.
    expect(await host.host({ do: 'pardon', id: present.welcome!.id })).toMatchObject({ ok: true });
    const seat = await askSeat(room, { secret: present.secret, role: 'player' });
    expect(seat.status).toBe(200);
    const entryOf = () => host.roster.find((entry) => entry.name === seat.body.name);
    await host.until(() => entryOf() !== undefined && host.roster.filter((entry) => entry.role === 'player').length === 2);
    const again = entryOf()!;
    expect(await host.host({ do: 'ban', id: again.id })).toMatchObject({ ok: true });
    await expect(Guest.connect(room, seat.body, present.secret)).rejects.toThrow();
  });

  test('nobody bans the host, a bot or nobody; the teacher’s own ban as a player leaves them the console', async () => {
    const room = await makeRoom(place);
    const host = await enterHost(room);
    await host.host({ do: 'addBots', bots: ['free'] });
    const player = await enter(room, { secret: room.hostSecret });
    await player.until(() => player.welcome !== null);
    await host.until(() => host.roster.length === 3);
    const bot = host.roster.find((entry) => entry.bot !== '')!;
    for (const id of [host.welcome!.id, bot.id, 'nobody'])
      expect(await host.host({ do: 'ban', id })).toEqual({ ok: false, code: 'NO_PERSON' });
    expect(await host.host({ do: 'pardon', id: player.welcome!.id })).toEqual({ ok: false, code: 'NO_PERSON' });
    expect(await host.host({ do: 'ban', id: player.welcome!.id })).toMatchObject({ ok: true });
    expect(host.closed).toBeNull();
    await host.drop();
    expect((await askSeat(room, { secret: room.hostSecret, role: 'host' })).status).toBe(200);
    expect(await askSeat(room, { secret: room.hostSecret, role: 'player' })).toMatchObject({ body: { error: 'BANNED' } });
  });
});

group('the host alone', () => {
  const actions = [
    { do: 'start' },
    { do: 'pause' },
    { do: 'resume' },
    { do: 'extend', seconds: 60 },
    { do: 'end' },
    { do: 'again' },
    { do: 'kick', id: 'someone' },
    { do: 'ban', id: 'someone' },
    { do: 'pardon', id: 'someone' },
    { do: 'lock', locked: true },
    { do: 'standIns', on: true },
    { do: 'addBots', bots: ['free'] },
    { do: 'removeBots' },
    { do: 'forget' },
    { do: 'cap', seat: 0, on: true },
    { do: 'options', seconds: 60 },
  ] as const;

  test('a player is refused every one of the host’s actions', async () => {
    const room = await makeRoom(place);
    const player = await enter(room);
    for (const action of actions) expect(await player.ask('host', { action })).toEqual({ ok: false, code: 'NOT_HOST' });
    expect(await describe(room)).toMatchObject({ phase: 'lobby', locked: false, players: 1 });
  });

  test('actions out of their phase are refused', async () => {
    const room = await makeRoom(place, { seconds: 60 });
    const host = await enterHost(room);
    for (const action of ['pause', 'resume', 'end', 'again'] as const)
      expect(await host.host({ do: action })).toEqual({ ok: false, code: 'WRONG_PHASE' });
    expect(await host.host({ do: 'start' })).toEqual({ ok: false, code: 'NO_PLAYERS' });
    expect(await host.host({ do: 'options', scenario: 'nothing' })).toEqual({ ok: false, code: 'NO_SCENARIO' });
    expect(await host.host({ do: 'options', seconds: 120 })).toMatchObject({ ok: true });
    await host.until(() => host.socket.state.seconds === 120);
    await enter(room);
    await host.host({ do: 'start' });
    expect(await host.host({ do: 'start' })).toEqual({ ok: false, code: 'WRONG_PHASE' });
    expect(await host.host({ do: 'options', seconds: 60 })).toEqual({ ok: false, code: 'WRONG_PHASE' });
    expect(await host.host({ do: 'cap', seat: 77, on: true })).toEqual({ ok: false, code: 'NO_PERSON' });
    expect(await host.host({ do: 'cap', seat: 0, on: true })).toMatchObject({ ok: true });
  });

  test('a host has no process', async () => {
    const room = await makeRoom(place, { seconds: 60 });
    const host = await enterHost(room);
    await enter(room);
    await host.host({ do: 'start' });
    await host.untilPhase('running');
    expect(await host.act({ do: 'freeDone' })).toEqual({ ok: false, code: 'NO_SEAT' });
  });

  test('the teacher may also play, on the same device', async () => {
    const room = await makeRoom(place);
    const host = await enterHost(room);
    const player = await enter(room, { secret: room.hostSecret });
    await host.until(() => host.roster.length === 2);
    expect(host.closed).toBeNull();
    expect(player.seat).toMatchObject({ role: 'player', seat: 0 });
  });
});

test('state names nobody’s secret and no session', async () => {
  const room = await makeRoom(place);
  const host = await enterHost(room);
  const player = await enter(room, { name: 'Ada' });
  await host.until(() => host.roster.length === 2);
  const state = JSON.stringify(host.socket.state);
  expect(state).toContain('Ada');
  for (const hidden of [room.hostSecret, player.secret, player.socket.sessionId, host.socket.sessionId])
    expect(state).not.toContain(hidden);
});
