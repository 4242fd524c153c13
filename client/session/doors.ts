/** The server's HTTP doors. Every answer is what was asked for, or the code of the refusal; none of these throws. */
import { HASH_HEADER } from '#protocol/limits.ts';
import type { CreateRoomBody, CreateRoomReply, RoomReply, RoundsReply, ScenarioReply, SeatBody, SeatReply } from '#protocol/messages.ts';

/** NO_LINK: the server did not answer at all. */
export type Answer<T> = { ok: true; value: T } | { ok: false; code: string };

const PATIENCE_MS = 8000;
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

export function askSeat(code: string, body: SeatBody): Promise<Answer<SeatReply>> {
  return ask('POST', `/api/rooms/${encodeURIComponent(code)}/seat`, body);
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

async function ask<T>(method: 'GET' | 'POST', path: string, body?: object): Promise<Answer<T>> {
  let response: Response;
  let value: unknown;
  try {
    response = await fetch(path, {
      method,
      ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
      cache: 'no-store',
      signal: AbortSignal.timeout(PATIENCE_MS),
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
