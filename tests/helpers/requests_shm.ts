/** Good requests for SysV shared memory. The stage's process made a segment of two pages and attached it at `at`. */
import type { Machine } from '#kernel/machine.ts';
import { PAGE, granted } from './boot.ts';
import type { GoodCall } from './requests.ts';

export interface ShmStage {
  shmid: number;
  at: number;
}

export function shmStage(machine: Machine, pid: number): ShmStage {
  const shmid = granted(machine, pid, { call: 'shmget', key: 77, size: 2 * PAGE, shmflg: 'IPC_CREAT' }).shmid as number;
  return { shmid, at: granted(machine, pid, { call: 'shmat', shmid, addr: 0x60000000 }).addr as number };
}

export const SHM_CALLS: readonly GoodCall[] = [
  { call: 'shmget', by: 'process', args: () => ({ key: 5, size: PAGE, shmflg: 'IPC_CREAT|IPC_EXCL' }), optional: ['shmflg'] },
  {
    call: 'shmat',
    by: 'process',
    args: ({ shm }) => ({ shmid: shm.shmid, addr: 0x50000000, shmflg: 'SHM_RDONLY' }),
    optional: ['addr', 'shmflg'],
  },
  { call: 'shmdt', by: 'process', args: ({ shm }) => ({ addr: shm.at }) },
  { call: 'shmctl', by: 'process', args: ({ shm }) => ({ shmid: shm.shmid, cmd: 'IPC_STAT' }) },
];
