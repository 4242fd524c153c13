/**
 * P13: what the log on the disk costs. The five rooms of a slot, 40 bots each, close their ticks and commit them in one
 * transaction to a real file; beside them five rooms with the same seeds close theirs and commit nothing. The two take turns
 * beat by beat, in processor time; what a commit adds on the clock of the wall, waiting for the disk included, stands in the note.
 * Sending to forty sockets, which costs more than all of it, is not counted on either side.
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createBot, type Bot } from '#game/bots/bots.ts';
import { RULES } from '#game/round.ts';
import type { BotName, Scenario } from '#game/types.ts';
import { createLog } from '../../server/log.ts';
import { loadScenarios } from '../../server/scenarios.ts';
import { Playing } from '../../server/sequencer/Playing.ts';
import { Journal, type Trace } from '../../server/store/Journal.ts';
import { insertRound } from '../../server/store/rounds.ts';
import { FILE, Store, type Durability } from '../../server/store/Store.ts';
import { median, timed, type Row } from './measure.ts';

/** Of one slot: 25 rooms in a process. */
const ROOMS = 5;
const SEATS = 40;
const KINDS: readonly BotName[] = ['free', 'keep', 'splinter', 'guess', 'spam'];
/** One beat out of so many is late more than all the others; the table says how late. */
const WORST_SHARE = 0.99;

interface Room {
  playing: Playing;
  bots: Bot[];
  seqs: number[];
}

function openRoom(scenario: Scenario, seed: number): Room {
  const playing = new Playing({ ...scenario, seconds: 3600 }, seed, SEATS);
  const bots = Array.from({ length: SEATS }, (_, seat) => createBot(KINDS[seat % KINDS.length]!, seat, seed));
  for (const { seat, name } of bots) playing.queue({ type: 'join', seat, bot: name });
  return { playing, bots, seqs: bots.map(() => 0) };
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
  wallMs: number;
}

function beat(rooms: readonly Room[], commit: () => void): Took {
  for (const room of rooms) queueActions(room);
  const start = performance.now();
  const cpuNs = timed(() => {
    for (const { playing } of rooms) playing.close();
    commit();
  });
  return { cpuNs, wallMs: performance.now() - start };
}

function traceOf(store: Store, scenario: Scenario, { playing }: Room): Trace {
  const round = insertRound(store, { room: null, code: null, number: 0, rules: RULES, scenario, seed: playing.seed, seats: SEATS });
  return { round, ticks: playing.ticks, written: 0, onWritten: () => {}, onFailed: (error) => Promise.reject(error) };
}

export async function measureDurable(rounds: number, beats: number, durability: Durability = 'process'): Promise<Row> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'));
  const store = await Store.openFolder(folder, durability);
  const journal = new Journal(store);
  const scenarios = loadScenarios(createLog('silent'));
  const scenario = scenarios.get(scenarios.list()[0]!.id)!;
  const [logged, bare] = [0, 1].map(() => Array.from({ length: ROOMS }, (_, room) => openRoom(scenario, room + 1))) as [Room[], Room[]];
  const traces = logged.map((room) => traceOf(store, scenario, room));
  const commit = (): void => {
    for (const trace of traces) journal.add(trace);
    journal.commit();
  };
  const ratios: number[] = [];
  const added: number[] = [];
  try {
    for (let round = 0; round <= rounds; round++) {
      let [withLog, without] = [0, 0];
      for (let n = 0; n < beats; n++) {
        const pair = n % 2 === 0 ? [beat(logged, commit), beat(bare, () => {})] : [beat(bare, () => {}), beat(logged, commit)].toReversed();
        withLog += pair[0]!.cpuNs;
        without += pair[1]!.cpuNs;
        added.push(pair[0]!.wallMs - pair[1]!.wallMs);
      }
      if (round > 0) ratios.push(withLog / without); // the first lets the engine compile
    }
    if (traces.some(({ ticks, written }) => written !== ticks.length)) throw new Error('a tick is not on the disk');
    const worst = added.toSorted((a, b) => a - b)[Math.floor(added.length * WORST_SHARE)]!;
    const bytes = statSync(join(folder, FILE)).size;
    const note = `${ROOMS} rooms of ${SEATS} a commit, ${added.length} commits; added ${median(added).toFixed(3)} ms, 99 % ${worst.toFixed(1)} ms; ${bytes >> 10} KiB`;
    return {
      id: 'P13',
      what: 'tick with the log ÷ without',
      value: median(ratios),
      unit: '×',
      must: 1.1,
      stretch: 1.02,
      note,
      rounds: ratios,
    };
  } finally {
    await store.close();
    rmSync(folder, { recursive: true });
  }
}
