/**
 * Allocation traces of real programs (CS:APP's malloc lab; only their requests are used): after every request blocks are aligned
 * and apart, realloc keeps what was there, and in the end what the trace says is live is live. Utilisation is printed.
 */
import { describe, expect, test } from 'vitest';
import { type Machine, call, createMachine } from '#kernel/machine.ts';
import { checkLibc } from '../helpers/check_libc.ts';
import { oracle } from './files.ts';

const TRACES = [
  'amptjp-bal',
  'binary-bal',
  'coalescing-bal',
  'corners',
  'ls',
  'random-bal',
  'realloc-bal',
  'short1-bal',
  'short1',
  'short2',
];
/** Bytes that mark the first and the last words of a block. */
const MARK = 4;

interface Play {
  machine: Machine;
  pid: number;
  live: Map<number, { addr: number; size: number }>;
  /** Blocks by address, to find overlaps. */
  byAddr: Map<number, number>;
  payload: number;
  peak: number;
  heapMax: number;
}

function ask(play: Play, request: Record<string, unknown>): Record<string, unknown> {
  const answer = call(play.machine, play.pid, request as { call: string });
  if (!answer.ok) throw new Error(`${JSON.stringify(request)} → ${JSON.stringify(answer)}`);
  return answer;
}

const markOf = (id: number, size: number): number[] => Array.from({ length: Math.min(MARK, size) }, (_, n) => (id * 31 + n * 7 + 1) % 256);

function mark(play: Play, id: number): void {
  const { addr, size } = play.live.get(id)!;
  if (size === 0) return;
  ask(play, { call: 'poke', addr, bytes: markOf(id, size) });
}

function expectMark(play: Play, id: number, addr: number, size: number): void {
  if (size === 0) return;
  const bytes = ask(play, { call: 'peek', addr, length: Math.min(MARK, size) }).bytes as number[];
  const wanted = markOf(id, size);
  if (bytes.some((byte, n) => byte !== wanted[n])) throw new Error(`block ${id} at ${addr} does not hold what was written`);
}

function take(play: Play, id: number, addr: number, size: number): void {
  if (addr % 16 !== 0) throw new Error(`block ${id} at ${addr} is not aligned`);
  if (play.byAddr.has(addr)) throw new Error(`block ${id} at ${addr} is block ${play.byAddr.get(addr)} too`);
  play.live.set(id, { addr, size });
  play.byAddr.set(addr, id);
  play.payload += size;
  play.peak = Math.max(play.peak, play.payload);
  play.heapMax = Math.max(play.heapMax, play.machine.tasks.get(play.pid)!.mm.totalVm * 4096);
  mark(play, id);
}

function drop(play: Play, id: number): void {
  const block = play.live.get(id);
  if (block === undefined) return;
  play.live.delete(id);
  play.byAddr.delete(block.addr);
  play.payload -= block.size;
}

function step(play: Play, line: string): void {
  const [op, first, second] = line.split(' ');
  const [id, size] = [Number(first), Number(second)];
  const held = play.live.get(id);
  if (op === 'a') take(play, id, ask(play, { call: 'malloc', size }).addr as number, size);
  if (op === 'f' && held !== undefined) {
    expectMark(play, id, held.addr, held.size);
    ask(play, { call: 'free', addr: held.addr });
    drop(play, id);
  }
  if (op === 'r') {
    const addr = ask(play, { call: 'realloc', addr: held?.addr ?? 0, size }).addr as number;
    if (held !== undefined && held.size >= MARK && size >= MARK) expectMark(play, id, addr, held.size);
    drop(play, id);
    if (size > 0) take(play, id, addr, size);
  }
}

/** No two live blocks overlap. */
function expectApart(play: Play): void {
  const blocks = [...play.live.values()].toSorted((a, b) => a.addr - b.addr);
  blocks.forEach((block, n) => {
    const next = blocks[n + 1];
    if (next !== undefined && block.addr + block.size > next.addr) throw new Error(`${block.addr} overlaps ${next.addr}`);
  });
}

interface Facts {
  peak: number;
  end: number;
}

const factsOf = (name: string): Facts => {
  const line = oracle('malloc-traces/trace_facts.tsv')
    .split('\n')
    .find((each) => each.startsWith(`${name}.rep\t`))!;
  const fields = line.split('\t');
  return { peak: Number(fields[6]), end: Number(fields[8]) };
};

describe.each(['i386', 'x86_64'])('malloc traces on %s', (arch) => {
  test.each(TRACES)('%s', (name) => {
    const machine = createMachine({
      frames: 32768,
      zones: { normal: 32768 },
      mobility: false,
      minFreeKbytes: 0,
      arch,
      overcommit: { mode: 1 },
    });
    const pid = call(machine, 0, { call: 'spawn' }) as unknown as { pid: number };
    const play: Play = { machine, pid: pid.pid, live: new Map(), byAddr: new Map(), payload: 0, peak: 0, heapMax: 0 };
    const lines = oracle(`malloc-traces/${name}.rep`).trim().split('\n').slice(4);
    lines.forEach((line, n) => {
      step(play, line.trim());
      if (n % 200 !== 0 && n < lines.length - 1) return;
      expectApart(play);
      checkLibc(machine);
    });
    const facts = factsOf(name);
    expect(play.peak).toBe(facts.peak);
    expect(play.payload).toBe(facts.end);
    const utilisation = play.peak / play.heapMax;
    expect(utilisation).toBeLessThanOrEqual(1);
    console.log(`${arch} ${name}: ${lines.length} requests, peak ${play.peak} bytes, utilisation ${(utilisation * 100).toFixed(1)} %`);
  });
});
