/**
 * Which client has heard what of the round. A client first gets a snapshot and the ticks since, then each tick as it is
 * closed: in order, none twice, none missing. One that reads too slowly gets nothing until it has caught up, then a snapshot.
 */
import type { Client, Room } from '@colyseus/core';
import type { Playing } from '../sequencer/Playing.ts';

/** Bytes unsent to one client above which it gets no more ticks, and below which it gets a snapshot. */
const UNSENT_MAX = 256 * 1024;
const UNSENT_DRAINED = 16 * 1024;

/** An object for each beginning, so that one that was overtaken by another can tell. */
interface Standing {
  is: 'starting' | 'live' | 'slow';
}

export class Streams {
  private readonly room: Room;
  private readonly standing = new Map<Client, Standing>();

  constructor(room: Room) {
    this.room = room;
  }

  /** From now on the client follows the round; `fresh`: by a snapshot of this very tick. */
  async begin(client: Client, playing: Playing, fresh = false): Promise<void> {
    const mine: Standing = { is: 'starting' };
    this.standing.set(client, mine);
    const snapshot = await (fresh ? playing.freshSnapshot() : playing.recentSnapshot());
    // Meanwhile the client may have left, or begun anew.
    if (this.standing.get(client) !== mine) return;
    client.sendBytes('snap', snapshot.message, {});
    for (const tick of playing.ticks.slice(snapshot.n)) client.sendBytes('tick', tick, {});
    if (playing.digest?.n === playing.ticks.length) client.send('digest', playing.digest);
    mine.is = 'live';
  }

  /** The newest tick of the round, to everybody who has all before it. */
  send(playing: Playing): void {
    const bytes = playing.ticks.at(-1);
    if (bytes === undefined) return;
    for (const [client, standing] of this.standing) if (standing.is === 'live' && unsent(client) > UNSENT_MAX) standing.is = 'slow';
    const except = this.room.clients.filter((client) => this.standing.get(client)?.is !== 'live');
    this.room.broadcastBytes('tick', bytes, { except });
    if (playing.digest?.n === playing.ticks.length) this.room.broadcast('digest', playing.digest, { except });
  }

  /** Slow clients that have read what was sent start again. Returns those that still have not. */
  reviveSlow(begin: (client: Client) => void): Client[] {
    const still: Client[] = [];
    for (const [client, standing] of this.standing) {
      if (standing.is !== 'slow') continue;
      if (unsent(client) < UNSENT_DRAINED) begin(client);
      else still.push(client);
    }
    return still;
  }

  end(client: Client): void {
    this.standing.delete(client);
  }

  endAll(): void {
    this.standing.clear();
  }
}

function unsent(client: Client): number {
  return (client.ref as unknown as { bufferedAmount?: number }).bufferedAmount ?? 0;
}
