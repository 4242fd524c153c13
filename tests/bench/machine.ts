/**
 * The whole machine, 40 processes touching, allocating and freeing; 10,000 calls a tick, nothing to reclaim. P2: each process
 * has an area of 64 pages, whose pages fault once. P2f: one call in a hundred gives the area back and maps it anew, so that
 * four touches in five fault.
 */
import { type Call, type Granted, type Machine, call, createMachine, hash, tick } from '#kernel/machine.ts';
import { VMSTAT } from '#kernel/mm/vmstat.ts';
import { random32, randomBelow } from '#kernel/rng.ts';
import { median, timed, type Row } from './measure.ts';

const PROCESSES = 40;
const CALLS_PER_TICK = 10_000;
const PAGE = 4096;
const CONFIG = { frames: 65_536, minFreeKbytes: 0, mobility: false };
const MAP = { call: 'mmap', length: 64 * PAGE, prot: 'PROT_READ|PROT_WRITE', flags: 'MAP_PRIVATE|MAP_ANONYMOUS' };

interface Player {
  pid: number;
  addr: number;
  pfns: number[];
  orders: number[];
}

function must(machine: Machine, pid: number, request: Call): Granted {
  const answer = call(machine, pid, request);
  if (!answer.ok) throw new Error(`${JSON.stringify(request)} → ${JSON.stringify(answer)}`);
  return answer;
}

const mapped = (machine: Machine, pid: number): number => must(machine, pid, MAP).addr as number;

/** A touch of one page or two. Requests are made where they are used, as a room makes them, and that is counted. */
function touch(machine: Machine, { pid, addr: area }: Player, state: { rng: number }, write: boolean): void {
  const addr = area + randomBelow(state, 63) * PAGE;
  const length = 1 + randomBelow(state, 2) * PAGE;
  must(machine, pid, write ? { call: 'write', addr, length } : { call: 'read', addr, length });
}

function allocate(machine: Machine, { pid, pfns, orders }: Player, order: number): void {
  pfns.push(must(machine, pid, { call: 'alloc_pages', order, gfp: 'GFP_KERNEL' }).pfn!);
  orders.push(order);
}

function give(machine: Machine, { pid, pfns, orders }: Player, at: number): void {
  const [pfn, order] = [pfns[at]!, orders[at]!];
  pfns[at] = pfns.at(-1)!;
  orders[at] = orders.at(-1)!;
  pfns.pop();
  orders.pop();
  must(machine, pid, { call: 'free_pages', pfn, order });
}

function playTick(machine: Machine, players: readonly Player[], state: { rng: number }, remaps: boolean): void {
  for (let n = 0; n < CALLS_PER_TICK; n++) {
    const player = players[randomBelow(state, PROCESSES)]!;
    const { pid, addr, pfns } = player;
    const draw = random32(state) % 100;
    if (draw < 50) touch(machine, player, state, draw < 35);
    else if (remaps && draw === 99) {
      must(machine, pid, { call: 'munmap', addr, length: 64 * PAGE });
      player.addr = mapped(machine, pid);
    } else if (pfns.length > 0 && (pfns.length > 20 || draw < 74)) give(machine, player, randomBelow(state, pfns.length));
    else allocate(machine, player, random32(state) % 5);
  }
  tick(machine);
}

export function measureMachine(rounds: number, ticks: number, remaps: boolean): Row {
  const hashes = new Set<string>();
  const times: number[] = [];
  let faults = 0;
  for (let round = 0; round <= rounds; round++) {
    const machine = createMachine(CONFIG);
    const players = Array.from({ length: PROCESSES }, (): Player => {
      const pid = must(machine, 0, { call: 'spawn' }).pid!;
      return { pid, addr: mapped(machine, pid), pfns: [], orders: [] };
    });
    const state = { rng: 1 };
    const ns = timed(() => {
      for (let t = 0; t < ticks; t++) playTick(machine, players, state, remaps);
    });
    hashes.add(hash(machine));
    faults = machine.vmstat[VMSTAT.pgfault]!;
    if (round > 0) times.push(ns / (ticks * CALLS_PER_TICK)); // the first lets the engine compile
  }
  if (hashes.size !== 1) throw new Error('the same calls left different machines');
  const rate = (faults / (ticks * CALLS_PER_TICK)).toFixed(2);
  return {
    id: remaps ? 'P2f' : 'P2',
    what: remaps ? 'the same, areas mapped anew: ns per call' : 'whole machine: ns per call',
    value: median(times),
    unit: 'ns',
    must: 120,
    stretch: 60,
    note: `${PROCESSES} processes, ${CALLS_PER_TICK} calls a tick, ${ticks} ticks, 65,536 frames; ${rate} faults a call; drawing and making the calls counted`,
    rounds: times,
  };
}
