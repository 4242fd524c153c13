/** P1: the buddy alone against a C twin that does the same: same frames, same random numbers, same lists at the end. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { firstFree, freeOnePage, nrFree, rmqueueSmallest } from '#kernel/mm/buddy.ts';
import { createMachine, type Frames, type Zone } from '#kernel/machine.ts';
import { PG } from '#kernel/types.ts';
import { median, timed, type Row } from './measure.ts';

const FRAMES = 262_144;
const MAX_ORDER = 10;
const LIVE_MAX = 36_000;
const SEED = 20261121;
const HEAD = PG.head;

interface Round {
  ns: number;
  hash: string;
}

/** A machine's zone with all its frames free, and no kernel around it. */
function emptyZone(): { frames: Frames; zone: Zone } {
  const { frames, zones } = createMachine({
    frames: FRAMES,
    zones: { normal: FRAMES },
    maxOrder: MAX_ORDER,
    minFreeKbytes: 0,
    mobility: false,
  });
  return { frames, zone: zones[0]! };
}

/** twin.c's loop, line by line. */
function work(frames: Frames, zone: Zone, operations: number): void {
  const live = new Int32Array(LIVE_MAX);
  let draw = SEED;
  let count = 0;
  for (let n = 0; n < operations; n++) {
    draw ^= draw << 13;
    draw ^= draw >>> 17;
    draw ^= draw << 5;
    if (n < LIVE_MAX || count === 0 || (count < LIVE_MAX && (draw & 1) !== 0)) {
      const order = (((draw >>> 8) & 0xff) * 5) >>> 8;
      const pfn = rmqueueSmallest(frames, zone, order, 0, null);
      if (pfn < 0) continue;
      frames.flags[pfn] = HEAD;
      frames.order[pfn] = order;
      live[count++] = pfn;
    } else {
      const at = Math.imul(draw >>> 16, count) >>> 16;
      const pfn = live[at]!;
      live[at] = live[--count]!;
      freeOnePage(frames, zone, pfn, frames.order[pfn]!, false, null);
    }
  }
}

/** FNV-1a over the lengths and the members of all free lists, as twin.c has it. */
function hashLists(frames: Frames, zone: Zone): string {
  let hash = 0x811c9dc5;
  for (let order = 0; order <= MAX_ORDER; order++) {
    hash = Math.imul(hash ^ nrFree(zone, order), 0x01000193);
    for (let pfn = firstFree(zone, order, 0); pfn >= 0; pfn = frames.links[2 * pfn]!) hash = Math.imul(hash ^ pfn, 0x01000193);
  }
  return (hash >>> 0).toString(16).padStart(8, '0');
}

function ours(operations: number): Round {
  const { frames, zone } = emptyZone();
  const ns = timed(() => work(frames, zone, operations));
  return { ns, hash: hashLists(frames, zone) };
}

/** The twin's program, or why there is none. */
function buildTwin(folder: string): string | null {
  const program = join(folder, 'twin');
  const built = spawnSync('gcc', ['-O3', '-o', program, join(import.meta.dirname, 'twin.c')], { encoding: 'utf8' });
  if (built.status === 0) return program;
  process.stderr.write(built.error ? 'P1: no gcc here, so no C twin to compare with\n' : `P1: the C twin does not build:\n${built.stderr}`);
  return null;
}

function twin(program: string, operations: number): Round {
  const args = [FRAMES, MAX_ORDER, LIVE_MAX, operations, SEED, 1].map(String);
  const [ns, hash] = execFileSync(program, args, { encoding: 'utf8' }).split(' ');
  return { ns: Number(ns), hash: hash! };
}

export function measureBuddy(rounds: number, operations: number): Row {
  const row: Row = {
    id: 'P1',
    what: 'buddy alone: time ÷ C twin (gcc -O3)',
    value: null,
    unit: '×',
    must: 2,
    stretch: 1.5,
    note: '',
    rounds: [],
  };
  const folder = mkdtempSync(join(tmpdir(), 'twin-'));
  try {
    const program = buildTwin(folder);
    ours(operations / 10); // the engine compiles what it will run
    const times: { ours: number; twin: number }[] = [];
    for (let round = 0; round < rounds; round++) {
      const reference = program === null ? null : twin(program, operations);
      const own = ours(operations);
      if (reference !== null && reference.hash !== own.hash)
        throw new Error(`the free lists differ: ours ${own.hash}, the twin's ${reference.hash}`);
      times.push({ ours: own.ns / operations, twin: (reference?.ns ?? Number.NaN) / operations });
    }
    const own = `${median(times.map((time) => time.ours)).toFixed(1)} ns an operation`;
    if (program === null) return { ...row, note: `${own}; no gcc, no twin` };
    row.rounds = times.map((time) => time.ours / time.twin);
    const note = `${own} to ${median(times.map((time) => time.twin)).toFixed(1)}; equal lists after ${operations / 1e6} M`;
    return { ...row, value: median(row.rounds), note };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
