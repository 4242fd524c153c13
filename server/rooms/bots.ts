/** Bots of a room: they see what a player could see and queue ordinary inputs. */
import { createBot, type Bot } from '#game/bots/bots.ts';
import type { BotName, Seat } from '#game/types.ts';
import type { Logger } from '../log.ts';
import type { Playing } from '../sequencer/Playing.ts';

interface Seated {
  bot: Bot;
  seq: number;
}

export class RoomBots {
  private readonly log: Logger;
  private readonly bySeat = new Map<Seat, Seated>();

  constructor(log: Logger) {
    this.log = log;
  }

  add(seat: Seat, name: BotName, seed: number): void {
    this.bySeat.set(seat, { bot: createBot(name, seat, seed), seq: 0 });
  }

  remove(seat: Seat): void {
    this.bySeat.delete(seat);
  }

  reset(): void {
    this.bySeat.clear();
  }

  /** Queues what the bots do in the coming tick. A bot that throws is out of the round's game, its process stays. */
  act(playing: Playing): void {
    for (const [seat, seated] of this.bySeat) {
      try {
        const action = seated.bot.act(playing.round);
        if (action !== null) playing.queue({ type: 'act', seat, seq: ++seated.seq, action });
      } catch (error) {
        this.log.error({ err: error, seat }, 'a bot failed');
        this.bySeat.delete(seat);
      }
    }
  }
}
