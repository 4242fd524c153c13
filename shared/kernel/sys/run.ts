/** run: the programs that show what /proc holds, each as its own manual page has it. Running one changes nothing. */
import { BadArgument, type Argument } from '../args.ts';
import { DMESG_USAGE, runDmesg } from '../tools/dmesg.ts';
import { DUMPSYS_USAGE, runDumpsys } from '../tools/dumpsys.ts';
import { FREE_USAGE, runFree } from '../tools/free.ts';
import { PROCRANK_USAGE, runProcrank } from '../tools/procrank.ts';
import { PS_USAGE, runPs } from '../tools/ps.ts';
import { runTop, TOP_USAGE } from '../tools/top.ts';
import { runVmstat, VMSTAT_USAGE } from '../tools/vmstat.ts';
import { isSortKey, slabtop } from '../tools/slabtop.ts';
import { pmap } from '../tools/pmap.ts';
import type { Answer, Machine, Refused, Task } from '../types.ts';
import { badArgument, granted, refused } from './answer.ts';

const bad = new BadArgument('a list of 1 to 16 words of at most 256 characters');
const isWord = (value: unknown): boolean => typeof value === 'string' && value.length > 0 && value.length <= 256;
const words: Argument<string[]> = {
  parse: (value) => (Array.isArray(value) && value.length >= 1 && value.length <= 16 && value.every(isWord) ? (value as string[]) : bad),
  optional: false,
};

export const runArgs = { argv: words };

/** `slabtop [-o] [-s KEY]`: always once. */
function runSlabtop(machine: Machine, args: readonly string[]): string | Refused {
  let key = 'o';
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    if (arg === '-o' || arg === '--once') continue;
    const given = arg === '-s' ? args[++i] : arg.startsWith('--sort=') ? arg.slice(7) : undefined;
    if (given === undefined || !isSortKey(given)) return badArgument('argv', 'slabtop [-o] [-s a, b, c, l, n, o, p, s, u or v]');
    key = given;
  }
  return slabtop(machine, key);
}

/** `pmap [-x] PID`. */
function runPmap(machine: Machine, args: readonly string[]): string | Refused {
  const isExtended = args[0] === '-x';
  const [pid, ...rest] = isExtended ? args.slice(1) : args;
  if (pid === undefined || rest.length > 0 || !/^[1-9][0-9]{0,9}$/.test(pid)) return badArgument('argv', 'pmap [-x] PID');
  const task = machine.tasks.get(Number(pid));
  return task ? pmap(machine, task, isExtended) : refused('ESRCH', { code: 'NO_SUCH_PROCESS', pid: Number(pid) });
}

type Program = (machine: Machine, args: readonly string[], caller: Task | null) => string | Refused;

/** A program that says null for arguments that it does not have. */
const program =
  (run: (machine: Machine, args: readonly string[], caller: Task | null) => string | null, usage: string): Program =>
  (machine, args, caller) =>
    run(machine, args, caller) ?? badArgument('argv', usage);

export const PROGRAMS: ReadonlyMap<string, Program> = new Map([
  ['slabtop', runSlabtop],
  ['pmap', runPmap],
  ['free', program(runFree, FREE_USAGE)],
  ['top', program(runTop, TOP_USAGE)],
  ['ps', program(runPs, PS_USAGE)],
  ['vmstat', program(runVmstat, VMSTAT_USAGE)],
  ['procrank', program(runProcrank, PROCRANK_USAGE)],
  ['dmesg', program(runDmesg, DMESG_USAGE)],
  ['dumpsys', program(runDumpsys, DUMPSYS_USAGE)],
]);

export function sysRun(machine: Machine, task: Task | null, argv: readonly string[]): Answer {
  const named = PROGRAMS.get(argv[0]!);
  if (named === undefined) return refused('ENOENT', { code: 'NO_SUCH_FILE', path: argv[0]! });
  const text = named(machine, argv.slice(1), task);
  machine.cost += machine.config.costs.look!;
  return typeof text === 'string' ? granted({ text }) : text;
}
