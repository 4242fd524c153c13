/** Rounds that were kept: the list of a room's, and the file of one. Each handler is one ladder of early returns. */
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Request, Response } from 'express';
import type { Scenario } from '#game/types.ts';
import { encodeLog } from '#protocol/log.ts';
import { HASH_HEADER } from '#protocol/limits.ts';
import type { RoundsReply } from '#protocol/messages.ts';
import { openRoom } from '../store/rooms.ts';
import { logOf, roundById, roundsOf } from '../store/rounds.ts';
import { parseRoomCode } from '#protocol/roomCode.ts';
import type { Store } from '../store/Store.ts';
import { AddressBudget, type Allowance } from './AddressBudget.ts';
import { refuse } from './refuse.ts';

/** Files: a class behind one address opens the debrief at the same minute. */
const FILES: Allowance = { perSecond: 2, burst: 200 };
const FILES_ALL: Allowance = { perSecond: 20, burst: 1000 };

const zip = promisify(gzip);

type Answerer = (request: Request, response: Response) => Promise<void>;

/** GET /api/rooms/:code/rounds. `guesses`: wrong codes cost the same wherever they are tried. */
export function listRounds(store: Store, guesses: AddressBudget): Answerer {
  return async (request, response) => {
    const address = request.socket.remoteAddress ?? '';
    if (!guesses.has(address)) return refuse(response, 'TOO_MANY_TRIES');
    const code = parseRoomCode(String(request.params['code']));
    const room = code === null ? null : openRoom(store, code);
    if (room === null) {
      guesses.take(address);
      return refuse(response, code === null ? 'BAD_CODE' : 'NO_ROOM');
    }
    const rounds = roundsOf(store, room.key).map((round) => ({ ...round, scenario: (JSON.parse(round.scenario) as Scenario).id }));
    const reply: RoundsReply = { rounds };
    response.json(reply);
  };
}

/** GET /api/rounds/:id: all of it that is on the disk, also of a round that is still on. */
export function sendRound(store: Store, guesses: AddressBudget): Answerer {
  const files = new AddressBudget(FILES, FILES_ALL);
  return async (request, response) => {
    const address = request.socket.remoteAddress ?? '';
    if (!guesses.has(address)) return refuse(response, 'TOO_MANY_TRIES');
    const row = roundById(store, String(request.params['id']));
    if (row === null) {
      guesses.take(address);
      return refuse(response, 'NO_ROUND');
    }
    if (!files.has(address)) return refuse(response, 'TOO_FAST');
    files.take(address);
    const file = encodeLog(logOf(store, row));
    response.set({ 'Content-Type': 'application/octet-stream', Vary: 'Accept-Encoding' });
    if (row.hash !== null) response.set(HASH_HEADER, row.hash);
    if (request.acceptsEncodings('gzip') !== 'gzip') return void response.end(file);
    response.set('Content-Encoding', 'gzip');
    response.end(await zip(file));
  };
}
