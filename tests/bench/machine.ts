/** P2: the whole machine, 40 processes touching, allocating and freeing; 10,000 calls a tick, nothing to reclaim. */
import { type Call, type Machine, call, createMachine, hash, tick } from '#kernel/machine.ts';
import { random32, randomBelow } from '#kernel/rng.ts';
import { median, timed, type Row } from './measure.ts';

const PROCESSES = 40;
const CALLS_PER_TICK = 10_000;
const PAGE = 4096;
const CONFIG = { frames: 65_536, minFreeKbytes: 0, mobility: false };

interface Made {
  pid: number;
  request: Call;
}

interface Player {
  pid: number;
  /** An area of 64 pages that it touches, now and then mapped anew. */
  addr: number;
  blocks: { pfn: number; order: number }[];
}

/**
 * Lists of calls with all arguments filled in, one text a tick: played once on a machine that answers, they can be played
 * again on a fresh one with the same answers, so that making up calls costs nothing while the clock runs.
 */
function record(ticks: number): string[] {
  const machine = createMachine(CONFIG);
  const state = { rng: 1 };
  const made: string[] = [];
  const make = (tickCalls: Made[], pid: number, request: Call) => {
    tickCalls.push({ pid, request });
    const answer = call(machine, pid, request);
    if (!answer.ok) throw new Error(`${JSON.stringify(request)} → ${JSON.stringify(answer)}`);
    return answer;
  };
  const map = { call: 'mmap', length: 64 * PAGE, prot: 'PROT_READ|PROT_WRITE', flags: 'MAP_PRIVATE|MAP_ANONYMOUS' };
  const first: Made[] = [];
  const players: Player[] = Array.from({ length: PROCESSES }, () => {
    const pid = make(first, 0, { call: 'spawn' }).pid!;
    return { pid, addr: make(first, pid, map).addr as number, blocks: [] };
  });
  made.push(JSON.stringify(first));
  for (let t = 0; t < ticks; t++) {
    const tickCalls: Made[] = [];
    while (tickCalls.length < CALLS_PER_TICK) {
      const player = players[randomBelow(state, PROCESSES)]!;
      const draw = random32(state) % 100;
      if (draw < 50) {
        const addr = player.addr + randomBelow(state, 63) * PAGE;
        make(tickCalls, player.pid, { call: draw < 35 ? 'write' : 'read', addr, length: 1 + randomBelow(state, 2) * PAGE });
      } else if (draw < 99) {
        if (player.blocks.length > 0 && (player.blocks.length > 20 || draw < 74)) {
          const [block] = player.blocks.splice(randomBelow(state, player.blocks.length), 1);
          make(tickCalls, player.pid, { call: 'free_pages', ...block });
        } else {
          const order = random32(state) % 5;
          player.blocks.push({ pfn: make(tickCalls, player.pid, { call: 'alloc_pages', order, gfp: 'GFP_KERNEL' }).pfn!, order });
        }
      } else {
        make(tickCalls, player.pid, { call: 'munmap', addr: player.addr, length: 64 * PAGE });
        player.addr = make(tickCalls, player.pid, map).addr as number;
      }
    }
    made.push(JSON.stringify(tickCalls));
  }
  return made;
}

/** Strings as a program has them: one for each word, not one for each time that it was read. */
const WORDS = new Map<string, string>();

function interned(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  if (!WORDS.has(value)) WORDS.set(value, value);
  return WORDS.get(value);
}

/** The calls of a tick, made just before they are played, as a room makes them. */
function callsOf(text: string): Made[] {
  return (JSON.parse(text) as Made[]).map(({ pid, request }) => {
    const { call: name, ...args }: Record<string, unknown> = request;
    for (const key of Object.keys(args)) args[key] = interned(args[key]);
    return { pid, request: { call: interned(name) as string, ...args } };
  });
}

/** Nanoseconds that the calls took. */
function play(machine: Machine, made: readonly string[]): number {
  let ns = 0;
  for (const text of made) {
    const calls = callsOf(text);
    ns += timed(() => {
      for (const { pid, request } of calls) call(machine, pid, request);
      tick(machine);
    });
  }
  return ns;
}

export function measureMachine(rounds: number, ticks: number): Row {
  const made = record(ticks);
  const calls = made.reduce((sum, text) => sum + (JSON.parse(text) as Made[]).length, 0);
  const hashes = new Set<string>();
  const times: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    const machine = createMachine(CONFIG);
    const ns = play(machine, made) / calls;
    hashes.add(hash(machine));
    if (round > 0) times.push(ns); // the first lets the engine compile
  }
  if (hashes.size !== 1) throw new Error('the same calls left different machines');
  const note = `${PROCESSES} processes, ${CALLS_PER_TICK} calls a tick, ${ticks} ticks, 65,536 frames`;
  return { id: 'P2', what: 'whole machine: ns per call', value: median(times), unit: 'ns', must: 120, stretch: 60, note, rounds: times };
}
