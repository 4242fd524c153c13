/**
 * A room on a server, behind the Session interface. All ways back (a cut socket, a silent link, a reloaded page) are the
 * one way in: ask for the seat again with the device's secret and take a fresh socket. The framework's own reconnection
 * is off, so that there is one path to get right.
 */
import { batch, signal } from '@preact/signals';
import { Client, type Room } from '@colyseus/sdk';
import { createFacts } from '#kernel/facts.ts';
import { playTick, restoreRound, roundHash, type Round } from '#game/round.ts';
import type { Action, BotName, RoundEvent, Seat } from '#game/types.ts';
import { codeOfClose } from '#protocol/codes.ts';
import type { DigestMessage, HostReply, InputReply, PassReply, SeatReply, WelcomeMessage } from '#protocol/messages.ts';
import type { RoomState } from '#protocol/roomState.ts';
import { decodeSnap } from '#protocol/snap.ts';
import { decodeTick } from '#protocol/tick.ts';
import { askSeat, dropDeadConnections, QUICK_MS } from './doors.ts';
import { Follower } from './Follower.ts';
import { Outbox, type Sent } from './Outbox.ts';
import type { Recorded } from './recording.ts';
import { roomRecording } from './roomRecording.ts';
import type { HostAction, Link, Passed, Phase, Role, RoomFacts, Session } from './Session.ts';
import { Tape } from './Tape.ts';

export interface RoomDoor {
  code: string;
  role: Role;
  secret: string;
  name?: string;
  /** Of somebody whose place this device takes over. */
  pass?: string;
  /** The seat was given. */
  seated?(): void;
}

/** Without a word in a running round for this long, the link counts as lost. */
export const LOST_MS = 3000;
/** Elsewhere the room is silent by itself: after so long it is asked, and it has as long to answer. */
const PING_MS = 2500;
/** A lost link is given this long to come back before a new socket is taken. */
const GRACE_MS = 2000;
const WATCH_MS = 500;
const CONNECT_MS = 8000;
/** A server that was killed is back within seconds, and so must everybody be; after half a minute it is asked less often. */
const RETRY_MS = [0, 300, 600, ...Array<number>(30).fill(1000), 3000, 5000];
/** Waiting messages above which the page says that it is behind. */
const BEHIND = 20;
const RESYNC_RETRY_MS = 2200;

/** After these the person decides; everything else is tried again. */
const FINAL = new Set(
  (
    'KICKED BANNED REPLACED ROOM_CLOSED ROOM_BROKEN NO_ROOM BAD_CODE LOCKED FULL TOO_MANY_WATCH NOT_HOST MALFORMED ' +
    'FOREIGN_ORIGIN NO_SEAT OTHER_RULES FORGOTTEN NO_PASS'
  ).split(' '),
);

export class RoomSession implements Session {
  readonly room = signal<RoomFacts | null>(null);
  readonly link = signal<Link>('connecting');
  readonly round = signal<Round | null>(null);
  readonly tick = signal(0);
  readonly ended = signal<string | null>(null);
  readonly facts = createFacts(1 << 14);

  private door: RoomDoor;
  private readonly follower: Follower;
  private readonly outbox: Outbox;
  private readonly tape = new Tape();
  private readonly watchers = new Set<(events: RoundEvent[], tick: number) => void>();
  private socket: Room<unknown, RoomState> | null = null;
  private me: WelcomeMessage | null = null;
  private heard = Date.now();
  private pinged = 0;
  private lostSince = 0;
  /** Rises with each connection that is begun; older ones then fall silent. */
  private attempt = 0;
  private watch: ReturnType<typeof setInterval>;

  /** `taken`: a seat that was reserved already (the join page asks for it, to show a refusal where the name was typed). */
  constructor(door: RoomDoor, taken: SeatReply | null = null) {
    this.door = door;
    this.follower = new Follower({
      restore: async (deflated) => restoreRound(await inflate(deflated), this.facts),
      play: playTick,
      hash: roundHash,
      played: (round, tick, events) => {
        this.outbox.confirm(tick, this.seat);
        this.tape.add(tick);
        for (const see of this.watchers) see(events, round.now);
      },
      restored: (round) => {
        this.tape.load(round);
        this.show(round);
      },
      worked: (waiting) => this.worked(waiting),
      needSnap: () => void this.resync(),
      time: () => performance.now(),
      later: (work) => void setTimeout(work),
    });
    this.outbox = new Outbox({
      send: (seq, action) => this.ask<InputReply>('input', { seq, action }),
      isOpen: () => this.isOpen,
      time: () => Date.now(),
    });
    this.watch = setInterval(() => this.look(), WATCH_MS);
    addEventListener('online', this.online);
    document.addEventListener('visibilitychange', this.look);
    void this.connect(taken);
  }

  /** One's own seat, -1 for a host or before the room has answered. */
  get seat(): Seat {
    return this.me?.seat ?? -1;
  }

  onEvents(see: (events: RoundEvent[], tick: number) => void): () => void {
    this.watchers.add(see);
    return () => void this.watchers.delete(see);
  }

