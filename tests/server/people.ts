/** A real server on a free port, and people who come to it as browsers do: HTTP for the seat, the SDK for the socket. */
import { randomBytes } from 'node:crypto';
import { inflateRawSync } from 'node:zlib';
import { matchMaker } from '@colyseus/core';
import { Client, type Room } from '@colyseus/sdk';
import { playTick, restoreRound, roundHash, type Round } from '#game/round.ts';
import type { Action, Input } from '#game/types.ts';
import { codeOfClose } from '#protocol/codes.ts';
import type { DigestMessage, HostAction, Phase, Role, RoomReply, SeatReply, WelcomeMessage } from '#protocol/messages.ts';
import type { RoomState } from '#protocol/roomState.ts';
import { decodeSnap } from '#protocol/snap.ts';
import { decodeTick } from '#protocol/tick.ts';
import { startApp, type App, type AppOptions } from '../../server/app.ts';
import type { RoundRoom } from '../../server/rooms/RoundRoom.ts';

/** A tick of 10 ms instead of 100: the same server, ten times as fast. */
const FAST_BEAT_MS = 2;

export interface Place extends App {
  url: string;
  scenario: string;
}

export async function openPlace(options: Partial<AppOptions> = {}): Promise<Place> {
  const app = await startApp({ port: 0, host: '127.0.0.1', logLevel: 'silent', beatMs: FAST_BEAT_MS, ...options });
  const url = `http://127.0.0.1:${app.port}`;
  const scenarios = (await (await fetch(`${url}/api/scenarios`)).json()) as { id: string }[];
  return { ...app, url, scenario: scenarios[0]!.id };
}

export interface Reply<T> {
  status: number;
  body: T & { error?: string; sentence?: string };
}

export async function post<T = unknown>(url: string, body: unknown, headers: Record<string, string> = {}): Promise<Reply<T>> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: text });
  return { status: response.status, body: (await response.json()) as Reply<T>['body'] };
}

export function newSecret(): string {
  return randomBytes(16).toString('hex');
}

export interface ClassRoom {
  place: Place;
  code: string;
  hostSecret: string;
}

export async function makeRoom(place: Place, options: { seconds?: number; seats?: number } = {}): Promise<ClassRoom> {
  const hostSecret = newSecret();
  const made = await post<{ code: string }>(`${place.url}/api/rooms`, {
    scenario: place.scenario,
    secret: hostSecret,
    seconds: 10,
    ...options,
  });
  if (made.status !== 201) throw new Error(`no room: ${JSON.stringify(made.body)}`);
  return { place, code: made.body.code, hostSecret };
}

export function askSeat(room: ClassRoom, body: unknown): Promise<Reply<SeatReply>> {
  return post<SeatReply>(`${room.place.url}/api/rooms/${room.code}/seat`, body);
}

export async function describe(room: ClassRoom): Promise<RoomReply> {
  return (await (await fetch(`${room.place.url}/api/rooms/${room.code}`)).json()) as RoomReply;
}

export interface Entry {
  role?: Role;
  secret?: string;
  name?: string;
}

/** Takes a seat and a socket; throws the code of a refusal. */
export async function enter(room: ClassRoom, { role = 'player', secret = newSecret(), name }: Entry = {}): Promise<Guest> {
  const seat = await askSeat(room, { role, secret, ...(name === undefined ? {} : { name }) });
  if (seat.status !== 200) throw new Error(seat.body.error);
  return Guest.connect(room, seat.body, secret);
}

export function enterHost(room: ClassRoom): Promise<Guest> {
  return enter(room, { role: 'host', secret: room.hostSecret });
}

export interface Begun {
  room: ClassRoom;
  host: Guest;
  player: Guest;
}

/** A room whose round goes on, with its host and one player, who has heard of so many ticks. */
export async function begin(
  place: Place,
  { ticks = 5, name, ...options }: { ticks?: number; name?: string; seconds?: number; seats?: number } = {},
): Promise<Begun> {
  const room = await makeRoom(place, { seconds: 3600, ...options });
  const host = await enterHost(room);
  const player = await enter(room, name === undefined ? {} : { name });
  const started = await host.host({ do: 'start' });
  if (!started.ok) throw new Error(started.code);
  await player.untilTick(ticks);
  return { room, host, player };
}

