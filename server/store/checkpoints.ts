/**
 * Moves what was written from the write-ahead log into the database file, in a thread of its own: it waits for the disk, and
 * ticks do not. With `synchronous = normal` nothing else waits.
 */
import { Worker } from 'node:worker_threads';

export interface Checkpoints {
  stop(): Promise<void>;
}

export function startCheckpoints(path: string): Checkpoints {
  const worker = new Worker(new URL('./checkpointer.ts', import.meta.url), { workerData: path });
  worker.unref();
  const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  // Without it the main thread makes the checkpoints, later and larger.
  worker.on('error', () => {});
  return {
    async stop() {
      worker.ref();
      worker.postMessage('stop');
      await ended;
    },
  };
}
