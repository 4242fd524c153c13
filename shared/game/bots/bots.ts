/**
 * Bots: functions from what a player can see to an action, with a generator of their own. They fill rooms, calibrate
 * scenarios and are examples of how to play (and how not to).
 */
import type { Seeded } from '#kernel/rng.ts';
import { randomBelow } from '#kernel/rng.ts';
import { handView } from '../view.ts';
import type { Round } from '../state.ts';
import type { Action, BotName, Seat } from '../types.ts';
import type { Mind, Seen } from './seen.ts';
import { bigOnly, free, keep, never, smallOnly } from './players.ts';
import { guess, spam, splinter } from './vandals.ts';

export type { Mind, Seen } from './seen.ts';

/** Ticks between two actions of a bot at ordinary speed. */
export const BOT_TICKS = 15;

interface BotKind {
  mind: Mind;
  /** How much slower than the others, in thousandths. */
  slowMilli: number;
}

export const BOTS: Readonly<Record<BotName, BotKind>> = {
  free: { mind: free, slowMilli: 1000 },
  never: { mind: never, slowMilli: 1000 },
  keep: { mind: keep, slowMilli: 1000 },
  splinter: { mind: splinter, slowMilli: 1000 },
  spam: { mind: spam, slowMilli: 1000 },
  guess: { mind: guess, slowMilli: 1000 },
  half: { mind: free, slowMilli: 2000 },
  bigOnly: { mind: bigOnly, slowMilli: 1000 },
  smallOnly: { mind: smallOnly, slowMilli: 1000 },
};

export interface Bot {
  readonly name: BotName;
  readonly seat: Seat;
  /** What it does in the coming tick: mostly nothing, once in so many ticks an action. */
  act(round: Round): Action | null;
}

/** `ticks` between two actions sets its speed; they vary by a quarter each way. */
export function createBot(name: BotName, seat: Seat, seed: number, ticks = BOT_TICKS): Bot {
  const { mind, slowMilli } = BOTS[name];
  const chance: Seeded = { rng: (Math.imul(seed ^ 0x5bd1e995, 0x9e3779b1) ^ Math.imul(seat + 1, 0x85ebca6b)) >>> 0 };
  const pause = Math.max(1, Math.trunc((ticks * slowMilli) / 1000));
  let nextAt = randomBelow(chance, pause) + 1;
  return {
    name,
    seat,
    act(round) {
      if (round.over || round.now < nextAt) return null;
      nextAt = round.now + Math.max(1, pause - (pause >> 2) + randomBelow(chance, (pause >> 1) + 1));
      const hand = handView(round, seat);
      if (hand === null || !hand.alive || hand.stall !== null) return null;
      const seen: Seen = { ...hand, ticksLeft: round.game.endsAt - round.now };
      return mind(seen, chance);
    },
  };
}
