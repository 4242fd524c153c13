/** The HTTP API: rooms are made, asked about and entered here. Each handler is one ladder of early returns. */
import { matchMaker, type IRoomCache } from '@colyseus/core';
import express, { type Request, type Response, type Router } from 'express';
import type { Code } from '#protocol/codes.ts';
import { BODY_BYTES_MAX, ROOMS_MAX, SEATS_DEFAULT, SEATS_MAX } from '#protocol/limits.ts';
import { CreateRoomBody, SeatBody, type CreateRoomReply, type HereReply, type RoomReply, type SeatReply } from '#protocol/messages.ts';
import { makeRoomCode, parseRoomCode } from '#protocol/roomCode.ts';
import { lanOrigins } from '../addresses.ts';
import type { Logger } from '../log.ts';
import { ROUND, type Asleep } from '../rooms/asleep.ts';
import type { RoundRoom, RoundRoomOptions } from '../rooms/RoundRoom.ts';
import type { SeatRequest } from '../rooms/roster.ts';
import type { Scenarios } from '../scenarios.ts';
import { digestOf, randomBelow } from '../secrets.ts';
import type { Store } from '../store/Store.ts';
import { AddressBudget, type Allowance } from './AddressBudget.ts';
import { isOwnOrigin } from './origins.ts';
import { refuse } from './refuse.ts';
import { listRounds, sendRound } from './rounds.ts';

const CODE_TRIES = 10;
/** Wrong codes. A class behind one address may mistype for a while; 32^6 codes at one a second take 34 years. */
const GUESSES: Allowance = { perSecond: 1, burst: 60 };
const GUESSES_ALL: Allowance = { perSecond: 20, burst: 600 };
/** Rooms made: a school behind one address starts its lessons at the same minute. */
const ROOMS_MADE: Allowance = { perSecond: 0.5, burst: 60 };
const ROOMS_MADE_ALL: Allowance = { perSecond: 2, burst: 200 };
const LOOPBACK = /^(127\.|::1$|::ffff:127\.)/;

export interface ApiParts {
  scenarios: Scenarios;
  asleep: Asleep;
  store: Store;
  origins: ReadonlySet<string>;
  log: Logger;
  /** The address that the server listens on. */
  host: string;
  /** The port that people use, where another one is in front. */
  shownPort?: number | undefined;
}

export function api(parts: ApiParts): Router {
  const router = express.Router();
  const guesses = new AddressBudget(GUESSES, GUESSES_ALL);
  const makings = new AddressBudget(ROOMS_MADE, ROOMS_MADE_ALL);
  router.use((request, response, next) => {
    response.set('Cache-Control', 'no-store');
    if (request.method === 'POST' && !isOwnOrigin(request.headers.origin, request.headers.host, parts.origins))
      return refuse(response, 'FOREIGN_ORIGIN');
    next();
  });
  router.use((request, response, next) => {
    // The parser would read UTF-7, UTF-16 and more.
    const charset = /;\s*charset="?([\w-]+)/i.exec(request.headers['content-type'] ?? '')?.[1];
    if (charset !== undefined && charset.toLowerCase() !== 'utf-8') return refuse(response, 'MALFORMED');
    next();
  });
  router.use(express.json({ limit: BODY_BYTES_MAX }));
  router
    .route('/scenarios')
    .get((_request, response) => void response.json(parts.scenarios.list()))
    .all(wrongMethod('GET, HEAD'));
  router
    .route('/rooms')
    .post((request, response) => createRoom(parts, makings, request, response))
    .all(wrongMethod('POST'));
  router
    .route('/rooms/:code')
    .get((request, response) => describeRoom(parts, guesses, request, response))
    .all(wrongMethod('GET, HEAD'));
  router
    .route('/rooms/:code/seat')
    .post((request, response) => takeSeat(parts, guesses, request, response))
    .all(wrongMethod('POST'));
  router.route('/rooms/:code/rounds').get(listRounds(parts.store, guesses)).all(wrongMethod('GET, HEAD'));
  router.route('/rounds/:id').get(sendRound(parts.store, guesses)).all(wrongMethod('GET, HEAD'));
  router
    .route('/here')
    .get((request, response) => void response.json(here(parts, request)))
    .all(wrongMethod('GET, HEAD'));
  router.use((_request, response) => refuse(response, 'NOT_FOUND'));
  return router;
}

/** For a teacher on the server's own machine, whose `localhost` is of no use to a class. Others came by such an address already. */
function here(parts: ApiParts, request: Request): HereReply {
  const { remoteAddress = '', localPort = 0 } = request.socket;
  return { origins: LOOPBACK.test(remoteAddress) ? lanOrigins(parts.host, parts.shownPort ?? localPort) : [] };
}

