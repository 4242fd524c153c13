/**
 * P13: what the log on the disk costs. The five rooms of a slot, 40 seats each, close their ticks, commit them in one transaction to
 * a real file, and send them to 40 sockets each; beside them five rooms with the same seeds do the same without the commit. The two
 * take turns beat by beat, in processor time; what a commit adds on the clock of the wall, waiting for the disk included, stands in
 * the note. The sockets are the bare library's, which cost less than a room's, and other people's answers are not counted.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { createBot, type Bot } from '#game/bots/bots.ts';
import { RULES } from '#game/round.ts';
import type { BotName, Scenario } from '#game/types.ts';
import { createLog } from '../../server/log.ts';
import { loadScenarios } from '../../server/scenarios.ts';
import { Playing } from '../../server/sequencer/Playing.ts';
import { Journal, type Trace } from '../../server/store/Journal.ts';
import { insertRound } from '../../server/store/rounds.ts';
import { Store } from '../../server/store/Store.ts';
import { ws, type BareSocket } from '../load/counting.ts';
import { Worker } from '../load/wire.ts';
import { median, timed, type Row } from './measure.ts';

/** Of one slot: 25 rooms in a process. */
const ROOMS = 5;
const SEATS = 40;
const KINDS: readonly BotName[] = ['free', 'keep', 'splinter', 'guess', 'spam'];
const WORST_SHARE = 0.99;

interface Room {
  playing: Playing;
  bots: Bot[];
  seqs: number[];
  sockets: BareSocket[];
}

function openRoom(scenario: Scenario, seed: number, sockets: BareSocket[]): Room {
  const playing = new Playing({ ...scenario, seconds: 3600 }, seed, SEATS);
  const bots = Array.from({ length: SEATS }, (_, seat) => createBot(KINDS[seat % KINDS.length]!, seat, seed));
  for (const { seat, name } of bots) playing.queue({ type: 'join', seat, bot: name });
  return { playing, bots, seqs: bots.map(() => 0), sockets };
}

/** What players do, before the clock runs: they are not the server's work. */
function queueActions({ playing, bots, seqs }: Room): void {
  for (const bot of bots) {
    const action = bot.act(playing.round);
    if (action !== null) playing.queue({ type: 'act', seat: bot.seat, seq: ++seqs[bot.seat]!, action });
  }
}

interface Took {
  cpuNs: number;
  /** Without the sending, which is in both. */
  sendNs: number;
  wallMs: number;
}

function beat(rooms: readonly Room[], commit: () => void): Took {
  for (const room of rooms) queueActions(room);
  const start = performance.now();
  const closeNs = timed(() => {
    for (const { playing } of rooms) playing.close();
    commit();
  });
  const wallMs = performance.now() - start;
  const sendNs = timed(() => {
    for (const { playing, sockets } of rooms) for (const socket of sockets) socket.send(playing.ticks.at(-1), { binary: true });
  });
  return { cpuNs: closeNs + sendNs, sendNs, wallMs };
}

function traceOf(store: Store, scenario: Scenario, { playing }: Room): Trace {
  const round = insertRound(store, { room: null, code: null, number: 0, rules: RULES, scenario, seed: playing.seed, seats: SEATS });
  return { round, ticks: playing.ticks, written: 0, onWritten: () => {}, onFailed: (error) => Promise.reject(error) };
}

/** Readers in a process of their own. */
async function openSockets(count: number): Promise<{ sockets: BareSocket[]; close(): Promise<void> }> {
  const server = new ws.WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false });
  await once(server as unknown as NodeJS.EventEmitter, 'listening');
  const crowd = new Worker(new URL('../load/crowd.ts', import.meta.url));
  await crowd.ask(null);
  await crowd.ask({ ask: 'listen', url: `ws://127.0.0.1:${server.address().port}`, sockets: count });
  const close = async (): Promise<void> => {
    await crowd.end();
    server.close();
  };
  return { sockets: [...server.clients], close };
}

export async function measureDurable(rounds: number, beats: number): Promise<Row> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'));
  const store = await Store.openFolder(folder);
  const { sockets, close } = await openSockets(ROOMS * SEATS);
  try {
    const journal = new Journal(store);
    const scenarios = loadScenarios(createLog('silent'));
    const scenario = scenarios.get(scenarios.list()[0]!.id)!;
    const open = () =>
      Array.from({ length: ROOMS }, (_, room) => openRoom(scenario, room + 1, sockets.slice(room * SEATS, (room + 1) * SEATS)));
    const [logged, bare] = [open(), open()];
    const traces = logged.map((room) => traceOf(store, scenario, room));
    const commit = (): void => {
      for (const trace of traces) journal.add(trace);
      journal.commit();
    };
    const [ratios, unsent, added]: number[][] = [[], [], []];
    for (let round = 0; round <= rounds; round++) {
      const sums = { with: 0, without: 0, sendWith: 0, sendWithout: 0 };
      for (let n = 0; n < beats; n++) {
        // First one, then the other: the second finds the caches warm.
        const first = n % 2 === 0 ? beat(logged, commit) : beat(bare, () => {});
        const second = n % 2 === 0 ? beat(bare, () => {}) : beat(logged, commit);
        const [withLog, without] = n % 2 === 0 ? [first, second] : [second, first];
        sums.with += withLog.cpuNs;
        sums.without += without.cpuNs;
        sums.sendWith += withLog.sendNs;
        sums.sendWithout += without.sendNs;
        added!.push(withLog.wallMs - without.wallMs);
        await setImmediate();
      }
      if (round === 0) continue; // the first lets the engine compile
      ratios!.push(sums.with / sums.without);
      unsent!.push((sums.with - sums.sendWith) / (sums.without - sums.sendWithout));
    }
    if (traces.some(({ ticks, written }) => written !== ticks.length)) throw new Error('a tick is not on the disk');
    const worst = added!.toSorted((a, b) => a - b)[Math.floor(added!.length * WORST_SHARE)]!;
    const note =
      `${ROOMS} rooms of ${SEATS} a commit, ${added!.length} commits; added ${median(added!).toFixed(3)} ms, 99 % ${worst.toFixed(1)} ms; ` +
      `without the sending ${median(unsent!).toFixed(2)} ×`;
    return {
      id: 'P13',
      what: 'tick with the log ÷ without',
      value: median(ratios!),
      unit: '×',
      must: 1.1,
      stretch: 1.02,
      note,
      rounds: ratios!,
    };
  } finally {
    await close();
    await store.close();
    rmSync(folder, { recursive: true });
  }
}
