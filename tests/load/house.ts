/** The server under load, as `npm start` runs it: durable log, real kernel, ten ticks a second. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startApp } from '../../server/app.ts';
import { RoundRoom } from '../../server/rooms/RoundRoom.ts';
import { Counting, type BareSocket } from './counting.ts';
import { answerAll } from './wire.ts';

const folder = mkdtempSync(join(tmpdir(), 'load-'));
const app = await startApp({ port: 0, host: '127.0.0.1', logLevel: 'error', dataFolder: folder });
const counting = new Counting(() =>
  [...RoundRoom.open].flatMap((room) => room.clients.map((client) => client.ref as unknown as BareSocket)),
);
const { onBeat } = app.sequencer;
app.sequencer.onBeat = (lateMs) => {
  onBeat(lateMs);
  counting.tick(lateMs);
};

answerAll(
  async ({ ask }) => (ask === 'begin' ? counting.begin() : counting.end()),
  async () => {
    await app.close();
    rmSync(folder, { recursive: true, force: true });
  },
);
process.send!({ port: app.port });
