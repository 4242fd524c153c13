/** Good requests for the calls on segments, translation and crossings between the rings. */
import type { GoodCall } from './requests.ts';

/** A data segment over everything but the accessed bit: what a process may load. */
export const FLAT_ENTRY = { entry: 0, base: 0, limit: 0xfffff, type: 'read/write', dpl: 3, granularity: 1, present: 1 };

export const MMU_CALLS: readonly GoodCall[] = [
  { call: 'modify_ldt', by: 'process', args: () => FLAT_ENTRY, good: { granularity: [true], present: [true] } },
  {
    call: 'translate',
    by: 'process',
    args: ({ addr }) => ({ addr, access: 'write', ring: 3, segment: 'ds' }),
    optional: ['ring', 'segment'],
  },
  { call: 'copy_to_user', by: 'process', args: ({ addr }) => ({ addr, length: 4 }) },
  { call: 'copy_from_user', by: 'process', args: ({ addr }) => ({ addr, length: 4 }) },
  { call: 'load_segment', by: 'process', args: () => ({ register: 'es', selector: 0x7b }) },
];