/** The room as the server has it in memory. */
export const insideOf = (room: ClassRoom): RoundRoom => matchMaker.getLocalRoomById(room.code) as unknown as RoundRoom;

export type Answer = { ok: true; value: unknown } | { ok: false; code: string };

/** One open page: it plays the ticks on its own round, as the client does, and remembers what it was told. */
export class Guest {
  readonly secret: string;
  readonly seat: SeatReply;
  readonly socket: Room<unknown, RoomState>;
  welcome: WelcomeMessage | null = null;
  round: Round | null = null;
  /** Snapshots that came, by their tick. */
  snaps: number[] = [];
  /** Inputs by tick, as heard. */
  heard = new Map<number, Input[]>();
  digests: DigestMessage[] = [];
  /** Digests that were not this round's own hash. */
  differences: DigestMessage[] = [];
  bytes = 0;
  closed: { code: number; reason: string | null } | null = null;
  private waiting: (() => void)[] = [];
  private seq = 0;

  private constructor(seat: SeatReply, socket: Room<unknown, RoomState>, secret: string) {
    this.seat = seat;
    this.socket = socket;
    this.secret = secret;
    socket.reconnection.enabled = false;
    const on = <T>(type: string, see: (message: T) => void) =>
      socket.onMessage(type, (message: T) => {
        see(message);
        this.changed();
      });
    on<WelcomeMessage>('welcome', (message) => (this.welcome = message));
    on<Uint8Array>('snap', (bytes) => this.onSnap(bytes));
    on<Uint8Array>('tick', (bytes) => this.onTick(bytes));
    on<DigestMessage>('digest', (message) => this.onDigest(message));
    socket.onStateChange(() => this.changed());
    socket.onLeave((code) => {
      this.closed = { code, reason: codeOfClose(code) };
      this.changed();
    });
  }

  static async connect(room: ClassRoom, seat: SeatReply, secret: string): Promise<Guest> {
    const socket = await new Client(room.place.url).consumeSeatReservation<RoomState>(seat.reservation);
    return new Guest(seat, socket as Room<unknown, RoomState>, secret);
  }

  get phase(): Phase {
    return this.socket.state.phase as Phase;
  }

  /** The own round's hash. */
  get hash(): string {
    return roundHash(this.round!);
  }

  get roster() {
    return [...this.socket.state.roster.values()];
  }

  /** Resolves when the condition holds; it is looked at after each thing heard. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.waiting.push(resolve));
  }

  untilPhase(phase: Phase): Promise<void> {
    return this.until(() => this.socket.state.phase === phase);
  }

  untilTick(n: number): Promise<void> {
    return this.until(() => this.round !== null && this.round.now >= n);
  }

  async ask(type: string, payload: unknown): Promise<Answer> {
    try {
      return { ok: true, value: await this.socket.request(type as never, payload as never) };
    } catch (error) {
      const { reason, name, message } = error as { reason?: { reason?: string }; name: string; message: string };
      return { ok: false, code: reason?.reason ?? `${name}: ${message}` };
    }
  }

  host(action: HostAction): Promise<Answer> {
    return this.ask('host', { action });
  }

  act(action: Action): Promise<Answer> {
    this.seq = Math.max(this.seq, this.welcome?.seq ?? 0) + 1;
    return this.ask('input', { seq: this.seq, action });
  }

  /** Closes the socket as a closed tab does. */
  async drop(): Promise<void> {
    if (this.closed === null) await this.socket.leave(false);
  }

  private changed(): void {
    const waiting = this.waiting;
    this.waiting = [];
    for (const wake of waiting) wake();
  }

  private onSnap(bytes: Uint8Array): void {
    const { n, deflated } = decodeSnap(bytes);
    this.round = restoreRound(inflateRawSync(deflated));
    this.snaps.push(n);
    this.bytes += bytes.length;
  }

  private onTick(bytes: Uint8Array): void {
    const tick = decodeTick(bytes);
    this.bytes += bytes.length;
    if (this.round === null || tick.n !== this.round.now + 1) throw new Error(`tick ${tick.n} after ${this.round?.now}`);
    this.heard.set(tick.n, tick.inputs);
    playTick(this.round, tick);
  }

  private onDigest(digest: DigestMessage): void {
    this.digests.push(digest);
    if (this.round?.now !== digest.n || this.hash !== digest.hash) this.differences.push(digest);
  }
}
