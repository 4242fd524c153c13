/** Logs of rounds that bots played, for tests that play them again. */
import { random32 } from '#kernel/rng.ts';
import { createBot } from '#game/bots/bots.ts';
import { createRound, playTick, type Round } from '#game/round.ts';
import type { BotName, Input, Scenario, Tick } from '#game/types.ts';

export const MIX: readonly BotName[] = ['free', 'never', 'splinter', 'spam', 'keep', 'guess', 'half'];

export interface Log {
  scenario: Scenario;
  seed: number;
  seats: number;
  ticks: Tick[];
  /** The round as it was in the end. */
  round: Round;
}

/** A whole round: planned seats join at once, one more comes late, one leaves and comes back, the host extends and caps. */
export function botLog(scenario: Scenario, seed: number, seats = 8): Log {
  const round = createRound(scenario, seed, seats);
  const bots = Array.from({ length: seats + 1 }, (_, seat) => createBot(MIX[seat % MIX.length]!, seat, seed));
  const seqs = bots.map(() => 0);
  const chance = { rng: seed ^ 0x517cc1b7 };
  const ticks: Tick[] = [];
  const third = Math.trunc((scenario.seconds * 10) / 3);
  while (!round.over) {
    const inputs: Input[] = [];
    if (round.now === 0) for (let seat = 0; seat < seats; seat++) inputs.push({ type: 'join', seat, bot: bots[seat]!.name });
    if (round.now === third)
      inputs.push({ type: 'join', seat: seats, bot: null }, { type: 'leave', seat: 1 }, { type: 'cap', seat: 2, on: true });
    if (round.now === third * 2) inputs.push({ type: 'join', seat: 1, bot: null }, { type: 'extend', ticks: 37 });
    for (const bot of bots) {
      const action = bot.act(round);
      if (action !== null) inputs.push({ type: 'act', seat: bot.seat, seq: ++seqs[bot.seat]!, action });
    }
    const tick = { n: round.now + 1, entropy: random32(chance), inputs };
    ticks.push(tick);
    playTick(round, tick);
  }
  return { scenario, seed, seats, ticks, round };
}

export const startOf = ({ scenario, seed, seats }: Log): Round => createRound(scenario, seed, seats);