  async act(action: Action): Promise<Sent> {
    if (this.ended.value !== null) return { ok: false, code: this.ended.value };
    if (this.me !== null && this.me.seat < 0) return { ok: false, code: 'NO_SEAT' };
    return this.outbox.act(action);
  }

  async host(action: HostAction): Promise<{ ok: true } | { ok: false; code: string }> {
    const answer = await this.ask<HostReply>('host', { action });
    return answer.ok ? { ok: true } : answer;
  }

  async recorded(): Promise<Recorded> {
    const round = this.round.value;
    const tape = this.tape.read();
    if (round === null || tape === null) return { ok: false, code: 'WRONG_PHASE' };
    return { ok: true, recording: await roomRecording(tape, round, this.room.value) };
  }

  async pass(): Promise<Passed> {
    const answer = await this.ask<PassReply>('pass', {});
    return answer.ok ? { ok: true, pass: answer.value.pass } : answer;
  }

  leave(): void {
    const socket = this.socket;
    this.end('LEFT');
    void socket?.leave(true).catch(() => {});
  }

  /** Cuts the socket as a bad network does; the session comes back by itself. For tests. */
  cut(): void {
    this.socket?.connection.close(4010);
  }

  /* ---- the socket ---- */

  private async connect(taken: SeatReply | null): Promise<void> {
    const attempt = ++this.attempt;
    for (let tries = 0; attempt === this.attempt; tries++) {
      if (tries > 0) await pause(RETRY_MS[Math.min(tries, RETRY_MS.length) - 1]! * (0.75 + Math.random() / 2));
      if (attempt !== this.attempt) return;
      // Who was in the room knows that the server was quick: at first there is no patience with a way that may be dead.
      const seat = taken ?? (await this.takeSeat(tries === 0 && this.me !== null ? QUICK_MS : undefined));
      taken = null;
      if (attempt !== this.attempt) return;
      if (seat === null) continue;
      const socket = await this.open(seat);
      if (socket === null) continue;
      if (attempt !== this.attempt) return void socket.leave(false);
      return;
    }
  }

  private async takeSeat(patienceMs?: number): Promise<SeatReply | null> {
    const { code, role, secret, name, pass, seated } = this.door;
    const since = Date.now();
    const body = { secret, role, ...(name === undefined ? {} : { name }), ...(pass === undefined ? {} : { pass }) };
    const answer = await askSeat(code, body, patienceMs);
    if (answer.ok) {
      seated?.();
      this.door = { code, role, secret, ...(name === undefined ? {} : { name }) };
      return answer.value;
    }
    if (answer.code === 'NO_LINK' && Date.now() - since >= QUICK_MS) await dropDeadConnections();
    // A page that was just opened has no room yet, so the watch does not judge it.
    if (answer.code === 'NO_LINK' && this.room.value === null) this.link.value = 'lost';
    // Somebody took the name meanwhile: the server gives another.
    if (answer.code.startsWith('NAME_')) this.door = { code, role, secret };
    if (FINAL.has(answer.code)) this.end(answer.code === 'NO_ROOM' && this.me !== null ? 'GONE' : answer.code);
    return null;
  }

  private async open(seat: SeatReply): Promise<Room<unknown, RoomState> | null> {
    let late = false;
    const joining = new Client(location.origin).consumeSeatReservation<RoomState>(seat.reservation).then(
      (socket: Room<unknown, RoomState>) => {
        if (late) void socket.leave(false);
        // Handlers stand before the next message is read.
        else this.attach(socket);
        return socket;
      },
      ({ code }: { code?: number }) => this.refused(late ? null : codeOfClose(code ?? 0)),
    );
    const opened = await Promise.race([joining, pause(CONNECT_MS).then(() => null)]);
    late = opened === null;
    return opened;
  }

  /** Somebody was removed between the seat and the socket. */
  private refused(code: string | null): null {
    if (code !== null && FINAL.has(code)) this.end(code);
    return null;
  }

  private attach(socket: Room<unknown, RoomState>): void {
    socket.reconnection.enabled = false;
    this.socket = socket;
    this.heard = Date.now();
    this.lostSince = 0;
    const mine = () => this.socket === socket;
    const hears =
      <T>(see: (message: T) => void) =>
      (message: T) => {
        if (!mine()) return;
        this.heard = Date.now();
        see(message);
      };
    socket.onMessage(
      'welcome',
      hears<WelcomeMessage>((message) => this.welcome(message)),
    );
    socket.onMessage(
      'snap',
      hears<Uint8Array>((bytes) => this.snap(bytes)),
    );
    socket.onMessage(
      'tick',
      hears<Uint8Array>((bytes) => this.follower.tick(decodeTick(bytes))),
    );
    socket.onMessage(
      'digest',
      hears<DigestMessage>(({ n, hash }) => this.follower.digest(n, hash)),
    );
    socket.onStateChange(hears<RoomState>((state) => this.see(state)));
    socket.onLeave((closeCode) => {
      if (mine()) this.dropped(codeOfClose(closeCode));
    });
    socket.onError(() => {});
  }

