/** P3 to P5: the worst tick beside the median one when the OOM killer rages, and a machine of 2^20 frames: made, hashed, kept. */
import { type Granted, type Machine, call, createMachine, hash, tick } from '#kernel/machine.ts';
import { random32 } from '#kernel/rng.ts';
import { median, timed, type Row } from './measure.ts';

const FRAMES = 1 << 20;
const PAGE = 4096;
const MS = 1e6;

/** Milliseconds, the median of some runs after one that lets the engine compile. */
function milliseconds(rounds: number, work: () => void): number[] {
  work();
  return Array.from({ length: rounds }, () => timed(work) / MS);
}

export function measureCreate(rounds: number): Row {
  const times = milliseconds(rounds, () => createMachine({ frames: FRAMES }));
  const note = 'its page structures zeroed, its memory in the buddy';
  return {
    id: 'P4',
    what: 'a machine of 2^20 frames: made',
    value: median(times),
    unit: 'ms',
    must: 150,
    stretch: 75,
    note,
    rounds: times,
  };
}

export function measureHash(rounds: number): Row {
  const machine = createMachine({ frames: FRAMES });
  const times = milliseconds(rounds, () => hash(machine));
  return { id: 'P4h', what: 'the same machine: hashed', value: median(times), unit: 'ms', must: 60, stretch: 30, note: '', rounds: times };
}

export function measureMemory(): Row {
  const { frames, zones } = createMachine({ frames: FRAMES });
  const arrays = [...Object.values(frames), ...zones.flatMap((zone) => Object.values(zone))].filter((value) => ArrayBuffer.isView(value));
  const bytes = arrays.reduce((sum, array) => sum + array.byteLength, 0) / FRAMES;
  const note = 'bytes of all typed arrays of a machine just booted';
  return { id: 'P5', what: 'memory a frame, 2^20 frames', value: bytes, unit: 'B', must: 64, stretch: 40, note, rounds: [bytes] };
}

const PROCESSES = 40;
const TICKS = 300;

const spawn = (machine: Machine): number => (call(machine, 0, { call: 'spawn' }) as Granted).pid!;

/** A tick of the storm: every process asks for more than there is, and who dies is born again. */
function stormTick(machine: Machine, pids: number[], state: { rng: number }): void {
  for (let n = 0; n < 400; n++) {
    const at = random32(state) % PROCESSES;
    if (!machine.tasks.has(pids[at]!)) pids[at] = spawn(machine);
    const map = { call: 'mmap', length: 64 * PAGE, prot: 'PROT_READ|PROT_WRITE', flags: 'MAP_PRIVATE|MAP_ANONYMOUS|MAP_POPULATE' };
    call(machine, pids[at]!, map);
  }
  tick(machine);
}

export function measureStorm(rounds: number): Row {
  const ratios: number[] = [];
  let kills = 0;
  for (let round = 0; round <= rounds; round++) {
    const machine = createMachine({ frames: 16384, mobility: false, overcommit: { mode: 1 } });
    const pids = Array.from({ length: PROCESSES }, () => spawn(machine));
    const state = { rng: 7 + round };
    const times = Array.from({ length: TICKS }, () => timed(() => stormTick(machine, pids, state)));
    kills = machine.kmsg.filter((line) => line.includes('Out of memory: Killed')).length;
    if (round > 0) ratios.push(Math.max(...times) / Math.max(1, median(times)));
  }
  const note = `${PROCESSES} processes, 400 requests of 64 pages a tick; ${kills} kills stand in the log at the end`;
  return {
    id: 'P3',
    what: 'OOM storm: worst tick ÷ median tick',
    value: median(ratios),
    unit: '×',
    must: 50,
    stretch: 20,
    note,
    rounds: ratios,
  };
}
