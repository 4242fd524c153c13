/** shmget, shmat, shmdt, shmctl: memory that processes share by a key. */
import { address, bytes, flags, int, optional, word } from '../args.ts';
import { doShmat, doShmdt, doShmget, doShmRemove, SHM, shmStat } from '../ipc/shm.ts';
import type { Addr, Answer, Machine, Task } from '../types.ts';
import type { Failure } from '../mm/mmap.ts';
import { granted, refusedBy } from './answer.ts';
import { isRoot } from './mm.ts';

const SHM_FLAGS = { IPC_CREAT: SHM.create, IPC_EXCL: SHM.exclusive, SHM_RDONLY: SHM.readonly };
const ID_MAX = 0x7fffffff;

function answered(machine: Machine, result: Record<string, unknown> | Failure | null): Answer {
  if (result !== null && 'errno' in result) return refusedBy(result as Failure);
  machine.cost += machine.config.costs.area!;
  return granted(result ?? undefined);
}

export const shmgetArgs = { key: int(0, ID_MAX), size: bytes, shmflg: optional(flags(SHM_FLAGS)) };

export function sysShmget(machine: Machine, task: Task, key: number, size: number, shmflg = 0): Answer {
  const shmid = doShmget(machine, task, key, size, shmflg, isRoot(machine, task));
  return answered(machine, typeof shmid === 'number' ? { shmid } : shmid);
}

export const shmatArgs = { shmid: int(0, ID_MAX), addr: optional(address), shmflg: optional(flags(SHM_FLAGS)) };

export function sysShmat(machine: Machine, task: Task, shmid: number, addr: Addr = 0, shmflg = 0): Answer {
  const at = doShmat(machine, task, shmid, addr, shmflg, isRoot(machine, task));
  return answered(machine, typeof at === 'number' ? { addr: at } : at);
}

export const shmdtArgs = { addr: address };

export function sysShmdt(machine: Machine, task: Task, addr: Addr): Answer {
  return answered(machine, doShmdt(machine, task, addr));
}

export const shmctlArgs = { shmid: int(0, ID_MAX), cmd: word(['IPC_STAT', 'IPC_RMID'] as const) };

export function sysShmctl(machine: Machine, task: Task | null, shmid: number, cmd: 'IPC_STAT' | 'IPC_RMID'): Answer {
  if (cmd === 'IPC_RMID') return answered(machine, doShmRemove(machine, task, shmid));
  return answered(machine, shmStat(machine, shmid));
}
