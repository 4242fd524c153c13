/** cat: the files of /proc. Looking changes nothing. */
import { text } from '../args.ts';
import { procFile } from '../fs/proc/base.ts';
import type { Answer, Machine, Task } from '../types.ts';
import { granted, refused } from './answer.ts';

export const catArgs = { path: text(256) };

export function sysCat(machine: Machine, task: Task | null, path: string): Answer {
  const found = procFile(machine, task, path);
  machine.cost += machine.config.costs.look!;
  return found === null ? refused('ENOENT', { code: 'NO_SUCH_FILE', path }) : granted({ text: found });
}
