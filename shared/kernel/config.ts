/** A machine's configuration (calls.md): checked key by key, every default filled in. */
import { customMmu } from './arch/custom_keys.ts';
import { NOTES_16 } from './arch/custom_mmu.ts';
import { TLB_DEFAULT } from './arch/tlb.ts';
import { kernelLayout, VMALLOC_END, type LayoutKeys } from './arch/layout.ts';
import { DISK_KEYS, diskConfig } from './config_disk.ts';
import { COSTS } from './costs.ts';
import type { Fit, LibcRules, ListOrder } from './libc/types.ts';
import { LMK_ADJ, LMK_MINFREE, LMK_PLACES, LMK_RANGE } from './mm/lmk_levels.ts';
import type { KernelLayout } from './mm/vmap_types.ts';
import { DEFAULT_MAX_MAP_COUNT } from './mm/vma.ts';
import type { MachineConfig, Pid } from './types.ts';

/** An impossible machine; the message names the key. */
export class ConfigError extends Error {
  override name = 'ConfigError';
}

const FRAMES_MIN = 64;
const FRAMES_MAX = 1 << 20;
/** The classic bounds of a PC: 16 MiB and 896 MiB, in frames. All that a machine can have lies below the 4 GiB where DMA32 ends on x86_64. */
const DMA_END = 4096;
const LOWMEM_END = 229376;
const CLASSIC_ABOVE = 65536;

type Keys = Readonly<Record<string, unknown>>;

