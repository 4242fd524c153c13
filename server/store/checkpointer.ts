/** The thread of checkpoints.ts. */
import { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';

const EVERY_MS = 5000;
/** The main thread writes on meanwhile; what came during one pass is small work for the next, and an empty log begins anew. */
const PASSES_MAX = 4;

const database = new DatabaseSync(workerData as string);
database.exec('pragma synchronous = normal; pragma wal_autocheckpoint = 0');
const checkpoint = database.prepare('pragma wal_checkpoint(passive)');

const timer = setInterval(() => {
  try {
    let frames = -1;
    for (let pass = 0; pass < PASSES_MAX; pass++) {
      const { log } = checkpoint.get() as { log: number };
      if (log === frames) return;
      frames = log;
    }
  } catch {
    // A disk that fails is the main thread's to report; the next pass tries again.
  }
}, EVERY_MS);

parentPort!.once('message', () => {
  clearInterval(timer);
  database.close();
});
