/** ps (procps): processes one a line, with the columns that are asked for. */
import { isZombie, runningTids, threadCount } from '../kernel/thread.ts';
import { oomScore } from '../mm/oom_badness.ts';
import type { Machine, Task } from '../types.ts';
import { memoryNumbers } from './free.ts';
import { rank } from './procrank.ts';

interface Look {
  machine: Machine;
  /** Who runs ps: the only one that is running. */
  caller: Task | null;
  /** The thread whose line it is; without -L the first. */
  tid: number;
}

interface Column {
  readonly head: string;
  /** Columns; 0: as wide as it comes, to the left. */
  readonly width: number;
  readonly left?: boolean;
  readonly text: (task: Task, look: Look) => string;
  /** For --sort. */
  readonly key?: (task: Task, look: Look) => number;
}

const US_A_TICK = 100_000;
const rssPages = ({ mm }: Task): number => mm.rssAnon + mm.rssFile + mm.rssShmem;

/** Thousandths of its lifetime that a process was on the CPU, as ps and top count it. */
export function cpuPermille({ machine }: Pick<Look, 'machine'>, task: Task): number {
  const lived = (machine.now - task.startTime) * US_A_TICK;
  return lived === 0 ? 0 : Math.floor((task.cpuUs * 1000) / lived);
}

/** Thousandths of RAM, 999 at most. */
export function memoryPermille(machine: Machine, task: Task): number {
  return Math.min(999, Math.floor((rssPages(task) * 4 * 1000) / memoryNumbers(machine).total));
}

const tenths = (permille: number): string => `${Math.floor(permille / 10)}.${permille % 10}`;
const two = (value: number): string => String(value).padStart(2, '0');
const seconds = (task: Task): number => Math.floor(task.cpuUs / 1_000_000);
const hms = (s: number): string => `${two(Math.floor(s / 3600))}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;

/** [[days-]hours:]minutes:seconds since birth. */
function elapsed({ now }: Machine, task: Task): string {
  const s = Math.floor((now - task.startTime) / 10);
  const short = `${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
  if (s < 3600) return short;
  const hours = `${two(Math.floor(s / 3600) % 24)}:${short}`;
  return s < 86400 ? hours : `${Math.floor(s / 86400)}-${hours}`;
}

function state(task: Task, { caller, tid }: Look): string {
  if (isZombie(task, tid)) return 'Z';
  return task === caller && tid === task.pid ? 'R' : 'S';
}
/** With an l where there are several threads. */
const stat = (task: Task, look: Look): string => state(task, look) + (threadCount(task) > 1 ? 'l' : '');
const number = (head: string, width: number, key: (task: Task, look: Look) => number): Column => ({
  head,
  width,
  key,
  text: (task, look) => String(key(task, look)),
});
const words = (head: string, width: number, text: (task: Task, look: Look) => string): Column => ({ head, width, left: true, text });

/** By the names of ps(1), "STANDARD FORMAT SPECIFIERS". There are no users here but root, and no terminals. */
const COLUMNS: Readonly<Record<string, Column>> = {
  pid: number('PID', 5, (task) => task.pid),
  tgid: number('TGID', 5, (task) => task.pid),
  lwp: number('LWP', 5, (_task, { tid }) => tid),
  nlwp: number('NLWP', 4, (task) => threadCount(task)),
  ppid: number('PPID', 5, (task) => task.ppid),
  uid: number('UID', 5, () => 0),
  user: words('USER', 8, () => 'root'),
  pcpu: { head: '%CPU', width: 4, text: (task, look) => tenths(cpuPermille(look, task)), key: (task, look) => cpuPermille(look, task) },
  pmem: { head: '%MEM', width: 4, text: (task, { machine }) => tenths(memoryPermille(machine, task)), key: rssPages },
  vsz: number('VSZ', 6, (task) => task.mm.totalVm * 4),
  rss: number('RSS', 5, (task) => rssPages(task) * 4),
  pss: number('PSS', 5, (task, { machine }) => Math.floor(rank(machine, task).pss / 1024)),
  uss: number('USS', 5, (task, { machine }) => rank(machine, task).uss / 1024),
  majflt: number('MAJFLT', 6, (task) => task.majFlt),
  minflt: number('MINFLT', 6, (task) => task.minFlt),
  oom: number('OOM', 4, (task, { machine }) => oomScore(machine, task)),
  oomadj: number('OOMADJ', 6, (task) => task.oomScoreAdj),
  stat: words('STAT', 4, stat),
  s: words('S', 1, state),
  tty: words('TTY', 8, () => '?'),
  tt: words('TT', 8, () => '?'),
  start: {
    head: 'START',
    width: 5,
    left: true,
    text: (task) => hms(Math.floor(task.startTime / 10)).slice(0, 5),
    key: (task) => task.startTime,
  },
  time: { head: 'TIME', width: 8, text: (task) => hms(seconds(task)), key: (task) => task.cpuUs },
  bsdtime: {
    head: 'TIME',
    width: 6,
    text: (task) => `${Math.floor(seconds(task) / 60)}:${two(seconds(task) % 60)}`,
    key: (task) => task.cpuUs,
  },
  etime: { head: 'ELAPSED', width: 11, text: (task, { machine }) => elapsed(machine, task), key: (task) => -task.startTime },
  comm: words('COMMAND', 0, (task) => task.comm),
  cmd: words('CMD', 0, (task) => task.comm),
};
const ALIASES: Readonly<Record<string, string>> = {
  '%cpu': 'pcpu',
  '%mem': 'pmem',
  vsize: 'vsz',
  tid: 'lwp',
  spid: 'lwp',
  thcount: 'nlwp',
  rssize: 'rss',
  rsz: 'rss',
  maj_flt: 'majflt',
  min_flt: 'minflt',
  state: 's',
  tname: 'tty',
  cputime: 'time',
  start_time: 'start',
  ucmd: 'cmd',
  args: 'comm',
  command: 'comm',
};