function isPlain(value: unknown): value is Keys {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function integer(keys: Keys, key: string, low: number, high: number, otherwise: number, path = ''): number {
  const value = keys[key];
  if (value === undefined) return otherwise;
  if (!Number.isInteger(value) || (value as number) < low || (value as number) > high || Object.is(value, -0)) {
    throw new ConfigError(`${path}${key} is a whole number from ${low} to ${high}`);
  }
  return value as number;
}

function flag(keys: Keys, key: string, otherwise: boolean): boolean {
  const value = keys[key];
  if (value === undefined) return otherwise;
  if (typeof value !== 'boolean') throw new ConfigError(`${key} is true or false`);
  return value;
}

function group(keys: Keys, key: string, names: readonly string[]): Keys {
  const value = keys[key];
  if (value === undefined) return {};
  if (!isPlain(value)) throw new ConfigError(`${key} is an object`);
  for (const name of Object.keys(value)) if (!names.includes(name)) throw new ConfigError(`${key}.${name} is not a key of a machine`);
  return value;
}

export const KNOWN = [
  'frames',
  'maxFrames',
  'zones',
  'reserved',
  'arch',
  'tlb',
  'pageOffset',
  'maxOrder',
  'pageblockOrder',
  'mobility',
  'minFreeKbytes',
  'slab',
  'libc',
  'races',
  'overcommit',
  'overcommit_kbytes',
  'admin_reserve_kbytes',
  'user_reserve_kbytes',
  'panic_on_oom',
  'oom_kill_allocating_task',
  'oom_dump_tasks',
  'lowmemorykiller',
  'thpEnabled',
  'chargeKernel',
  'cma',
  'mem',
  'vmalloc',
  'root',
  'costs',
  'seed',
  'rules',
  ...DISK_KEYS,
  'max_map_count',
];

function checkKeys(keys: Keys): void {
  for (const key of Object.keys(keys)) {
    if (!KNOWN.includes(key)) throw new ConfigError(`${key} is not a key of a machine`);
  }
}

/** What only i386 has a choice of. */
function archOf(keys: Keys): MachineConfig['arch'] {
  const { arch = 'i386' } = keys;
  // Tables of one's own are for translation only; all else is as on i386.
  if (arch === 'i386' || isPlain(arch)) return 'i386';
  // Simplified: the kernel of a toy16 machine has the addresses of i386's, in a space of its own beside the 64 KiB of a process.
  if (arch === 'toy16') return 'toy16';
  if (arch !== 'x86_64') throw new ConfigError('arch is "i386", "x86_64", "toy16", or tables of its own');
  for (const key of ['pageOffset', 'vmalloc'])
    if (keys[key] !== undefined) throw new ConfigError(`${key} is for i386: x86_64 has one layout`);
  return arch;
}

function customOf({ arch }: Keys): MachineConfig['custom'] {
  if (arch === 'toy16') return { ...NOTES_16, memory: NOTES_16.memory.slice() };
  if (!isPlain(arch)) return null;
  const custom = customMmu(arch);
  if (typeof custom === 'string') throw new ConfigError(custom);
  return custom;
}

function tlbOf(keys: Keys): MachineConfig['tlb'] {
  if (keys.tlb === undefined) return null;
  const given = group(keys, 'tlb', ['entries', 'asid']);
  return { entries: integer(given, 'entries', 1, 4096, TLB_DEFAULT.entries, 'tlb.'), asid: flag(given, 'asid', TLB_DEFAULT.asid) };
}

/** The largest order ≤ 10 (on x86_64 ≤ 9) of which the machine holds 16 pageblocks, at least 3. */
function defaultPageblockOrder(frames: number, maxOrder: number, arch: MachineConfig['arch']): number {
  let order = Math.min(arch === 'x86_64' ? 9 : 10, maxOrder);
  while (order > 3 && frames < 16 << order) order -= 1;
  return Math.min(order, maxOrder);
}

function defaultZones(frames: number, pageblockOrder: number, arch: MachineConfig['arch']): MachineConfig['zones'] {
  if (frames > CLASSIC_ABOVE && arch === 'x86_64') return { dma: DMA_END, dma32: frames - DMA_END, normal: 0, highmem: 0 };
  if (frames > CLASSIC_ABOVE) {
    const lowmem = Math.min(frames, LOWMEM_END);
    return { dma: DMA_END, dma32: 0, normal: lowmem - DMA_END, highmem: frames - lowmem };
  }
  const block = 1 << pageblockOrder;
  const dma = Math.ceil(Math.ceil(frames / 16) / block) * block;
  return { dma: Math.min(dma, frames), dma32: 0, normal: Math.max(0, frames - dma), highmem: 0 };
}

function zonesOf(keys: Keys, frames: number, pageblockOrder: number, arch: MachineConfig['arch']): MachineConfig['zones'] {
  if (keys.zones === undefined) return defaultZones(frames, pageblockOrder, arch);
  const given = group(keys, 'zones', ['dma', 'dma32', 'normal', 'highmem']);
  const count = (name: string) => integer(given, name, 0, frames, 0, 'zones.');
  const zones = { dma: count('dma'), dma32: count('dma32'), normal: count('normal'), highmem: count('highmem') };
  const sum = zones.dma + zones.dma32 + zones.normal + zones.highmem;
  if (sum !== frames) throw new ConfigError(`zones add up to ${sum}, frames are ${frames}`);
  if (arch === 'x86_64' && zones.highmem > 0) throw new ConfigError('zones.highmem: x86_64 maps all memory and has no HighMem');
  return zones;
}

function rootOf(keys: Keys): Pid[] {
  if (keys.root === undefined) return [];
  if (!Array.isArray(keys.root) || keys.root.length > 512) throw new ConfigError('root is a list of at most 512 pids');
  for (const pid of keys.root) if (!Number.isInteger(pid) || pid < 1 || pid > 0x7fffffff) throw new ConfigError('root holds pids from 1');
  return [...(keys.root as number[])];
}

function costsOf(keys: Keys): Record<string, number> {
  const given = group(keys, 'costs', Object.keys(COSTS));
  const costs: Record<string, number> = { ...COSTS };
  for (const name of Object.keys(given)) costs[name] = integer(given, name, 0, 1_000_000, 0, 'costs.');
  return costs;
}

const RULES: readonly MachineConfig['rules'][] = ['6.x', '2.6.32'];

/** Where the kernels differ, whose rules hold; what came later than 2.6.32 is not to be had with it. */
function rulesOf(keys: Keys): MachineConfig['rules'] {
  const rules = RULES.find((name) => name === (keys.rules === undefined ? '6.x' : keys.rules));
  if (rules === undefined) throw new ConfigError('rules is "6.x" or "2.6.32"');
  if (rules === '2.6.32' && keys.cma !== undefined) throw new ConfigError('cma came with 3.5: not under the rules of 2.6.32');
  return rules;
}

/** Without huge pages, as before 2.6.38, nobody gets any. */
function thpOf(keys: Keys): MachineConfig['thpEnabled'] {
  const isOld = keys.rules === '2.6.32';
  if (isOld && keys.thpEnabled !== undefined)
    throw new ConfigError('thpEnabled: huge pages came with 2.6.38, not under the rules of 2.6.32');
  return integer(keys, 'thpEnabled', 0, 2, isOld ? 2 : 1) as 0 | 1 | 2;
}

function overcommitOf(keys: Keys): MachineConfig['overcommit'] {
  const given = group(keys, 'overcommit', ['mode', 'ratio']);
  const kbytes = integer(keys, 'overcommit_kbytes', 0, 0x7fffffff, 0);
  if (kbytes > 0 && given.ratio !== undefined) throw new ConfigError('overcommit.ratio or overcommit_kbytes, not both');
  return {
    mode: integer(given, 'mode', 0, 2, 0, 'overcommit.') as 0 | 1 | 2,
    ratio: kbytes > 0 ? 0 : integer(given, 'ratio', 0, 1000, 50, 'overcommit.'),
    kbytes,
    adminReserveKbytes: integer(keys, 'admin_reserve_kbytes', 0, 0x7fffffff, -1),
    userReserveKbytes: integer(keys, 'user_reserve_kbytes', 0, 0x7fffffff, -1),
  };
}

/** The OOM killer's knobs by the names that they have under vm. */
function oomOf(keys: Keys): MachineConfig['oom'] {
  return {
    panic: integer(keys, 'panic_on_oom', 0, 2, 0),
    killAllocatingTask: integer(keys, 'oom_kill_allocating_task', 0, 1, 0),
    dumpTasks: integer(keys, 'oom_dump_tasks', 0, 1, keys.rules === '2.6.32' ? 0 : 1),
  };
}

function placesOf(keys: Keys, name: 'minfree' | 'adj', otherwise: readonly number[]): number[] {
  const given = keys[name];
  if (given === undefined) return [...otherwise];
  const { low, high } = LMK_RANGE[name];
  const isPlace = (value: unknown): boolean =>
    Number.isInteger(value) && (value as number) >= low && (value as number) <= high && !Object.is(value, -0);
  if (!Array.isArray(given) || given.length === 0 || given.length > LMK_PLACES || !given.every(isPlace)) {
    throw new ConfigError(`lowmemorykiller.${name} is a list of 1 to ${LMK_PLACES} whole numbers from ${low} to ${high}`);
  }
  return [...(given as number[])];
}

/** Without the key the driver is not loaded; with it, what is not said is as the driver has it. */
function lmkOf(keys: Keys): MachineConfig['lmk'] {
  const given = group(keys, 'lowmemorykiller', ['minfree', 'adj']);
  return {
    minfree: placesOf(given, 'minfree', keys.lowmemorykiller === undefined ? [] : LMK_MINFREE),
    adj: placesOf(given, 'adj', LMK_ADJ),
  };
}

/** `vmalloc` moves the ends of the space for vmalloc, between the direct map and pkmap. */
function layoutOf(keys: Keys, layoutKeys: LayoutKeys): KernelLayout {
  const given = group(keys, 'vmalloc', ['start', 'end']);
  const own = kernelLayout(layoutKeys);
  const start = integer(given, 'start', own.highMemory, VMALLOC_END, own.vmallocStart, 'vmalloc.');
  const end = integer(given, 'end', own.highMemory, VMALLOC_END, own.vmallocEnd, 'vmalloc.');
  if (start % 4096 !== 0 || end % 4096 !== 0) throw new ConfigError('vmalloc.start and vmalloc.end are multiples of 4096');
  if (start >= end) throw new ConfigError('vmalloc.start lies below vmalloc.end');
  return kernelLayout(layoutKeys, { start, end });
}

function slabOf(keys: Keys, arch: MachineConfig['arch']): MachineConfig['slab'] {
  const given = group(keys, 'slab', ['allocator', 'cpus', 'cacheLine', 'debug']);
  const allocator = given.allocator ?? 'slub';
  if (allocator !== 'slub' && allocator !== 'slab') throw new ConfigError('slab.allocator is "slub" or "slab"');
  const cacheLine = integer(given, 'cacheLine', 16, 256, 64, 'slab.');
  if ((cacheLine & (cacheLine - 1)) !== 0) throw new ConfigError('slab.cacheLine is a power of two');
  if (given.debug !== undefined && typeof given.debug !== 'boolean') throw new ConfigError('slab.debug is true or false');
  const word = arch === 'x86_64' ? 8 : 4;
  return { allocator, word, cpus: integer(given, 'cpus', 1, 4096, 1, 'slab.'), cacheLine, debug: given.debug ?? false };
}

const FITS: readonly Fit[] = ['first', 'best', 'worst', 'next'];
const LIST_ORDERS: readonly ListOrder[] = ['address', 'size+', 'size-', 'front', 'back'];

function libcOf(keys: Keys): LibcRules {
  const given = group(keys, 'libc', ['allocator', 'fit', 'order', 'coalesce', 'header', 'align', 'heap', 'sanitize']);
  const { allocator = 'glibc', fit = 'first', order = 'address', coalesce = true } = given;
  if (allocator !== 'list' && allocator !== 'glibc') throw new ConfigError('libc.allocator is "glibc" or "list"');
  if (allocator === 'glibc') {
    const foreign = Object.keys(given).find((key) => key !== 'allocator' && key !== 'sanitize');
    if (foreign !== undefined) throw new ConfigError(`libc.${foreign} is of the allocator "list"`);
    return { allocator, sanitize: flag(given, 'sanitize', false) };
  }
  if (given.sanitize !== undefined) throw new ConfigError('libc.sanitize is of the allocator "glibc"');
  if (!FITS.includes(fit as Fit)) throw new ConfigError(`libc.fit is one of ${FITS.join(', ')}`);
  if (!LIST_ORDERS.includes(order as ListOrder)) throw new ConfigError(`libc.order is one of ${LIST_ORDERS.join(', ')}`);
  if (typeof coalesce !== 'boolean') throw new ConfigError('libc.coalesce is true or false');
  const heap = group(given, 'heap', ['base', 'size']);
  return {
    allocator,
    fit: fit as Fit,
    order: order as ListOrder,
    coalesce,
    header: integer(given, 'header', 0, 4096, 8, 'libc.'),
    align: integer(given, 'align', 1, 4096, 8, 'libc.'),
    heap: {
      base: integer(heap, 'base', 0, 0x7fff_ffff_ffff, 0, 'libc.heap.'),
      size: integer(heap, 'size', 0, 0x7fff_ffff_ffff, 0, 'libc.heap.'),
    },
  };
}

function racesOf({ races }: Keys): MachineConfig['races'] {
  if (races === undefined || races === 'report' || races === 'halt') return races ?? null;
  throw new ConfigError('races is "report" or "halt"');
}

function impossible(message: string): never {
  throw new ConfigError(message);
}

/** Throws ConfigError when no such machine can be. */
export function parseConfig(config: unknown): MachineConfig {
  if (!isPlain(config)) throw new ConfigError('a machine is an object');
  checkKeys(config);
  const frames = integer(config, 'frames', FRAMES_MIN, FRAMES_MAX, 16384);
  const maxOrder = integer(config, 'maxOrder', 0, 10, 10);
  const arch = archOf(config);
  const pageblockOrder = integer(config, 'pageblockOrder', 0, maxOrder, defaultPageblockOrder(frames, maxOrder, arch));
  const mobility = flag(config, 'mobility', frames >= 6 << pageblockOrder);
  const cma = integer(group(config, 'cma', ['frames']), 'frames', 1, frames, 0, 'cma.');
  if (cma > 0 && !mobility) throw new ConfigError('cma needs mobility: its pages are lent to movable requests');
  const pageOffset = config.pageOffset ?? 0xc0000000;
  if (pageOffset !== 0xc0000000 && pageOffset !== 0x80000000) throw new ConfigError('pageOffset is 0xC0000000 or 0x80000000');
  const maxFrames = integer(config, 'maxFrames', frames, FRAMES_MAX, frames);
  const zones = zonesOf(config, frames, pageblockOrder, arch);
  const mem = integer(config, 'mem', FRAMES_MIN, frames, frames);
  const layout = layoutOf(config, { arch, frames, maxFrames, mem, pageOffset, zones });
  return {
    frames,
    maxFrames,
    zones,
    reserved: integer(config, 'reserved', 0, frames - 1, 0),
    arch,
    custom: customOf(config),
    tlb: tlbOf(config),
    pageOffset: layout.pageOffset,
    layout,
    maxOrder,
    pageblockOrder,
    mobility,
    cma,
    mem,
    minFreeKbytes: integer(config, 'minFreeKbytes', 0, frames * 4, -1),
    slab: slabOf(config, arch),
    libc: libcOf(config),
    races: racesOf(config),
    ...diskConfig(config, impossible),
    overcommit: overcommitOf(config),
    oom: oomOf(config),
    lmk: lmkOf(config),
    thpEnabled: thpOf(config),
    rules: rulesOf(config),
    maxMapCount: integer(config, 'max_map_count', 1, 0x7fffffff, DEFAULT_MAX_MAP_COUNT),
    chargeKernel: flag(config, 'chargeKernel', false),
    root: rootOf(config),
    costs: costsOf(config),
    seed: integer(config, 'seed', -0x80000000, 0xffffffff, 1),
  };
}
