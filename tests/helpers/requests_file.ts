/** Good requests for the calls on files. */
import type { Machine } from '#kernel/machine.ts';
import { PAGE, granted } from './boot.ts';
import type { GoodCall } from './requests.ts';

/** What they name: a file that the stage's process has open. */
export interface FileStage {
  fd: number;
}

export function fileStage(machine: Machine, pid: number): FileStage {
  return { fd: granted(machine, pid, { call: 'open', path: '/file' }).fd as number };
}

export const FILE_CALLS: readonly GoodCall[] = [
  { call: 'open', by: 'process', text: 'path', args: () => ({ path: '/file', flags: 'O_RDWR' }), optional: ['flags'] },
  { call: 'pread', by: 'process', args: ({ file }) => ({ fd: file.fd, offset: 0, length: PAGE }) },
  { call: 'pwrite', by: 'process', args: ({ file }) => ({ fd: file.fd, offset: 0, length: PAGE }) },
  { call: 'fsync', by: 'process', args: ({ file }) => ({ fd: file.fd }) },
  { call: 'close', by: 'process', args: ({ file }) => ({ fd: file.fd }) },
  { call: 'swapoff', by: 'kernel', args: () => ({}) },
  { call: 'swapon', by: 'kernel', swapOff: true, args: () => ({}) },
  { call: 'transfer', by: 'process', args: ({ file }) => ({ fd: file.fd, offset: 0, count: PAGE, method: 'sendfile' }) },
];
