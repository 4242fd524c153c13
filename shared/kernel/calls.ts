/**
 * The table of calls (calls.md): their arguments, who may make them, and what runs. Rooms, bots, levels, replays and
 * the headless machine all go through it; adding a call is adding a row.
 */
import type { Arguments } from './args.ts';
import { BadArgument } from './args.ts';
import { wayOf, type Way } from './kernel/entry.ts';
import * as access from './sys/access.ts';
import * as admin from './sys/admin.ts';
import * as contig from './sys/contig.ts';
import * as crossing from './sys/crossing.ts';
import * as dma from './sys/dma.ts';
import * as byteorder from './sys/byteorder.ts';
import * as heap from './sys/heap.ts';
import * as libc from './sys/libc.ts';
import * as file from './sys/file.ts';
import * as exec from './sys/exec.ts';
import * as look from './sys/look.ts';
import * as mm from './sys/mm.ts';
import * as mempool from './sys/mempool.ts';
import * as pages from './sys/pages.ts';
import * as pool from './sys/pool.ts';
import * as process from './sys/process.ts';
import * as vma from './sys/vma.ts';
import * as virt from './sys/virt.ts';
import * as thread from './sys/thread.ts';
import * as word from './sys/word.ts';
import * as smart from './sys/smart.ts';
import * as swap from './sys/swap.ts';
import * as run from './sys/run.ts';
import * as segment from './sys/segment.ts';
import * as shm from './sys/shm.ts';
import * as slab from './sys/slab.ts';
import * as translate from './sys/translate.ts';
import type { Answer, Call, Machine, Task, Why } from './types.ts';

export interface CallSpec {
  /** `any`; `kernel`: pid 0 only; `process`: needs an address space, so not pid 0. */
  readonly who: 'any' | 'kernel' | 'process';
  /** In the order in which `run` takes them. */
  readonly args: Arguments;
  readonly run: (machine: Machine, task: never, ...args: never[]) => Answer;
}

const none = {};

