/** Once a second: who is away for too long, who is too slow, and whether anybody is there at all. */
import { ClientState, type Client } from '@colyseus/core';
import { CLOSE } from '#protocol/codes.ts';
import { isWatcher } from './roster.ts';
import type { RoundRoom } from './RoundRoom.ts';
import { callStandIns } from './standIns.ts';

/** How long a room waits for people, ms. */
export interface Patience {
  /** A room without anybody closes. */
  emptyMs: number;
  /** A seat that was asked for and not taken is free again. */
  reservationMs: number;
  /** A player of the lobby who is away gives up seat and name. */
  lobbyAwayMs: number;
  /** A player of the round who is away is played by a bot, where the host allows it. */
  standInMs: number;
}

export const HOUSEKEEPING_MS = 1000;
/** A socket that reads too little for so many housekeepings is closed. */
const SLOW_SECONDS_MAX = 30;

export class Caretaker {
  private readonly room: RoundRoom;
  private emptySince = performance.now();
  /** For how long the clients that read too little have done so. */
  private slowSeconds = new Map<Client, number>();

  constructor(room: RoundRoom) {
    this.room = room;
  }

  look(patience: Patience): void {
    const { room } = this;
    const now = performance.now();
    this.forgetAway(patience, now);
    callStandIns(room, now, patience.standInMs);
    if (room.clients.length > 0) this.emptySince = now;
    room.record.keep();
    if (now - this.emptySince > patience.emptyMs) room.closeEmpty();
    this.dropSlow();
    if (room.playing !== null)
      void room.streams.sendPictures(room.playing).catch((error: unknown) => room.log.error({ err: error }, 'no picture'));
  }

  private forgetAway(patience: Patience, now: number): void {
    for (const member of this.room.roster.all()) {
      if (member.client !== null || member.bot !== null) continue;
      const awayMs = now - member.awaySince;
      // Whoever only watches holds nothing that would have to wait for them.
      const mayGo = !member.arrived || this.room.phase === 'lobby' || isWatcher(member);
      if (mayGo && awayMs > (member.arrived ? patience.lobbyAwayMs : patience.reservationMs)) this.room.removeMember(member);
    }
  }

  private dropSlow(): void {
    const { room } = this;
    const slow = room.playing === null ? [] : room.streams.reviveSlow((client) => room.followAgain(client));
    // Who opened a socket and never said so collects all messages here.
    const silent = room.clients.filter((client) => client.state === ClientState.JOINING);
    this.slowSeconds = new Map([...slow, ...silent].map((client) => [client, (this.slowSeconds.get(client) ?? 0) + 1]));
    for (const [client, seconds] of this.slowSeconds) if (seconds > SLOW_SECONDS_MAX) client.leave(CLOSE.TOO_SLOW, 'TOO_SLOW');
  }
}
