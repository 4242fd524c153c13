/** Random calls on areas that are there: other rights, other sizes, locks, advice; ranges that start and end anywhere. */
import type { Machine } from '#kernel/machine.ts';
import { one, someOf, type Makers, type Pick } from './chance.ts';
import { PAGE } from './check_base.ts';
import type { Step } from './fuzz.ts';

/** A page of the process, mostly within an area, sometimes just outside. */
function somePlace(machine: Machine, pid: number, pick: Pick): number {
  const vmas = machine.tasks.get(pid)?.mm.vmas ?? [];
  if (vmas.length === 0 || pick(40) === 0) return one([0, 0x08048000, 0x40000000, 0xb8000000, 0xbffff000], pick);
  const vma = one(vmas, pick);
  const page = vma.start + pick((vma.end - vma.start) / PAGE) * PAGE;
  return one([vma.start, vma.start, page, page, vma.end - PAGE, pick(8) === 0 ? vma.end : page], pick);
}

const someLength = (pick: Pick): number => pick(one([2, 6, 6, 30, 300], pick)) * PAGE + (pick(6) === 0 ? pick(PAGE) : PAGE);
const PROTS = ['PROT_NONE', 'PROT_READ', 'PROT_READ|PROT_WRITE', 'PROT_READ|PROT_WRITE', 'PROT_READ|PROT_EXEC', 'PROT_WRITE'];
const ADVICES = ['MADV_DONTNEED', 'MADV_DONTNEED', 'MADV_FREE', 'MADV_COLD', 'MADV_WILLNEED'];

/** An area or a part of one, to be smaller or larger, seldom with a wrong length. */
function remap(machine: Machine, pid: number, pick: Pick): Step {
  const vmas = machine.tasks.get(pid)?.mm.vmas ?? [];
  const addr = somePlace(machine, pid, pick);
  const vma = vmas.find((each) => each.start <= addr && addr < each.end);
  const rest = vma === undefined ? PAGE : vma.end - addr;
  const old_length = pick(12) === 0 ? pick(8) * PAGE : pick(4) === 0 ? PAGE : rest;
  const new_length = Math.max(
    0,
    one([old_length + pick(20) * PAGE, old_length + PAGE, old_length - pick(4) * PAGE, pick(20) * PAGE], pick),
  );
  return { pid, call: 'mremap', addr, old_length, new_length, ...(pick(4) === 0 ? {} : { flags: 'MREMAP_MAYMOVE' }) };
}

const someSegment = (machine: Machine, pick: Pick): number => one([...machine.ipc.segments.keys(), 0, 99], pick);

/** Where the process has attached something, or any of its places. */
function someAttach(machine: Machine, pid: number, pick: Pick): number {
  const mine = (machine.tasks.get(pid)?.mm.vmas ?? []).filter(({ shm }) => shm !== 0 && machine.shm.get(shm)!.segment >= 0);
  if (mine.length === 0 || pick(10) === 0) return somePlace(machine, pid, pick);
  const vma = one(mine, pick);
  return vma.start - vma.pgoff * PAGE >= 0 ? vma.start - vma.pgoff * PAGE : vma.start;
}

const VMA_MAKERS: Makers = [
  [
    12,
    (machine, pid, pick) => ({
      pid,
      call: 'mprotect',
      addr: somePlace(machine, pid, pick) + (pick(60) === 0 ? 1 : 0),
      length: someLength(pick),
      prot: one(PROTS, pick),
    }),
  ],
  [10, remap],
  [
    3,
    (_m, pid, pick) => ({
      pid,
      call: 'shmget',
      key: pick(5),
      size: pick(12) === 0 ? 0 : 1 + pick(one([2, 9, 40], pick)) * PAGE,
      ...(pick(3) === 0 ? {} : { shmflg: one(['IPC_CREAT', 'IPC_CREAT', 'IPC_CREAT|IPC_EXCL', 'IPC_EXCL'], pick) }),
    }),
  ],
  [
    6,
    (machine, pid, pick) => ({
      pid,
      call: 'shmat',
      shmid: someSegment(machine, pick),
      ...(pick(3) === 0 ? { addr: somePlace(machine, pid, pick) } : {}),
      ...(pick(3) === 0 ? { shmflg: 'SHM_RDONLY' } : {}),
    }),
  ],
  [4, (machine, pid, pick) => ({ pid, call: 'shmdt', addr: someAttach(machine, pid, pick) })],
  [
    3,
    (machine, pid, pick) => ({
      pid: one([0, pid], pick),
      call: 'shmctl',
      shmid: someSegment(machine, pick),
      cmd: one(['IPC_STAT', 'IPC_RMID', 'IPC_RMID'], pick),
    }),
  ],
  [1, (_m, pid, pick) => ({ pid, call: 'cat', path: `/proc/${pid}/${one(['pagemap', 'maps', 'smaps'], pick)}` })],
  [1, (machine, pid, pick) => ({ pid, call: 'execve', path: one([...(machine.disk?.paths.keys() ?? []), '/none'], pick) })],
  [1, (_m, pid) => ({ pid, call: 'run', argv: ['pmap', '-x', String(pid)] })],
  [4, (machine, pid, pick) => ({ pid, call: 'mlock', addr: somePlace(machine, pid, pick) + pick(2), length: someLength(pick) })],
  [3, (machine, pid, pick) => ({ pid, call: 'munlock', addr: somePlace(machine, pid, pick), length: someLength(pick) })],
  [
    6,
    (machine, pid, pick) => ({
      pid,
      call: 'madvise',
      addr: somePlace(machine, pid, pick),
      length: someLength(pick),
      advice: one(ADVICES, pick),
    }),
  ],
];

/** One of them. */
export const someArea = someOf(VMA_MAKERS);
