/**
 * The kernel's only door: create, call, tick, hash, snapshot, restore. Nothing else changes a machine, and a machine
 * is all there is: equal machines answer equal calls equally, for ever.
 */
import { tellAddresses } from './arch/address.ts';
import { createIpc } from './ipc/shm.ts';
import { createPageTables, FORMATS } from './arch/mmu.ts';
import { createTlb, isSettled, settleTlb } from './arch/tlb.ts';
import { isCall, parseArgs, rowOf, runRow, type CallSpec } from './calls.ts';
import { CodecError, decode, encode } from './codec.ts';
import { parseConfig } from './config.ts';
import type { FactRing } from './facts.ts';
import { createDisk } from './fs/inode.ts';
import { createHasher, hashArray, hashText, hashWord } from './hash.ts';
import { createEntryCounts, enter, WAY } from './kernel/entry.ts';
import { spawn } from './kernel/fork.ts';
import { panicked } from './kernel/panic.ts';
import { taskOf } from './kernel/thread.ts';
import { createIomem } from './kernel/resource.ts';
import { createRaces } from './libc/races.ts';
import { createHighmem } from './mm/highmem.ts';
import { bootMemory } from './mm/memblock.ts';
import { kswapdTick } from './mm/kswapd.ts';
import { lowmemTick } from './mm/lmk.ts';
import { createFrames } from './mm/mmzone.ts';
import { writebackTick } from './mm/page_writeback.ts';
import { createOom, oomReaper } from './mm/oom_reap.ts';
import { createRmap } from './mm/rmap.ts';
import { createReplacement } from './mm/replacement.ts';
import { createLru } from './mm/swap.ts';
import { createSwap } from './mm/swap_state.ts';
import { createVmapSpace } from './mm/vmap_area.ts';
import { bootCaches, createSlabState } from './mm/slab_common.ts';
import { slabTick } from './mm/slab_free.ts';
import { hashSlabs } from './mm/slab_hash.ts';
import { VMSTAT_COUNT } from './mm/vmstat.ts';
import { badArgument, oomKilled, refused, refusedBy } from './sys/answer.ts';
import type { Answer, Call, Machine, Pid, Refused, Task } from './types.ts';

export { ConfigError } from './config.ts';
export { CodecError } from './codec.ts';
export { isCall };
export type * from './types.ts';

/** Boots a machine. Throws `ConfigError`, with the key in its message, when the configuration is not possible. */
export function createMachine(config: unknown, facts: FactRing | null = null): Machine {
  const parsed = parseConfig(config);
  const machine: Machine = {
    config: parsed,
    now: 0,
    rng: parsed.seed | 0,
    frames: createFrames(parsed),
    zones: [],
    tasks: new Map(),
    nextPid: 2,
    initBorn: false,
    threads: new Map(),
    races: createRaces(parsed.races),
    vmstat: new Float64Array(VMSTAT_COUNT),
    kmsg: [],
    kmsgLines: 0,
    facts,
    entry: createEntryCounts(),
    tlb: parsed.tlb === null ? null : createTlb(parsed.tlb),
    tables: createPageTables(FORMATS[parsed.arch]),
    rmap: createRmap(),
    huge: new Map(),
    cma: null,
    bootPages: 0,
    vmap: createVmapSpace(parsed.layout),
    highmem: createHighmem(),
    iomem: createIomem(),
    slab: createSlabState(),
    shm: new Map(),
    shmPages: new Map(),
    ipc: createIpc(parsed.rules, parsed.arch),
    nextShm: 1,
    contents: new Map(),
    disk: createDisk(parsed),
    lru: createLru(parsed.rules === '2.6.32'),
    swap: createSwap(parsed.swap),
    replacement: createReplacement(parsed),
    committed: 0,
    oom: createOom(),
    panic: null,
    cost: 0,
    kills: [],
  };
  bootMemory(machine, parsed.reserved);
  bootCaches(machine);
  return machine;
}

/** A caller who is not there: pid 1 is born when it is first named, others never were or have died. */
function callerOf(machine: Machine, pid: Pid): Task | Answer {
  const group = taskOf(machine, pid);
  if (group !== undefined) return group;
  if (pid !== 1 || machine.initBorn) return refused('ESRCH', { code: 'NO_SUCH_PROCESS', pid });
  const init = spawn(machine, 1);
  if ('errno' in init) return refusedBy(init);
  machine.initBorn = true;
  for (const orphan of machine.tasks.values()) if (orphan.ppid === 1) init.children += 1;
  return init;
}

