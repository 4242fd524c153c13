/**
 * Every message and HTTP body, as schemas that refuse unknown keys; types are inferred from them. The server parses with
 * them; a client needs the types only (`import type`), so that no schema library is loaded for a page.
 *
 * HTTP: POST /api/rooms · GET /api/rooms/:code · GET /api/scenarios · GET /api/here · POST /api/rooms/:code/seat ·
 * GET /api/rooms/:code/rounds · GET /api/rounds/:id.
 * Room, client → server, by `room.request(type, payload)`: `input`, `host`, `resync`, `pass`; a refusal rejects with a RoomRefusal.
 * Room, server → client: `welcome` (JSON), `snap` (bytes, snap.ts), `tick` (bytes, tick.ts), `digest` (JSON).
 */
import { z } from 'zod';
import type { Action, BotName, Scenario, Seat } from '#game/types.ts';
import { isCall } from './call.ts';
import type { Code } from './codes.ts';
import {
  EXTEND_SECONDS_MAX,
  NAME_UNITS_MAX,
  SEAT_NUMBERS_MAX,
  SEATS_MAX,
  SECONDS_MAX,
  SECONDS_MIN,
  SECRET_DIGITS,
  UINT32_MAX,
} from './limits.ts';
import { BOTS, TOOLS } from './tick.ts';

/** An integer in a range; −0 is no number of this protocol, because JSON and the log would lose its sign. */
function whole(min: number, max: number): z.ZodType<number> {
  return z
    .int()
    .min(min)
    .max(max)
    .refine((value) => !Object.is(value, -0));
}

const card = whole(0, UINT32_MAX);
const holding = whole(0, UINT32_MAX);
const seat = whole(0, SEAT_NUMBERS_MAX - 1);
const seconds = whole(SECONDS_MIN, SECONDS_MAX);
const scenarioId = z.string().regex(/^[a-zA-Z0-9][a-zA-Z0-9_-]{0,63}$/);
/** The device's 128 bits as lower-case hex digits. */
const secret = z.string().regex(new RegExp(`^[0-9a-f]{${SECRET_DIGITS}}$`));
/** A spectator watches on a device of its own; a screen is a projector's, for a room full of people. */
const role = z.enum(['host', 'player', 'spectator', 'screen']);

export type Role = z.infer<typeof role>;
export type Phase = 'lobby' | 'briefing' | 'running' | 'paused' | 'podium';

/* ---- HTTP ---- */

export const CreateRoomBody = z.strictObject({
  scenario: scenarioId,
  secret,
  seconds: seconds.optional(),
  seats: whole(1, SEATS_MAX).optional(),
});
export type CreateRoomBody = z.infer<typeof CreateRoomBody>;

/** 201. */
export interface CreateRoomReply {
  code: string;
}

export const SeatBody = z.strictObject({
  secret,
  /** Checked by names.ts; without one the server gives a generated name. Only players have one. */
  name: z.string().max(NAME_UNITS_MAX).optional(),
  role,
  /** Of a new device: it gets the place of whoever asked for the pass, and its secret opens that place from then on. */
  pass: secret.optional(),
});
export type SeatBody = z.infer<typeof SeatBody>;

/** What `Client.consumeSeatReservation` takes. */
export interface Reservation {
  name: string;
  sessionId: string;
  roomId: string;
  processId?: string;
  publicAddress?: string;
}

export interface SeatReply {
  reservation: Reservation;
  role: Role;
  /** -1 for all but players. */
  seat: Seat;
  /** '' for who watches. */
  name: string;
}

export interface RoomReply {
  code: string;
  phase: Phase;
  scenario: string;
  /** Seats taken, bots among them. */
  players: number;
  seats: number;
  locked: boolean;
}

/** GET /api/here: where a class finds this server, for a teacher who opened it as `localhost`. */
export interface HereReply {
  origins: string[];
}

export interface ScenarioReply {
  id: string;
  title: Scenario['title'];
  idea: Scenario['idea'];
  seconds: number;
  seats: number;
}

/** GET /api/rooms/:code/rounds, the newest first; GET /api/rounds/:id is the file of one (log.ts). */
export interface RoundsReply {
  rounds: RoundReply[];
}

