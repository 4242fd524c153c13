/** P3 in heavy reclaim: 40 processes whose pages do not fit, a file that is read and written, swap that takes the rest. */
import { type Granted, type Machine, call, createMachine, tick } from '#kernel/machine.ts';
import { random32 } from '#kernel/rng.ts';
import { median, timed, type Row } from './measure.ts';

const PAGE = 4096;
const PROCESSES = 40;
const TICKS = 60;
/** Pages of each process: 40 × 160 on 4,096 frames. */
const PAGES = 160;
const FILE_PAGES = 8192;

interface Player {
  pid: number;
  addr: number;
  fd: number;
}

function start(machine: Machine): Player[] {
  return Array.from({ length: PROCESSES }, () => {
    const { pid } = call(machine, 0, { call: 'spawn' }) as Granted;
    const map = { call: 'mmap', length: PAGES * PAGE, prot: 'PROT_READ|PROT_WRITE', flags: 'MAP_PRIVATE|MAP_ANONYMOUS' };
    const { addr } = call(machine, pid!, map) as Granted;
    const { fd } = call(machine, pid!, { call: 'open', path: '/file' }) as Granted;
    return { pid: pid!, addr: addr as number, fd: fd as number };
  });
}

/** A tick of thrashing: nearly every touch finds its page gone. */
function thrash(machine: Machine, players: readonly Player[], state: { rng: number }): void {
  for (let n = 0; n < 600; n++) {
    const { pid, addr, fd } = players[random32(state) % PROCESSES]!;
    const page = random32(state) % (PAGES - 8);
    const draw = random32(state) % 10;
    if (draw < 8) call(machine, pid, { call: draw < 4 ? 'write' : 'read', addr: addr + page * PAGE, length: 8 * PAGE });
    else call(machine, pid, { call: draw === 8 ? 'pread' : 'pwrite', fd, offset: (random32(state) % FILE_PAGES) * PAGE, length: 4 * PAGE });
  }
  tick(machine);
}

export function measureReclaim(rounds: number): Row {
  const ratios: number[] = [];
  let note = '';
  for (let round = 0; round <= rounds; round++) {
    const disk = { files: [{ path: '/file', bytes: FILE_PAGES * PAGE }] };
    const machine = createMachine({ frames: 4096, mobility: false, swap: { slots: 16384 }, disk });
    const players = start(machine);
    const state = { rng: 7 + round };
    const times = Array.from({ length: TICKS }, () => timed(() => thrash(machine, players, state)));
    const { majFlt } = [...machine.tasks.values()].reduce((sum, task) => ({ majFlt: sum.majFlt + task.majFlt }), { majFlt: 0 });
    note = `${PROCESSES} processes of ${PAGES} pages on 4,096 frames; ${Math.round(majFlt / TICKS)} major faults a tick`;
    if (round > 0) ratios.push(Math.max(...times) / Math.max(1, median(times)));
  }
  return {
    id: 'P3r',
    what: 'heavy reclaim: worst tick ÷ median tick',
    value: median(ratios),
    unit: '×',
    must: 50,
    stretch: 20,
    note,
    rounds: ratios,
  };
}
