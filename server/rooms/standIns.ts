/**
 * A bot holds the process of a player who dropped, where the host allows it, and hands it back when the player returns.
 * Both are inputs in the log: a `join` of a seat that is there already says only who plays it.
 */
import { isHeldByBot } from '#game/view.ts';
import type { BotName } from '#game/types.ts';
import { TICKS_PER_SECOND } from '#protocol/limits.ts';
import type { Member } from './roster.ts';
import type { RoundRoom } from './RoundRoom.ts';

/** It frees promptly: whoever comes back finds a process that is well. */
const STAND_IN: BotName = 'free';
/** Nobody is replaced in the last moments of a round. */
const LAST_TICKS = 5 * TICKS_PER_SECOND;

/** Once a second: takes over for those who have been away for `afterMs`. */
export function callStandIns(room: RoundRoom, now: number, afterMs: number): void {
  if (!room.state.standIns || room.phase !== 'running' || room.playing === null) return;
  const { game } = room.playing.round;
  if (game.endsAt - room.playing.ticks.length < LAST_TICKS) return;
  for (const member of room.roster.seated()) {
    const isGone = member.client === null && member.arrived && now - member.awaySince > afterMs;
    const isAway = member.bot === null && (isGone || member.watching);
    if (!isAway || room.bots.has(member.seat) || !room.playing.seats.has(member.seat)) continue;
    room.playing.queue({ type: 'join', seat: member.seat, bot: STAND_IN });
    room.bots.add(member, STAND_IN, room.playing.seed);
    room.log.info({ seat: member.seat }, 'a bot stands in');
  }
}

/** The player is back (or the host wants no stand-ins): from this moment on the bot does nothing more. */
export function handBack(room: RoundRoom, member: Member): void {
  const { playing } = room;
  if (playing === null || member.bot !== null || !playing.seats.has(member.seat)) return;
  // A room that was restored has the bot in its round only.
  if (!room.bots.has(member.seat) && !isHeldByBot(playing.round, member.seat)) return;
  room.bots.remove(member.seat);
  playing.queue({ type: 'join', seat: member.seat, bot: null });
  room.log.info({ seat: member.seat }, 'handed back');
}
