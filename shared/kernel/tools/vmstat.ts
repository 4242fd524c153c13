/** vmstat (procps): one line about processes, memory, swap, disk and CPU, as averages since boot. */
import { VMSTAT, type Counter } from '../mm/vmstat.ts';
import type { Machine } from '../types.ts';
import { meminfoKb } from '../fs/proc/meminfo.ts';
import { memoryNumbers } from './free.ts';

const TICKS_A_SECOND = 10;
const US_A_TICK = 100_000;

/** kB a second since boot, rounded. */
function rate(machine: Machine, counter: Counter, kb: number): number {
  const ticks = Math.max(1, machine.now);
  return Math.floor((machine.vmstat[VMSTAT[counter]]! * kb * TICKS_A_SECOND + (ticks >> 1)) / ticks);
}

/** Percent of the time since boot that calls took; those of processes that have ended are not counted. */
function busyPercent(machine: Machine): number {
  let us = 0;
  for (const task of machine.tasks.values()) us += task.cpuUs;
  return Math.min(100, Math.floor((us * 100) / (Math.max(1, machine.now) * US_A_TICK)));
}

const WIDTHS = [2, 2, 6, 6, 6, 6, 4, 4, 5, 5, 4, 4, 2, 2, 2, 2, 2];

/** The text of `vmstat`; with `-a` inactive and active memory in place of buffers and cache. */
// Simplified: interrupts and context switches are not counted here, nobody waits in line, and all CPU time is the kernel's.
export function runVmstat(machine: Machine, args: readonly string[]): string | null {
  if (args.length > 1 || (args.length === 1 && args[0] !== '-a')) return null;
  const n = memoryNumbers(machine);
  const kb = meminfoKb(machine);
  const active = args[0] === '-a';
  const memory = active ? [kb.get('Inactive')!, kb.get('Active')!] : [n.buffers, n.cached + n.reclaimable];
  const swap = [rate(machine, 'pswpin', 4), rate(machine, 'pswpout', 4)];
  const io = [rate(machine, 'pgpgin', 1), rate(machine, 'pgpgout', 1)];
  const busy = busyPercent(machine);
  const values = [0, 0, n.swapTotal - n.swapFree, n.free, ...memory, ...swap, ...io, 0, 0, 0, busy, 100 - busy, 0, 0];
  const heads = `${active ? ' inact active' : '  buff  cache'}`;
  return (
    'procs -----------memory---------- ---swap-- -----io---- -system-- ------cpu-----\n' +
    ` r  b   swpd   free ${heads}   si   so    bi    bo   in   cs us sy id wa st\n` +
    `${values.map((value, i) => String(value).padStart(WIDTHS[i]!)).join(' ')}\n`
  );
}

export const VMSTAT_USAGE = 'vmstat [-a]';
