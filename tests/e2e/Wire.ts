/** A network between pages and the server that can fall silent: what is sent does not arrive, and nobody is told. */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

export class Wire {
  readonly url: string;
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();
  private isCut = false;

  private constructor(server: Server) {
    this.server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  static async to(url: string): Promise<Wire> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const wire = new Wire(server);
    server.on('connection', (page) => wire.join(page, connect(Number(new URL(url).port), '127.0.0.1')));
    return wire;
  }

  /** Connections that are open now carry nothing any more. */
  silence(): void {
    for (const socket of this.sockets) socket.pause();
  }

  /** Nor do those that are opened from now on, until `mend`. */
  cut(): void {
    this.isCut = true;
    this.silence();
  }

  /** All carries again, and first what was held back. */
  mend(): void {
    this.isCut = false;
    for (const socket of this.sockets) socket.resume();
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
    await once(this.server, 'close');
  }

  private join(page: Socket, house: Socket): void {
    for (const [from, to] of [
      [page, house],
      [house, page],
    ] as const) {
      this.sockets.add(from);
      from.on('data', (bytes) => void to.write(bytes));
      from.on('error', () => {});
      from.on('end', () => to.end());
      from.on('close', () => {
        this.sockets.delete(from);
        to.destroy();
      });
      if (this.isCut) from.pause();
    }
  }
}
