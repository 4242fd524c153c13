/** Counts what goes out of this process' WebSockets, on the level of the library that all use. */
import { createRequire } from 'node:module';
import type { Socket } from 'node:net';
import type { Window } from './wire.ts';
import { shareOf } from './wire.ts';

export interface BareSocket {
  _socket: Socket | null;
  readyState: number;
  send(data: unknown, ...more: unknown[]): void;
  on(event: string, hear: (...words: never[]) => void): void;
}

interface Library {
  WebSocket: { prototype: BareSocket };
  WebSocketServer: new (options: object) => {
    clients: Set<BareSocket>;
    on(event: 'connection', see: (socket: BareSocket) => void): void;
    on(event: 'listening', see: () => void): void;
    address(): { port: number };
    close(): void;
  };
}

/** The library comes with the transport; it has no types of its own here. */
export const ws = createRequire(createRequire(import.meta.url).resolve('@colyseus/ws-transport'))('ws') as Library;

let sent = 0;
const { send } = ws.WebSocket.prototype;
ws.WebSocket.prototype.send = function (this: BareSocket, ...words) {
  sent += 1;
  send.apply(this, words);
};

export class Counting {
  private readonly sockets: () => Iterable<BareSocket>;
  private at = 0;
  private cpu = process.cpuUsage();
  private sentBefore = 0;
  private bytesBefore = new Map<BareSocket, number>();
  private late: number[] = [];

  constructor(sockets: () => Iterable<BareSocket>) {
    this.sockets = sockets;
  }

  tick(lateMs: number): void {
    this.late.push(lateMs);
  }

  begin(): void {
    this.late = [];
    this.sentBefore = sent;
    this.bytesBefore = new Map([...this.sockets()].map((socket) => [socket, socket._socket?.bytesWritten ?? 0]));
    this.cpu = process.cpuUsage();
    this.at = performance.now();
  }

  end(): Window {
    const ms = performance.now() - this.at;
    const { user, system } = process.cpuUsage(this.cpu);
    const bytes = [...this.bytesBefore].map(([socket, before]) => (socket._socket?.bytesWritten ?? before) - before);
    return {
      ms,
      cpuMs: (user + system) / 1000,
      late: [shareOf(this.late, 0.5), shareOf(this.late, 0.95), shareOf(this.late, 0.99)],
      clients: bytes.length,
      bytesPerSecond: (shareOf(bytes, 0.5) * 1000) / ms,
      sent: sent - this.sentBefore,
      rssMb: process.memoryUsage().rss / 2 ** 20,
    };
  }
}
