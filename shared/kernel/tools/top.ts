/** top -b -n 1 (procps 4): the machine in five lines, then its processes. The clock starts at boot. */
import { cpuTimes } from '../kernel/entry.ts';
import type { Machine, Task } from '../types.ts';
import { memoryNumbers } from './free.ts';
import { cpuPermille, memoryPermille } from './ps.ts';

const two = (value: number): string => String(value).padStart(2, '0');
const mib = (kb: number): string => (kb / 1024).toFixed(1).padStart(8);
const rssKb = ({ mm }: Task): number => (mm.rssAnon + mm.rssFile + mm.rssShmem) * 4;

/** "3 min", "2:05", "1 day, 2:05". */
function uptime(s: number): string {
  const minutes = Math.floor(s / 60);
  const days = Math.floor(minutes / 1440);
  const hours = Math.floor(minutes / 60) % 24;
  const rest = days > 0 || hours > 0 ? `${String(hours).padStart(2)}:${two(minutes % 60)}` : `${minutes} min`;
  return days === 0 ? rest : `${days} day${days > 1 ? 's' : ''}, ${rest}`;
}

/** Minutes, seconds, hundredths. */
function timePlus(us: number): string {
  const hundredths = Math.floor(us / 10_000);
  return `${Math.floor(hundredths / 6000)}:${two(Math.floor(hundredths / 100) % 60)}.${two(hundredths % 100)}`;
}

function summary(machine: Machine): string {
  const s = Math.floor(machine.now / 10);
  const clock = `${two(Math.floor(s / 3600) % 24)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
  const tasks = machine.tasks.size;
  const times = cpuTimes(machine);
  const busy = machine.now === 0 ? 0 : Math.floor((times.busy * 1000) / times.all);
  const percent = (permille: number): string => `${Math.floor(permille / 10)}.${permille % 10}`.padStart(5);
  const n = memoryNumbers(machine);
  const used = n.total - n.available;
  const cache = n.buffers + n.cached + n.reclaimable;
  const three = String(tasks).padStart(3);
  return (
    `top - ${clock} up ${uptime(s)},  0 user,  load average: 0.00, 0.00, 0.00\n` +
    `Tasks: ${three} total,   0 running, ${three} sleeping,   0 stopped,   0 zombie\n` +
    `%Cpu(s):  0.0 us,${percent(busy)} sy,  0.0 ni,${percent(1000 - busy)} id,  0.0 wa,  0.0 hi,  0.0 si,  0.0 st \n` +
    `MiB Mem : ${mib(n.total)} total, ${mib(n.free)} free, ${mib(used)} used, ${mib(cache)} buff/cache     \n` +
    `MiB Swap: ${mib(n.swapTotal)} total, ${mib(n.swapFree)} free, ${mib(n.swapTotal - n.swapFree)} used. ${mib(n.available)} avail Mem \n`
  );
}

function row(machine: Machine, task: Task): string {
  const { mm } = task;
  const cells = [
    String(task.pid).padStart(5),
    'root    ',
    ' 20',
    '  0',
    String(mm.totalVm * 4).padStart(7),
    String(rssKb(task)).padStart(6),
    String((mm.rssFile + mm.rssShmem) * 4).padStart(6),
    'S',
    (cpuPermille({ machine }, task) / 10).toFixed(1).padStart(5),
    (memoryPermille(machine, task) / 10).toFixed(1).padStart(5),
    timePlus(task.cpuUs).padStart(9),
    task.comm,
  ];
  return `${cells.join(' ')}\n`;
}

const KEYS: Readonly<Record<string, (machine: Machine, task: Task) => number>> = {
  PID: (_machine, task) => task.pid,
  VIRT: (_machine, task) => task.mm.totalVm,
  RES: (_machine, task) => rssKb(task),
  SHR: (_machine, { mm }) => mm.rssFile + mm.rssShmem,
  '%CPU': (machine, task) => cpuPermille({ machine }, task),
  '%MEM': (_machine, task) => rssKb(task),
  'TIME+': (_machine, task) => task.cpuUs,
};

export const TOP_USAGE = 'top [-b] [-n 1] [-o PID, VIRT, RES, SHR, %CPU, %MEM or TIME+]';

/** Once, sorted by %CPU or by the field of `-o`, largest first; null for what is not in the usage. */
export function runTop(machine: Machine, args: readonly string[]): string | null {
  let key = KEYS['%CPU']!;
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    if (arg === '-b' || arg === '-bn1') continue;
    const given = args[++i];
    if (arg === '-n' && given === '1') continue;
    if (arg !== '-o' || given === undefined || !Object.hasOwn(KEYS, given)) return null;
    key = KEYS[given]!;
  }
  const tasks = [...machine.tasks.values()].sort((a, b) => key(machine, b) - key(machine, a) || a.pid - b.pid);
  const head = '  PID USER      PR  NI    VIRT    RES    SHR S  %CPU  %MEM     TIME+ COMMAND\n';
  return `${summary(machine)}\n${head}${tasks.map((task) => row(machine, task)).join('')}`;
}
