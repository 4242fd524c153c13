/** sysctl, sysrq: what an administrator turns and reads. */
import { int, word } from '../args.ts';
import { SYSCTLS } from '../kernel/sysctl.ts';
import { showMem } from '../mm/show_mem.ts';
import type { Answer, Machine, Task } from '../types.ts';
import { badArgument, granted, refused } from './answer.ts';

export const sysctlArgs = { name: word(Object.keys(SYSCTLS)), value: int(-0x80000000, 0x7fffffff) };

export function sysSysctl(machine: Machine, task: Task | null, name: string, value: number): Answer {
  const knob = SYSCTLS[name]!;
  if (!knob.open && task !== null && !machine.config.root.includes(task.pid))
    return refused('EACCES', { code: 'NOT_ROOT', call: 'sysctl' });
  if (knob.since !== undefined && machine.config.rules === '2.6.32')
    return badArgument('name', `a knob of 2.6.32: this one came with ${knob.since}`);
  if (value < knob.low || value > knob.high) return badArgument('value', `${knob.low} to ${knob.high}`);
  knob.set(machine, value);
  return granted();
}

export const sysrqArgs = { key: word(['m']) };

/** SysRq-m: the memory report, as text. */
export function sysSysrq(machine: Machine): Answer {
  return granted({
    text: showMem(machine)
      .map((line) => `${line}\n`)
      .join(''),
  });
}
