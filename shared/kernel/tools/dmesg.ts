/** dmesg (util-linux): the kernel's log, with the time since boot before each line. */
import type { Machine } from '../types.ts';

export const DMESG_USAGE = 'dmesg';

export function runDmesg(machine: Machine, args: readonly string[]): string | null {
  return args.length > 0 ? null : machine.kmsg.map((line) => `${line}\n`).join('');
}
