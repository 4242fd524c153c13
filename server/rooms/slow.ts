/**
 * Who needs one snapshot after another cannot keep up: a device that is too slow to play the ticks, or a link that is too
 * slow to carry them. The seat and its process stay; until the person comes in anew, this page only watches.
 */
import type { Client } from '@colyseus/core';
import type { WelcomeMessage } from '#protocol/messages.ts';
import type { Member } from './roster.ts';
import type { RoundRoom } from './RoundRoom.ts';

/** Snapshots with less than this between them are in a row. */
const IN_A_ROW_MS = 30_000;
const IN_A_ROW_MAX = 3;

export interface Slowness {
  /** Snapshots in a row that were taken because the client was behind. */
  snapshots: number;
  /** When the newest was taken, ms. */
  at: number;
}

/** Another snapshot is needed. True when there have been so many in a row that there shall be no more. */
export function isTooSlow(slow: Slowness, now: number): boolean {
  if (now - slow.at > IN_A_ROW_MS) slow.snapshots = 0;
  slow.at = now;
  slow.snapshots += 1;
  return slow.snapshots > IN_A_ROW_MAX;
}

/** The page that this member has open becomes a spectator's, and is told why. */
export function letWatch(room: RoundRoom, member: Member, client: Client): void {
  member.watching = true;
  room.streams.showPictures(client);
  const welcome: WelcomeMessage = { id: member.id, role: 'spectator', seat: -1, seq: member.seq, own: member.ownSeq, why: 'WATCHING' };
  client.send('welcome', welcome);
  room.log.warn({ seat: member.seat }, 'too slow to play along');
}
