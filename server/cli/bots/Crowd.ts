/** Bots in one room over the real protocol, all watching one copy of the round. */
import { randomBytes } from 'node:crypto';
import { inflateRawSync } from 'node:zlib';
import { Client, type Room } from '@colyseus/sdk';
import { BOT_TICKS, createBot, type Bot } from '#game/bots/bots.ts';
import { classView, playTick, podium, restoreRound, roundHash, type Round } from '#game/round.ts';
import type { BotName, Seat } from '#game/types.ts';
import { codeOfClose, type HttpRefusal } from '#protocol/codes.ts';
import { TICKS_PER_SECOND } from '#protocol/limits.ts';
import type { DigestMessage, SeatReply } from '#protocol/messages.ts';
import type { RoomState } from '#protocol/roomState.ts';
import { decodeSnap } from '#protocol/snap.ts';
import { decodeTick } from '#protocol/tick.ts';

type Socket = Room<unknown, RoomState>;

interface Member {
  kind: BotName;
  seat: Seat;
  socket: Socket;
  brain: Bot;
  seq: number;
  sent: number;
  refused: Map<string, number>;
}

const PROGRESS_TICKS = 10 * TICKS_PER_SECOND;
/** Sockets that are opened at a time. */
const JOIN_AT_ONCE = 10;

export class Crowd {
  /** Resolves when the last has left. */
  readonly done: Promise<void>;
  private readonly url: string;
  private readonly code: string;
  /** Between two actions of a bot. */
  private readonly pauseTicks: number;
  private readonly say: (line: string) => void;
  private members: Member[] = [];
  private round: Round | null = null;
  private bytes = 0;
  private since = performance.now();
  private finish!: () => void;
  private ended = false;

  constructor(url: string, code: string, speed: number, say: (line: string) => void) {
    this.url = url;
    this.code = code;
    this.pauseTicks = Math.max(1, Math.round(BOT_TICKS / speed));
    this.say = say;
    this.done = new Promise((resolve) => (this.finish = resolve));
  }

  /** How many got in; each refusal is said. */
  async join(kinds: BotName[]): Promise<number> {
    const counts = new Map<string, number>();
    for (let i = 0; i < kinds.length && !this.ended; i += JOIN_AT_ONCE) {
      const group = kinds.slice(i, i + JOIN_AT_ONCE).map((kind, offset) => this.enter(kind, i + offset));
      for (const refused of await Promise.all(group)) if (refused !== null) counts.set(refused, (counts.get(refused) ?? 0) + 1);
    }
    for (const [sentence, count] of counts) this.say(`${count} refused: ${sentence}`);
    this.say(`${this.members.length} bots are in room ${this.code}`);
    return this.members.length;
  }

  leave(why: string): void {
    if (this.ended) return;
    this.ended = true;
    this.report(why);
    void Promise.allSettled(this.members.map((member) => member.socket.leave(true))).then(() => this.finish());
  }

  /** Null, or why not. */
  private async enter(kind: BotName, index: number): Promise<string | null> {
    const secret = randomBytes(16).toString('hex');
    const named = await this.askSeat({ secret, role: 'player', name: `${kind} ${index + 1}` });
    const seat = 'error' in named && named.error === 'NAME_TAKEN' ? await this.askSeat({ secret, role: 'player' }) : named;
    if ('error' in seat) return seat.sentence;
    try {
      const socket = (await new Client(this.url).consumeSeatReservation<RoomState>(seat.reservation)) as Socket;
      this.attach({
        kind,
        seat: seat.seat,
        socket,
        brain: createBot(kind, seat.seat, index, this.pauseTicks),
        seq: 0,
        sent: 0,
        refused: new Map(),
      });
      return null;
    } catch (error) {
      return (error as Error).message;
    }
  }

  private async askSeat(body: object): Promise<SeatReply | HttpRefusal> {
    try {
      const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
      const answer = await fetch(`${this.url}/api/rooms/${this.code}/seat`, init);
      return (await answer.json()) as SeatReply | HttpRefusal;
    } catch (error) {
      return { error: 'INTERNAL', sentence: `${this.url}: ${String((error as Error).cause ?? error)}` };
    }
  }

