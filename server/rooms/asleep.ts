/**
 * Rooms that are on the disk and not in this process: left over from one that was killed, or closed because nobody was in
 * them. Asking for a seat brings one back.
 */
import { matchMaker, type IRoomCache } from '@colyseus/core';
import { RULES } from '#game/round.ts';
import type { Code } from '#protocol/codes.ts';
import { ROOMS_MAX } from '#protocol/limits.ts';
import type { RoomReply } from '#protocol/messages.ts';
import type { Logger } from '../log.ts';
import type { Store } from '../store/Store.ts';
import { closedRoom, closeRoom, openRoom, openRoomsSince, peopleOf } from '../store/rooms.ts';
import { roundByKey } from '../store/rounds.ts';
import type { RoomRow } from '../store/tables.ts';
import type { KeptRoomOptions } from './RoundRoom.ts';
import { readPerson, readRoom } from './saved.ts';

/** The name of the room class, as the matchmaker knows it. */
export const ROUND = 'round';
/** Rooms in which somebody was so shortly before are back when the server is. */
const FRESH_MS = 10 * 60_000;

export class Asleep {
  private readonly store: Store;
  private readonly log: Logger;
  /** Rooms on their way, by code: who asks meanwhile waits for the same. */
  private readonly waking = new Map<string, Promise<IRoomCache>>();

  constructor(store: Store, log: Logger) {
    this.store = store;
    this.log = log;
  }

  /** Whether a room that could be woken has this code. */
  has(code: string): boolean {
    return typeof this.find(code) !== 'string';
  }

  /** What `GET /api/rooms/CODE` says of it. The code of a refusal, where there is none. */
  describe(code: string): RoomReply | Code {
    const row = this.find(code);
    if (typeof row === 'string') return row;
    const { phase, scenario, seats, locked } = readRoom(row.saved).state;
    const players = peopleOf(this.store, row.key).filter((person) => readPerson(person).seat >= 0).length;
    return { code, phase: phase as RoomReply['phase'], scenario, players, seats, locked };
  }

  /** Brings the room back. The code of a refusal, where it cannot. */
  async wake(code: string): Promise<IRoomCache | Code> {
    const row = this.find(code);
    if (typeof row === 'string') return row;
    if (matchMaker.stats.local.roomCount >= ROOMS_MAX) return 'NO_ROOM_LEFT';
    try {
      if (row.round !== null && roundByKey(this.store, row.round)?.rules !== RULES) {
        // An update came between: this version would play the round otherwise. What was recorded of it stays.
        closeRoom(this.store, row.key, 'OTHER_RULES');
        return 'OTHER_RULES';
      }
      return await this.restore(row);
    } catch (error) {
      this.log.error({ err: error, room: code }, 'a room could not be brought back');
      return 'INTERNAL';
    }
  }

  /** Before the server listens: all that somebody was in lately, so that nobody who returns is too early. */
  async wakeFresh(now = Date.now()): Promise<void> {
    const since = performance.now();
    const rows = openRoomsSince(this.store, now - FRESH_MS).slice(0, ROOMS_MAX);
    for (const { code } of rows) await this.wake(code);
    if (rows.length > 0) this.log.info({ rooms: rows.length, ms: Math.round(performance.now() - since) }, 'rooms are back');
  }

  /** The room's row, or why nobody can enter it. A disk that cannot be read holds no rooms for now. */
  private find(code: string): RoomRow | Code {
    try {
      const row = openRoom(this.store, code);
      if (row !== null) return row;
      return closedRoom(this.store, code) === 'OTHER_RULES' ? 'OTHER_RULES' : 'NO_ROOM';
    } catch (error) {
      this.log.error({ err: error, room: code }, 'the disk cannot be read');
      return 'INTERNAL';
    }
  }

  private restore(row: RoomRow): Promise<IRoomCache> {
    let waking = this.waking.get(row.code);
    if (waking === undefined) {
      const options: KeptRoomOptions = { kept: { ...row } };
      waking = matchMaker.createRoom(ROUND, options).finally(() => this.waking.delete(row.code));
      this.waking.set(row.code, waking);
    }
    return waking;
  }
}
