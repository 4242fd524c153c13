/** The small, slow state of a room, synchronised by the framework: what the round does not know. No secret, no session id. */
import { schema, t, type SchemaType } from '@colyseus/schema';

export const Person = schema(
  {
    /** Stable within a room. */
    id: t.string(),
    /** -1 for all but players: they have no process. */
    seat: t.int16(),
    /** '' for who watches. */
    name: t.string(),
    /** Role of messages.ts. */
    role: t.string(),
    online: t.boolean(),
    /** A bot's name, '' for people. */
    bot: t.string(),
  },
  'Person',
);
export type Person = SchemaType<typeof Person>;

export const RoomState = schema(
  {
    code: t.string(),
    /** Phase of messages.ts. */
    phase: t.string(),
    /** Id of the scenario. */
    scenario: t.string(),
    /** Seconds of game time in a round, without extensions. */
    seconds: t.uint16(),
    /** Players and bots that fit. */
    seats: t.uint16(),
    /** For newcomers; who was here comes back. */
    locked: t.boolean(),
    /** Whether bots play for players who dropped. */
    standIns: t.boolean(),
    /** Milliseconds of the briefing left, renewed every second; 0 outside it. */
    briefingMs: t.uint32(),
    /** Rounds started in this room. */
    rounds: t.uint16(),
    /** What happens is not written to the server's disk at present: a crash would lose it. */
    unlogged: t.boolean(),
    /** By id, in order of arrival. */
    roster: t.map(Person),
  },
  'RoomState',
);
export type RoomState = SchemaType<typeof RoomState>;
