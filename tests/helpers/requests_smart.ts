/** Good requests for smart pointers. */
import { type Machine } from '#kernel/machine.ts';
import { granted } from './boot.ts';
import type { GoodCall } from './requests.ts';

export interface SmartStage {
  /** A shared_ptr, a weak_ptr to the same object, a unique_ptr, and memory that holds zeros. */
  shared: number;
  weak: number;
  unique: number;
  empty: number;
}

export function smartStage(machine: Machine, pid: number, addr: number): SmartStage {
  const at = { shared: addr + 256, weak: addr + 272, unique: addr + 288, empty: addr + 304 };
  granted(machine, pid, { call: 'make_shared', at: at.shared, size: 32, shared: [0] });
  granted(machine, pid, { call: 'weak_ptr_copy', to: at.weak, from: at.shared });
  granted(machine, pid, { call: 'make_unique', at: at.unique, size: 32 });
  return at;
}

export const SMART_CALLS: readonly GoodCall[] = [
  {
    call: 'make_shared',
    by: 'process',
    args: ({ smart }) => ({ at: smart.empty, size: 40, shared: [0], weak: [8], unique: [16] }),
    optional: ['shared', 'weak', 'unique'],
  },
  { call: 'shared_ptr_copy', by: 'process', args: ({ smart }) => ({ to: smart.empty, from: smart.shared }) },
  { call: 'shared_ptr_move', by: 'process', args: ({ smart }) => ({ to: smart.empty, from: smart.shared }) },
  { call: 'shared_ptr_reset', by: 'process', args: ({ smart, block }) => ({ at: smart.shared, addr: block }), optional: ['addr'] },
  { call: 'weak_ptr_copy', by: 'process', args: ({ smart }) => ({ to: smart.empty, from: smart.shared }) },
  { call: 'weak_ptr_lock', by: 'process', args: ({ smart }) => ({ to: smart.empty, from: smart.weak }) },
  { call: 'weak_ptr_reset', by: 'process', args: ({ smart }) => ({ at: smart.weak }) },
  { call: 'make_unique', by: 'process', args: ({ smart }) => ({ at: smart.empty, size: 8 }) },
  { call: 'unique_ptr_move', by: 'process', args: ({ smart }) => ({ to: smart.empty, from: smart.unique }) },
  { call: 'unique_ptr_reset', by: 'process', args: ({ smart, block }) => ({ at: smart.unique, addr: block }), optional: ['addr'] },
];
