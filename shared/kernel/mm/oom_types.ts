/** What the killers keep and are told: the OOM killer, Android's, and the limits of promises. */
import type { Pid } from '../types.ts';

/** A panic: in which tick, and the kernel's message. */
export interface Panic {
  at: number;
  message: string;
}

/** What the OOM killer remembers between two calls (mm/oom_kill.c). */
export interface OomState {
  /** Victims that the reaper tells of in the next tick; shared memory, which it leaves alone, in pages. */
  reaped: { pid: Pid; comm: string; rssShmem: number }[];
  /** Reports may be long: ten in five seconds (lib/ratelimit.c). `begin` is a tick, −1 before the first. */
  reports: { begin: number; printed: number; missed: number };
  /** Who runs swapoff, and dies first if that takes the last page; 0 when nobody does (OOM_FLAG_ORIGIN). */
  origin: Pid;
  /** The use of oom_adj is deplored once. */
  adjWarned: boolean;
}

/** Knobs of the OOM killer, as the machine booted and `sysctl` left them. */
export interface OomKnobs {
  /** vm.panic_on_oom: 0 kill, 1 panic, 2 panic even when the shortage is one cpuset's (here the same). */
  panic: number;
  /** vm.oom_kill_allocating_task: 1 kills who asks. */
  killAllocatingTask: number;
  /** vm.oom_dump_tasks: 1 lists all processes in the report. */
  dumpTasks: number;
}

/** What may be promised (vm.overcommit_…). Reserves of −1 are by formula. */
export interface OvercommitKnobs {
  mode: 0 | 1 | 2;
  /** Percent of RAM that mode 2 may promise; 0 while `kbytes` says it. */
  ratio: number;
  /** vm.overcommit_kbytes, 0 while `ratio` says it. */
  kbytes: number;
  adminReserveKbytes: number;
  userReserveKbytes: number;
}

/** Bounds of the low memory killer, in pages, and the oom_adj that goes with each; without bounds it is not loaded. */
export interface LmkKnobs {
  minfree: number[];
  adj: number[];
}

/** A victim of the OOM killer and the numbers of that moment; `order` and `freePages` are the request's. */
export interface Kill {
  pid: Pid;
  badness: number;
  rss: number;
  order: number;
  freePages: number;
  /** It was taken because it ran swapoff. */
  isOrigin?: true;
  /** Taken by the low memory killer: its adjustment, the least that was asked for, and the bound in pages. */
  lmk?: { adj: number; minAdj: number; minfree: number };
}
