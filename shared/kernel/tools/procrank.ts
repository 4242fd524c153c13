/**
 * procrank (Android): who has how much of memory, by what each would be charged if shared pages were split evenly (PSS).
 * A page that n entries map counts ⌊4096 / n⌋ bytes for each of them.
 */
import { areaSizes } from '../fs/proc/task_mmu.ts';
import type { Machine, Pid, Task } from '../types.ts';
import { memoryNumbers } from './free.ts';
import { meminfoKb } from '../fs/proc/meminfo.ts';

/** Bytes. */
export interface Ranked {
  pid: Pid;
  vss: number;
  rss: number;
  pss: number;
  uss: number;
  cmdline: string;
}

/** Walks the tables of a process. */
export function rank(machine: Machine, task: Task): Ranked {
  const sizes = { pid: task.pid, vss: task.mm.totalVm * 4096, rss: 0, pss: 0, uss: 0, cmdline: task.comm };
  for (const vma of task.mm.vmas) {
    const area = areaSizes(machine, task.mm, vma);
    sizes.rss += area.rss * 4096;
    sizes.pss += area.pssBytes;
    sizes.uss += (area.privateClean + area.privateDirty) * 4096;
  }
  return sizes;
}

const kb = (bytes: number, width: number): string => `${String(Math.floor(bytes / 1024)).padStart(width)}K`;

/** Rows as they come, the sums of PSS and USS under them. */
export function procrankText(rows: readonly Ranked[]): string {
  const lines = rows.map(
    ({ pid, vss, rss, pss, uss, cmdline }) =>
      `${String(pid).padStart(5)}  ${kb(vss, 7)}  ${kb(rss, 6)}  ${kb(pss, 6)}  ${kb(uss, 6)}  ${cmdline}\n`,
  );
  const sum = (of: (row: Ranked) => number): number => rows.reduce((total, row) => total + of(row), 0);
  return (
    `  PID  ${'Vss'.padStart(8)}  ${'Rss'.padStart(7)}  ${'Pss'.padStart(7)}  ${'Uss'.padStart(7)}  cmdline\n${lines.join('')}` +
    `${''.padStart(26)}${'------'.padStart(7)}  ${'------'.padStart(7)}  ------\n` +
    `${''.padStart(26)}${kb(
      sum((row) => row.pss),
      6,
    )}  ${kb(
      sum((row) => row.uss),
      6,
    )}  TOTAL\n`
  );
}

const KEYS: Readonly<Record<string, (row: Ranked) => number>> = {
  '-v': (row) => row.vss,
  '-r': (row) => row.rss,
  '-p': (row) => row.pss,
  '-u': (row) => row.uss,
};

export const PROCRANK_USAGE = 'procrank [-v | -r | -p | -u] [-R]';

/** By PSS, largest first; `-R` turns the order round. Processes without memory are left out. */
export function runProcrank(machine: Machine, args: readonly string[]): string | null {
  let key = KEYS['-p']!;
  let sign = -1;
  for (const arg of args) {
    if (Object.hasOwn(KEYS, arg)) key = KEYS[arg]!;
    else if (arg === '-R') sign = 1;
    else return null;
  }
  const rows = [...machine.tasks.values()].map((task) => rank(machine, task)).filter(({ vss }) => vss > 0);
  rows.sort((a, b) => sign * (key(a) - key(b)) || a.pid - b.pid);
  const n = memoryNumbers(machine);
  const slab = meminfoKb(machine).get('Slab')!;
  const ram = [
    `${n.total}K total`,
    `${n.free}K free`,
    `${n.buffers}K buffers`,
    `${n.cached}K cached`,
    `${n.shared}K shmem`,
    `${slab}K slab`,
  ];
  return `${procrankText(rows)}\nRAM: ${ram.join(', ')}\n`;
}
