/** vmstat (procps): one line about processes, memory, swap, disk and CPU, as averages since boot; or what was counted since boot. */
import { cpuTicks, cpuTimes, entriesOf } from '../kernel/entry.ts';
import { VMSTAT, type Counter } from '../mm/vmstat.ts';
import type { Machine } from '../types.ts';
import { meminfoKb } from '../fs/proc/meminfo.ts';
import { memoryNumbers } from './free.ts';

const TICKS_A_SECOND = 10;

/** A count as so many a second since boot, rounded. */
function rate({ now }: Machine, count: number): number {
  const ticks = Math.max(1, now);
  return Math.floor((count * TICKS_A_SECOND + (ticks >> 1)) / ticks);
}

const counted = (machine: Machine, counter: Counter): number => machine.vmstat[VMSTAT[counter]]!;

const WIDTHS = [2, 2, 6, 6, 6, 6, 4, 4, 5, 5, 4, 4, 2, 2, 2, 2, 2];

/** The text of `vmstat`; with `-a` inactive and active memory in place of buffers and cache. */
// Simplified: nobody waits in line, and all CPU time is the kernel's.
export function runVmstat(machine: Machine, args: readonly string[]): string | null {
  if (args.length === 1 && (args[0] === '-s' || args[0] === '--stats')) return countsText(machine);
  if (args.length > 1 || (args.length === 1 && args[0] !== '-a')) return null;
  const n = memoryNumbers(machine);
  const kb = meminfoKb(machine);
  const active = args[0] === '-a';
  const memory = active ? [kb.get('Inactive')!, kb.get('Active')!] : [n.buffers, n.cached + n.reclaimable];
  const swap = [counted(machine, 'pswpin') * 4, counted(machine, 'pswpout') * 4];
  const io = [counted(machine, 'pgpgin'), counted(machine, 'pgpgout')];
  const { interrupts, switches } = entriesOf(machine);
  const rates = [...swap, ...io, interrupts, switches].map((count) => rate(machine, count));
  const { all, busy } = cpuTimes(machine);
  const system = Math.floor((busy * 100) / all);
  const values = [0, 0, n.swapTotal - n.swapFree, n.free, ...memory, ...rates, 0, system, 100 - system, 0, 0];
  const heads = `${active ? ' inact active' : '  buff  cache'}`;
  return (
    'procs -----------memory---------- ---swap-- -----io---- -system-- ------cpu-----\n' +
    ` r  b   swpd   free ${heads}   si   so    bi    bo   in   cs us sy id wa st\n` +
    `${values.map((value, i) => String(value).padStart(WIDTHS[i]!)).join(' ')}\n`
  );
}

/** `vmstat -s`: memory now, and what was counted since boot; a CPU tick is a hundredth of a second. */
function countsText(machine: Machine): string {
  const n = memoryNumbers(machine);
  const kb = meminfoKb(machine);
  const { system, idle } = cpuTicks(machine);
  const { interrupts, switches } = entriesOf(machine);
  const lines: readonly (readonly [number, string])[] = [
    [n.total, 'K total memory'],
    [n.total - n.available, 'K used memory'],
    [kb.get('Active')!, 'K active memory'],
    [kb.get('Inactive')!, 'K inactive memory'],
    [n.free, 'K free memory'],
    [n.buffers, 'K buffer memory'],
    [n.cached + n.reclaimable, 'K swap cache'],
    [n.swapTotal, 'K total swap'],
    [n.swapTotal - n.swapFree, 'K used swap'],
    [n.swapFree, 'K free swap'],
    [0, 'non-nice user cpu ticks'],
    [0, 'nice user cpu ticks'],
    [system, 'system cpu ticks'],
    [idle, 'idle cpu ticks'],
    ...['IO-wait', 'IRQ', 'softirq', 'stolen', 'non-nice guest', 'nice guest'].map((kind) => [0, `${kind} cpu ticks`] as const),
    [counted(machine, 'pgpgin'), 'K paged in'],
    [counted(machine, 'pgpgout'), 'K paged out'],
    [counted(machine, 'pswpin'), 'pages swapped in'],
    [counted(machine, 'pswpout'), 'pages swapped out'],
    [interrupts, 'interrupts'],
    [switches, 'CPU context switches'],
    [0, 'boot time'],
    [machine.nextPid - 1, 'forks'],
  ];
  return lines.map(([value, what]) => `${String(value).padStart(13)} ${what}\n`).join('');
}

export const VMSTAT_USAGE = 'vmstat [-a | -s]';