export const CALLS = {
  alloc_pages: { who: 'any', args: pages.allocPagesArgs, run: pages.sysAllocPages },
  free_pages: { who: 'any', args: pages.freePagesArgs, run: pages.sysFreePages },
  alloc_bootmem: { who: 'kernel', args: contig.allocBootmemArgs, run: contig.sysAllocBootmem },
  cma_alloc: { who: 'any', args: contig.cmaAllocArgs, run: contig.sysCmaAlloc },
  cma_release: { who: 'any', args: contig.cmaReleaseArgs, run: contig.sysCmaRelease },
  pin_user_pages: { who: 'process', args: contig.pinArgs, run: contig.sysPinUserPages },
  unpin_user_pages: { who: 'process', args: contig.pinArgs, run: contig.sysUnpinUserPages },
  vmalloc: { who: 'any', args: virt.vmallocArgs, run: virt.sysVmalloc },
  vfree: { who: 'any', args: virt.addrArgs, run: virt.sysVfree },
  ioremap: { who: 'any', args: virt.physRangeArgs, run: virt.sysIoremap },
  iounmap: { who: 'any', args: virt.addrArgs, run: virt.sysIounmap },
  request_mem_region: { who: 'any', args: virt.physRangeArgs, run: virt.sysRequestMemRegion },
  kmap: { who: 'any', args: virt.pfnArgs, run: virt.sysKmap },
  kunmap: { who: 'any', args: virt.pfnArgs, run: virt.sysKunmap },
  kmap_atomic: { who: 'any', args: virt.pfnArgs, run: virt.sysKmapAtomic },
  kunmap_atomic: { who: 'any', args: virt.addrArgs, run: virt.sysKunmapAtomic },
  dma_alloc_coherent: { who: 'any', args: dma.dmaAllocArgs, run: dma.sysDmaAllocCoherent },
  dma_free_coherent: { who: 'any', args: dma.dmaFreeArgs, run: dma.sysDmaFreeCoherent },
  dma_transfer: { who: 'any', args: dma.dmaTransferArgs, run: dma.sysDmaTransfer },
  sysctl: { who: 'any', args: admin.sysctlArgs, run: admin.sysSysctl },
  sysrq: { who: 'any', args: admin.sysrqArgs, run: admin.sysSysrq },
  add_memory: { who: 'kernel', args: pages.addMemoryArgs, run: pages.sysAddMemory },
  mmap: { who: 'process', args: mm.mmapArgs, run: mm.sysMmap },
  munmap: { who: 'process', args: mm.munmapArgs, run: mm.sysMunmap },
  mprotect: { who: 'process', args: vma.mprotectArgs, run: vma.sysMprotect },
  mremap: { who: 'process', args: vma.mremapArgs, run: vma.sysMremap },
  mlock: { who: 'process', args: vma.rangeArgs, run: vma.sysMlock },
  munlock: { who: 'process', args: vma.rangeArgs, run: vma.sysMunlock },
  madvise: { who: 'process', args: vma.madviseArgs, run: vma.sysMadvise },
  shmget: { who: 'process', args: shm.shmgetArgs, run: shm.sysShmget },
  shmat: { who: 'process', args: shm.shmatArgs, run: shm.sysShmat },
  shmdt: { who: 'process', args: shm.shmdtArgs, run: shm.sysShmdt },
  shmctl: { who: 'any', args: shm.shmctlArgs, run: shm.sysShmctl },
  brk: { who: 'process', args: mm.brkArgs, run: mm.sysBrk },
  sbrk: { who: 'process', args: mm.sbrkArgs, run: mm.sysSbrk },
  setrlimit: { who: 'process', args: mm.setrlimitArgs, run: mm.sysSetrlimit },
  read: { who: 'process', args: access.readArgs, run: access.sysRead },
  write: { who: 'process', args: access.writeArgs, run: access.sysWrite },
  exec: { who: 'process', args: access.execArgs, run: access.sysExec },
  peek: { who: 'process', args: access.peekArgs, run: access.sysPeek },
  poke: { who: 'process', args: access.pokeArgs, run: access.sysPoke },
  load: { who: 'process', args: word.loadArgs, run: word.sysLoad },
  add: { who: 'process', args: word.addArgs, run: word.sysAdd },
  store: { who: 'process', args: word.storeArgs, run: word.sysStore },
  xadd: { who: 'process', args: word.xaddArgs, run: word.sysXadd },
  cmpxchg: { who: 'process', args: word.cmpxchgArgs, run: word.sysCmpxchg },
  make_shared: { who: 'process', args: smart.makeSharedArgs, run: smart.sysMakeShared },
  shared_ptr_copy: { who: 'process', args: smart.twoArgs, run: smart.sysSharedCopy },
  shared_ptr_move: { who: 'process', args: smart.twoArgs, run: smart.sysSharedMove },
  shared_ptr_reset: { who: 'process', args: smart.resetArgs, run: smart.sysSharedReset },
  weak_ptr_copy: { who: 'process', args: smart.twoArgs, run: smart.sysWeakCopy },
  weak_ptr_lock: { who: 'process', args: smart.twoArgs, run: smart.sysWeakLock },
  weak_ptr_reset: { who: 'process', args: smart.atArgs, run: smart.sysWeakReset },
  make_unique: { who: 'process', args: smart.makeUniqueArgs, run: smart.sysMakeUnique },
  unique_ptr_move: { who: 'process', args: smart.twoArgs, run: smart.sysUniqueMove },
  unique_ptr_reset: { who: 'process', args: smart.resetArgs, run: smart.sysUniqueReset },
  pthread_create: { who: 'process', args: thread.createArgs, run: thread.sysPthreadCreate },
  pthread_exit: { who: 'process', args: none, run: thread.sysPthreadExit },
  pthread_join: { who: 'process', args: thread.joinArgs, run: thread.sysPthreadJoin },
  pthread_mutex_lock: { who: 'process', args: thread.mutexArgs, run: thread.sysMutexLock },
  pthread_mutex_unlock: { who: 'process', args: thread.mutexArgs, run: thread.sysMutexUnlock },
  malloc: { who: 'process', args: libc.mallocArgs, run: libc.sysMalloc },
  calloc: { who: 'process', args: libc.callocArgs, run: libc.sysCalloc },
  realloc: { who: 'process', args: libc.reallocArgs, run: libc.sysRealloc },
  free: { who: 'process', args: libc.freeArgs, run: libc.sysFree },
  mallopt: { who: 'process', args: libc.malloptArgs, run: libc.sysMallopt },
  malloc_trim: { who: 'process', args: libc.trimArgs, run: libc.sysMallocTrim },
  pool_create: { who: 'process', args: pool.userPoolCreateArgs, run: pool.sysUserPoolCreate },
  pool_alloc: { who: 'process', args: pool.userPoolArgs, run: pool.sysUserPoolAlloc },
  pool_free: { who: 'process', args: pool.userPoolFreeArgs, run: pool.sysUserPoolFree },
  pool_destroy: { who: 'process', args: pool.userPoolArgs, run: pool.sysUserPoolDestroy },
  leak_scan: { who: 'process', args: heap.leakScanArgs, run: heap.sysLeakScan },
  heap_check: { who: 'process', args: none, run: heap.sysHeapCheck },
  malloc_usable_size: { who: 'process', args: libc.freeArgs, run: libc.sysUsableSize },
  htonl: { who: 'any', args: byteorder.longArgs, run: byteorder.sysSwapLong },
  htons: { who: 'any', args: byteorder.shortArgs, run: byteorder.sysSwapShort },
  ntohl: { who: 'any', args: byteorder.longArgs, run: byteorder.sysSwapLong },
  ntohs: { who: 'any', args: byteorder.shortArgs, run: byteorder.sysSwapShort },
  bytes_of: { who: 'any', args: byteorder.bytesOfArgs, run: byteorder.sysBytesOf },
  open: { who: 'process', args: file.openArgs, run: file.sysOpen },
  pread: { who: 'process', args: file.preadArgs, run: file.sysPread },
  pwrite: { who: 'process', args: file.preadArgs, run: file.sysPwrite },
  fsync: { who: 'process', args: file.fdArgs, run: file.sysFsync },
  close: { who: 'process', args: file.fdArgs, run: file.sysClose },
  transfer: { who: 'process', args: file.transferArgs, run: file.sysTransfer },
  swapon: { who: 'any', args: none, run: swap.sysSwapon },
  swapoff: { who: 'any', args: none, run: swap.sysSwapoff },
  spawn: { who: 'kernel', args: none, run: process.sysSpawn },
  fork: { who: 'process', args: none, run: process.sysFork },
  exit: { who: 'process', args: process.exitArgs, run: process.sysExit },
  execve: { who: 'process', args: exec.execveArgs, run: exec.sysExecve },
  kill: { who: 'any', args: process.killArgs, run: process.sysKill },
  oom_score_adj: { who: 'any', args: process.oomScoreAdjArgs, run: process.sysOomScoreAdj },
  oom_adj: { who: 'any', args: process.oomAdjArgs, run: process.sysOomAdj },
  cat: { who: 'any', args: look.catArgs, run: look.sysCat },
  run: { who: 'any', args: run.runArgs, run: run.sysRun },
  kmalloc: { who: 'any', args: slab.kmallocArgs, run: slab.sysKmalloc },
  kzalloc: { who: 'any', args: slab.kmallocArgs, run: slab.sysKzalloc },
  kfree: { who: 'any', args: slab.addrArgs, run: slab.sysKfree },
  ksize: { who: 'any', args: slab.addrArgs, run: slab.sysKsize },
  virt_to_phys: { who: 'any', args: slab.addrArgs, run: slab.sysVirtToPhys },
  phys_to_virt: { who: 'any', args: slab.physArgs, run: slab.sysPhysToVirt },
  kmem_cache_create: { who: 'any', args: slab.cacheCreateArgs, run: slab.sysCacheCreate },
  kmem_cache_alloc: { who: 'any', args: slab.cacheAllocArgs, run: slab.sysCacheAlloc },
  kmem_cache_free: { who: 'any', args: slab.cacheFreeArgs, run: slab.sysCacheFree },
  kmem_cache_shrink: { who: 'any', args: slab.cacheArgs, run: slab.sysCacheShrink },
  kmem_cache_destroy: { who: 'any', args: slab.cacheArgs, run: slab.sysCacheDestroy },
  mempool_create: { who: 'any', args: mempool.poolCreateArgs, run: mempool.sysPoolCreate },
  mempool_alloc: { who: 'any', args: mempool.poolAllocArgs, run: mempool.sysPoolAlloc },
  mempool_free: { who: 'any', args: mempool.poolFreeArgs, run: mempool.sysPoolFree },
  modify_ldt: { who: 'process', args: segment.modifyLdtArgs, run: segment.sysModifyLdt },
  copy_to_user: { who: 'process', args: crossing.copyUserArgs, run: crossing.sysCopyToUser },
  copy_from_user: { who: 'process', args: crossing.copyUserArgs, run: crossing.sysCopyFromUser },
  translate: { who: 'any', args: translate.translateArgs, run: translate.sysTranslate },
  load_segment: { who: 'process', args: segment.loadSegmentArgs, run: segment.sysLoadSegment },
  mempool_destroy: { who: 'any', args: mempool.poolArgs, run: mempool.sysPoolDestroy },
} satisfies Record<string, CallSpec>;
export type CallName = keyof typeof CALLS;

