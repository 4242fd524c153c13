/** Those who look at an access before it is made: the sanitizer (shadow.ts) and the detector of data races (races.ts). */
import type { Addr, Machine, Refused, Task } from '../types.ts';
import { addAccess, EVENT, type EventKind } from './races.ts';
import { checkAccess, stop } from './shadow.ts';

/** Notes an access; with `races: "halt"` the process ends at the first race, as with TSan's halt_on_error. */
export function noteAccess(machine: Machine, task: Task, addr: Addr, length: number, kind: EventKind): Refused | null {
  const why = addAccess(machine, task, addr, length, kind);
  if (why === null) return null;
  if (machine.config.races === 'halt') return stop(machine, task, why);
  machine.races!.told ??= why;
  return null;
}

/** What is wrong with an access, by those who watch; the end of the process. */
export function watch(machine: Machine, task: Task, addr: Addr, length: number, how: 'read' | 'write' | 'atomic'): Refused | null {
  if (task.heap !== null) {
    const bug = how === 'write' ? null : checkAccess(machine, task, addr, length, false);
    if (bug !== null) return bug;
    const wrong = how === 'read' ? null : checkAccess(machine, task, addr, length, true);
    if (wrong !== null) return wrong;
  }
  return machine.races === null ? null : noteAccess(machine, task, addr, length, EVENT[how]);
}
