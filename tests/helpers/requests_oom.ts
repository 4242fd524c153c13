/** Good requests for the calls on the OOM killer. */
import type { GoodCall } from './requests.ts';

export const OOM_CALLS: readonly GoodCall[] = [
  { call: 'oom_score_adj', by: 'process', args: ({ child }) => ({ target: child, value: 100 }), good: { value: [-1] } },
  { call: 'oom_adj', by: 'process', args: ({ child }) => ({ target: child, value: 3 }), good: { value: [-1] } },
];
