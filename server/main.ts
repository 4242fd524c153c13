/**
 * `npm start`: the server, on PORT (2567) and HOST (all addresses), with its rooms and logs in DATA_DIR (data).
 * RETENTION_DAYS (30) after their last use they are deleted.
 * DURABILITY=power waits for the disk at each tick, so that even a loss of power loses nothing. SIGTERM and SIGINT close it in
 * good order. However it ends, the next start has the rooms back.
 */
import { welcomeLines } from './addresses.ts';
import { startApp } from './app.ts';
import { dataFolder, readDurability } from './folder.ts';
import { parseOrigins } from './http/origins.ts';
import { FolderInUse } from './store/lock.ts';
import { RETENTION_DAYS } from './store/retention.ts';

const PORT_DEFAULT = 2567;
const RETENTION_DAYS_MAX = 3650;
/** A close that hangs is cut short. */
const CLOSE_MS_MAX = 5000;

const host = process.env['HOST'] ?? '0.0.0.0';
const port = Number(process.env['PORT'] ?? PORT_DEFAULT);
if (!Number.isInteger(port) || port < 0 || port > 65_535) fail(`PORT must be a number from 0 to 65535, not ${process.env['PORT']}`);
// `npm run dev` has another address in front (scripts/dev.mjs).
const shownPort = process.env['SHOWN_PORT'] === undefined ? undefined : Number(process.env['SHOWN_PORT']);

function fail(sentence: string): never {
  console.error(sentence);
  process.exit(1);
}

const durability = readDurability(process.env['DURABILITY']);
if (durability === null) fail(`DURABILITY must be process or power, not ${process.env['DURABILITY']}`);
const folder = dataFolder();
const retentionDays = Number(process.env['RETENTION_DAYS'] ?? RETENTION_DAYS);
if (!Number.isInteger(retentionDays) || retentionDays < 1 || retentionDays > RETENTION_DAYS_MAX)
  fail(`RETENTION_DAYS must be a number from 1 to ${RETENTION_DAYS_MAX}, not ${process.env['RETENTION_DAYS']}`);

function reasonOf(error: NodeJS.ErrnoException): string {
  if (error.code === 'EADDRINUSE') return `Port ${port} is in use already. Choose another one: PORT=${port + 1} npm start`;
  if (error instanceof FolderInUse) return `${error.message} Stop it, or give this one its own: DATA_DIR=data2 PORT=${port + 1} npm start`;
  const isDisk = error.code === 'ERR_SQLITE_ERROR' || error.syscall === 'mkdir';
  return isDisk
    ? `The folder ${folder} cannot be used: ${error.message}. Name another one: DATA_DIR=… npm start`
    : `The server could not start: ${error.message}`;
}

const app = await startApp({
  port,
  host,
  dataFolder: folder,
  durability,
  retentionDays,
  logLevel: process.env['LOG_LEVEL'] ?? 'warn',
  origins: parseOrigins(process.env['ORIGINS']),
  metricsToken: process.env['METRICS_TOKEN'],
  ...(shownPort === undefined ? {} : { shownPort }),
}).catch((error: NodeJS.ErrnoException) => fail(reasonOf(error)));

// A fault in one place is no reason to send every class home.
process.on('uncaughtException', (error) => app.log.fatal({ err: error }, 'uncaught exception'));
process.on('unhandledRejection', (error) => app.log.fatal({ err: error }, 'unhandled rejection'));

let closing = false;
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    if (closing) process.exit(1);
    closing = true;
    setTimeout(() => process.exit(1), CLOSE_MS_MAX).unref();
    void app.close().then(() => process.exit(0));
  });
}

for (const line of welcomeLines(host, shownPort ?? app.port)) console.log(line);