function columnOf(name: string): Column | undefined {
  const own = ALIASES[name] !== undefined && Object.hasOwn(ALIASES, name) ? ALIASES[name]! : name;
  return Object.hasOwn(COLUMNS, own) ? COLUMNS[own] : undefined;
}

const PLAIN = 'pid,tty,time,cmd';
const THREADS = 'pid,lwp,tty,time,cmd';
const AUX = 'user,pid,pcpu,pmem,vsz,rss,tty,stat,start,bsdtime,comm';

function cell({ width, left }: Column, text: string, isLast: boolean): string {
  if (isLast && left) return text;
  return left ? text.padEnd(width) : text.padStart(width);
}

function table(columns: readonly Column[], rows: readonly { task: Task; tid: number }[], look: Look): string {
  const line = (texts: readonly string[]): string =>
    `${texts.map((text, i) => cell(columns[i]!, text, i === columns.length - 1)).join(' ')}\n`;
  return (
    line(columns.map(({ head }) => head)) +
    rows.map(({ task, tid }) => line(columns.map(({ text }) => text(task, { ...look, tid })))).join('')
  );
}

/** `[+|-]KEY,…`: keys after the first decide between equals; + is smallest first, as no sign is. */
function sorted(tasks: Task[], keys: string, look: Look): Task[] | null {
  const orders: { sign: number; key: (task: Task, look: Look) => number }[] = [];
  for (const word of keys.split(',')) {
    const key = columnOf(word.replace(/^[+-]/, ''))?.key;
    if (key === undefined) return null;
    orders.push({ sign: word.startsWith('-') ? -1 : 1, key });
  }
  return tasks.sort((a, b) => {
    for (const { sign, key } of orders) {
      const difference = key(a, look) - key(b, look);
      if (difference !== 0) return sign * difference;
    }
    return a.pid - b.pid;
  });
}

export const PS_USAGE = 'ps [aux | -e | -A | -L | -eL] [-o COLUMN,…] [-p PID,…] [--sort [-]COLUMN,…]';

interface Wishes {
  columns: string;
  pids: Set<number> | null;
  sort: string | null;
  /** A line for each thread. */
  threads: boolean;
}

function wishesOf(args: readonly string[]): Wishes | null {
  const wishes: Wishes = { columns: PLAIN, pids: null, sort: null, threads: false };
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    if (arg === '-e' || arg === '-A') continue;
    if (arg === '-L' || arg === '-eL') {
      wishes.threads = true;
      if (wishes.columns === PLAIN) wishes.columns = THREADS;
    } else if (arg === 'aux' || arg === '-aux') wishes.columns = AUX;
    else if (arg === '-o' || arg === '-eo' || arg === 'o') wishes.columns = args[++i] ?? '';
    else if (arg === '-p') wishes.pids = new Set((args[++i] ?? '').split(',').map(Number));
    else if (arg === '--sort') wishes.sort = args[++i] ?? '';
    else if (arg.startsWith('--sort=')) wishes.sort = arg.slice(7);
    else return null;
  }
  return wishes;
}

/** Always all processes, in the order of their pids; null for what ps here does not understand. */
export function runPs(machine: Machine, args: readonly string[], caller: Task | null): string | null {
  const wishes = wishesOf(args);
  if (wishes === null) return null;
  const columns: Column[] = [];
  for (const name of wishes.columns.split(',')) {
    const column = columnOf(name);
    if (column === undefined) return null;
    columns.push(column);
  }
  const look = { machine, caller, tid: caller?.pid ?? 0 };
  const tasks = [...machine.tasks.values()].filter(({ pid }) => wishes.pids === null || wishes.pids.has(pid)).sort((a, b) => a.pid - b.pid);
  const ordered = wishes.sort === null ? tasks : sorted(tasks, wishes.sort, look);
  if (ordered === null) return null;
  const tids = (task: Task): number[] => (wishes.threads ? runningTids(machine, task) : []);
  return table(
    columns,
    ordered.flatMap((task) => [task.pid, ...tids(task)].map((tid) => ({ task, tid }))),
    look,
  );
}
