/**
 * P6, free list: 10,000 requests of a random mix on one free list, by our calls and by OSTEP's simulator (malloc.py). The simulator is
 * not ours to hand out: OSTEP=FOLDER names a checkout of ostep-homework; without it, or without python3, only our side is measured.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Machine, call, createMachine } from '#kernel/machine.ts';
import { median, timed, type Row } from './measure.ts';
import { picker } from '../helpers/seeds.ts';

const REQUESTS = 10_000;
const HEAP = 100_000;
const SIZE_MAX = 100;

function boot(): Machine {
  const heap = { base: 1000, size: HEAP };
  const libc = { allocator: 'list', fit: 'best', order: 'address', coalesce: false, header: 0, align: 1, heap };
  return createMachine({ frames: 256, zones: { normal: 256 }, mobility: false, minFreeKbytes: 0, libc });
}

/** Half of them allocate, half free one of what is held, as malloc.py makes them. */
function playRequests(machine: Machine): void {
  const pick = picker(1);
  const held: number[] = [];
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
}

/** Milliseconds of processor time. */
function playOurs(): number {
  const machine = boot();
  call(machine, 0, { call: 'spawn' });
  return timed(() => playRequests(machine)) / 1e6;
}

/** Milliseconds of processor time, by the shell's `times`. */
function runPython(program: string, requests: number, isSolved: boolean): number | null {
  const options = `-n ${requests} -S ${HEAP} -r ${SIZE_MAX} -p BEST -l ADDRSORT${isSolved ? ' -c' : ''}`;
  const { status, stdout } = spawnSync('sh', ['-c', `python3 "$0" ${options} > /dev/null && times`, program], { encoding: 'utf8' });
  const children = /\n(\d+)m([\d.]+)s (\d+)m([\d.]+)s/.exec(stdout);
  if (status !== 0 || children === null) return null;
  return (Number(children[1]) * 60 + Number(children[2]) + Number(children[3]) * 60 + Number(children[4])) * 1000;
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
  for (let n = 0; n < 8; n++) playOurs();
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
