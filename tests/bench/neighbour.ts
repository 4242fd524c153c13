/** R7 as a number: how late the ticks of a class begin while somebody floods another room of the same process, and before that. */
import { randomBytes } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { Client } from '@colyseus/sdk';
import type { SeatReply } from '#protocol/messages.ts';
import { Worker, type LoadRoom, type Window } from '../load/wire.ts';
import type { Row } from './measure.ts';

const HOUSE = new URL('../load/house.ts', import.meta.url);
const CROWD = new URL('../load/crowd.ts', import.meta.url);
const PLAYERS = 40;
const LATE_MS_MAX = 50;
const SETTLE_MS = 2000;
/** Messages that are sent without waiting, over and over, on a new socket when the server has closed the last. */
const FLOOD = 2000;

async function post<T>(url: string, body: object): Promise<T> {
  const answer = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
  return (await answer.json()) as T;
}

async function makeRoom(url: string): Promise<LoadRoom> {
  const hostSecret = randomBytes(16).toString('hex');
  const { code } = await post<{ code: string }>(`${url}/api/rooms`, {
    scenario: 'first-touch',
    secret: hostSecret,
    seconds: 3600,
    seats: PLAYERS,
  });
  return { code, hostSecret };
}

/** One device that never stops; gives how often the server closed its socket. */
async function flood(url: string, { code, hostSecret }: LoadRoom, until: AbortSignal): Promise<number> {
  let closed = 0;
  while (!until.aborted) {
    const { reservation, error } = await post<SeatReply & { error?: string }>(`${url}/api/rooms/${code}/seat`, {
      secret: hostSecret,
      role: 'host',
    });
    if (error !== undefined) {
      await wait(200);
      continue;
    }
    const socket = await new Client(url).consumeSeatReservation(reservation);
    socket.reconnection.enabled = false;
    for (const type of ['welcome', 'snap', 'tick', 'digest']) socket.onMessage(type, () => {});
    const gone = new Promise<void>((resolve) => socket.onLeave(() => resolve()));
    for (let n = 0; n < FLOOD; n++) socket.send('input' as never, { seq: n, action: { do: 'freeDone' } } as never);
    await Promise.race([gone, wait(1000)]);
    socket.connection.close();
    closed += 1;
  }
  return closed;
}

export async function measureNeighbour(seconds: number): Promise<Row> {
  const [house, crowd] = [new Worker(HOUSE), new Worker(CROWD)];
  const look = async (): Promise<Window> => {
    await house.ask({ ask: 'begin' });
    await wait(seconds * 1000);
    return house.ask<Window>({ ask: 'end' });
  };
  try {
    const [{ port }] = await Promise.all([house.ask<{ port: number }>(null), crowd.ask(null)]);
    const url = `http://127.0.0.1:${port}`;
    await crowd.ask({ ask: 'play', url, rooms: [await makeRoom(url)], players: PLAYERS });
    const other = await makeRoom(url);
    await wait(SETTLE_MS);
    const quiet = await look();
    const end = new AbortController();
    const flooding = flood(url, other, end.signal);
    const troubled = await look();
    end.abort();
    const closed = await flooding;
    const note = `${quiet.late[1].toFixed(1)} ms without the flood; ${closed} floods of ${FLOOD} messages in ${seconds} s, ${PLAYERS} players beside`;
    return {
      id: 'R7',
      what: 'ticks late beside a flood, p95',
      value: troubled.late[1],
      unit: 'ms',
      must: LATE_MS_MAX,
      stretch: 5,
      note,
      rounds: [quiet.late[1], troubled.late[1]],
    };
  } finally {
    await crowd.end();
    await house.end();
  }
}
