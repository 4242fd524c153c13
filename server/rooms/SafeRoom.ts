/** What every room class needs so that nothing a client sends, and no fault of its own, reaches the process. */
import type { EventEmitter } from 'node:events';
import { Room, ServerError, type Client } from '@colyseus/core';
import { CLOSE } from '#protocol/codes.ts';
import { PINGS_BURST, PINGS_PER_SECOND } from '#protocol/limits.ts';
import { Budget } from './budget.ts';

/** What of the framework's room is not public and is guarded here. */
interface Inside {
  _onMessage(client: Client, bytes: Uint8Array): void;
  /** By session: seats that were asked for, until somebody has taken them or their time is over. */
  readonly _reservedSeats: Record<string, unknown>;
  readonly _reservedSeatTimeouts: Record<string, NodeJS.Timeout>;
}

export abstract class SafeRoom<T extends object> extends Room<{ state: T }> {
  constructor() {
    super();
    // Bytes that are no message of the framework make its decoder throw, in a socket's event, which nobody would catch.
    const inside = this as unknown as Inside;
    const onMessage = inside._onMessage;
    inside._onMessage = (client, bytes) => {
      try {
        onMessage.call(this, client, bytes);
      } catch (error) {
        this.onUncaughtException(error, 'onMessage');
        client.leave(CLOSE.MALFORMED, 'MALFORMED');
      }
    };
  }

  /** The room ends when its last socket has: a seat that nobody has taken yet would hold that up until its time is over. */
  override disconnect(closeCode?: number): Promise<unknown> {
    const { _reservedSeats: seats, _reservedSeatTimeouts: timeouts } = this as unknown as Inside;
    for (const session of Object.keys(seats)) {
      clearTimeout(timeouts[session]);
      delete timeouts[session];
      delete seats[session];
    }
    return super.disconnect(closeCode);
  }

  /** The matchmaker asks this for joins of its own kind; the seat endpoint, which does not ask, is the one way in. */
  static override async onAuth(): Promise<never> {
    throw new ServerError(403, 'ONE_WAY_IN');
  }

  /** The socket's own pings are no messages, so nobody else counts them. */
  protected boundPings(client: Client): void {
    const pings = new Budget(PINGS_PER_SECOND, PINGS_BURST);
    const socket = client.ref as unknown as EventEmitter & { terminate(): void };
    // Without a word: what reads no answers reads no farewell.
    socket.on('ping', () => {
      if (!pings.take()) socket.terminate();
    });
  }

  abstract override onUncaughtException(error: unknown, where: string): void;
}
