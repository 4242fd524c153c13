/** Random assignments to smart pointers: in a few variables, and in the objects that these own; over garbage now and then. */
import type { Machine } from '#kernel/machine.ts';
import { pointerBytes, wordAt } from '#kernel/libc/word.ts';
import { homeOf, someHome } from './makers_thread.ts';
import { one, someOf, type Maker, type Makers, type Pick } from './chance.ts';
import { someAddress } from './places.ts';

/** A variable, or a member of the object that it owns. */
function someSmart(machine: Machine, pid: number, pick: Pick): number {
  const task = machine.tasks.get(pid);
  const home = homeOf(machine, pid);
  if (task === undefined || home < 0 || pick(60) === 0) return someAddress(machine, pid, pick);
  const variable = home + 512 + 16 * pick(6);
  const object = wordAt(machine, task, variable, pointerBytes(machine));
  return object > 0 && object < task.mm.taskSize && pick(2) === 0 ? object + 16 * pick(2) : variable;
}

/** [weight, maker] */
const SMART_MAKERS: Makers = [
  [
    10,
    (machine, pid, pick) => ({
      pid,
      call: 'make_shared',
      at: someSmart(machine, pid, pick),
      size: 32 + pick(3) * 8,
      ...one([{ shared: [0] }, { shared: [0, 16] }, { shared: [0], weak: [16] }, { unique: [0] }, {}], pick),
    }),
  ],
  [10, (machine, pid, pick) => ({ pid, call: 'shared_ptr_copy', to: someSmart(machine, pid, pick), from: someSmart(machine, pid, pick) })],
  [4, (machine, pid, pick) => ({ pid, call: 'shared_ptr_move', to: someSmart(machine, pid, pick), from: someSmart(machine, pid, pick) })],
  [6, (machine, pid, pick) => ({ pid, call: 'shared_ptr_reset', at: someSmart(machine, pid, pick) })],
  [1, (machine, pid, pick) => ({ pid, call: 'shared_ptr_reset', at: someSmart(machine, pid, pick), addr: homeOf(machine, pid) + 2048 })],
  [4, (machine, pid, pick) => ({ pid, call: 'weak_ptr_copy', to: someSmart(machine, pid, pick), from: someSmart(machine, pid, pick) })],
  [4, (machine, pid, pick) => ({ pid, call: 'weak_ptr_lock', to: someSmart(machine, pid, pick), from: someSmart(machine, pid, pick) })],
  [2, (machine, pid, pick) => ({ pid, call: 'weak_ptr_reset', at: someSmart(machine, pid, pick) })],
  [2, (machine, pid, pick) => ({ pid, call: 'make_unique', at: someSmart(machine, pid, pick), size: 1 + pick(100) })],
  [2, (machine, pid, pick) => ({ pid, call: 'unique_ptr_move', to: someSmart(machine, pid, pick), from: someSmart(machine, pid, pick) })],
  [1, (machine, pid, pick) => ({ pid, call: 'unique_ptr_reset', at: someSmart(machine, pid, pick) })],
  [3, (_m, pid) => ({ pid, call: 'leak_scan', roots: [] })],
];

const someCall = someOf(SMART_MAKERS);

/** One of them. */
export const someSmartPointer: Maker = (machine, pid, pick) =>
  homeOf(machine, pid) < 0 ? someHome(machine, pid, pick) : someCall(machine, pid, pick);
