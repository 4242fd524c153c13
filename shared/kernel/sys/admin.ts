/** sysctl, sysrq: what an administrator turns and reads. */
import { type Argument, BadArgument, int, word } from '../args.ts';
import { LMK_PLACES } from '../mm/lmk_levels.ts';
import { SYSCTL_LISTS, SYSCTLS } from '../kernel/sysctl.ts';
import { manualOom } from '../mm/oom_kill.ts';
import { showMem } from '../mm/show_mem.ts';
import type { Answer, Machine, Task } from '../types.ts';
import { badArgument, granted, oomKilled, refused } from './answer.ts';

/** A number, or for a parameter that is a list 1 to 6 of them. */
const number = int(-0x80000000, 0x7fffffff);
const badValue = new BadArgument('a whole number, or a list of 1 to 6');
const value: Argument<number | number[]> = {
  optional: false,
  parse: (given, wide) => {
    if (!Array.isArray(given)) return number.parse(given, wide);
    if (given.length === 0 || given.length > LMK_PLACES) return badValue;
    for (const each of given) if (typeof number.parse(each, wide) !== 'number') return badValue;
    return given as number[];
  },
};

export const sysctlArgs = { name: word([...Object.keys(SYSCTLS), ...Object.keys(SYSCTL_LISTS)]), value };

export function sysSysctl(machine: Machine, task: Task | null, name: string, given: number | number[]): Answer {
  const knob = SYSCTLS[name];
  if (!knob?.open && task !== null && !machine.config.root.includes(task.pid))
    return refused('EACCES', { code: 'NOT_ROOT', call: 'sysctl' });
  if (knob === undefined) return setList(machine, SYSCTL_LISTS[name]!, given);
  const isOld = machine.config.rules === '2.6.32';
  if (knob.since !== undefined && isOld) return badArgument('name', `a knob of 2.6.32: this one came with ${knob.since}`);
  if (typeof given !== 'number') return badArgument('value', 'one number');
  const high = isOld ? (knob.oldHigh ?? knob.high) : knob.high;
  if (given < knob.low || given > high) return badArgument('value', `${knob.low} to ${high}`);
  knob.set(machine, given);
  return granted();
}

function setList(machine: Machine, { low, high, set }: (typeof SYSCTL_LISTS)[string], given: number | number[]): Answer {
  const values = typeof given === 'number' ? [given] : given;
  for (const each of values) if (each < low || each > high) return badArgument('value', `${low} to ${high} in each place`);
  set(machine, values);
  return granted();
}

export const sysrqArgs = { key: word(['m', 'f']) };

const asText = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('');

/** SysRq-m: the memory report, as text. SysRq-f, for root: the OOM killer by hand; the text is what it wrote into the log. */
export function sysSysrq(machine: Machine, task: Task | null, key: 'm' | 'f'): Answer {
  if (key === 'm') return granted({ text: asText(showMem(machine)) });
  if (task !== null && !machine.config.root.includes(task.pid)) return refused('EACCES', { code: 'NOT_ROOT', call: 'sysrq' });
  const before = machine.kmsgLines;
  manualOom(machine, task?.pid ?? 0);
  if (task !== null && !machine.tasks.has(task.pid)) return oomKilled(machine);
  return granted({ text: asText(machine.kmsg.slice(before - machine.kmsgLines)) });
}
