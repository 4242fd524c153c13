/** What must be true of the OOM killer's numbers (fidelity spec §13): badness counted anew from the page tables of each process. */
import type { Machine } from '#kernel/machine.ts';
import { oomBadness, oomScore } from '#kernel/mm/oom_badness.ts';
import type { Task } from '#kernel/types.ts';
import { Broken } from './check.ts';

const PRESENT = 1;
const ZERO_PAGE = 0x200;
const HUGE = 0x80;

/** The table `pfn` of `level` (0: of pages), those under it, and the pages that they map or that are in swap. */
function pagesUnder(machine: Machine, pfn: number, level: number): number {
  const { words, entries } = machine.tables;
  const base = machine.frames.index[pfn]! * entries;
  let pages = 1;
  // Behind the 16 entries of toy16 stands its base register.
  for (let n = 0; n < (machine.tables.levels === 1 ? 16 : entries); n++) {
    const entry = words[base + n]!;
    if (entry === 0) continue;
    // 2 MiB, and the page table that is put aside for them.
    if (level === 1 && (entry & HUGE) !== 0) pages += 513;
    else if (level > 0) pages += pagesUnder(machine, entry >>> 12, level - 1);
    else if ((entry & PRESENT) === 0 || (entry & ZERO_PAGE) === 0) pages += 1;
  }
  return pages;
}

/** Pages of memory and of swap that is in use. */
function pagesInAll(machine: Machine): number {
  let total = machine.swap?.on === true ? machine.swap.slots : 0;
  for (const zone of machine.zones) total += zone.managed;
  return total;
}

/** The points of oom_badness, or null, out of nothing but the tables and the adjustment. */
export function countedBadness(machine: Machine, task: Task): number | null {
  if (machine.config.rules === '2.6.32') return countedOldBadness(machine, task);
  if (task.oomScoreAdj === -1000) return null;
  const total = pagesInAll(machine);
  const charged = machine.config.chargeKernel ? task.kernelPages + Math.ceil(task.kernelBytes / 4096) : 0;
  return pagesUnder(machine, task.mm.pgd, machine.tables.levels - 1) + charged + task.oomScoreAdj * Math.floor(total / 1000);
}

/** Square root, rounded down, by counting up. */
function root(n: bigint): bigint {
  let at = 0n;
  while ((at + 1n) * (at + 1n) <= n) at += 1n;
  return at;
}

const mapped = (task: Task): bigint => task.mm.vmas.reduce((sum, vma) => sum + BigInt((vma.end - vma.start) / 4096), 0n);

/** The points of 2.6.32 step by step, in whole numbers of any length, cut to 32 bits at the end. */
function countedOldBadness(machine: Machine, task: Task): number | null {
  if (task.oomAdj === -17) return null;
  let points = mapped(task);
  if (machine.config.chargeKernel) points += BigInt(task.kernelPages + Math.ceil(task.kernelBytes / 4096));
  for (const child of machine.tasks.values()) if (child.ppid === task.pid) points += mapped(child) / 2n + 1n;
  const cpu = BigInt(task.cpuUs) / 1000n / 8192n;
  const run = (BigInt(machine.now) / 10n - BigInt(task.startTime) / 10n) / 1024n;
  if (cpu > 0n) points /= root(cpu);
  if (run > 0n) points /= root(root(run));
  if (machine.config.root.includes(task.pid)) points = points / 4n / 4n;
  if (task.oomAdj > 0) points = (points === 0n ? 1n : points) * 2n ** BigInt(task.oomAdj);
  else points /= 2n ** BigInt(-task.oomAdj);
  return Number(points % 2n ** 32n);
}

/** Throws `Broken` for the first number that is wrong. */
export function checkOom(machine: Machine): void {
  if (machine.oom.origin !== 0) throw new Broken(`${machine.oom.origin} runs swapoff between two calls`);
  const total = pagesInAll(machine);
  for (const task of machine.tasks.values()) {
    if (task.oomScoreAdj < -1000 || task.oomScoreAdj > 1000) throw new Broken(`pid ${task.pid}: oom_score_adj ${task.oomScoreAdj}`);
    const points = countedBadness(machine, task);
    if (oomBadness(machine, task) !== points) throw new Broken(`pid ${task.pid}: badness ${oomBadness(machine, task)}, counted ${points}`);
    const score =
      points === null ? 0 : machine.config.rules === '2.6.32' ? points : Math.trunc(((1000 + Math.trunc((points * 1000) / total)) * 2) / 3);
    if (oomScore(machine, task) !== score) throw new Broken(`pid ${task.pid}: oom_score ${oomScore(machine, task)}, counted ${score}`);
  }
  const { reports } = machine.oom;
  if (reports.printed > 10) throw new Broken(`${reports.printed} reports in five seconds`);
}
