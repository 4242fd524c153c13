/**
 * Why the server refuses, or why it closed a connection: a closed list. Each code has a sentence in
 * `assets/lang/LANGUAGE/codes.json`. The number is the HTTP status where a refusal answers a request.
 */
export const CODES = {
  /** Not a message or body of this protocol. */
  MALFORMED: 400,
  /** Larger than the limit. */
  TOO_LARGE: 413,
  /** The address of the page is not one of this server's. */
  FOREIGN_ORIGIN: 403,
  /** No such address. */
  NOT_FOUND: 404,
  /** The address is there, but not for this method. */
  METHOD: 405,
  /** A room is entered by its code alone; the matchmaker's own ways are closed. */
  ONE_WAY_IN: 403,
  /** Something that nobody expected went wrong on the server. */
  INTERNAL: 500,
  /** No more rooms can be made now. */
  NO_ROOM_LEFT: 503,
  /** The server is about to stop. */
  STOPPING: 503,

  /** Six letters and digits were expected. */
  BAD_CODE: 400,
  /** No room has this code. */
  NO_ROOM: 404,
  /** Too many wrong codes from one address. */
  TOO_MANY_TRIES: 429,
  NO_SCENARIO: 404,
  /** No round has this id, or it is not kept any more. */
  NO_ROUND: 404,

  /** An update changed the rules since the round of this room began; its results are kept. */
  OTHER_RULES: 410,
  /** The host does not let this device back in. */
  BANNED: 403,
  /** The room is locked for newcomers. */
  LOCKED: 403,
  /** All seats are taken. */
  FULL: 409,
  /** As many watch this room as can. */
  TOO_MANY_WATCH: 409,
  /** The secret is not the host's. */
  NOT_HOST: 403,
  /** The pass was used, or is too old, or its person is gone. */
  NO_PASS: 410,
  NAME_TAKEN: 409,
  NAME_EMPTY: 400,
  NAME_TOO_LONG: 400,
  /** Control characters, invisible ones, or ones that turn the direction of writing. */
  NAME_CHARACTERS: 400,

  /** Not in this phase of the room. */
  WRONG_PHASE: 409,
  /** The sender has no seat in the round. */
  NO_SEAT: 403,
  /** This page was too slow to play along; it watches. */
  WATCHING: 409,
  /** Faster than the budget. */
  TOO_FAST: 429,
  /** Nobody is there to play. */
  NO_PLAYERS: 409,
  /** No such person in the room. */
  NO_PERSON: 404,

  /** Said to a host whose room goes on though the server's disk fails. */
  UNLOGGED: 507,

  /* Why a connection was closed. */
  /** The host removed this person; they may come back. */
  KICKED: 403,
  /** The same device opened the room elsewhere. */
  REPLACED: 409,
  /** The host deleted the room with all that was kept of it. */
  FORGOTTEN: 410,
  /** The room was empty for too long. */
  ROOM_CLOSED: 410,
  /** A fault inside this room; other rooms go on. */
  ROOM_BROKEN: 500,
  /** The reader was too slow for the stream. */
  TOO_SLOW: 408,
} as const;

export type Code = keyof typeof CODES;

/** A refusal over HTTP; inside a room `reason` carries the code in place of `error`. */
export interface HttpRefusal {
  error: Code;
  /** English; a client shows its own language's sentence for the code. */
  sentence: string;
}
export interface RoomRefusal {
  reason: Code;
  sentence: string;
}

/**
 * WebSocket close codes of this server, with the code that each means (the close reason carries it too). All of them
 * are final for the socket: the SDK does not try again by itself. A client may take a new seat after all but KICKED
 * and REPLACED, which wait for the person.
 */
export const CLOSE = {
  KICKED: 4100,
  REPLACED: 4101,
  ROOM_CLOSED: 4102,
  ROOM_BROKEN: 4103,
  TOO_SLOW: 4104,
  MALFORMED: 4105,
  FORGOTTEN: 4106,
} as const satisfies Partial<Record<Code, number>>;

/** The code behind a close code: this server's own, or the framework's. `null`: the link was lost; take the seat again. */
export function codeOfClose(closeCode: number): Code | null {
  for (const [code, number] of Object.entries(CLOSE)) if (number === closeCode) return code as Code;
  // 4001, 4010: the server stops, and may be back at once. 4002: the framework dropped a flood or a message that is none. 1009: too large.
  if (closeCode === 4001 || closeCode === 4010) return 'STOPPING';
  if (closeCode === 4002) return 'TOO_FAST';
  if (closeCode === 1009) return 'TOO_LARGE';
  return null;
}
