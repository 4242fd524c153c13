/** A WebSocket by hand, for what no library sends: it opens a room as a client does, and then writes any bytes. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Protocol } from '@colyseus/core';
import { askSeat, newSecret, type ClassRoom } from './people.ts';

const PING = Buffer.of(0x89, 0);
const MASK = [0x5a, 0xa5, 0x3c, 0xc3];

interface FrameOptions {
  /** The last frame of its message. */
  fin?: boolean;
  /** The three reserved bits, 0 to 7. */
  reserved?: number;
  masked?: boolean;
}

/** RFC 6455, section 5.2. */
export function frame(opcode: number, payload: Uint8Array, { fin = true, reserved = 0, masked = true }: FrameOptions = {}): Uint8Array {
  const length = payload.length < 126 ? [payload.length] : [126, payload.length >> 8, payload.length & 0xff];
  length[0]! |= masked ? 0x80 : 0;
  const body = masked ? payload.map((byte, at) => byte ^ MASK[at % 4]!) : payload;
  return Uint8Array.of((fin ? 0x80 : 0) | (reserved << 4) | opcode, ...length, ...(masked ? MASK : []), ...body);
}

export class RawSocket {
  readonly socket: Socket;
  readonly seat: number;
  readonly closed: Promise<void>;
  isClosed = false;

  private constructor(socket: Socket, seat: number) {
    this.socket = socket;
    this.seat = seat;
    socket.on('error', () => {});
    // It answers the server's pings, so that it is not silence that ends it. (Two such bytes in a tick cost one answer too many.)
    socket.on('data', (data: Buffer) => {
      if (data.includes(PING)) this.write(frame(0xa, new Uint8Array()));
    });
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.isClosed = true;
        resolve();
      });
    });
  }

  static async join(room: ClassRoom, secret = newSecret()): Promise<RawSocket> {
    const { reservation, seat } = (await askSeat(room, { secret, role: 'player' })).body;
    const socket = connect(room.place.port, '127.0.0.1');
    const head = [
      `GET /${reservation.processId}/${reservation.roomId}?sessionId=${reservation.sessionId} HTTP/1.1`,
      `Host: 127.0.0.1:${room.place.port}`,
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ];
    socket.write(`${head.join('\r\n')}\r\n\r\n`);
    await once(socket, 'data');
    const raw = new RawSocket(socket, seat);
    raw.write(frame(2, Uint8Array.of(Protocol.JOIN_ROOM)));
    return raw;
  }

  write(bytes: Uint8Array): void {
    if (this.socket.writable) this.socket.write(bytes);
  }
}
