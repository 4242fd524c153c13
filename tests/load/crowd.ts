/** The clients: players who play over the real protocol, one call a second each, and the sockets of the bare comparison. */
import { Client } from '@colyseus/sdk';
import type { BotName } from '#game/types.ts';
import type { SeatReply } from '#protocol/messages.ts';
import { Crowd } from '../../server/cli/bots/Crowd.ts';
import { answerAll, type LoadRoom } from './wire.ts';

/** A class as it is: most free, some do not. */
const MIX: BotName[] = ['free', 'half', 'free', 'keep', 'free', 'never'];
/** Of a bot's ordinary pace: one call a second. */
const SPEED = 1.5;
/** Sockets that are opened at a time. */
const OPEN_AT_ONCE = 50;

const crowds: Crowd[] = [];
const bare: WebSocket[] = [];

async function play(url: string, room: LoadRoom, players: number): Promise<string[]> {
  const said: string[] = [];
  const crowd = new Crowd(url, room.code, SPEED, (line) => void (/refused|differs|left:/.test(line) && said.push(line)));
  crowds.push(crowd);
  await crowd.join(Array.from({ length: players }, (_, index) => MIX[index % MIX.length]!));
  await start(url, room);
  return said;
}

/** The host stays, as a teacher does. */
async function start(url: string, { code, hostSecret }: LoadRoom): Promise<void> {
  const answer = await fetch(`${url}/api/rooms/${code}/seat`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ secret: hostSecret, role: 'host' }),
  });
  const { reservation } = (await answer.json()) as SeatReply;
  const host = await new Client(url).consumeSeatReservation(reservation);
  host.reconnection.enabled = false;
  for (const type of ['welcome', 'snap', 'digest']) host.onMessage(type, () => {});
  const running = new Promise<void>((resolve) => host.onMessage('tick', () => resolve()));
  await host.request('host' as never, { action: { do: 'start' } } as never);
  await running;
}

/** Each says a word a second, as a player would. */
async function listen(url: string, count: number): Promise<void> {
  for (let from = 0; from < count; from += OPEN_AT_ONCE) {
    const group = Array.from({ length: Math.min(OPEN_AT_ONCE, count - from) }, () => new WebSocket(url));
    await Promise.all(group.map((socket) => new Promise((resolve) => (socket.onopen = resolve))));
    bare.push(...group);
  }
  for (const socket of bare) setInterval(() => socket.send('x'.repeat(40)), 1000);
}

answerAll(
  async (question) => {
    if (question.ask === 'play')
      return (await Promise.all(question.rooms.map((room) => play(question.url, room, question.players)))).flat();
    if (question.ask === 'listen') return listen(question.url, question.sockets);
    return null;
  },
  async () => {
    for (const crowd of crowds) crowd.leave('the test is over');
    for (const socket of bare) socket.close();
  },
);
process.send!({});