/** A row of the table, unrolled for parsing. Calls are the hot path: nothing is allocated for their arguments. */
export interface Row {
  readonly spec: CallSpec;
  readonly names: readonly string[];
  readonly parsers: readonly ((value: unknown, wide: boolean) => unknown)[];
  readonly optional: readonly boolean[];
  /** Bounds of the arguments that are whole numbers; NaN for the others, which no number is within. */
  readonly low: Float64Array;
  readonly high: Float64Array;
  /** Place of the argument `target`, -1 if there is none. */
  readonly target: number;
  readonly way: Way;
  /** Arguments of the call in hand, in the order of `run`. */
  readonly values: unknown[];
}

function unroll(name: string, spec: CallSpec): Row {
  const names = Object.keys(spec.args);
  const args = Object.values(spec.args);
  return {
    spec,
    names,
    parsers: args.map(({ parse }) => parse),
    optional: args.map((argument) => argument.optional),
    low: Float64Array.from(args, ({ whole }) => whole?.low ?? Number.NaN),
    high: Float64Array.from(args, ({ whole }) => whole?.high ?? Number.NaN),
    target: names.indexOf('target'),
    way: wayOf(name),
    values: names.map(() => undefined),
  };
}

const ROWS: ReadonlyMap<string, Row> = new Map(
  Object.entries(CALLS as Record<string, CallSpec>).map(([name, spec]) => [name, unroll(name, spec)]),
);

