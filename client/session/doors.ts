/** The server's HTTP doors. Every answer is what was asked for, or the code of the refusal; none of these throws. */
import { HASH_HEADER } from '#protocol/limits.ts';
import type { CreateRoomBody, CreateRoomReply, RoomReply, RoundsReply, ScenarioReply, SeatBody, SeatReply } from '#protocol/messages.ts';

/** NO_LINK: the server did not answer at all. */
export type Answer<T> = { ok: true; value: T } | { ok: false; code: string };

const PATIENCE_MS = 8000;
/** In this time a server answers, where nothing is wrong with the way to it. */
export const QUICK_MS = 1500;
/** Of HTTP/1.1, to one server; browsers agree on it. */
const CONNECTIONS_KEPT = 6;
/** A long round of a large class is a megabyte. */
const FILE_MS = 60_000;

export function askScenarios(): Promise<Answer<ScenarioReply[]>> {
  return ask('GET', '/api/scenarios');
}

export function askRoom(code: string): Promise<Answer<RoomReply>> {
  return ask('GET', `/api/rooms/${encodeURIComponent(code)}`);
}

export function createRoom(body: CreateRoomBody): Promise<Answer<CreateRoomReply>> {
  return ask('POST', '/api/rooms', body);
}

export function askSeat(code: string, body: SeatBody, patienceMs = PATIENCE_MS): Promise<Answer<SeatReply>> {
  return ask('POST', `/api/rooms/${encodeURIComponent(code)}/seat`, body, patienceMs);
}

/**
 * The connections that a browser keeps open for the next request may be dead without its knowing: the network was changed, or a
 * router has forgotten them. It would wait on one after another. A request that is given up closes its connection, so that after as
 * many at once as a browser keeps none of the dead is left.
 */
export async function dropDeadConnections(): Promise<void> {
  const here = () => fetch('/api/here', { method: 'HEAD', cache: 'no-store', signal: AbortSignal.timeout(QUICK_MS) });
  await Promise.allSettled(Array.from({ length: CONNECTIONS_KEPT }, here));
}

/** The addresses under which other devices reach this server; a server may not know any. */
export function askHere(): Promise<Answer<{ origins: string[] }>> {
  return ask('GET', '/api/here');
}

/** The rounds of a room, the newest first. */
export function askRounds(code: string): Promise<Answer<RoundsReply>> {
  return ask('GET', `/api/rooms/${encodeURIComponent(code)}/rounds`);
}

/** A round as a file (protocol/log.ts), and the hash of its end where it has ended. */
export async function askRound(id: string): Promise<Answer<{ file: Uint8Array; hash: string | null }>> {
  try {
    const response = await fetch(`/api/rounds/${encodeURIComponent(id)}`, { cache: 'no-store', signal: AbortSignal.timeout(FILE_MS) });
    if (!response.ok) return { ok: false, code: codeOf(await response.json()) };
    const file = new Uint8Array(await response.arrayBuffer());
    return { ok: true, value: { file, hash: response.headers.get(HASH_HEADER) } };
  } catch {
    return { ok: false, code: 'NO_LINK' };
  }
}

async function ask<T>(method: 'GET' | 'POST', path: string, body?: object, patienceMs = PATIENCE_MS): Promise<Answer<T>> {
  let response: Response;
  let value: unknown;
  try {
    response = await fetch(path, {
      method,
      ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
      cache: 'no-store',
      signal: AbortSignal.timeout(patienceMs),
    });
    value = await response.json();
  } catch {
    return { ok: false, code: 'NO_LINK' };
  }
  if (response.ok) return { ok: true, value: value as T };
  return { ok: false, code: codeOf(value) };
}

function codeOf(refusal: unknown): string {
  const code = (refusal as { error?: unknown } | null)?.error;
  return typeof code === 'string' ? code : 'INTERNAL';
}