export interface RoundReply {
  /** Nobody can guess it. */
  id: string;
  /** The first, second, … of its room. */
  number: number;
  /** Id of the scenario. */
  scenario: string;
  /** Milliseconds since 1970; null while it is on. */
  began: number;
  ended: number | null;
}

/* ---- room, client → server ---- */

/** Compiles only while the schema and the game's own type say the same. */
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : never) : never;

export const ActionSchema = z.discriminatedUnion('do', [
  z.strictObject({ do: z.literal('use'), tool: z.enum(TOOLS), card, order: whole(0, 31).optional() }),
  z.strictObject({ do: z.literal('discard'), card }),
  z.strictObject({ do: z.literal('free'), holding }),
  z.strictObject({ do: z.literal('freeDone') }),
  z.strictObject({ do: z.literal('reuse'), card, holding }),
  z.strictObject({ do: z.literal('adj'), value: whole(-1000, 1000) }),
  z.strictObject({ do: z.literal('call'), call: z.custom<Extract<Action, { do: 'call' }>['call']>(isCall) }),
]);
const sameAction: Same<z.infer<typeof ActionSchema>, Action> = true;
void sameAction;

export const InputMessage = z.strictObject({ seq: whole(1, UINT32_MAX), action: ActionSchema });
export type InputMessage = z.infer<typeof InputMessage>;
/** In the next tick; confirmed only when it comes back in one. */
export interface InputReply {
  queued: number;
}

const person = z.string().regex(/^[a-z0-9]{1,16}$/);
const bots: z.ZodType<BotName> = z.enum(BOTS);

export const HostActionSchema = z.discriminatedUnion('do', [
  z.strictObject({ do: z.literal('start') }),
  z.strictObject({ do: z.literal('pause') }),
  z.strictObject({ do: z.literal('resume') }),
  z.strictObject({ do: z.literal('extend'), seconds: whole(1, EXTEND_SECONDS_MAX) }),
  z.strictObject({ do: z.literal('end') }),
  z.strictObject({ do: z.literal('again') }),
  z.strictObject({ do: z.literal('kick'), id: person }),
  z.strictObject({ do: z.literal('ban'), id: person }),
  z.strictObject({ do: z.literal('pardon'), id: person }),
  z.strictObject({ do: z.literal('lock'), locked: z.boolean() }),
  z.strictObject({ do: z.literal('standIns'), on: z.boolean() }),
  /** The room with its people and rounds is deleted, at once and for ever. */
  z.strictObject({ do: z.literal('forget') }),
  z.strictObject({ do: z.literal('addBots'), bots: z.array(bots).min(1).max(SEATS_MAX) }),
  z.strictObject({ do: z.literal('removeBots') }),
  z.strictObject({ do: z.literal('cap'), seat, on: z.boolean() }),
  z.strictObject({ do: z.literal('options'), scenario: scenarioId.optional(), seconds: seconds.optional() }),
]);
export type HostAction = z.infer<typeof HostActionSchema>;

export const HostMessage = z.strictObject({ action: HostActionSchema });
export type HostMessage = z.infer<typeof HostMessage>;
export interface HostReply {
  done: true;
}

/** Asks for a snapshot and what follows it. */
export const ResyncMessage = z.strictObject({});

/** Asks for a pass: it lets another device into one's own place, once, within PASS_SECONDS. */
export const PassMessage = z.strictObject({});
export interface PassReply {
  /** 32 hex digits. */
  pass: string;
}

/* ---- room, server → client ---- */

/** The first message of each connection: who one is in the roster. Once more when a page that cannot keep up becomes a spectator's. */
export interface WelcomeMessage {
  id: string;
  role: Role;
  /** -1 for all but players. */
  seat: Seat;
  /** The highest sequence number that the server has queued for this seat; a client goes on above it. */
  seq: number;
  /** The highest of them that this person sent; those above it were a bot's, who stood in. */
  own: number;
  /** Why this page has another role than it asked for: it comes again when that changes. */
  why?: Code;
}

/** The server's hash of the round after tick n. */
export interface DigestMessage {
  n: number;
  /** 16 hex digits. */
  hash: string;
}
