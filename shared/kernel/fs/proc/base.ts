/** The files of /proc by path (fs/proc): text in the kernel's own formats, read from the machine's state. */
import { heapText } from '../../libc/allocator.ts';
import { poolsText } from '../../libc/pool.ts';
import { isZombie, taskOf } from '../../kernel/thread.ts';
import { lmkParameter } from '../../mm/lmk.ts';
import { oomScore } from '../../mm/oom_badness.ts';
import type { Machine, Pid, Task } from '../../types.ts';
import { buddyinfo } from './buddyinfo.ts';
import { extfragIndex, unusableIndex } from './extfrag.ts';
import { fragmentation } from './fragmentation.ts';
import { iomem } from './iomem.ts';
import { meminfo } from './meminfo.ts';
import { pagemap } from './pagemap.ts';
import { pagetypeinfo } from './pagetypeinfo.ts';
import { slabinfo } from './slabinfo.ts';
import { stat } from './stat.ts';
import { maps, smaps, statm, status } from './task_mmu.ts';
import { swaps } from './swaps.ts';
import { vmallocinfo } from './vmallocinfo.ts';
import { thpEnabled } from './thp.ts';
import { vmstat } from './vmstat.ts';
import { zoneinfo } from './zoneinfo.ts';

export const FILES: Readonly<Record<string, (machine: Machine) => string>> = {
  buddyinfo,
  fragmentation,
  iomem,
  meminfo,
  pagetypeinfo,
  vmallocinfo,
  slabinfo,
  stat,
  swaps,
  vmstat,
  zoneinfo,
  kmsg: (machine) => machine.kmsg.map((line) => `${line}\n`).join(''),
};

/** Files of debugfs and sysfs, by their whole path. */
export const DEBUG_FILES: Readonly<Record<string, (machine: Machine) => string | null>> = {
  '/sys/kernel/debug/extfrag/unusable_index': unusableIndex,
  '/sys/kernel/debug/extfrag/extfrag_index': extfragIndex,
  '/sys/module/lowmemorykiller/parameters/minfree': lmkParameter('minfree'),
  '/sys/module/lowmemorykiller/parameters/adj': lmkParameter('adj'),
  '/sys/kernel/mm/transparent_hugepage/enabled': thpEnabled,
};

export const TASK_FILES: Readonly<Record<string, (machine: Machine, task: Task, tid: Pid) => string>> = {
  maps,
  smaps,
  pagemap,
  status,
  statm: (_machine, task) => statm(task),
  freelist: (_machine, task) => heapText(task.heap) + poolsText(task),
  oom_score: (machine, task) => `${oomScore(machine, task)}\n`,
  oom_score_adj: (_machine, task) => `${task.oomScoreAdj}\n`,
  oom_adj: (_machine, task) => `${task.oomAdj}\n`,
};

/** What the files that show an address space say of a zombie, which has none. */
const WITHOUT_MM: Readonly<Record<string, string>> = { maps: '', smaps: '', pagemap: '', statm: '0 0 0 0 0 0 0\n' };

const own = <T>(table: Readonly<Record<string, T>>, name: string): T | undefined => (Object.hasOwn(table, name) ? table[name] : undefined);

/** The text of a file, always by its absolute path; null when there is none. */
export function procFile(machine: Machine, caller: Task | null, path: string): string | null {
  const debug = own(DEBUG_FILES, path);
  if (debug) return debug(machine);
  const match = /^\/proc\/(?:(self|[1-9][0-9]{0,9})\/(?:task\/([1-9][0-9]{0,9})\/)?)?([a-z_]+)$/.exec(path);
  if (!match) return null;
  const [, who, thread, name] = match;
  if (who === undefined && name === 'freelist') return caller ? TASK_FILES.freelist!(machine, caller, caller.pid) : null;
  if (who === undefined) return own(FILES, name!)?.(machine) ?? null;
  // A thread's files are its process's, but for its own numbers in `status`.
  const task = who === 'self' ? caller : taskOf(machine, Number(who));
  if (!task || (thread !== undefined && taskOf(machine, Number(thread)) !== task)) return null;
  const tid = Number(thread ?? (who === 'self' ? task.pid : who));
  const empty = isZombie(task, tid) ? own(WITHOUT_MM, name!) : undefined;
  return empty ?? own(TASK_FILES, name!)?.(machine, task, tid) ?? null;
}
