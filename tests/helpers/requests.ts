/** One good request for each call of this kernel: what the tests of malformed and of all calls start from. */
import { type Call, type Machine, call } from '#kernel/machine.ts';
import { PAGE, PRIVATE, RW, bootFlat, granted, mmap, spawn } from './boot.ts';
import { MMU_CALLS } from './requests_mmu.ts';
import { LIBC_CALLS, libcStage } from './requests_libc.ts';
import { FILE_CALLS, fileStage, type FileStage } from './requests_file.ts';
import { OOM_CALLS } from './requests_oom.ts';
import { SLAB_CALLS, slabStage, type SlabStage } from './requests_slab.ts';
import { SHM_CALLS, shmStage, type ShmStage } from './requests_shm.ts';
import { SMART_CALLS, smartStage, type SmartStage } from './requests_smart.ts';
import { THREAD_CALLS, threadStage, type ThreadStage } from './requests_thread.ts';
import { VMA_CALLS } from './requests_vma.ts';
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
  slab: SlabStage;
  shm: ShmStage;
  file: FileStage;
  /** A run of two frames from cma_alloc. */
  run: number;
  thread: ThreadStage;
  smart: SmartStage;
  /** What malloc gave the process. */
  block: number;
}

export function stage(): Stage {
  const machine = bootFlat(1024, {
    maxFrames: 2048,
    mobility: true,
    pageblockOrder: 4,
    cma: { frames: 64 },
    disk: {
      files: [
        { path: '/file', bytes: 40960 },
        { path: '/program', bytes: 8192, text: 5000, data: 100, bss: 200 },
      ],
    },
    swap: { slots: 64 },
  });
  const pid = spawn(machine);
  const addr = mmap(machine, pid, 2);
  granted(machine, pid, { call: 'write', addr, length: 1 });
  const pfn = granted(machine, pid, { call: 'alloc_pages', order: 1, gfp: 'GFP_KERNEL' }).pfn!;
  const child = granted(machine, pid, { call: 'fork' }).pid!;
  granted(machine, pid, { call: 'pin_user_pages', addr, length: 1 });
  const run = granted(machine, pid, { call: 'cma_alloc', count: 2 }).pfn!;
  const block = libcStage(machine, pid);
  return {
    machine,
    pid,
    addr,
    pfn,
    child,
    run,
    block,
    virtual: virtualStage(machine, pid),
    slab: slabStage(machine, pid),
    file: fileStage(machine, pid),
    shm: shmStage(machine, pid),
    thread: threadStage(machine, pid, addr),
    smart: smartStage(machine, pid, addr),
  };
}

/** A machine that has just booted: for the call that only boot may make. */
export function stageOf(good: GoodCall): Stage {
  if (good.swapOff) {
    const at = stage();
    granted(at.machine, 0, { call: 'swapoff' });
    return at;
  }
  if (!good.atBoot) return stage();
  const none = { area: 0, io: 0, buffer: 0 };
  const slab = { object: 0, cache: 0, empty: 0, item: 0, pool: 0, element: 0 };
  return {
    machine: bootFlat(1024),
    pid: 0,
    addr: 0,
    pfn: 0,
    child: 0,
    run: 0,
    block: 0,
    virtual: none,
    slab,
    file: { fd: 0 },
    shm: { shmid: 0, at: 0 },
    thread: { ended: 0, mutex: 0 },
    smart: { shared: 0, weak: 0, unique: 0, empty: 0 },
  };
}

export interface GoodCall {
  call: string;
  /** Who makes it: the stage's process, or the kernel. */
  by: 'process' | 'kernel';
  args: (stage: Stage) => Record<string, unknown>;
  /** An argument that is free text: any word is well formed, whatever the answer. */
  text?: string;
  /** Only on a machine that nothing has happened to. */
  atBoot?: boolean;
  /** Only on a machine whose swap is off. */
  swapOff?: boolean;
  /** Arguments that may be left out. */
  optional?: string[];
  /** Values of the hostile table that are good for an argument here, with their JSON as key. */
  good?: Record<string, readonly unknown[]>;
}

/** Every call of this part of the kernel. A call that is missing here fails the test that reads the kernel's table. */
export const GOOD_CALLS: readonly GoodCall[] = [
  { call: 'alloc_pages', by: 'process', args: () => ({ order: 0, gfp: 'GFP_KERNEL' }) },
  { call: 'free_pages', by: 'process', args: ({ pfn }) => ({ pfn, order: 1 }) },
  { call: 'alloc_bootmem', by: 'kernel', atBoot: true, args: () => ({ bytes: PAGE }) },
  { call: 'cma_alloc', by: 'process', args: () => ({ count: 2, align: 1 }), optional: ['align'] },
  { call: 'cma_release', by: 'process', args: ({ run }) => ({ pfn: run, count: 2 }) },
  { call: 'pin_user_pages', by: 'process', args: ({ addr }) => ({ addr, length: PAGE }) },
  { call: 'unpin_user_pages', by: 'process', args: ({ addr }) => ({ addr, length: PAGE }) },
  { call: 'sysctl', by: 'kernel', args: () => ({ name: 'vm.overcommit_ratio', value: 60 }) },
  { call: 'sysrq', by: 'kernel', args: () => ({ key: 'm' }) },
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
  { call: 'execve', by: 'process', text: 'path', args: () => ({ path: '/program' }) },
  { call: 'exit', by: 'process', args: () => ({ code: 0 }), optional: ['code'] },
  { call: 'kill', by: 'process', args: ({ child }) => ({ target: child, sig: 9 }) },
  { call: 'cat', by: 'process', text: 'path', args: () => ({ path: '/proc/meminfo' }) },
  ...LIBC_CALLS,
  ...THREAD_CALLS,
  ...SMART_CALLS,
  ...FILE_CALLS,
  ...VMA_CALLS,
  ...SHM_CALLS,
  ...VIRTUAL_CALLS,
  ...MMU_CALLS,
  ...SLAB_CALLS,
  ...OOM_CALLS,
];

export function requestOf(good: GoodCall, at: Stage): { pid: number; request: Call } {
  return { pid: good.by === 'kernel' ? 0 : at.pid, request: { call: good.call, ...good.args(at) } };
}

export function make(good: GoodCall, at: Stage) {
  const { pid, request } = requestOf(good, at);
  return call(at.machine, pid, request);
}
