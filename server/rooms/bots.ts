/** Bots of a room: they see what a player could see and queue ordinary inputs, on seats of their own or for a person who is away. */
import { createBot, type Bot } from '#game/bots/bots.ts';
import type { BotName, Seat } from '#game/types.ts';
import type { Logger } from '../log.ts';
import type { Playing } from '../sequencer/Playing.ts';

/** Whom a bot plays for; its inputs take their numbers from there. */
export interface Principal {
  readonly seat: Seat;
  seq: number;
}

interface Seated {
  bot: Bot;
  principal: Principal;
}

export class RoomBots {
  private readonly log: Logger;
  private readonly bySeat = new Map<Seat, Seated>();

  constructor(log: Logger) {
    this.log = log;
  }

  add(principal: Principal, name: BotName, seed: number): void {
    this.bySeat.set(principal.seat, { bot: createBot(name, principal.seat, seed), principal });
  }

  has(seat: Seat): boolean {
    return this.bySeat.has(seat);
  }

  remove(seat: Seat): void {
    this.bySeat.delete(seat);
  }

  reset(): void {
    this.bySeat.clear();
  }

  /** Queues what the bots do in the coming tick. A bot that throws is out of the round's game, its process stays. */
  act(playing: Playing): void {
    for (const [seat, { bot, principal }] of this.bySeat) {
      try {
        const action = bot.act(playing.round);
        if (action !== null) playing.queue({ type: 'act', seat, seq: ++principal.seq, action });
      } catch (error) {
        this.log.error({ err: error, seat }, 'a bot failed');
        this.bySeat.delete(seat);
      }
    }
  }
}
