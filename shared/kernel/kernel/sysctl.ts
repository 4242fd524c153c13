/** Knobs under vm. (kernel/sysctl.c, mm/…): the value's range, and what turning them does. */
import { SWAPPINESS_MAX_OLD } from '../config_disk.ts';
import type { Ipc } from '../ipc/shm.ts';
import { compactMemory } from '../mm/compaction.ts';
import { dropCaches } from '../mm/drop_caches.ts';
import { LMK_RANGE } from '../mm/lmk_levels.ts';
import { setMarks } from '../mm/memblock.ts';
import type { LmkKnobs, Machine, MachineConfig, OomKnobs, OvercommitKnobs } from '../types.ts';

interface Sysctl {
  readonly low: number;
  readonly high: number;
  /** Under the rules of 2.6.32, where it is another. */
  readonly oldHigh?: number;
  /** May everybody turn it (calls.md, Rights)? */
  readonly open: boolean;
  /** Release that brought it, if later than 2.6.32. */
  readonly since?: string;
  readonly set: (machine: Machine, value: number) => void;
}

/** Where the numbers lie that are only looked up when they are needed. */
interface Places {
  config: MachineConfig;
  oom: OomKnobs;
  overcommit: OvercommitKnobs;
  ipc: Ipc;
}
const PLACES: { [P in keyof Places]: (machine: Machine) => Places[P] } = {
  config: ({ config }) => config,
  oom: ({ config }) => config.oom,
  overcommit: ({ config }) => config.overcommit,
  ipc: ({ ipc }) => ipc,
};
type NumbersOf<T> = { [K in keyof T]: T[K] extends number ? K : never }[keyof T];

/** A knob that is a number in one place and nothing else. */
function knob<P extends keyof Places>(
  place: P,
  key: NumbersOf<Places[P]>,
  low: number,
  high: number,
  old: Pick<Sysctl, 'since' | 'oldHigh'> = {},
): Sysctl {
  const set = (machine: Machine, value: number): void => void Object.assign(PLACES[place](machine), { [key]: value });
  return { low, high, open: false, set, ...old };
}

const INT_MAX = 0x7fffffff;

export const SYSCTLS: Readonly<Record<string, Sysctl>> = {
  'vm.compact_memory': { low: 1, high: 1, open: true, since: '2.6.35', set: (machine) => compactMemory(machine) },
  'vm.drop_caches': { low: 1, high: 4, open: true, set: dropCaches },
  'vm.min_free_kbytes': { low: 0, high: 4 << 20, open: false, set: setMinFreeKbytes },
  'vm.max_map_count': knob('config', 'maxMapCount', 0, INT_MAX),
  'vm.swappiness': knob('config', 'swappiness', 0, 200, { oldHigh: SWAPPINESS_MAX_OLD }),
  'vm.dirty_ratio': knob('config', 'dirtyRatio', 0, 100),
  'vm.dirty_background_ratio': knob('config', 'dirtyBackgroundRatio', 0, 100),
  'vm.dirty_expire_centisecs': knob('config', 'dirtyExpireCentisecs', 0, INT_MAX),
  'vm.dirty_writeback_centisecs': knob('config', 'dirtyWritebackCentisecs', 0, INT_MAX),
  'vm.thp_enabled': knob('config', 'thpEnabled', 0, 2, { since: '2.6.38' }),
  'vm.oom_dump_tasks': knob('oom', 'dumpTasks', 0, 1),
  'vm.oom_kill_allocating_task': knob('oom', 'killAllocatingTask', 0, 1),
  'vm.panic_on_oom': knob('oom', 'panic', 0, 2),
  'vm.overcommit_memory': knob('overcommit', 'mode', 0, 2),
  'vm.overcommit_ratio': { low: 0, high: 1000, open: false, set: (machine, ratio) => setPromise(machine, ratio, 0) },
  'vm.overcommit_kbytes': { low: 0, high: INT_MAX, open: false, since: '3.14', set: (machine, kbytes) => setPromise(machine, 0, kbytes) },
  'vm.admin_reserve_kbytes': knob('overcommit', 'adminReserveKbytes', 0, INT_MAX, { since: '3.10' }),
  'vm.user_reserve_kbytes': knob('overcommit', 'userReserveKbytes', 0, INT_MAX, { since: '3.10' }),
  'kernel.shmmax': knob('ipc', 'shmmax', 0, INT_MAX),
  'kernel.shmall': knob('ipc', 'shmall', 0, INT_MAX),
  'kernel.shmmni': knob('ipc', 'shmmni', 0, 32768),
};

interface SysctlList {
  readonly low: number;
  readonly high: number;
  readonly set: (machine: Machine, values: readonly number[]) => void;
}

/** A list of the low memory killer. */
function lmkList(key: keyof LmkKnobs): SysctlList {
  return { ...LMK_RANGE[key], set: ({ config }, values) => void (config.lmk[key] = [...values]) };
}

/** Module parameters that are lists. */
export const SYSCTL_LISTS: Readonly<Record<string, SysctlList>> = {
  'lowmemorykiller.minfree': lmkList('minfree'),
  'lowmemorykiller.adj': lmkList('adj'),
};

/** A ratio or kilobytes: who says the one takes back the other (mm/util.c). */
function setPromise(machine: Machine, ratio: number, kbytes: number): void {
  Object.assign(machine.config.overcommit, { ratio, kbytes });
}

function setMinFreeKbytes(machine: Machine, value: number): void {
  machine.config.minFreeKbytes = value;
  setMarks(machine);
}