function wrongMethod(allowed: string) {
  return (_request: Request, response: Response): void => {
    response.set('Allow', allowed);
    refuse(response, 'METHOD');
  };
}

async function createRoom(parts: ApiParts, makings: AddressBudget, request: Request, response: Response): Promise<void> {
  const body = CreateRoomBody.safeParse(request.body);
  if (!body.success) return refuse(response, 'MALFORMED');
  const { secret, seconds, seats } = body.data;
  const scenario = parts.scenarios.get(body.data.scenario);
  if (scenario === null) return refuse(response, 'NO_SCENARIO');
  if (matchMaker.state !== matchMaker.MatchMakerState.READY) return refuse(response, 'STOPPING');
  if (matchMaker.stats.local.roomCount >= ROOMS_MAX) return refuse(response, 'NO_ROOM_LEFT');
  const address = request.socket.remoteAddress ?? '';
  if (!makings.has(address)) return refuse(response, 'TOO_FAST');
  const code = await freeCode(parts.asleep);
  if (code === null) return refuse(response, 'NO_ROOM_LEFT');
  makings.take(address);
  const options: RoundRoomOptions = {
    code,
    hostDigest: digestOf(secret),
    scenario: scenario.id,
    seconds: seconds ?? scenario.seconds,
    seats: seats ?? Math.min(SEATS_MAX, Math.max(SEATS_DEFAULT, scenario.seats)),
  };
  await matchMaker.createRoom(ROUND, options);
  const reply: CreateRoomReply = { code };
  response.status(201).json(reply);
}

async function describeRoom({ asleep }: ApiParts, guesses: AddressBudget, request: Request, response: Response): Promise<void> {
  const listing = await findRoom((code) => asleep.describe(code), guesses, request, response);
  if (listing === null) return;
  if (!('roomId' in listing)) return void response.json(listing);
  const reply: RoomReply | null = await whileOpen(listing, () =>
    matchMaker.remoteRoomCall<RoundRoom, 'describe'>(listing.roomId, 'describe', []),
  );
  if (reply === null) return refuse(response, 'NO_ROOM');
  response.json(reply);
}

async function takeSeat({ asleep }: ApiParts, guesses: AddressBudget, request: Request, response: Response): Promise<void> {
  const body = SeatBody.safeParse(request.body);
  if (!body.success) return refuse(response, 'MALFORMED');
  if (matchMaker.state !== matchMaker.MatchMakerState.READY) return refuse(response, 'STOPPING');
  const listing = await findRoom((code) => asleep.wake(code), guesses, request, response);
  if (listing === null) return;
  const { secret, role, name, pass } = body.data;
  const asked: SeatRequest = { digest: digestOf(secret), role, name, pass };
  const seated = await whileOpen(listing, () => matchMaker.remoteRoomCall<RoundRoom, 'takeSeat'>(listing.roomId, 'takeSeat', [asked]));
  if (seated === null) return refuse(response, 'NO_ROOM');
  if (!seated.ok) return refuse(response, seated.code);
  // Fails only where the room is gone, or has more sockets than any class.
  const reservation = await matchMaker.reserveSeatFor(listing, { member: seated.id }).catch(() => null);
  if (reservation === null) return refuse(response, 'FULL');
  const reply: SeatReply = { reservation, role: seated.role, seat: seated.seat, name: seated.name };
  response.json(reply);
}

/** Null when the room has closed since it was found. */
async function whileOpen<T>(listing: IRoomCache, ask: () => Promise<T>): Promise<T | null> {
  try {
    return await ask();
  } catch (error) {
    if (!(await matchMaker.getRoomById(listing.roomId))) return null;
    throw error;
  }
}

/**
 * The room of the code in the address, or what `elsewhere` has for a code that no room of this process has; null when the
 * refusal is sent already.
 */
async function findRoom<T extends object>(
  elsewhere: (code: string) => T | Code | Promise<T | Code>,
  guesses: AddressBudget,
  request: Request,
  response: Response,
): Promise<IRoomCache | T | null> {
  const address = request.socket.remoteAddress ?? '';
  if (!guesses.has(address)) return refused(response, 'TOO_MANY_TRIES');
  const code = parseRoomCode(String(request.params['code']));
  const listing = code === null ? null : await matchMaker.getRoomById(code);
  if (listing?.name === ROUND) return listing;
  const found = code === null ? 'BAD_CODE' : await elsewhere(code);
  if (typeof found !== 'string') return found;
  guesses.take(address);
  return refused(response, found);
}

function refused(response: Response, code: Code): null {
  refuse(response, code);
  return null;
}

async function freeCode(asleep: Asleep): Promise<string | null> {
  for (let i = 0; i < CODE_TRIES; i++) {
    const code = makeRoomCode(randomBelow);
    if (!(await matchMaker.driver.has(code)) && !asleep.has(code)) return code;
  }
  return null;
}
