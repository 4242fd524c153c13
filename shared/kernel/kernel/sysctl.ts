/** Knobs under vm. (kernel/sysctl.c, mm/…): the value's range, and what turning them does. */
import { SWAPPINESS_MAX_OLD } from '../config_disk.ts';
import { compactMemory } from '../mm/compaction.ts';
import { dropCaches } from '../mm/drop_caches.ts';
import { LMK_RANGE } from '../mm/lmk_levels.ts';
import { setMarks } from '../mm/memblock.ts';
import type { Machine } from '../types.ts';

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

/** A number of the machine's configuration. */
function knob(
  key: 'swappiness' | 'dirtyRatio' | 'dirtyBackgroundRatio' | 'dirtyExpireCentisecs' | 'dirtyWritebackCentisecs',
): Sysctl['set'] {
  return (machine, value) => {
    machine.config[key] = value;
  };
}

export const SYSCTLS: Readonly<Record<string, Sysctl>> = {
  'vm.compact_memory': { low: 1, high: 1, open: true, since: '2.6.35', set: (machine) => compactMemory(machine) },
  'kernel.shmmax': { low: 0, high: 0x7fffffff, open: false, set: (machine, value) => void (machine.ipc.shmmax = value) },
  'kernel.shmall': { low: 0, high: 0x7fffffff, open: false, set: (machine, value) => void (machine.ipc.shmall = value) },
  'kernel.shmmni': { low: 0, high: 32768, open: false, set: (machine, value) => void (machine.ipc.shmmni = value) },
  'vm.max_map_count': {
    low: 0,
    high: 0x7fffffff,
    open: false,
    set: (machine, value) => {
      machine.config.maxMapCount = value;
    },
  },
  'vm.min_free_kbytes': { low: 0, high: 4 << 20, open: false, set: setMinFreeKbytes },
  'vm.drop_caches': { low: 1, high: 4, open: true, set: dropCaches },
  'vm.swappiness': { low: 0, high: 200, oldHigh: SWAPPINESS_MAX_OLD, open: false, set: knob('swappiness') },
  'vm.dirty_ratio': { low: 0, high: 100, open: false, set: knob('dirtyRatio') },
  'vm.dirty_background_ratio': { low: 0, high: 100, open: false, set: knob('dirtyBackgroundRatio') },
  'vm.dirty_expire_centisecs': { low: 0, high: 0x7fffffff, open: false, set: knob('dirtyExpireCentisecs') },
  'vm.dirty_writeback_centisecs': { low: 0, high: 0x7fffffff, open: false, set: knob('dirtyWritebackCentisecs') },
  'vm.oom_dump_tasks': {
    low: 0,
    high: 1,
    open: false,
    set: (machine, value) => {
      machine.config.oom.dumpTasks = value;
    },
  },
  'vm.oom_kill_allocating_task': {
    low: 0,
    high: 1,
    open: false,
    set: (machine, value) => {
      machine.config.oom.killAllocatingTask = value;
    },
  },
  'vm.panic_on_oom': {
    low: 0,
    high: 2,
    open: false,
    set: (machine, value) => {
      machine.config.oom.panic = value;
    },
  },
  'vm.overcommit_memory': {
    low: 0,
    high: 2,
    open: false,
    set: (machine, value) => {
      machine.config.overcommit.mode = value as 0 | 1 | 2;
    },
  },
  'vm.overcommit_kbytes': {
    low: 0,
    high: 0x7fffffff,
    open: false,
    since: '3.14',
    set: (machine, value) => {
      Object.assign(machine.config.overcommit, { ratio: 0, kbytes: value });
    },
  },
  'vm.admin_reserve_kbytes': {
    low: 0,
    high: 0x7fffffff,
    open: false,
    since: '3.10',
    set: (machine, value) => {
      machine.config.overcommit.adminReserveKbytes = value;
    },
  },
  'vm.user_reserve_kbytes': {
    low: 0,
    high: 0x7fffffff,
    open: false,
    since: '3.10',
    set: (machine, value) => {
      machine.config.overcommit.userReserveKbytes = value;
    },
  },
  'vm.thp_enabled': {
    low: 0,
    high: 2,
    open: false,
    since: '2.6.38',
    set: (machine, value) => {
      machine.config.thpEnabled = value as 0 | 1 | 2;
    },
  },
  'vm.overcommit_ratio': {
    low: 0,
    high: 1000,
    open: false,
    set: (machine, value) => {
      Object.assign(machine.config.overcommit, { ratio: value, kbytes: 0 });
    },
  },
};

/** Module parameters that are lists. */
export const SYSCTL_LISTS: Readonly<
  Record<string, { low: number; high: number; set: (machine: Machine, values: readonly number[]) => void }>
> = {
  'lowmemorykiller.minfree': {
    ...LMK_RANGE.minfree,
    set: (machine, values) => {
      machine.config.lmk.minfree = [...values];
    },
  },
  'lowmemorykiller.adj': {
    ...LMK_RANGE.adj,
    set: (machine, values) => {
      machine.config.lmk.adj = [...values];
    },
  },
};

function setMinFreeKbytes(machine: Machine, value: number): void {
  machine.config.minFreeKbytes = value;
  setMarks(machine);
}