  private attach(member: Member): void {
    const { socket } = member;
    socket.reconnection.enabled = false;
    this.members.push(member);
    // All hear all, as forty pages would; the first one's ears are the crowd's.
    const isEar = () => this.members[0] === member;
    const hear = (type: string, see: (bytes: Uint8Array) => void) =>
      socket.onMessage(type, (bytes: Uint8Array) => {
        if (!isEar()) return;
        this.bytes += bytes.length;
        see(bytes);
      });
    hear('snap', (bytes) => this.onSnap(bytes));
    hear('tick', (bytes) => this.onTick(bytes));
    socket.onMessage('digest', (digest: DigestMessage) => isEar() && this.onDigest(digest));
    socket.onMessage('welcome', () => {});
    socket.onStateChange((state) => {
      if (isEar() && state.phase === 'podium' && this.round?.over === true) this.leave('the round is over');
    });
    socket.onLeave((code) => this.gone(member, codeOfClose(code) ?? `closed ${code}`));
  }

  private gone(member: Member, why: string): void {
    if (this.ended) return;
    const wasEar = this.members[0] === member;
    this.members = this.members.filter((other) => other !== member);
    this.say(`${member.kind} on seat ${member.seat} left: ${why}`);
    if (this.members.length === 0) {
      this.leave('nobody is left');
      return;
    }
    if (wasEar) void this.members[0]!.socket.request('resync' as never, {} as never).catch(() => {});
  }

  private onSnap(bytes: Uint8Array): void {
    this.round = restoreRound(inflateRawSync(decodeSnap(bytes).deflated));
  }

  private onTick(bytes: Uint8Array): void {
    const tick = decodeTick(bytes);
    const round = this.round;
    if (round === null || tick.n !== round.now + 1) return;
    playTick(round, tick);
    if (round.now % PROGRESS_TICKS === 0) this.progress(round);
    for (const member of this.members) this.act(member, round);
  }

  private onDigest(digest: DigestMessage): void {
    if (this.round === null || this.round.now !== digest.n || roundHash(this.round) === digest.hash) return;
    this.say(`tick ${digest.n}: the own round differs from the server's, a snapshot is asked for`);
    void this.members[0]!.socket.request('resync' as never, {} as never).catch(() => {});
  }

  private act(member: Member, round: Round): void {
    const action = member.brain.act(round);
    if (action === null) return;
    member.sent += 1;
    const message = { seq: ++member.seq, action };
    member.socket.request('input' as never, message as never).catch((error: { reason?: { reason: string } }) => {
      const code = error.reason?.reason ?? 'no answer';
      member.refused.set(code, (member.refused.get(code) ?? 0) + 1);
    });
  }

  private progress(round: Round): void {
    const view = classView(round);
    const { free, managed } = view.machine;
    const rate = Math.round((1000 * this.bytes) / (performance.now() - this.since));
    this.say(
      `${round.now / TICKS_PER_SECOND} s  ${view.phase}  free ${free} of ${managed} frames  settled ${view.settled}/${view.dealt}` +
        `  kills ${view.kills}  ${rate} B/s a client`,
    );
  }

  private report(why: string): void {
    this.say(why);
    const points = new Map(this.round === null ? [] : podium(this.round).points.map((entry) => [entry.seat, entry.points]));
    for (const member of [...this.members].sort((a, b) => (points.get(b.seat) ?? 0) - (points.get(a.seat) ?? 0))) {
      const refused = [...member.refused].map(([code, count]) => `${code} ${count}`).join(', ');
      this.say(
        `seat ${String(member.seat).padStart(3)}  ${member.kind.padEnd(9)} ${String(points.get(member.seat) ?? '-').padStart(6)} points` +
          `  ${member.sent} actions${refused === '' ? '' : `, refused: ${refused}`}`,
      );
    }
  }
}
