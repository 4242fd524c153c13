/**
 * P6, free list: 10,000 requests of a random mix on one free list, by our calls and by OSTEP's simulator (malloc.py). The simulator is
 * not ours to hand out: OSTEP=FOLDER names a checkout of ostep-homework; without it, or without python3, only our side is measured.
 */
import { type Machine, call, createMachine } from '#kernel/machine.ts';
import { median, timed, type Row } from './measure.ts';
import { ostepProgram, runPython } from './ostep.ts';
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

function optionsOf(requests: number, isSolved: boolean): string {
  return `-n ${requests} -S ${HEAP} -r ${SIZE_MAX} -p BEST -l ADDRSORT${isSolved ? ' -c' : ''}`;
}

/** Without the start of Python. */
function playTheirs(program: string, isSolved: boolean): number | null {
  const start = runPython(program, optionsOf(1, isSolved));
  const whole = runPython(program, optionsOf(REQUESTS, isSolved));
  return start === null || whole === null ? null : Math.max(0, whole.ms - start.ms);
}

export function measureFreelist(rounds: number): Row {
  const program = ostepProgram('vm-freespace', 'malloc.py');
  for (let n = 0; n < 8; n++) playOurs();
  const [ours, plain, solved, ratios]: [number[], number[], number[], number[]] = [[], [], [], []];
  for (let n = 0; n < rounds; n++) {
    const mine = playOurs();
    ours.push(mine);
    const theirs = program === null ? null : playTheirs(program, false);
    const printed = program === null ? null : playTheirs(program, true);
    if (theirs === null || printed === null) continue;
    plain.push(theirs);
    solved.push(printed);
    ratios.push((mine / printed) * 1000);
  }
  const each = `ours ${((median(ours) / REQUESTS) * 1e6).toFixed(0)} ns a request`;
  const note =
    ratios.length > 0
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
