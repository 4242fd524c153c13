/**
 * A round that was interrupted goes on: from its log, and sooner from a snapshot and the ticks after it. Both lead to the
 * same round; a snapshot that cannot be read, or does not fit the log, is as if it were not there.
 */
import { setImmediate } from 'node:timers/promises';
import { promisify } from 'node:util';
import { inflateRaw } from 'node:zlib';
import { createRound, playTick, restoreRound, type Round } from '#game/round.ts';
import type { BotName, Scenario, Seat, Tick } from '#game/types.ts';
import { decodeSnap } from '#protocol/snap.ts';
import { decodeTick } from '#protocol/tick.ts';
import { Playing } from './Playing.ts';

const inflate = promisify(inflateRaw);
/** Far above the largest machine of a room. */
const SAVED_BYTES_MAX = 256 << 20;
/** The longest stretch of playing, ms: other rooms tick in between. */
const SLICE_MS = 8;

export interface Kept {
  scenario: Scenario;
  seed: number;
  seats: number;
  ticks: readonly Uint8Array[];
  /** The message `snap`, or null. */
  snapshot: Uint8Array | null;
}

/** Who plays a seat, and the highest numbers used: of all, and of the person's own. */
export interface Hand {
  bot: BotName | null;
  seq: number;
  ownSeq: number;
}

export interface Resumed {
  playing: Playing;
  hands: Map<Seat, Hand>;
}

/** Throws what `createRound` and `decodeTick` throw. */
export async function resume({ scenario, seed, seats, ticks, snapshot }: Kept): Promise<Resumed> {
  const decoded = ticks.map((bytes) => decodeTick(bytes));
  const round = (await playFrom(await openSnapshot(snapshot), decoded)) ?? (await playFrom(createRound(scenario, seed, seats), decoded))!;
  const hands = handsAfter(decoded);
  return { playing: new Playing(scenario, seed, seats, { round, ticks, seats: hands.keys() }), hands };
}

async function openSnapshot(message: Uint8Array | null): Promise<Round | null> {
  if (message === null) return null;
  try {
    return restoreRound(await inflate(decodeSnap(message).deflated, { maxOutputLength: SAVED_BYTES_MAX }));
  } catch {
    return null;
  }
}

/** Null for a round that is ahead of its log. */
async function playFrom(round: Round | null, ticks: readonly Tick[]): Promise<Round | null> {
  if (round === null || round.now > ticks.length) return null;
  let since = performance.now();
  for (let n = round.now; n < ticks.length; n++) {
    playTick(round, ticks[n]!);
    if (performance.now() - since < SLICE_MS) continue;
    await setImmediate();
    since = performance.now();
  }
  return round;
}

/** Of the seats that have a process after these ticks. */
function handsAfter(ticks: readonly Tick[]): Map<Seat, Hand> {
  const hands = new Map<Seat, Hand>();
  for (const input of ticks.flatMap((tick) => tick.inputs)) {
    if (input.type === 'leave') hands.delete(input.seat);
    if (input.type === 'join') hands.set(input.seat, { ...(hands.get(input.seat) ?? { seq: 0, ownSeq: 0 }), bot: input.bot });
    const hand = input.type === 'act' ? hands.get(input.seat) : undefined;
    if (input.type !== 'act' || hand === undefined || input.seq <= hand.seq) continue;
    hand.seq = input.seq;
    if (hand.bot === null) hand.ownSeq = input.seq;
  }
  return hands;
}
