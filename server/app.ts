/** The server as one value: HTTP, sockets and rooms on one port. Tests start it on port 0. */
import { createServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { matchMaker, Server } from '@colyseus/core';
import { Encoder } from '@colyseus/schema';
import { WebSocketTransport } from '@colyseus/ws-transport';
import express, { type Express } from 'express';
import { MESSAGE_BYTES_MAX, MESSAGE_FRAGMENTS_MAX } from '#protocol/limits.ts';
import { parseRoomCode } from '#protocol/roomCode.ts';
import { api, type ApiParts } from './http/api.ts';
import { safeHeaders } from './http/headers.ts';
import { health } from './http/health.ts';
import { countAnswers, showMetrics } from './http/metrics.ts';
import { isOwnOrigin } from './http/origins.ts';
import { servePages } from './http/pages.ts';
import { refuse, refuseErrors } from './http/refuse.ts';
import { Metrics } from './metrics.ts';
import { createLog, type DestinationStream, type Logger } from './log.ts';
import { Asleep, ROUND } from './rooms/asleep.ts';
import { PROBE, ProbeRoom } from './rooms/ProbeRoom.ts';
import type { Patience } from './rooms/Caretaker.ts';
import { RoundRoom } from './rooms/RoundRoom.ts';
import { loadScenarios } from './scenarios.ts';
import { BEAT_MS, Sequencer } from './sequencer/Sequencer.ts';
import { Journal } from './store/Journal.ts';
import { Retention, RETENTION_DAYS } from './store/retention.ts';
import { Store, type Durability } from './store/Store.ts';

const DIST = fileURLToPath(new URL('../dist/client', import.meta.url));
const PATIENCE: Patience = { emptyMs: 10 * 60_000, reservationMs: 15_000, lobbyAwayMs: 120_000, standInMs: 3000 };
/** A request that is still not whole after so long is cut off. */
const REQUEST_MS_MAX = 30_000;
/** A connection that is used again just when it is closed fails: it is kept for longer than browsers and proxies keep theirs unused. */
const KEPT_ALIVE_MS = 65_000;
/** A socket whose other end is silent for two pings is dead. */
const PING_MS = 3000;
const PINGS_MISSED_MAX = 2;

/** Pieces of a message that were read and are not whole yet. */
const SOCKET_CHUNKS_MAX = 256;

/** Bytes for the encoder of a room's state: a roster of 320 people takes about 20 KB. */
const STATE_BYTES = 64 * 1024;

export interface AppOptions {
  /** 0: any free port. */
  port: number;
  host: string;
  logLevel?: string;
  /** Standard output, if nothing else is named. */
  logTo?: DestinationStream;
  /** Origins beside the server's own. */
  origins?: ReadonlySet<string>;
  /** A fifth of a tick in ms of real time; other than 20 makes game time run faster or slower. */
  beatMs?: number;
  /** Where rooms and logs are kept; without one they are forgotten with the process. */
  dataFolder?: string;
  /** `process`, unless said otherwise. */
  durability?: Durability;
  /** Days for which rooms and rounds are kept after they were last used. */
  retentionDays?: number;
  /** How long rooms wait for people, where it is not the usual. */
  patience?: Partial<Patience>;
  /** The port that people use, where another one is in front. */
  shownPort?: number;
  /** Opens `/metrics` to others than this machine. */
  metricsToken?: string | undefined;
}

export interface App {
  port: number;
  log: Logger;
  sequencer: Sequencer;
  store: Store;
  /** Closes sockets with STOPPING, then the port. */
  close(): Promise<void>;
}

/** Rejects when the port is taken, or the folder. One server a process: the matchmaker is the process's own. */
export async function startApp(options: AppOptions): Promise<App> {
  const log = createLog(options.logLevel ?? 'info', options.logTo);
  const store = await (options.dataFolder === undefined ? Store.openMemory() : Store.openFolder(options.dataFolder, options.durability));
  try {
    return await serve(options, log, store);
  } catch (error) {
    // Closed already, when it is the port that was taken.
    await store.close();
    throw error;
  }
}

async function serve(options: AppOptions, log: Logger, store: Store): Promise<App> {
  Encoder.BUFFER_SIZE = STATE_BYTES;
  const origins = options.origins ?? new Set<string>();
  const journal = new Journal(store);
  const sequencer = new Sequencer(log, options.beatMs ?? BEAT_MS, () => journal.commit());
  const scenarios = loadScenarios(log);
  const retention = new Retention(store, log, options.retentionDays ?? RETENTION_DAYS);
  const asleep = new Asleep(store, log);
  RoundRoom.house = { log, sequencer, scenarios, archive: { store, journal, retention }, patience: { ...PATIENCE, ...options.patience } };

  const http = createServer({ requestTimeout: REQUEST_MS_MAX, keepAliveTimeout: KEPT_ALIVE_MS });
  const server = new Server({
    transport: socketsOn(http, origins),
    greet: false,
    gracefullyShutdown: false,
    logger: frameworkLog(log),
    beforeListen: async () => {
      await matchMaker.onReady;
      sequencer.hold();
      await asleep.wakeFresh();
    },
  });
  server.define(ROUND, RoundRoom);
  server.define(PROBE, ProbeRoom);
  const metrics = new Metrics(() => [...RoundRoom.open].map((room) => room.count()));
  RoundRoom.metrics = metrics;
  sequencer.onBeat = (lateMs) => metrics.tick(lateMs);
  const pages = buildPages(
    { scenarios, asleep, store, origins, log, host: options.host, shownPort: options.shownPort },
    metrics,
    options.metricsToken,
  );
  const close = async () => {
    await server.gracefullyShutdown(false);
    sequencer.stop();
    retention.stop();
    http.closeAllConnections();
    await store.close();
  };
  const listen = () =>
    server.listen(options.port, options.host, undefined, () => {
      // The framework has just put its own routes in front: matchmaking for anybody, with CORS for every origin. Ours are all there are.
      http.removeAllListeners('request');
      http.on('request', pages);
    });
  try {
    await listening(http, listen);
  } catch (error) {
    await close();
    throw error;
  }
  sequencer.go();
  return { port: (http.address() as AddressInfo).port, log, sequencer, store, close };
}

function socketsOn(server: HttpServer, origins: ReadonlySet<string>): WebSocketTransport {
  return new WebSocketTransport({
    server,
    maxPayload: MESSAGE_BYTES_MAX,
    maxFragments: MESSAGE_FRAGMENTS_MAX,
    maxBufferedChunks: SOCKET_CHUNKS_MAX,
    pingInterval: PING_MS,
    pingMaxRetries: PINGS_MISSED_MAX,
    beforeUpgrade: (request) => checkUpgrade(request, origins),
  });
}

/** The framework waits for ever when the port is taken. */
function listening(http: HttpServer, listen: () => Promise<unknown>): Promise<void> {
  return new Promise((resolve, reject) => {
    http.once('error', reject);
    listen().then(() => {
      http.off('error', reject);
      resolve();
    }, reject);
  });
}

function buildPages(parts: ApiParts, metrics: Metrics, metricsToken: string | undefined): Express {
  const pages = express();
  pages.disable('x-powered-by');
  pages.disable('etag');
  pages.use(countAnswers(metrics));
  pages.use(safeHeaders);
  pages.get('/healthz', health(parts.log));
  pages.get('/metrics', showMetrics(metrics, metricsToken));
  pages.use('/api', api(parts));
  pages.use('/matchmake', (_request, response) => refuse(response, 'ONE_WAY_IN'));
  pages.use(servePages(DIST));
  pages.use((request, response) => refuse(response, request.method === 'GET' || request.method === 'HEAD' ? 'NOT_FOUND' : 'METHOD'));
  pages.use(refuseErrors(parts.log));
  return pages;
}

/** A socket is for one room, with a reserved seat, and from one of our pages. Without an answer the upgrade goes on. */
function checkUpgrade(request: Request, origins: ReadonlySet<string>): Response | undefined {
  const { headers } = request;
  if (!isOwnOrigin(headers.get('origin') ?? undefined, headers.get('host') ?? undefined, origins))
    return new Response('FOREIGN_ORIGIN', { status: 403 });
  const url = new URL(request.url);
  const room = /^\/[\w-]+\/(\w+)$/.exec(url.pathname)?.[1];
  const known = room !== undefined && parseRoomCode(room) === room && matchMaker.getLocalRoomById(room) !== undefined;
  if (!known || !url.searchParams.has('sessionId')) return new Response('NO_SEAT', { status: 404 });
  return undefined;
}

/** The framework's own words: its warnings and errors are ours to see, the rest is for debugging. */
function frameworkLog(log: Logger) {
  const child = log.child({ from: 'colyseus' });
  const at =
    (level: 'trace' | 'debug' | 'warn' | 'error') =>
    (...words: unknown[]): void =>
      child[level](words.map(String).join(' '));
  return { trace: at('trace'), debug: at('debug'), info: at('debug'), warn: at('warn'), error: at('error') };
}
