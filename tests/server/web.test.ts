/** What a browser, a stranger's page and a scanner get over HTTP. */
import { request } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { askSeat, makeRoom, newSecret, openPlace, post, type Place } from './people.ts';

let place: Place;
beforeAll(async () => {
  place = await openPlace({ origins: new Set(['https://play.example.org']) });
});
afterAll(() => place.close());

test.each(['GET', 'HEAD'])('%s of the pages carries a strict policy', async (method) => {
  for (const path of ['/', '/host', '/j/ABC123', '/?code=ABC123']) {
    const page = await fetch(place.url + path, { method });
    const policy = page.headers.get('content-security-policy')!;
    expect(policy).toContain("default-src 'self'");
    expect(policy).not.toContain('unsafe');
    expect(policy).not.toContain('*');
    expect(policy).toContain("frame-ancestors 'none'");
    expect(page.headers.get('x-content-type-options')).toBe('nosniff');
    expect(page.headers.get('referrer-policy')).toBe('same-origin');
    expect(page.headers.get('x-powered-by')).toBeNull();
    expect(page.headers.get('access-control-allow-origin')).toBeNull();
    if (method === 'HEAD') expect(await page.text()).toBe('');
  }
});

test('a strange Host header does not get into the policy', async () => {
  const policy = await new Promise<string>((resolve) => {
    const asked = request(
      { port: place.port, host: '127.0.0.1', path: '/', headers: { host: "x; script-src 'unsafe-inline'" } },
      (answer) => {
        answer.resume();
        resolve(String(answer.headers['content-security-policy']));
      },
    );
    asked.on('error', () => resolve(''));
    asked.end();
  });
  expect(policy).not.toContain('unsafe-inline');
});

test('scenarios are listed', async () => {
  const list = (await (await fetch(`${place.url}/api/scenarios`)).json()) as Record<string, unknown>[];
  expect(list.length).toBeGreaterThan(0);
  for (const scenario of list) expect(Object.keys(scenario).sort()).toEqual(['id', 'idea', 'seats', 'seconds', 'title']);
});

test('healthz answers 200 and makes a room for it', async () => {
  const answer = await fetch(`${place.url}/healthz`);
  expect(answer.status).toBe(200);
  expect((await fetch(`${place.url}/healthz`, { method: 'HEAD' })).status).toBe(200);
});

test('a server that listens to its own machine alone names no address for a class', async () => {
  expect(await (await fetch(`${place.url}/api/here`)).json()).toEqual({ origins: [] });
});

test.each([
  ['GET', '/api/nothing', 404, 'NOT_FOUND'],
  ['GET', '/nothing.js', 404, 'NOT_FOUND'],
  ['GET', '/../package.json', 404, 'NOT_FOUND'],
  ['GET', '/%2e%2e/package.json', 404, 'NOT_FOUND'],
  ['GET', '/__healthcheck', 404, 'NOT_FOUND'],
  ['GET', '/api/rooms', 405, 'METHOD'],
  ['DELETE', '/api/rooms/ABC123', 405, 'METHOD'],
  ['PUT', '/api/scenarios', 405, 'METHOD'],
  ['GET', '/api/rooms/ABC123/seat', 405, 'METHOD'],
  ['OPTIONS', '/api/rooms', 405, 'METHOD'],
  ['POST', '/', 405, 'METHOD'],
])('%s %s is refused as JSON', async (method, path, status, error) => {
  const answer = await fetch(place.url + path, { method });
  expect(answer.status).toBe(status);
  const body = (await answer.json()) as { error: string; sentence: string };
  expect(body.error).toBe(error);
  expect(body.sentence.length).toBeGreaterThan(5);
  expect(answer.headers.get('access-control-allow-origin')).toBeNull();
});

test('the matchmaker’s own ways into a room are closed', async () => {
  const room = await makeRoom(place);
  for (const method of ['joinById', 'join', 'joinOrCreate', 'create', 'reconnect'])
    for (const name of [room.code, 'round', 'probe']) {
      const answer = await post(`${place.url}/matchmake/${method}/${name}`, {});
      expect(answer).toMatchObject({ status: 403, body: { error: 'ONE_WAY_IN' } });
    }
});

/** The status line of an upgrade, by hand: a client library would hide it. */
function upgrade(path: string, headers: Record<string, string> = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(place.port, '127.0.0.1');
    const lines = [
      `GET ${path} HTTP/1.1`,
      `Host: 127.0.0.1:${place.port}`,
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
      ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    ];
    socket.write(`${lines.join('\r\n')}\r\n\r\n`);
    socket.once('data', (bytes) => {
      resolve(String(bytes).split('\r\n')[0]!);
      socket.destroy();
    });
    socket.once('error', reject);
  });
}

test('sockets open for pages of this server only', async () => {
  const room = await makeRoom(place);
  const seat = (await askSeat(room, { secret: newSecret(), role: 'player' })).body.reservation;
  const path = `/${seat.processId}/${seat.roomId}?sessionId=${seat.sessionId}`;
  for (const origin of [
    'https://evil.example',
    'null',
    `http://127.0.0.1:${place.port + 1}`,
    `http://127.0.0.1:${place.port}.evil.example`,
    'file://',
  ])
    expect(await upgrade(path, { Origin: origin })).toContain('403');
  expect(await upgrade(path, { Origin: 'https://play.example.org' })).toContain('101');
});

test('sockets without a room or a seat are refused before they open', async () => {
  const room = await makeRoom(place);
  for (const path of ['/', '/x/y', '/x/ABC123?sessionId=1', `/x/${room.code}`, `/${room.code}?sessionId=1`, '//?sessionId=1'])
    expect(await upgrade(path)).toContain('404');
});

test('a foreign page cannot post', async () => {
  for (const origin of ['https://evil.example', 'null'])
    expect(await post(`${place.url}/api/rooms`, { scenario: place.scenario, secret: newSecret() }, { origin })).toMatchObject({
      status: 403,
      body: { error: 'FOREIGN_ORIGIN' },
    });
  const own = await post(`${place.url}/api/rooms`, { scenario: place.scenario, secret: newSecret() }, { origin: place.url });
  expect(own.status).toBe(201);
});

test('who guesses codes is stopped, the room is not', async () => {
  const answers = await Promise.all(Array.from({ length: 90 }, (_, i) => fetch(`${place.url}/api/rooms/${String(100_000 + i)}`)));
  const statuses = answers.map((answer) => answer.status);
  expect(statuses.filter((status) => status === 404).length).toBeGreaterThanOrEqual(50);
  expect(statuses).toContain(429);
});
