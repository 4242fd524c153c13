/** What of a room and its people is written to the disk, and how it is read back. The rest is of the moment. */
import type { Schema } from '@colyseus/schema';
import type { BotName, Seat } from '#game/types.ts';
import type { Role } from '#protocol/messages.ts';
import type { RoomState } from '#protocol/roomState.ts';
import type { Digest } from '../secrets.ts';
import type { PersonRow } from '../store/tables.ts';
import type { Member, Roster } from './roster.ts';

/** Fields of the room's state. The code and the roster have columns of their own; whether the log is written is of the moment. */
const KEPT = ['phase', 'scenario', 'seconds', 'seats', 'locked', 'standIns', 'briefingMs', 'rounds'] as const;
/** Does not compile when a field of the state is neither kept nor named here. */
type Missing = Exclude<keyof RoomState, keyof Schema | (typeof KEPT)[number] | 'code' | 'roster' | 'unlogged'>;
const complete: [Missing] extends [never] ? true : Missing = true;
void complete;

export interface SavedRoom {
  state: Pick<RoomState, (typeof KEPT)[number]>;
  /** Seat numbers that the round has used up. */
  spent: Seat[];
  /** Devices that may not come back, by the id that their person had; none in rooms of older versions. */
  bans?: [string, ...Digest[]][];
  /** Devices that the host let in to host. */
  hosts?: readonly Digest[];
}

interface SavedPerson {
  role: Role;
  seat: Seat;
  bot: BotName | null;
  arrived: boolean;
  /** Other devices of the person; none in rooms of older versions. */
  also?: readonly Digest[];
}

export function roomText(state: RoomState, roster: Roster): string {
  const kept = Object.fromEntries(KEPT.map((name) => [name, state[name]])) as SavedRoom['state'];
  const saved: SavedRoom = { state: kept, spent: roster.spentSeats(), bans: roster.bans(), hosts: roster.hosts() };
  return JSON.stringify(saved);
}

export function readRoom(text: string): SavedRoom {
  return JSON.parse(text) as SavedRoom;
}

/** All but the room, which the writer knows. */
export function personRow({ id, role, seat, bot, arrived, name, digest, also }: Member, place: number): Omit<PersonRow, 'room'> {
  const saved: SavedPerson = { role, seat, bot, arrived, also };
  return { id, place, name, digest, saved: JSON.stringify(saved) };
}

export function readPerson({ id, name, digest, saved }: PersonRow): SavedPerson & Pick<Member, 'id' | 'name' | 'digest'> {
  return { ...(JSON.parse(saved) as SavedPerson), id, name, digest };
}
