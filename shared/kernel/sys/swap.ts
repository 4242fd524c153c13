/** swapon, swapoff: the area for pages that are pushed out. */
import { GFP_HIGHUSER_MOVABLE } from '../gfp.ts';
import { allocWhy, ASKER_KILLED } from '../mm/slowpath.ts';
import { shmemUnuse } from '../mm/shmem_swap.ts';
import { unuseMm } from '../mm/swap_fault.ts';
import { freePages } from '../mm/mmzone.ts';
import { deleteFromSwapCache, type Swap } from '../mm/swap_state.ts';
import type { Answer, Machine, Refused, Task } from '../types.ts';
import { granted, oomKilled, refused } from './answer.ts';

/** The machine's area, for those who may turn it on and off. */
function areaFor(machine: Machine, task: Task | null, call: string): Swap | Refused {
  if (task !== null && !machine.config.root.includes(task.pid)) return refused('EACCES', { code: 'NOT_ROOT', call });
  return machine.swap ?? refused('EINVAL', { code: 'NO_SWAP', slots: 0 });
}

export function sysSwapon(machine: Machine, task: Task | null): Answer {
  const swap = areaFor(machine, task, 'swapon');
  if ('ok' in swap) return swap;
  if (swap.on) return refused('EBUSY', { code: 'SWAP_IS_ON', slots: swap.slots });
  swap.on = true;
  return granted({ slots: swap.slots });
}

/** Shared objects first, then process by process; 0, or what stopped it: no memory, or the caller's death (try_to_unuse). */
function tryToUnuse(machine: Machine, task: Task | null): number {
  const caller = task === null ? 0 : task.pid;
  const isDead = (): boolean => task !== null && !machine.tasks.has(task.pid);
  for (const object of machine.shm.values()) {
    const outcome = shmemUnuse(machine, object, caller);
    if (isDead()) return ASKER_KILLED;
    if (outcome < 0) return outcome;
  }
  for (const each of machine.tasks.values()) {
    const outcome = unuseMm(machine, each);
    if (isDead()) return ASKER_KILLED;
    // Who was killed meanwhile has nothing left in swap.
    if (outcome < 0 && outcome !== ASKER_KILLED) return outcome;
  }
  return 0;
}

/** Brings everything back first; where memory does not suffice the area stays on (try_to_unuse). */
export function sysSwapoff(machine: Machine, task: Task | null): Answer {
  const swap = areaFor(machine, task, 'swapoff');
  if ('ok' in swap) return swap;
  if (!swap.on) return refused('EINVAL', { code: 'NO_SWAP', slots: swap.slots });
  // Linux does not begin what would take more than there is (__vm_enough_memory).
  if (swap.used - swap.cache.size > freePages(machine.zones))
    return refused('ENOMEM', { code: 'SWAP_IN_USE', used: swap.used, freePages: freePages(machine.zones) });
  swap.on = false;
  machine.oom.origin = task?.pid ?? 0;
  const outcome = tryToUnuse(machine, task);
  machine.oom.origin = 0;
  if (outcome !== 0) {
    swap.on = true;
    return outcome === ASKER_KILLED ? oomKilled(machine) : refused('ENOMEM', allocWhy(machine, 0, GFP_HIGHUSER_MOVABLE));
  }
  for (const pfn of swap.cache.values()) deleteFromSwapCache(machine, pfn);
  return granted({ slots: swap.slots });
}
