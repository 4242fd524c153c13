/**
 * Zones with migratetypes against a twin in C (tests/bench/twin_types.c): same random requests, same lists, tags and reserves after
 * each eighth of them. The hashes below are the twin's own; where there is a gcc it is built and asked again.
 */
import { firstFree, nrFree } from '#kernel/mm/buddy.ts';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { GFP } from '#kernel/gfp.ts';
import { createMachine, type Machine } from '#kernel/machine.ts';
import { unreserveHighatomicPageblock } from '#kernel/mm/mobility.ts';
import { freePagesBlock } from '#kernel/mm/page_alloc.ts';
import { allocPages } from '#kernel/mm/slowpath.ts';
import { MIGRATE, PG } from '#kernel/types.ts';
import { GOLDEN, type TwinShape } from '../helpers/twinHashes.ts';

const OPERATIONS = 60_000;
const SOURCE = join(import.meta.dirname, '..', 'bench', 'twin_types.c');
const ORDERS = [0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 3, -1, -1];
const NOWAIT = GFP.GFP_NOWAIT!;
const ATOMIC = GFP.GFP_ATOMIC!;
const MOVABLE = NOWAIT | GFP.__GFP_MOVABLE!;
const RECLAIMABLE = NOWAIT | GFP.__GFP_RECLAIMABLE!;
const HIGH_MOVABLE = GFP.__GFP_HIGHMEM! | GFP.__GFP_MOVABLE!;
const LETTERS: Readonly<Record<string, number>> = {
  n: NOWAIT,
  m: MOVABLE,
  r: RECLAIMABLE,
  a: ATOMIC,
  d: NOWAIT | GFP.GFP_DMA!,
  h: NOWAIT | HIGH_MOVABLE,
  x: ATOMIC | HIGH_MOVABLE,
};
/** What each of sixteen draws asks for, as twin_types.c has it. */
const FLAGS = 'nnnnmmmmmrraadhx'.split('').map((letter) => LETTERS[letter]!);

/** FNV-1a over all that the twin hashes, in its order. */
function hashAll({ zones, frames, config }: Machine): string {
  let hash = 0x811c9dc5;
  const mix = (value: number): void => {
    hash = Math.imul(hash ^ value, 0x01000193);
  };
  for (const zone of zones) {
    const { min, low, high } = zone.watermark;
    for (const value of [zone.free, min, low, high, zone.boost, zone.reservedHighatomic]) mix(value);
    for (let order = 0; order <= zone.maxOrder; order++) {
      mix(nrFree(zone, order));
      for (let type = 0; type < zone.types; type++) {
        const members: number[] = [];
        for (let pfn = firstFree(zone, order, type); pfn >= 0; pfn = frames.links[2 * pfn]!) members.push(pfn);
        mix(members.length);
        members.forEach(mix);
      }
    }
  }
  for (let block = 0; block << config.pageblockOrder < config.frames; block++) mix(frames.pageblock[block]!);
  return (hash >>> 0).toString(16).padStart(8, '0');
}

function request(machine: Machine, draw: number): number {
  const what = (draw >>> 11) & 15;
  const wanted = ORDERS[(draw >>> 3) & 15]!;
  const order = wanted < 0 ? ((draw >>> 16) & 0xff) % (machine.config.maxOrder + 1) : wanted;
  const isUsers = order === 0 && what >= 4 && what <= 8;
  return allocPages(machine, order, FLAGS[what]!, 0, isUsers ? PG.anon : PG.kernel);
}

/** twin_types.c's loop, line by line. */
function ours({ config, liveMax }: TwinShape, seed: number): string[] {
  const machine = createMachine(config);
  const { frames, zones } = machine;
  const live: number[] = [];
  const lines: string[] = [];
  let misses = 0;
  let draw = seed | 0;
  for (let n = 0; n < OPERATIONS; n++) {
    draw ^= draw << 13;
    draw ^= draw >>> 17;
    draw ^= draw << 5;
    if (live.length === 0 || (live.length < liveMax && (draw & 7) < (((n >> 9) & 1) !== 0 ? 3 : 6))) {
      const pfn = request(machine, draw);
      if (pfn < 0) misses += 1;
      else live.push(pfn);
    } else {
      const at = Math.imul(draw >>> 16, live.length) >>> 16;
      const pfn = live[at]!;
      const last = live.pop()!;
      if (at < live.length) live[at] = last;
      freePagesBlock(machine, pfn, frames.order[pfn]!);
    }
    if ((n & 511) === 511) for (const zone of zones) zone.boost = 0;
    if ((n & 1023) === 1023 && config.rules !== '2.6.32') {
      unreserveHighatomicPageblock(machine, zones.length - 1, ((draw >>> 8) & 0xff) % MIGRATE.highatomic, ((draw >>> 20) & 1) !== 0);
    }
    if ((n + 1) % (OPERATIONS / 8) === 0) lines.push(`${hashAll(machine)} ${misses}`);
  }
  return lines;
}

/** The twin's answer to the same. */
function theirs(program: string, { config, liveMax }: TwinShape, seed: number): string[] {
  const { config: full, cma } = createMachine(config);
  const { dma, normal, highmem } = full.zones;
  const place = [cma?.base ?? 0, cma?.count ?? 0];
  const rules = full.rules === '2.6.32' ? 26 : 6;
  const numbers = [
    rules,
    dma,
    normal,
    highmem,
    full.maxOrder,
    full.pageblockOrder,
    ...place,
    full.minFreeKbytes,
    liveMax,
    OPERATIONS,
    seed,
  ];
  return execFileSync(program, numbers.map(String), { encoding: 'utf8' }).trim().split('\n');
}

let folder = '';
let program: string | null = null;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'twin-'));
  const built = spawnSync('gcc', ['-O2', '-Wall', '-Wextra', '-Werror', '-o', join(folder, 'twin'), SOURCE], { encoding: 'utf8' });
  if (built.status === 0) program = join(folder, 'twin');
  else if (built.error) process.stderr.write('\nNO GCC HERE: the C twin is not built; its recorded hashes alone are compared with.\n');
  else throw new Error(`the C twin does not build:\n${built.stderr}`);
});
afterAll(() => rmSync(folder, { recursive: true }));

describe.each(GOLDEN)('$name', (shape) => {
  test.each(Object.entries(shape.hashes))('seed %s: the same lists, tags and reserves as the C twin', (seed, recorded) => {
    const lines = ours(shape, Number(seed));
    if (program !== null) expect(lines).toEqual(theirs(program, shape, Number(seed)));
    expect(lines.at(-1)).toBe(recorded);
  });
});
