/** Bounds of the wire, in one place. What a scenario or a machine may hold is bounded in game/scenario.ts and the kernel. */

/** Bytes of one WebSocket message from a client. */
export const MESSAGE_BYTES_MAX = 4096;
/** Frames that one such message may come in; a client of ours sends one. */
export const MESSAGE_FRAGMENTS_MAX = 8;
/** Bytes of an HTTP body. */
export const BODY_BYTES_MAX = 4096;
/** Inputs of one tick; what is queued above that waits for the next. */
export const TICK_INPUTS_MAX = 1500;
/** Bytes of one encoded tick: above the largest inputs, as many as there can be. */
export const TICK_BYTES_MAX = 1 << 20;

/** Ticks in the file of one round: more than a day. */
export const LOG_TICKS_MAX = 1 << 20;
/** Letters of the scenario in such a file, as ASCII. */
export const LOG_SCENARIO_LETTERS_MAX = 1 << 21;

/** Of an answer that is such a file: the hash of the round's end, 16 hex digits; absent while it has none. */
export const HASH_HEADER = 'x-round-hash';
/** Rounds of a room that are listed. */
export const ROUNDS_LISTED_MAX = 50;

/** Players and bots in one room. */
export const SEATS_MAX = 100;
/** Numbers of seats that one round may use up: a kicked seat's number is not given to somebody else in the same round. */
export const SEAT_NUMBERS_MAX = 256;
/** People who watch one room without a process, and projectors of one room. */
export const SPECTATORS_MAX = 200;
export const SCREENS_MAX = 10;
/** People of all roles in one room. */
export const PEOPLE_MAX = 320;
/** Rooms in one process. */
export const ROOMS_MAX = 200;
/** Seats of a room whose creator named no number. */
export const SEATS_DEFAULT = 40;

/** Game seconds of a round. */
export const SECONDS_MIN = 10;
export const SECONDS_MAX = 3600;
/** Game seconds that the host adds at once. */
export const EXTEND_SECONDS_MAX = 600;
/** Ticks in a second of game time. */
export const TICKS_PER_SECOND = 10;
/** The server sends its hash as often as this, in ticks. */
export const DIGEST_EVERY_TICKS = 50;

/** Letters of a name as a reader counts them (grapheme clusters). */
export const NAME_GRAPHEMES_MAX = 20;
/** UTF-16 units of a name: bounds clusters of endless combining marks. */
export const NAME_UNITS_MAX = 80;

/** Characters of a room's code. */
export const CODE_LENGTH = 6;
/** Hex digits of a device's secret: 128 bits. */
export const SECRET_DIGITS = 32;
/** For so long a pass lets another device into one's place, unless it was used. */
export const PASS_SECONDS = 300;
/** Devices that may have come into one place by passes; who came by the first of more has to be let in anew. */
export const DEVICES_MAX = 8;

/** Inputs of one person: a second on average, and at once. The round has a tighter budget of its own. */
export const INPUTS_PER_SECOND = 10;
export const INPUTS_BURST = 30;
/** Messages of any kind from one socket in a second; more closes it. */
export const MESSAGES_PER_SECOND_MAX = 60;
/** Pings of the WebSocket protocol from one socket, which the server has to answer. Browsers send none. */
export const PINGS_PER_SECOND = 5;
export const PINGS_BURST = 50;
/** Snapshots asked for by one person: one in so many seconds, and so many at once. */
export const RESYNC_SECONDS = 2;
export const RESYNC_BURST = 3;

/** Seats that one person asks for again (reload, second window). */
export const RETURNS_PER_SECOND = 0.5;
export const RETURNS_BURST = 10;

/** A kernel call inside a message: arguments, elements of a list, characters of a string. */
export const CALL_ARGUMENTS_MAX = 12;
export const CALL_LIST_MAX = 64;
export const CALL_TEXT_MAX = 256;
/** Bytes of one call's JSON text. */
export const CALL_BYTES_MAX = 512;

/** Highest client sequence number, card and holding: 32 bits. */
export const UINT32_MAX = 0xffff_ffff;
