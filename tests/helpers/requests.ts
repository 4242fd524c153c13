/** One good request for each call of this kernel: what the tests of malformed and of all calls start from. */
import { type Call, type Machine, call } from '#kernel/machine.ts';
import { PAGE, PRIVATE, RW, bootFlat, granted, mmap, spawn } from './boot.ts';
import { VIRTUAL_CALLS, virtualStage, type VirtualStage } from './requests_virtual.ts';

/** What a good request may need to name. */
export interface Stage {
  machine: Machine;
  /** An ordinary process with two mapped pages at `addr`, a kernel block `pfn` of order 1, and a child. */
  pid: number;
  addr: number;
  pfn: number;
  child: number;
  virtual: VirtualStage;
}

export function stage(): Stage {
  const machine = bootFlat(1024, { maxFrames: 2048 });
  const pid = spawn(machine);
  const addr = mmap(machine, pid, 2);
  granted(machine, pid, { call: 'write', addr, length: 1 });
  const pfn = granted(machine, pid, { call: 'alloc_pages', order: 1, gfp: 'GFP_KERNEL' }).pfn!;
  const child = granted(machine, pid, { call: 'fork' }).pid!;
  return { machine, pid, addr, pfn, child, virtual: virtualStage(machine, pid) };
}

export interface GoodCall {
  call: string;
  /** Who makes it: the stage's process, or the kernel. */
  by: 'process' | 'kernel';
  args: (stage: Stage) => Record<string, unknown>;
  /** Arguments that may be left out. */
  optional?: string[];
  /** Values of the hostile table that are good for an argument here, with their JSON as key. */
  good?: Record<string, readonly unknown[]>;
}

/** Every call of this part of the kernel. A call that is missing here fails the test that reads the kernel's table. */
export const GOOD_CALLS: readonly GoodCall[] = [
  { call: 'alloc_pages', by: 'process', args: () => ({ order: 0, gfp: 'GFP_KERNEL' }) },
  { call: 'free_pages', by: 'process', args: ({ pfn }) => ({ pfn, order: 1 }) },
  { call: 'add_memory', by: 'kernel', args: () => ({ count: 8 }) },
  {
    call: 'mmap',
    by: 'process',
    args: () => ({ length: PAGE, prot: RW, flags: PRIVATE, fd: -1, offset: 0, addr: 0x50000000 }),
    optional: ['fd', 'offset', 'addr'],
    good: { fd: [-1] },
  },
  { call: 'munmap', by: 'process', args: ({ addr }) => ({ addr, length: PAGE }) },
  { call: 'brk', by: 'process', args: () => ({ addr: 0x0804e000 }) },
  { call: 'sbrk', by: 'process', args: () => ({ increment: PAGE }), good: { increment: [-1] } },
  { call: 'setrlimit', by: 'process', args: () => ({ resource: 'RLIMIT_AS', limit: 1 << 30 }), good: { limit: [-1] } },
  { call: 'read', by: 'process', args: ({ addr }) => ({ addr, length: 1 }) },
  { call: 'write', by: 'process', args: ({ addr }) => ({ addr, length: 1, value: 7 }), optional: ['value'] },
  { call: 'exec', by: 'process', args: ({ addr }) => ({ addr }) },
  { call: 'peek', by: 'process', args: ({ addr }) => ({ addr, length: 1 }) },
  { call: 'poke', by: 'process', args: ({ addr }) => ({ addr, bytes: [1, 2, 3] }) },
  { call: 'spawn', by: 'kernel', args: () => ({}) },
  { call: 'fork', by: 'process', args: () => ({}) },
  { call: 'exit', by: 'process', args: () => ({ code: 0 }), optional: ['code'] },
  { call: 'kill', by: 'process', args: ({ child }) => ({ target: child, sig: 9 }) },
  { call: 'oom_score_adj', by: 'process', args: ({ child }) => ({ target: child, value: 100 }), good: { value: [-1] } },
  { call: 'cat', by: 'process', args: () => ({ path: '/proc/meminfo' }) },
  ...VIRTUAL_CALLS,
];

export function requestOf(good: GoodCall, at: Stage): { pid: number; request: Call } {
  return { pid: good.by === 'kernel' ? 0 : at.pid, request: { call: good.call, ...good.args(at) } };
}

export function make(good: GoodCall, at: Stage) {
  const { pid, request } = requestOf(good, at);
  return call(at.machine, pid, request);
}