/** Pid 1 may also be named as the target of a call. */
function bearTarget(machine: Machine, target: unknown): void {
  if (target === 1 && !machine.initBorn) callerOf(machine, 1);
}

function mayCall(spec: CallSpec, name: string, pid: Pid): Answer | null {
  if (spec.who === 'kernel' && pid !== 0) return refused('EPERM', { code: 'NOT_ROOT', call: name });
  if (spec.who === 'process' && pid === 0) return refused('EINVAL', { code: 'NO_ADDRESS_SPACE_OF_ITS_OWN', call: name });
  return null;
}

function isRequest(request: unknown): request is Call {
  return typeof request === 'object' && request !== null && !Array.isArray(request);
}

/** A malformed call costs nothing, a failed one what it took and the way back. */
function failedCost(machine: Machine, answer: Refused): number {
  return answer.errno === 'EINVAL' && answer.why.code === 'BAD_ARGUMENT' ? 0 : machine.cost + machine.config.costs.failed!;
}

/** Makes one call as a process. Never throws for anything a caller can send; a malformed call changes and costs nothing. */
export function call(machine: Machine, pid: Pid, request: Call): Answer {
  if (machine.panic !== null) return panicked(machine.panic);
  const answer = makeCall(machine, pid, request);
  return machine.panic === null ? answer : panicked(machine.panic);
}

function makeCall(machine: Machine, pid: Pid, request: Call): Answer {
  if (!isRequest(request)) return badArgument('call', 'an object');
  const name = request.call;
  const row = rowOf(name);
  if (row === undefined) return refused('EINVAL', { code: 'UNKNOWN_CALL', call: typeof name === 'string' ? name.slice(0, 64) : '' });
  const malformed = parseArgs(row, request, machine.tables.levels > 2);
  if (malformed !== null) return refused('EINVAL', malformed.why);
  const number = pid | 0; // as a machine word: looked up without a conversion
  if (number !== pid || number < 0) return refused('ESRCH', { code: 'NO_SUCH_PROCESS', pid: -1 });
  const forbidden = mayCall(row.spec, name, pid);
  if (forbidden) return forbidden;
  machine.cost = machine.config.costs.syscall!;
  if (machine.kills.length > 0) machine.kills.length = 0;
  let caller: Task | null = null;
  if (pid !== 0) {
    caller = machine.tasks.get(number) ?? null;
    if (caller === null) {
      const born = callerOf(machine, pid);
      if ('ok' in born) return born;
      caller = born;
    }
    if (caller.threads !== null && caller.threads.leaderExited && caller.pid === pid)
      return refused('ESRCH', { code: 'NO_SUCH_PROCESS', pid });
  }
  if (row.target >= 0) bearTarget(machine, row.values[row.target]);
  if (caller !== null) enter(machine, pid, row.way);
  const isGone = caller !== null && machine.kills.length > 0 && !machine.tasks.has(caller.pid);
  const answer = isGone ? oomKilled(machine) : runRow(row, machine, caller);
  // Answers have many shapes, and each look into one is a search: so it is asked once whether it is a good one.
  const { ok } = answer;
  const { tlb } = machine;
  if (tlb !== null && !(ok && row.way <= WAY.instruction && isSettled(machine, tlb))) settleTlb(machine, tlb, name === 'fork');
  if (machine.races !== null && machine.races.told !== null) {
    if (ok) answer.race = machine.races.told;
    machine.races.told = null;
  }
  answer.cost = ok ? machine.cost : failedCost(machine, answer as Refused);
  if (machine.tables.levels > 2) tellAddresses(answer);
  if (caller !== null && ok) caller.cpuUs += machine.cost;
  return answer;
}

/** Lets 100 ms of kernel time pass. */
export function tick(machine: Machine): void {
  if (machine.panic !== null) return;
  machine.now += 1;
  oomReaper(machine);
  lowmemTick(machine);
  slabTick(machine);
  if (machine.disk !== null) writebackTick(machine);
  kswapdTick(machine);
  // kswapd has run, and the boost is spent.
  for (const zone of machine.zones) zone.boost = 0;
  if (machine.tlb !== null) settleTlb(machine, machine.tlb, false);
}

