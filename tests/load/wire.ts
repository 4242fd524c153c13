/** What the processes of a load test say to each other, and how they start. */
import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Between two questions: what happened since the first. */
export interface Window {
  ms: number;
  /** Processor time, user and system. */
  cpuMs: number;
  /** How late ticks began: median, 95 and 99 of 100, ms. */
  late: [number, number, number];
  clients: number;
  /** Bytes written to one client's socket a second, all included; the median client. */
  bytesPerSecond: number;
  /** WebSocket messages sent. */
  sent: number;
  rssMb: number;
}

export interface LoadRoom {
  code: string;
  hostSecret: string;
}

/** Questions are answered in order, one message each. */
export type Question =
  | { ask: 'begin' }
  | { ask: 'end' }
  | { ask: 'play'; url: string; rooms: LoadRoom[]; players: number }
  | { ask: 'listen'; url: string; sockets: number }
  | { ask: 'send'; groups: number; bytes: number };

export class Worker {
  private readonly child: ChildProcess;
  private waiting: ((answer: unknown) => void)[] = [];

  constructor(program: URL) {
    this.child = fork(fileURLToPath(program), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    this.child.on('message', (answer) => this.waiting.shift()?.(answer));
    this.child.on('exit', (code) => {
      for (const tell of this.waiting.splice(0)) tell({ died: code });
    });
  }

  /** Throws when the process has died. */
  async ask<T>(question: Question | null): Promise<T> {
    const answer = await new Promise((resolve) => {
      this.waiting.push(resolve);
      if (question !== null) this.child.send(question);
    });
    if (typeof answer === 'object' && answer !== null && 'died' in answer)
      throw new Error(`a process of the load test ended: ${String(answer.died)}`);
    return answer as T;
  }

  end(): Promise<void> {
    return new Promise((resolve) => {
      if (this.child.exitCode !== null) return resolve();
      this.child.once('exit', () => resolve());
      this.child.disconnect();
    });
  }
}

/** The other side: each question is answered; when the parent goes, so does this process. */
export function answerAll(answer: (question: Question) => Promise<unknown>, close: () => Promise<void>): void {
  process.on('message', (question: Question) => void answer(question).then((value) => process.send!(value ?? {})));
  process.on('disconnect', () => void close().then(() => process.exit(0)));
}

export function shareOf(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
