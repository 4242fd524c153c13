/** Numbers of Android: the low memory killer's own bounds, and the life-cycle levels that the activity manager gives to processes. */

/** Bounds in pages (6, 8, 16 and 64 MiB) and the oom_adj from which each makes victims: what the driver is born with. */
export const LMK_MINFREE: readonly number[] = [1536, 2048, 4096, 16384];
export const LMK_ADJ: readonly number[] = [0, 1, 6, 12];
/** Both lists have six places. */
export const LMK_PLACES = 6;

/**
 * What the activity manager thinks of a process, by oom_score_adj (ProcessList.java of Android 8 and later; lmkd reads the
 * same numbers): each level reaches up to the next.
 */
export const LIFE_CYCLE: readonly { readonly name: string; readonly from: number }[] = [
  { name: 'Native', from: -1000 },
  { name: 'System', from: -900 },
  { name: 'Persistent', from: -800 },
  { name: 'Persistent Service', from: -700 },
  { name: 'Foreground', from: 0 },
  { name: 'Visible', from: 100 },
  { name: 'Perceptible', from: 200 },
  { name: 'Backup', from: 300 },
  { name: 'Heavy Weight', from: 400 },
  { name: 'A Services', from: 500 },
  { name: 'Home', from: 600 },
  { name: 'Previous', from: 700 },
  { name: 'B Services', from: 800 },
  { name: 'Cached', from: 900 },
];

/** Its level's number in LIFE_CYCLE. */
export function lifeCycleOf(oomScoreAdj: number): number {
  let level = 0;
  while (level + 1 < LIFE_CYCLE.length && LIFE_CYCLE[level + 1]!.from <= oomScoreAdj) level += 1;
  return level;
}

/** The range of one place of each list. */
export const LMK_RANGE = { minfree: { low: 0, high: 0x7fffffff }, adj: { low: -17, high: 15 } } as const;
