/** A room that was interrupted, from what was kept of it. Its people find it as it was when they come back. */
import { TICKS_PER_SECOND } from '#protocol/limits.ts';
import type { Phase } from '#protocol/messages.ts';
import { resume, type Resumed } from '../sequencer/past.ts';
import type { Store } from '../store/Store.ts';
import { peopleOf } from '../store/rooms.ts';
import { logOf, roundByKey, snapshotOf } from '../store/rounds.ts';
import type { RoomRow } from '../store/tables.ts';
import { Roster } from './roster.ts';
import type { RoundRoom } from './RoundRoom.ts';
import { readPerson, readRoom } from './saved.ts';

/** State, roster and round; a round that cannot be played on leaves the class in the lobby. */
export async function restoreRoom(room: RoundRoom, store: Store, row: RoomRow): Promise<void> {
  const saved = readRoom(row.saved);
  room.record.resume(row.key);
  room.state.assign({ ...saved.state, code: row.code });
  room.roster = new Roster(room.state, row.hostDigest);
  room.roster.restore(peopleOf(store, row.key).map(readPerson), saved);
  const resumed = row.round === null ? null : await resumeRound(room, store, row.round);
  if (resumed === null) {
    room.state.phase = 'lobby' satisfies Phase;
    room.state.briefingMs = 0;
    return;
  }
  const { playing, hands } = resumed;
  room.playing = playing;
  room.record.resumeRound(playing, row.round!);
  for (const member of room.roster.seated()) {
    const hand = hands.get(member.seat);
    if (hand !== undefined) Object.assign(member, { seq: hand.seq, ownSeq: hand.ownSeq });
    if (member.bot === null) continue;
    if (hand !== undefined) room.bots.add(member, member.bot, playing.seed);
    // It came a moment before: the room knows it, and no tick does yet. People join when they return.
    else room.joinRound(member);
  }
  // And so those who left.
  for (const seat of hands.keys()) if (room.roster.bySeat(seat) === null) playing.queue({ type: 'leave', seat });
  if (playing.round.over) room.state.phase = 'podium' satisfies Phase;
}

async function resumeRound(room: RoundRoom, store: Store, key: number): Promise<Resumed | null> {
  const row = roundByKey(store, key);
  if (row === null) return null;
  const since = performance.now();
  try {
    const resumed = await resume({ ...logOf(store, row), snapshot: snapshotOf(store, key) });
    const { ticks } = resumed.playing;
    room.log.info({ ticks: ticks.length, ms: Math.round(performance.now() - since) }, 'round goes on');
    return resumed;
  } catch (error) {
    room.log.error({ err: error, round: row.id }, 'a round cannot go on');
    return null;
  }
}

/** Ticks of the briefing that are left. */
export function briefingTicksLeft(room: RoundRoom): number {
  return Math.max(1, Math.round((room.state.briefingMs * TICKS_PER_SECOND) / 1000));
}

/** A round that was interrupted waits so long for those who are not back yet. */
const RETURN_TICKS_MAX = 2 * TICKS_PER_SECOND;

/** A round that goes on after an interruption stands still for a moment, while people are on their way back. */
export class Returns {
  private ticksLeft = 0;

  expect(): void {
    this.ticksLeft = RETURN_TICKS_MAX;
  }

  forget(): void {
    this.ticksLeft = 0;
  }

  /** Asked once a tick. */
  awaited(roster: Roster): boolean {
    if (this.ticksLeft === 0) return false;
    const isAnyAway = roster.seated().some((member) => member.bot === null && member.arrived && member.client === null);
    this.ticksLeft = isAnyAway ? this.ticksLeft - 1 : 0;
    return this.ticksLeft > 0;
  }
}