  private dropped(code: string | null): void {
    this.socket = null;
    if (code !== null && FINAL.has(code)) return this.end(code);
    void this.connect(null);
  }

  private end(code: string): void {
    if (this.ended.value !== null) return;
    this.attempt++;
    this.socket = null;
    clearInterval(this.watch);
    removeEventListener('online', this.online);
    document.removeEventListener('visibilitychange', this.look);
    this.outbox.close(code);
    batch(() => {
      this.ended.value = code;
      this.link.value = 'closed';
    });
  }

  /** Twice a second: is somebody there? */
  private readonly look = (): void => {
    this.outbox.expire();
    const now = Date.now();
    const silence = now - this.heard;
    const asked = this.pinged > this.heard;
    if (silence > PING_MS && !asked && this.socket !== null) {
      this.pinged = now;
      this.socket.ping(() => (this.heard = Date.now()));
    }
    const lost = this.room.value?.phase === 'running' ? silence > LOST_MS : asked && now - this.pinged > PING_MS;
    if (!lost) {
      if (this.link.value === 'lost') this.link.value = 'live';
      this.lostSince = 0;
      return;
    }
    if (this.room.value !== null) this.link.value = 'lost';
    if (this.socket === null) return;
    if (this.lostSince === 0) this.lostSince = now;
    else if (now - this.lostSince > GRACE_MS) {
      const dead = this.socket;
      this.dropped(null);
      dead.connection.close();
    }
  };

  /** The network is there again: no need to wait for the next try. */
  private readonly online = (): void => {
    if (this.socket === null) void this.connect(null);
    else this.look();
  };

  /* ---- what it says ---- */

  private welcome(message: WelcomeMessage): void {
    this.me = message;
    this.outbox.welcome(message.seq, message.own);
    if (this.socket !== null) this.see(this.socket.state);
  }

  private snap(bytes: Uint8Array): void {
    const { n, deflated } = decodeSnap(bytes);
    this.follower.snap(n, deflated);
  }

  private see(state: RoomState | undefined): void {
    if (state?.roster === undefined || this.me === null || !state.phase) return;
    const facts = factsOf(state, this.me);
    if (facts.phase === 'running' && this.room.value?.phase === 'paused') this.follower.goOn();
    if (facts.phase === 'lobby' && this.room.value?.phase !== 'lobby') {
      this.follower.clear();
      this.tape.clear();
    }
    batch(() => {
      this.room.value = facts;
      if (facts.phase === 'lobby') this.show(null);
      if (this.link.value === 'connecting' || this.link.value === 'lost') this.link.value = 'live';
    });
  }

  private show(round: Round | null): void {
    batch(() => {
      this.round.value = round;
      this.tick.value = round?.now ?? 0;
    });
  }

  private worked(waiting: number): void {
    batch(() => {
      this.tick.value = this.follower.round?.now ?? 0;
      if (waiting > BEHIND) this.link.value = 'behind';
      else if (this.link.value === 'behind') this.link.value = 'live';
    });
  }

  private async resync(): Promise<void> {
    while (this.follower.waitsForSnap && this.ended.value === null) {
      await this.ask('resync', {});
      await pause(RESYNC_RETRY_MS);
    }
  }

  private get isOpen(): boolean {
    return this.socket?.connection.isOpen === true && this.me !== null;
  }

  private async ask<T>(type: string, payload: object): Promise<{ ok: true; value: T } | { ok: false; code: string }> {
    if (this.socket === null || !this.socket.connection.isOpen) return { ok: false, code: 'NO_LINK' };
    try {
      const value: unknown = await this.socket.request(type, payload);
      // The framework answers nothing when the room's code failed.
      return value === undefined ? { ok: false, code: 'INTERNAL' } : { ok: true, value: value as T };
    } catch (error) {
      return { ok: false, code: reasonOf(error) };
    }
  }
}

function reasonOf(error: unknown): string {
  const refusal = error as { name?: string; reason?: { reason?: unknown } };
  if (refusal.name !== 'rejected') return 'NO_LINK';
  return typeof refusal.reason?.reason === 'string' ? refusal.reason.reason : 'INTERNAL';
}

function factsOf(state: RoomState, me: WelcomeMessage): RoomFacts {
  const roster = Array.from(state.roster.values(), (person) => ({
    id: person.id,
    seat: person.seat,
    name: person.name,
    role: person.role as Role,
    online: person.online,
    bot: person.bot === '' ? null : (person.bot as BotName),
  }));
  const { code, scenario, seconds, seats, locked, standIns, unlogged, briefingMs } = state;
  const phase = state.phase as Phase;
  const { role, seat, why = null } = me;
  return { code, phase, role, seat, scenario, seconds, seats, locked, standIns, unlogged, briefingMs, roster, why };
}

async function inflate(deflated: Uint8Array): Promise<Uint8Array> {
  const plain = new Blob([deflated as Uint8Array<ArrayBuffer>]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
  return new Uint8Array(await new Response(plain).arrayBuffer());
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, ms));
}
