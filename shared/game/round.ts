/** A round: `play(scenario, seed, ticks)` as a value that a tick moves forward. */
import type { FactRing } from '#kernel/facts.ts';
import type { Machine } from '#kernel/types.ts';
import type { ClassView, Podium, RoundEvent, Scenario, Seat, SeatView, Tick } from './types.ts';

export const RULES = 1;

export interface Round {
  readonly scenario: Scenario;
  readonly seed: number;
  /** Ticks played. */
  now: number;
  readonly machine: Machine;
  over: boolean;
  // game state follows (private to shared/game)
}

/** Starts at tick 0 with an empty machine sized for `seats`; `facts` gets the kernel's facts. */
export declare function createRound(scenario: Scenario, seed: number, seats: number, facts?: FactRing | null): Round;
/** Plays one tick; ticks come in order, each once. Returns what happened. Never throws for any input. */
export declare function playTick(round: Round, tick: Tick): RoundEvent[];
/** 16 hex digits over the machine and the game. */
export declare function roundHash(round: Round): string;
export declare function saveRound(round: Round): Uint8Array;
export declare function restoreRound(bytes: Uint8Array, facts?: FactRing | null): Round;
export declare function seatView(round: Round, seat: Seat): SeatView | null;
export declare function classView(round: Round): ClassView;
export declare function podium(round: Round): Podium;
