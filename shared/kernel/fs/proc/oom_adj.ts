/**
 * The two scales of the OOM killer's adjustment (fs/proc/base.c, spec §13): oom_score_adj, −1000 to 1000, and the older
 * oom_adj, −17 to 15, which since 2.6.36 is only another way to write and read the first. Under the rules of 2.6.32 it is the
 * other way round: badness uses oom_adj as it was written, and oom_score_adj is only another way to write it.
 */
import { printk } from '../../kernel/printk.ts';
import { OOM_DISABLE, OOM_SCORE_ADJ_MAX } from '../../mm/oom_badness.ts';
import type { Machine, Task } from '../../types.ts';

export const OOM_ADJUST_MAX = 15;

/** What is written to oom_adj as an oom_score_adj, towards 0; 15 is all of it (oom_adj_write). */
export function toScoreAdj(oomAdj: number): number {
  if (oomAdj === OOM_ADJUST_MAX) return OOM_SCORE_ADJ_MAX;
  return Math.trunc((oomAdj * OOM_SCORE_ADJ_MAX) / -OOM_DISABLE) || 0;
}

/** What oom_adj reads for an oom_score_adj, towards 0 (oom_adj_read). */
export function toOomAdj(scoreAdj: number): number {
  if (scoreAdj === OOM_SCORE_ADJ_MAX) return OOM_ADJUST_MAX;
  return Math.min(OOM_ADJUST_MAX, Math.trunc((scoreAdj * -OOM_DISABLE) / OOM_SCORE_ADJ_MAX)) || 0;
}

/** Once a boot the kernel says that oom_adj is old. */
export function warnOomAdj(machine: Machine, current: Task | null, target: Task): void {
  if (machine.oom.adjWarned) return;
  machine.oom.adjWarned = true;
  const { pid } = target;
  const who = current === null ? 'kernel (0)' : `${current.comm} (${current.pid})`;
  printk(machine, `${who}: /proc/${pid}/oom_adj is deprecated, please use /proc/${pid}/oom_score_adj instead.`);
}
