/** The real server in a process of its own, to be killed and started again on the same port and folder. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const ASK_AGAIN_MS = 50;

export class Prey {
  readonly folder: string;
  readonly port: number;
  readonly url: string;
  private child: ChildProcess | null = null;
  private words = '';

  private constructor(folder: string, port: number) {
    this.folder = folder;
    this.port = port;
    this.url = `http://127.0.0.1:${port}`;
  }

  static async on(folder: string): Promise<Prey> {
    const probe = createServer().listen(0, '127.0.0.1');
    await once(probe, 'listening');
    const { port } = probe.address() as AddressInfo;
    probe.close();
    return new Prey(folder, port);
  }

  /** Does not wait until it answers. */
  start(): void {
    const { PORT: _, ...env } = process.env;
    const own = { PORT: String(this.port), HOST: '127.0.0.1', DATA_DIR: this.folder, LOG_LEVEL: 'warn' };
    this.child = spawn(process.execPath, ['server/main.ts'], { cwd: ROOT, env: { ...env, ...own }, stdio: ['ignore', 'ignore', 'pipe'] });
    this.child.stderr!.on('data', (bytes: Buffer) => (this.words += bytes.toString()));
  }

  /** Resolves when it takes guests. Throws what it said, if it ended instead. */
  async answers(): Promise<void> {
    for (;;) {
      if (this.child?.exitCode !== null) throw new Error(`the server ended: ${this.words}`);
      if (await fetch(`${this.url}/healthz`).then((answer) => answer.ok, () => false)) return; // prettier-ignore
      await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS));
    }
  }

  /** SIGKILL: it has no time for anything. */
  async kill(): Promise<void> {
    await this.end('SIGKILL');
  }

  /** SIGTERM: in good order. Returns the exit code. */
  async stop(): Promise<number | null> {
    return this.end('SIGTERM');
  }

  private async end(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.child;
    this.child = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null;
    const ended = once(child, 'exit');
    child.kill(signal);
    return ((await ended) as [number | null])[0];
  }
}