/** What is small and goes whole into hash and snapshot; the frames and tables go beside it as arrays. */
const SMALL = [
  ...(['tlb', 'huge', 'now', 'rng', 'nextPid', 'initBorn', 'kmsg', 'kmsgLines', 'nextShm', 'committed', 'zones', 'tasks'] as const),
  ...(['vmap', 'highmem', 'iomem', 'slab', 'shm', 'shmPages', 'ipc', 'cma', 'bootPages', 'contents'] as const),
  ...(['disk', 'lru', 'swap', 'replacement', 'oom', 'panic', 'threads', 'races'] as const),
] as const satisfies readonly (keyof Machine)[];

function smallState(machine: Machine): Record<string, unknown> {
  return Object.fromEntries(SMALL.map((key) => [key, machine[key]]));
}

/** Page tables in use; a free slot's history is nobody's business. */
function hashTables(machine: Machine, hasher: ReturnType<typeof createHasher>): void {
  const { tables } = machine;
  for (let slot = 0; slot < tables.slots; slot++) {
    const pfn = tables.slotPfn[slot]!;
    if (pfn < 0) continue;
    hashWord(hasher, pfn);
    hashArray(hasher, tables.words.subarray(slot * tables.entries, (slot + 1) * tables.entries));
  }
}

/** Nodes that were ever used; those free among them are history that decides which comes next. */
function hashRmap(machine: Machine, hasher: ReturnType<typeof createHasher>): void {
  const { pid, vpn, next, used, free } = machine.rmap;
  hashWord(hasher, free);
  hashArray(hasher, pid.subarray(0, used));
  hashArray(hasher, vpn.subarray(0, used));
  hashArray(hasher, next.subarray(0, used));
}

/** 16 hex digits over the whole state. */
export function hash(machine: Machine): string {
  const hasher = createHasher();
  const { frames } = machine;
  hashWord(hasher, frames.count);
  for (const array of [
    frames.flags,
    frames.order,
    frames.owner,
    frames.mapcount,
    frames.refcount,
    frames.links,
    frames.index,
    frames.rmap,
    frames.state,
    frames.mapping,
    frames.pageblock,
  ]) {
    hashArray(hasher, array);
  }
  hashArray(hasher, machine.vmstat);
  hashRmap(machine, hasher);
  hashTables(machine, hasher);
  const { slab: _slab, ...small } = smallState(machine);
  hashArray(hasher, encode(small));
  hashSlabs(machine.slab, hasher);
  hashArray(hasher, encode(machine.config));
  return hashText(hasher);
}

const SNAPSHOT = 'overcommit machine 2';

/** The hash with what is saved beside the state. */
function seal(machine: Machine): string {
  const hasher = createHasher();
  hashArray(hasher, encode(machine.entry));
  return hash(machine) + hashText(hasher);
}

/** The whole state in bytes; `restore` gives an equal machine (same hash, same future). */
export function snapshot(machine: Machine): Uint8Array {
  const { config, frames, vmstat, tables, rmap, entry } = machine;
  return encode({ snapshot: SNAPSHOT, hash: seal(machine), config, frames, vmstat, tables, rmap, entry, ...smallState(machine) });
}

/** State with a part missing, as damaged bytes may decode to, has no hash. */
function sealOrNothing(machine: Machine): string | null {
  try {
    return seal(machine);
  } catch {
    return null;
  }
}

/** Throws `CodecError` for bytes that no snapshot made. */
export function restore(bytes: Uint8Array, facts: FactRing | null = null): Machine {
  const saved = decode(bytes) as Record<string, unknown> | null;
  if (typeof saved !== 'object' || saved === null || saved.snapshot !== SNAPSHOT) throw new CodecError('not a machine of this version');
  const { snapshot: _version, hash: savedHash, ...state } = saved;
  const machine: Machine = { ...(state as unknown as Machine), facts, cost: 0, kills: [] };
  if (sealOrNothing(machine) !== savedHash) throw new CodecError('damaged: the state does not have its hash');
  return machine;
}
