/**
 * Which client has heard what of the round. A client first gets a snapshot and the ticks since, then each tick as it is
 * closed: in order, none twice, none missing. One that reads too slowly gets nothing until it has caught up, then a snapshot.
 * One that cannot keep up at all gets pictures: a snapshot now and then, and no ticks.
 */
import type { Client, Room } from '@colyseus/core';
import { TICKS_PER_SECOND } from '#protocol/limits.ts';
import type { Playing } from '../sequencer/Playing.ts';

/** Bytes unsent to one client above which it gets no more ticks, and below which it gets a snapshot. */
const UNSENT_MAX = 256 * 1024;
const UNSENT_DRAINED = 16 * 1024;
/** A client that has had something unsent for so long is that far behind. */
const BEHIND_TICKS_MAX = 5 * TICKS_PER_SECOND;
/** Between two pictures. */
const PICTURE_TICKS = 5 * TICKS_PER_SECOND;

/** An object for each beginning, so that one that was overtaken by another can tell. */
interface Standing {
  is: 'starting' | 'live' | 'slow' | 'pictures';
  /** The tick since which it has always had something unsent; 0 when it has read all. */
  behindSince: number;
  /** The tick of the newest snapshot sent. */
  snap: number;
}

export class Streams {
  private readonly room: Room;
  private readonly standing = new Map<Client, Standing>();

  constructor(room: Room) {
    this.room = room;
  }

  /** From now on the client follows the round; `fresh`: by a snapshot of this very tick. */
  async begin(client: Client, playing: Playing, fresh = false): Promise<void> {
    const mine: Standing = { is: 'starting', behindSince: 0, snap: 0 };
    this.standing.set(client, mine);
    const snapshot = await (fresh ? playing.freshSnapshot() : playing.recentSnapshot());
    // Meanwhile the client may have left, or begun anew.
    if (this.standing.get(client) !== mine) return;
    client.sendBytes('snap', snapshot.message, {});
    for (const tick of playing.ticks.slice(snapshot.n)) client.sendBytes('tick', tick, {});
    if (playing.digest?.n === playing.ticks.length) client.send('digest', playing.digest);
    mine.is = 'live';
  }

  /** From now on the client gets a snapshot now and then. */
  showPictures(client: Client): void {
    this.standing.set(client, { is: 'pictures', behindSince: 0, snap: -PICTURE_TICKS });
  }

  /** The newest tick of the round, to everybody who has all before it. */
  send(playing: Playing): void {
    const bytes = playing.ticks.at(-1);
    if (bytes === undefined) return;
    for (const [client, standing] of this.standing) if (standing.is === 'live') watch(client, standing, playing.ticks.length);
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

  /** A picture of the round to whom one is due and who has read the last. */
  async sendPictures(playing: Playing): Promise<void> {
    const now = playing.ticks.length;
    const due = [...this.standing].filter(
      ([client, { is, snap }]) =>
        is === 'pictures' && unsent(client) === 0 && (now - snap >= PICTURE_TICKS || (playing.round.over && snap < now)),
    );
    if (due.length === 0) return;
    for (const [, standing] of due) standing.snap = now;
    const { message } = await playing.freshSnapshot();
    for (const [client, standing] of due) if (this.standing.get(client) === standing) client.sendBytes('snap', message, {});
  }

  end(client: Client): void {
    this.standing.delete(client);
  }

  endAll(): void {
    this.standing.clear();
  }
}

function watch(client: Client, standing: Standing, now: number): void {
  const bytes = unsent(client);
  if (bytes === 0) standing.behindSince = 0;
  else if (standing.behindSince === 0) standing.behindSince = now;
  const isBehind = standing.behindSince > 0 && now - standing.behindSince > BEHIND_TICKS_MAX;
  if (bytes > UNSENT_MAX || isBehind) standing.is = 'slow';
}

function unsent(client: Client): number {
  return (client.ref as unknown as { bufferedAmount?: number }).bufferedAmount ?? 0;
}
