/** A room with its host, pupils and bots. One copy of the round, played from what the first pupil hears, tells all of them what to do. */
import { inflateRawSync } from 'node:zlib';
import { createBot, type Bot } from '#game/bots/bots.ts';
import { playTick, restoreRound, type Round } from '#game/round.ts';
import type { CreateRoomReply, Phase } from '#protocol/messages.ts';
import { decodeTick } from '#protocol/tick.ts';
import { randomBytes } from 'node:crypto';
import { Pupil, type Ear } from './Pupil.ts';

/** Between two actions of a pupil. */
const PAUSE_TICKS = 8;
const MINDS = ['free', 'splinter', 'never', 'guess'] as const;
const LOOK_MS = 20;

export class ClassRoom {
  readonly code: string;
  readonly host: Pupil;
  readonly pupils: Pupil[];
  private round: Round | null = null;
  private readonly brains = new Map<Pupil, Bot>();

  private constructor(url: string, code: string, hostSecret: string, players: number) {
    this.code = code;
    this.host = new Pupil(url, code, 'host', '', hostSecret);
    const ear: Ear = { snap: (n, deflated) => this.onSnap(n, deflated), tick: (n, bytes) => this.onTick(n, bytes) };
    this.pupils = Array.from(
      { length: players },
      (_, index) => new Pupil(url, code, 'player', `Pupil ${index + 1}`, undefined, index === 0 ? ear : null),
    );
  }

  /** Makes a room and fills it; the round is not begun. */
  static async open(url: string, players: number, bots: number, seconds: number): Promise<ClassRoom> {
    const secret = randomBytes(16).toString('hex');
    const scenarios = (await (await fetch(`${url}/api/scenarios`)).json()) as { id: string }[];
    const body = JSON.stringify({ scenario: scenarios[0]!.id, secret, seconds, seats: players + bots });
    const made = await fetch(`${url}/api/rooms`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    const { code } = (await made.json()) as CreateRoomReply;
    const room = new ClassRoom(url, code, secret, players);
    await Promise.all(room.people.map((pupil) => pupil.enter()));
    if (bots > 0) await room.host.host({ do: 'addBots', bots: Array.from({ length: bots }, (_, index) => MINDS[index % MINDS.length]!) });
    return room;
  }

  get people(): Pupil[] {
    return [this.host, ...this.pupils];
  }

  get fault(): string | null {
    const faulty = this.people.find((pupil) => pupil.fault !== null);
    return faulty === undefined ? null : `${this.code}, ${faulty.role} on seat ${faulty.seat}: ${faulty.fault}`;
  }

  get phase(): Phase {
    return this.host.state?.phase as Phase;
  }

  /** Resolves when the condition holds for the room; throws on the first fault. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      if (this.fault !== null) throw new Error(this.fault);
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }

  /** Resolves when everybody has heard of the round since a time. */
  untilBack(since: number): Promise<void> {
    return this.until(() => this.people.every((pupil) => pupil.isThere && pupil.heardAt > since));
  }

  async leave(): Promise<void> {
    await Promise.all(this.people.map((pupil) => pupil.leave()));
  }

  private onSnap(n: number, deflated: Uint8Array): void {
    this.round = restoreRound(inflateRawSync(deflated));
    if (this.round.now !== n) this.host.fault = `a snapshot of tick ${n} holds tick ${this.round.now}`;
  }

  private onTick(n: number, bytes: Uint8Array): void {
    const { round } = this;
    if (round === null || n !== round.now + 1) {
      this.host.fault = `tick ${n} after ${round?.now ?? 'nothing'}`;
      return;
    }
    playTick(round, decodeTick(bytes));
    for (const pupil of this.pupils) {
      if (!pupil.isThere || pupil.seat < 0) continue;
      const action = this.brainOf(pupil).act(round);
      if (action !== null) pupil.act(action);
    }
  }

  private brainOf(pupil: Pupil): Bot {
    let brain = this.brains.get(pupil);
    if (brain === undefined) {
      brain = createBot(MINDS[pupil.seat % MINDS.length]!, pupil.seat, pupil.seat, PAUSE_TICKS);
      this.brains.set(pupil, brain);
    }
    return brain;
  }
}
