/**
 * Somebody at a device, as far as the wire sees: takes a seat, plays, and comes back by the same secret when the link breaks.
 * Actions are kept until a tick confirms them and sent again under their old numbers. It writes down all that it was told.
 */
import { randomBytes } from 'node:crypto';
import { Client, type Room } from '@colyseus/sdk';
import type { Action, Input } from '#game/types.ts';
import { codeOfClose, type HttpRefusal } from '#protocol/codes.ts';
import type { DigestMessage, HostAction, Role, SeatReply, WelcomeMessage } from '#protocol/messages.ts';
import type { RoomState } from '#protocol/roomState.ts';
import { decodeSnap } from '#protocol/snap.ts';
import { decodeTick } from '#protocol/tick.ts';

type Socket = Room<unknown, RoomState>;

/** As the client waits between two tries. */
const RETRY_MS = [0, 300, 600, 1000];
const CONNECT_MS = 8000;
/** Refusals after which nobody comes back. */
const FINAL = new Set(['NO_ROOM', 'KICKED', 'ROOM_BROKEN', 'ROOM_CLOSED', 'OTHER_RULES', 'NO_SEAT', 'LOCKED', 'FULL']);

/** What is told of a round, to whoever plays it along. */
export interface Ear {
  snap(n: number, deflated: Uint8Array): void;
  tick(n: number, bytes: Uint8Array, inputs: readonly Input[]): void;
}

export class Pupil {
  readonly role: Role;
  readonly secret: string;
  readonly name: string;
  /** What went wrong for good, or null. */
  fault: string | null = null;
  welcome: WelcomeMessage | null = null;
  state: RoomState | null = null;
  /** Bytes of ticks, as first heard. */
  readonly heard = new Map<number, Uint8Array>();
  readonly digests: DigestMessage[] = [];
  /** All that was ever sent, by number. */
  readonly sent = new Map<number, Action>();
  /** Numbers that came back in a tick. */
  readonly confirmed = new Set<number>();
  /** When the newest tick, or snapshot, came. */
  heardAt = 0;
  returns = 0;
  private readonly url: string;
  private readonly code: string;
  private readonly ear: Ear | null;
  private socket: Socket | null = null;
  private waiting: { seq: number; action: Action }[] = [];
  private seq = 0;
  private left = false;

  constructor(url: string, code: string, role: Role, name: string, secret = randomBytes(16).toString('hex'), ear: Ear | null = null) {
    this.url = url;
    this.code = code;
    this.role = role;
    this.name = name;
    this.secret = secret;
    this.ear = ear;
  }

  get seat(): number {
    return this.welcome?.seat ?? -1;
  }

  get isThere(): boolean {
    return this.socket !== null;
  }

  /** Resolves when the room is entered. */
  async enter(): Promise<void> {
    for (let tries = 0; !this.left && this.fault === null; tries++) {
      await pause(RETRY_MS[Math.min(tries, RETRY_MS.length - 1)]! * (0.75 + Math.random() / 2));
      const seat = await this.askSeat();
      if (seat === null) continue;
      const joining = new Client(this.url).consumeSeatReservation<RoomState>(seat.reservation).then(
        (socket) => this.attach(socket as Socket),
        () => false,
      );
      if (await Promise.race([joining, pause(CONNECT_MS).then(() => false)])) return;
    }
  }

  act(action: Action): void {
    const entry = { seq: ++this.seq, action };
    this.sent.set(entry.seq, action);
    this.waiting.push(entry);
    this.send(entry);
  }

  async host(action: HostAction): Promise<boolean> {
    return (await this.socket?.request('host' as never, { action } as never).then(() => true, () => false)) ?? false; // prettier-ignore
  }

  async leave(): Promise<void> {
    this.left = true;
    await this.socket?.leave(false).catch(() => {});
  }

  private async askSeat(): Promise<SeatReply | null> {
    try {
      const body = JSON.stringify({ secret: this.secret, role: this.role, ...(this.role === 'player' ? { name: this.name } : {}) });
      const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body, signal: AbortSignal.timeout(CONNECT_MS) };
      const answer = (await (await fetch(`${this.url}/api/rooms/${this.code}/seat`, init)).json()) as SeatReply | HttpRefusal;
      if (!('error' in answer)) return answer;
      if (FINAL.has(answer.error)) this.fault = answer.error;
    } catch {
      // Nobody is there: once more.
    }
    return null;
  }

  private attach(socket: Socket): boolean {
    socket.reconnection.enabled = false;
    this.socket = socket;
    this.returns += 1;
    socket.onMessage('welcome', (message: WelcomeMessage) => this.onWelcome(message));
    socket.onMessage('snap', (bytes: Uint8Array) => this.onSnap(bytes));
    socket.onMessage('tick', (bytes: Uint8Array) => this.onTick(bytes));
    socket.onMessage('digest', (digest: DigestMessage) => void this.digests.push(digest));
    socket.onStateChange((state) => (this.state = state));
    socket.onError(() => {});
    socket.onLeave((closeCode) => {
      if (this.socket !== socket) return;
      this.socket = null;
      const code = codeOfClose(closeCode);
      if (code !== null && FINAL.has(code)) this.fault = code;
      else if (!this.left) void this.enter();
    });
    return true;
  }

  private onWelcome(message: WelcomeMessage): void {
    this.welcome = message;
    this.seq = Math.max(this.seq, message.seq);
    // What the server has queued it will not take again; the rest goes once more.
    for (const entry of this.waiting) if (entry.seq > message.seq) this.send(entry);
  }

  private onSnap(bytes: Uint8Array): void {
    this.heardAt = performance.now();
    const { n, deflated } = decodeSnap(bytes);
    this.ear?.snap(n, deflated);
  }

  private onTick(bytes: Uint8Array): void {
    this.heardAt = performance.now();
    const { n, inputs } = decodeTick(bytes);
    const before = this.heard.get(n);
    if (before !== undefined && !Buffer.from(before).equals(bytes)) this.fault = `tick ${n} came again, and was another`;
    this.heard.set(n, bytes);
    for (const input of inputs) if (input.type === 'act' && input.seat === this.seat) this.confirmed.add(input.seq);
    const last = inputs.findLast((input) => input.type === 'act' && input.seat === this.seat);
    if (last?.type === 'act') this.waiting = this.waiting.filter((entry) => entry.seq > last.seq);
    this.ear?.tick(n, bytes, inputs);
  }

  private send({ seq, action }: { seq: number; action: Action }): void {
    this.socket?.request('input' as never, { seq, action } as never).catch(() => {});
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
