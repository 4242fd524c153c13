/** The two programs as a person starts them: the server, and the bots. */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { askSeat, begin, enter, enterHost, makeRoom, newSecret, openPlace, type Place } from './people.ts';
import { RawSocket } from './RawSocket.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
let place: Place;
const children: ChildProcess[] = [];
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'programs-'));
  place = await openPlace();
});
afterAll(async () => {
  await place.close();
  rmSync(folder, { recursive: true });
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

interface Program {
  child: ChildProcess;
  out: () => string;
  /** Resolves when the output holds this. */
  says: (words: string | RegExp) => Promise<void>;
  exit: Promise<number | null>;
}

function start(words: string[], env: Record<string, string> = {}): Program {
  const child = spawn(process.execPath, words, {
    cwd: ROOT,
    env: { ...process.env, DATA_DIR: folder, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  let out = '';
  let wake = () => {};
  const hear = (bytes: Buffer) => {
    out += bytes.toString();
    wake();
  };
  child.stdout.on('data', hear);
  child.stderr.on('data', hear);
  const exit = new Promise<number | null>((resolve) => child.on('close', (code) => resolve(code)));
  const says = async (words: string | RegExp) => {
    const found = () => (typeof words === 'string' ? out.includes(words) : words.test(out));
    while (!found()) await new Promise<void>((resolve) => (wake = resolve));
  };
  return { child, out: () => out, says, exit };
}

test('the server says where it is, answers there, and leaves in good order', async () => {
  const server = start(['server/main.ts'], { PORT: '0', HOST: '0.0.0.0' });
  await server.says(/http:\/\/localhost:\d+/);
  const port = /http:\/\/localhost:(\d+)/.exec(server.out())![1];
  expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).toBe(200);
  const { origins } = (await (await fetch(`http://127.0.0.1:${port}/api/here`)).json()) as { origins: string[] };
  for (const origin of origins) expect(server.out()).toContain(origin);
  await server.says('█');
  server.child.kill('SIGTERM');
  expect(await server.exit).toBe(0);
});

test('SIGTERM in the middle of a round: everybody is told, whoever reads and whoever does not, and the next start has all of it', async () => {
  const home = mkdtempSync(join(tmpdir(), 'sigterm-'));
  const open = async (port: number) => {
    const server = start(['server/main.ts'], { PORT: String(port), HOST: '127.0.0.1', DATA_DIR: home });
    await server.says(/http:\/\/localhost:\d+/);
    return { server, port: Number(/http:\/\/localhost:(\d+)/.exec(server.out())![1]) };
  };
  const { server, port } = await open(0);
  const there = { ...place, port, url: `http://127.0.0.1:${port}` };
  const { room, host, player } = await begin(there, { seconds: 60, name: 'Ada' });
  // One has a dead link, one asked for a seat and does not come.
  const { socket } = await RawSocket.join(room);
  socket.pause();
  expect((await askSeat(room, { secret: newSecret(), role: 'player' })).status).toBe(200);
  server.child.kill('SIGTERM');
  expect(await server.exit).toBe(0);
  socket.destroy();
  for (const guest of [host, player]) await guest.until(() => guest.closed !== null);
  expect([host, player].map((guest) => guest.closed!.reason)).toEqual(['STOPPING', 'STOPPING']);
  await open(port);
  const back = await enter(room, { secret: player.secret });
  await back.untilTick(player.round!.now + 5);
  expect(back.seat).toMatchObject({ seat: player.seat.seat, name: 'Ada' });
  for (const [n, inputs] of player.heard) if (back.heard.has(n)) expect(back.heard.get(n)).toEqual(inputs);
  await back.drop();
  rmSync(home, { recursive: true });
});

test('a port that is taken is said, with what to do', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => other.once('listening', resolve));
  const { port } = other.address() as AddressInfo;
  const server = start(['server/main.ts'], { PORT: String(port), HOST: '127.0.0.1' });
  expect(await server.exit).toBe(1);
  expect(server.out()).toContain(`Port ${port} is in use already`);
  other.close();
  const wrong = start(['server/main.ts'], { PORT: 'http' });
  expect(await wrong.exit).toBe(1);
  expect(wrong.out()).toContain('PORT must be a number');
});

test('bots join, play the round, report, and leave when it is over', async () => {
  const room = await makeRoom(place, { seconds: 60, seats: 6 });
  const host = await enterHost(room);
  const bots = start(['server/cli/bots.ts', room.code, '--count', '7', '--mix', 'free,never,splinter', '--url', place.url, '--speed', '3']);
  await bots.says('6 bots are in room');
  expect(bots.out()).toContain('1 refused: All seats in this room are taken.');
  await host.until(() => host.roster.filter((entry) => entry.role === 'player' && entry.online).length === 6);
  expect(host.roster.filter((entry) => entry.role === 'player').map((entry) => entry.name)).toContain('splinter 3');
  await host.host({ do: 'start' });
  expect(await bots.exit).toBe(0);
  expect(bots.out()).toContain('the round is over');
  expect(bots.out()).not.toContain('differs');
  expect(bots.out().match(/points {2}\d+ actions/g)).toHaveLength(6);
  const acted = new Set([...host.heard.values()].flat().flatMap((input) => (input.type === 'act' ? [input.seat] : [])));
  expect(acted.size).toBe(6);
});

test.each([
  [['nothing'], 'expected one room code'],
  [['ABC123', '--mix', 'skynet'], '--mix knows no skynet'],
  [['ABC123', '--count', '0'], '--count is a number from 1 to 100'],
  [['ABC123', '--url', 'nowhere'], 'is no address'],
])('bots %j: usage', async (words, sentence) => {
  const bots = start(['server/cli/bots.ts', ...words]);
  expect(await bots.exit).toBe(2);
  expect(bots.out()).toContain(sentence);
  expect(bots.out()).toContain('Usage: npm run bots');
});

test('bots of a room that is not there say so', async () => {
  const bots = start(['server/cli/bots.ts', '000000', '--count', '2', '--url', place.url]);
  expect(await bots.exit).toBe(1);
  expect(bots.out()).toContain('2 refused: No room has this code.');
});

test('a load test says how many players, how many bytes and how it stands beside the bare library', async () => {
  const load = start(['tests/load/load.ts', '--rooms', '1', '--players', '3', '--seconds', '1', '--json']);
  expect(await load.exit).toBe(0);
  const { P7, P8, steps, bare } = JSON.parse(load.out()) as Record<string, Record<string, number> & { length: number }>;
  expect(steps).toHaveLength(1);
  expect(P7!.playersPerBusyCore).toBeGreaterThan(0);
  expect(P7!.messageRatio).toBeGreaterThan(0);
  expect(P8!.bytesPerSecond).toBeGreaterThan(50);
  // Three players and the host.
  expect(bare!.clients).toBe(4);
});

test.each([
  ['--rooms', '0'],
  ['--players', 'many'],
  ['--seconds', '1.5'],
])('load %s %s is refused', async (name, value) => {
  const load = start(['tests/load/load.ts', name, value]);
  expect(await load.exit).toBe(1);
  expect(load.out()).toContain(`${name} is a whole number from 1`);
});
