/**
 * The real server in a process of its own, started by classroom.ts. It tells its port, answers what the server knows of a room
 * (the tests compare pages with that, not with each other), and ends with the process that started it.
 */
import { matchMaker } from '@colyseus/core';
import { roundHash } from '#game/round.ts';
import { startApp } from '../../server/app.ts';
import type { RoundRoom } from '../../server/rooms/RoundRoom.ts';
import type { Question, ServerRound } from './classroom.ts';

const app = await startApp({ port: 0, host: '127.0.0.1', logLevel: 'error' });

function roundOf(code: string): ServerRound | null {
  const playing = (matchMaker.getLocalRoomById(code) as RoundRoom | undefined)?.playing;
  if (!playing) return null;
  const { scenario, seed, round, ticks } = playing;
  return { scenario, seed, now: round.now, hash: roundHash(round), ticks: ticks.map((bytes) => Buffer.from(bytes).toString('base64')) };
}

process.on('message', ({ id, code, failing }: Question) => {
  // SQLite itself then refuses every write.
  if (failing !== undefined) app.store.sqlite.exec(`pragma query_only = ${failing ? 'on' : 'off'}`);
  process.send!({ id, round: roundOf(code) });
});
process.on('disconnect', () => void app.close().then(() => process.exit(0)));
process.send!({ port: app.port });