export function rowOf(name: unknown): Row | undefined {
  return typeof name === 'string' ? ROWS.get(name) : undefined;
}

export const isCall = (name: string): name is CallName => ROWS.has(name);

/** What is wrong with a call's arguments. */
export class Malformed {
  readonly why: Why;
  constructor(argument: string, rule: string) {
    this.why = { code: 'BAD_ARGUMENT', argument, rule };
  }
}

/** Parses the arguments of a call into `row.values` (`wide`: addresses have 64 bits); or says why they are malformed: missing, unknown, of the wrong type or range. */
export function parseArgs(row: Row, request: Call, wide: boolean): Malformed | null {
  const { names, parsers, values, low, high } = row;
  let known = 1;
  for (let i = 0; i < names.length; i++) {
    const given = request[names[i]!];
    // Most arguments are whole numbers, and are seen to be without another call.
    if (typeof given === 'number' && given >= low[i]! && given <= high[i]! && Math.floor(given) === given && !Object.is(given, -0)) {
      values[i] = given;
      known += 1;
      continue;
    }
    if (given === undefined) {
      if (!row.optional[i]) return new Malformed(names[i]!, 'not left out');
      values[i] = undefined;
      continue;
    }
    const value = parsers[i]!(given, wide);
    if (typeof value === 'object' && value instanceof BadArgument) return new Malformed(names[i]!, value.rule);
    values[i] = value;
    known += 1;
  }
  let count = 0;
  for (const _key in request) count += 1;
  if (count === known) return null;
  const unknown = Object.keys(request).find((key) => key !== 'call' && !names.includes(key));
  return new Malformed((unknown ?? '').slice(0, 64), 'not an argument of this call');
}

/** Runs the call whose arguments were parsed last. */
export function runRow(row: Row, machine: Machine, task: Task | null): Answer {
  const run = row.spec.run as (machine: Machine, task: Task | null, ...args: unknown[]) => Answer;
  const { values } = row;
  switch (values.length) {
    case 0:
      return run(machine, task);
    case 1:
      return run(machine, task, values[0]);
    case 2:
      return run(machine, task, values[0], values[1]);
    case 3:
      return run(machine, task, values[0], values[1], values[2]);
    default:
      return run(machine, task, ...values);
  }
}
