/** Good requests for the calls on areas that are there. The stage's two pages at `addr` are writable, private, the first one written. */
import { PAGE } from './boot.ts';
import type { GoodCall } from './requests.ts';

export const VMA_CALLS: readonly GoodCall[] = [
  { call: 'mprotect', by: 'process', args: ({ addr }) => ({ addr, length: PAGE, prot: 'PROT_READ' }) },
  {
    call: 'mremap',
    by: 'process',
    args: ({ addr }) => ({ addr, old_length: PAGE, new_length: 4 * PAGE, flags: 'MREMAP_MAYMOVE' }),
    optional: ['flags'],
  },
  { call: 'mlock', by: 'process', args: ({ addr }) => ({ addr, length: PAGE }) },
  { call: 'munlock', by: 'process', args: ({ addr }) => ({ addr, length: PAGE }) },
  { call: 'madvise', by: 'process', args: ({ addr }) => ({ addr, length: PAGE, advice: 'MADV_DONTNEED' }) },
];
