/**
 * P6, free list: 10,000 requests of a random mix on one free list, by our calls and by OSTEP's simulator (malloc.py). The simulator is
 * not ours to hand out: OSTEP=FOLDER names a checkout of ostep-homework; without it, or without python3, only our side is measured.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Machine, call, createMachine } from '#kernel/machine.ts';
import { median, type Row } from './measure.ts';
import { picker } from '../helpers/seeds.ts';

const REQUESTS = 10_000;
const HEAP = 100_000;
const SIZE_MAX = 100;

function boot(): Machine {
  const heap = { base: 1000, size: HEAP };
  const libc = { allocator: 'list', fit: 'best', order: 'address', coalesce: false, header: 0, align: 1, heap };
  return createMachine({ frames: 256, zones: { normal: 256 }, mobility: false, minFreeKbytes: 0, libc });
}

/** Half of them allocate, half free one of what is held, as malloc.py makes them. Milliseconds. */
function playOurs(): number {
  const machine = boot();
  call(machine, 0, { call: 'spawn' });
  const pick = picker(1);
  const held: number[] = [];
  const start = process.hrtime.bigint();
  for (let n = 0; n < REQUESTS;) {
    if (pick(2) === 0) {
      const answer = call(machine, 2, { call: 'malloc', size: 1 + pick(SIZE_MAX) });
      if (answer.ok) held.push(answer.addr as number);
      n += 1;
    } else if (held.length > 0) {
      const index = pick(held.length);
      call(machine, 2, { call: 'free', addr: held[index]! });
      held.splice(index, 1);
      n += 1;
    }
  }
  return Number(process.hrtime.bigint() - start) / 1e6;
}

function runPython(program: string, requests: number, isSolved: boolean): number | null {
  const args = [program, '-n', String(requests), '-S', String(HEAP), '-r', String(SIZE_MAX), '-p', 'BEST', '-l', 'ADDRSORT'];
  const start = process.hrtime.bigint();
  const { status } = spawnSync('python3', isSolved ? [...args, '-c'] : args, { stdio: 'ignore' });
  return status === 0 ? Number(process.hrtime.bigint() - start) / 1e6 : null;
}

/** Without the start of Python. */
function playTheirs(program: string, isSolved: boolean): number | null {
  const start = runPython(program, 1, isSolved);
  const whole = runPython(program, REQUESTS, isSolved);
  return start === null || whole === null ? null : Math.max(0, whole - start);
}

export function measureFreelist(rounds: number): Row {
  const program = process.env.OSTEP === undefined ? '' : join(process.env.OSTEP, 'vm-freespace', 'malloc.py');
  const isThere = program !== '' && existsSync(program);
  playOurs();
  const [ours, plain, solved, ratios]: [number[], number[], number[], number[]] = [[], [], [], []];
  for (let n = 0; n < rounds; n++) {
    const mine = playOurs();
    ours.push(mine);
    const theirs = isThere ? playTheirs(program, false) : null;
    const printed = isThere ? playTheirs(program, true) : null;
    if (theirs === null || printed === null) continue;
    plain.push(theirs);
    solved.push(printed);
    ratios.push((mine / printed) * 1000);
  }
  const each = `ours ${((median(ours) / REQUESTS) * 1e6).toFixed(0)} ns a request`;
  const note =
    isThere && ratios.length > 0
      ? `${each}; theirs ÷ ours: ${(median(solved) / median(ours)).toFixed(0)} with its answers, ${(median(plain) / median(ours)).toFixed(0)} without printing lists`
      : `${each}; OSTEP=FOLDER with vm-freespace/malloc.py and python3 are needed for the other side`;
  return {
    id: 'P6f',
    what: `free list, ${REQUESTS} requests: our time ÷ OSTEP's simulator`,
    value: ratios.length > 0 ? median(ratios) : null,
    unit: '‰',
    must: 1,
    stretch: 1,
    note,
    rounds: ratios,
  };
}
