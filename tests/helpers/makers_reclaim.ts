/** Random calls on files: opened, read, written, mapped in all kinds, written back, closed; right and wrong. */
import type { Machine } from '#kernel/machine.ts';
import { one, someOf, type Makers, type Pick } from './chance.ts';
import { PAGE } from './check_base.ts';
import type { Step } from './fuzz.ts';

const FLAGS = ['O_RDONLY', 'O_RDWR', 'O_RDWR', 'O_WRONLY'];
const PROTS = ['PROT_READ', 'PROT_READ|PROT_WRITE', 'PROT_READ|PROT_WRITE', 'PROT_READ|PROT_EXEC', 'PROT_NONE'];
const KINDS = ['MAP_PRIVATE', 'MAP_SHARED', 'MAP_SHARED', 'MAP_PRIVATE|MAP_POPULATE'];

function someFd(machine: Machine, pid: number, pick: Pick): number {
  const fds = [...(machine.tasks.get(pid)?.files.keys() ?? [])];
  return fds.length > 0 && pick(15) > 0 ? one(fds, pick) : pick(9);
}

function somePath(machine: Machine, pick: Pick): string {
  const paths = [...(machine.disk?.paths.keys() ?? [])];
  return paths.length > 0 && pick(12) > 0 ? one(paths, pick) : '/none';
}

/** A place in the file, sometimes behind its end. */
function someOffset(machine: Machine, pid: number, fd: number, pick: Pick): number {
  const file = machine.tasks.get(pid)?.files.get(fd);
  const bytes = file === undefined ? PAGE : machine.disk!.inodes.get(file.ino)!.bytes;
  return pick(Math.min(bytes, 300 * PAGE) + (pick(10) === 0 ? 3 * PAGE : 1));
}

function readOrWrite(machine: Machine, pid: number, pick: Pick): Step {
  const fd = someFd(machine, pid, pick);
  const offset = someOffset(machine, pid, fd, pick);
  const length = pick(one([100, PAGE, 12 * PAGE], pick));
  return { pid, call: one(['pread', 'pread', 'pwrite'], pick), fd, offset: pick(2) === 0 ? offset : offset - (offset % PAGE), length };
}

function mapFile(machine: Machine, pid: number, pick: Pick): Step {
  const fd = someFd(machine, pid, pick);
  const offset = someOffset(machine, pid, fd, pick);
  const length = 1 + pick(24 * PAGE);
  return { pid, call: 'mmap', length, prot: one(PROTS, pick), flags: one(KINDS, pick), fd, offset: offset - (offset % PAGE) };
}

/** A whole area, so that memory gets short. */
function touchMuch(machine: Machine, pid: number, pick: Pick): Step {
  const vmas = machine.tasks.get(pid)?.mm.vmas ?? [];
  if (vmas.length === 0) return { pid, call: 'sbrk', increment: 20 * PAGE };
  const vma = one(vmas, pick);
  return { pid, call: one(['read', 'write', 'write'], pick), addr: vma.start, length: Math.min(vma.end - vma.start, 120 * PAGE) };
}

/** A whole area locked, or no longer: its pages change their list. */
function lockMuch(machine: Machine, pid: number, pick: Pick): Step {
  const vmas = machine.tasks.get(pid)?.mm.vmas ?? [];
  if (vmas.length === 0) return { pid, call: 'sbrk', increment: PAGE };
  const { start, end } = one(vmas, pick);
  return { pid, call: one(['mlock', 'munlock'], pick), addr: start, length: Math.min(end - start, 30 * PAGE) };
}

const SHARED = { prot: 'PROT_READ|PROT_WRITE', flags: 'MAP_SHARED|MAP_ANONYMOUS' };

const MAKERS: Makers = [
  [1, (_machine, pid, pick) => ({ pid, call: 'mmap', length: (1 + pick(40)) * PAGE, ...SHARED })],
  [1, lockMuch],
  // In vain, as often as not: kswapd hears of the order.
  [1, (_machine, pid, pick) => ({ pid, call: 'alloc_pages', order: 2 + pick(4), gfp: 'GFP_ATOMIC' })],
  [
    4,
    (machine, pid, pick) => ({ pid, call: 'open', path: somePath(machine, pick), ...(pick(3) === 0 ? {} : { flags: one(FLAGS, pick) }) }),
  ],
  [7, readOrWrite],
  [5, mapFile],
  [1, (machine, pid, pick) => ({ pid, call: 'fsync', fd: someFd(machine, pid, pick) })],
  [
    2,
    (_machine, pid, pick) => ({
      pid: pick(3) * pid,
      call: 'sysctl',
      name: one(['vm.drop_caches', 'vm.swappiness', 'vm.dirty_ratio', 'vm.dirty_background_ratio', 'vm.dirty_expire_centisecs'], pick),
      value: pick(pick(3) === 0 ? 201 : 5),
    }),
  ],
  [1, (_machine, pid, pick) => ({ pid: pick(2) * pid, call: one(['swapon', 'swapon', 'swapoff'], pick) })],
  [4, (machine, pid, pick) => touchMuch(machine, pid, pick)],
  [
    1,
    (machine, pid, pick) => ({
      pid,
      call: 'transfer',
      fd: someFd(machine, pid, pick),
      offset: pick(50 * PAGE),
      count: pick(20 * PAGE),
      method: one(['read+write', 'mmap+write', 'sendfile', 'sendfile+gather', 'splice'], pick),
    }),
  ],
  [1, (machine, pid, pick) => ({ pid, call: 'close', fd: someFd(machine, pid, pick) })],
];
const someMaker = someOf(MAKERS);

export function someFile(machine: Machine, pid: number, pick: Pick): Step {
  if (machine.disk === null && machine.swap === null && pick(20) > 0) return { pid, call: 'sbrk', increment: pick(2 * PAGE) };
  return someMaker(machine, pid, pick);
}
