/** What an operator sees, and that nobody else does, and that nobody is in it. */
import { request } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { enter, enterHost, makeRoom, openPlace, type Place } from './people.ts';

const TOKEN = 'a token of the operator';
let place: Place;
beforeAll(async () => {
  place = await openPlace({ metricsToken: TOKEN });
});
afterAll(() => place.close());

async function metrics(): Promise<string> {
  const answer = await fetch(`${place.url}/metrics`);
  expect(answer.headers.get('content-type')).toContain('text/plain');
  return answer.text();
}

/** The value of a line, 0 where there is none. */
const valueOf = (text: string, line: string): number =>
  Number(
    text
      .split('\n')
      .find((one) => one.startsWith(`${line} `))
      ?.split(' ')[1] ?? 0,
  );

test('rooms, people, ticks, inputs and refusals are counted, and a room that closes is gone', async () => {
  const room = await makeRoom(place, { seconds: 3600 });
  const host = await enterHost(room);
  const player = await enter(room, { name: 'Grace Hopper' });
  await enter(room, { role: 'screen' });
  await host.host({ do: 'addBots', bots: ['free', 'never'] });
  await host.host({ do: 'start' });
  await player.untilTick(20);
  await player.act({ do: 'freeDone' });
  await player.ask('host', { action: { do: 'end' } });
  await fetch(`${place.url}/api/rooms/000000`);
  const text = await metrics();
  expect(valueOf(text, 'overcommit_rooms{phase="running"}')).toBe(1);
  for (const [role, count] of Object.entries({ host: 1, player: 1, screen: 1, bot: 2 }))
    expect(valueOf(text, `overcommit_people{role="${role}"}`)).toBe(count);
  expect(valueOf(text, 'overcommit_tick_lateness_seconds_count')).toBeGreaterThanOrEqual(20);
  expect(valueOf(text, 'overcommit_inputs_total')).toBe(1);
  expect(valueOf(text, 'overcommit_refusals_total{code="NOT_HOST"}')).toBe(1);
  expect(valueOf(text, 'overcommit_refusals_total{code="NO_ROOM"}')).toBe(1);
  expect(valueOf(text, 'overcommit_http_answers_total{status="404"}')).toBeGreaterThanOrEqual(1);
  expect(valueOf(text, 'process_resident_memory_bytes')).toBeGreaterThan(1e6);
  for (const hidden of [room.code, 'Grace', player.secret, room.hostSecret, player.socket.sessionId, '127.0.0.1'])
    expect(text).not.toContain(hidden);
});

test('every name of ours is one of Prometheus’, with a help text', async () => {
  const names = [...(await metrics()).matchAll(/^# HELP (overcommit_\w+) (.+)$/gm)];
  expect(names.length).toBeGreaterThanOrEqual(8);
  for (const [, name] of names) expect(name).toMatch(/^overcommit_[a-z_]+$/);
});

function statusOf(headers: Record<string, string>): Promise<number> {
  return new Promise((resolve) => request(`${place.url}/metrics`, { headers }, (answer) => resolve(answer.resume().statusCode!)).end());
}

test('who comes through a proxy needs the token', async () => {
  for (const name of ['X-Forwarded-For', 'Forwarded', 'X-Real-IP', 'Via']) {
    expect(await statusOf({ [name]: '10.0.0.1' })).toBe(404);
    expect(await statusOf({ [name]: '127.0.0.1', Authorization: 'Bearer wrong' })).toBe(404);
    expect(await statusOf({ [name]: '10.0.0.1', Authorization: `Bearer ${TOKEN}` })).toBe(200);
  }
  expect(await statusOf({})).toBe(200);
});
