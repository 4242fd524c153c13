/** Paired measurements: two things alternate within one run, so that a noisy machine disturbs both alike; and in processor time. */

export interface Row {
  /** As quality.md numbers it. */
  id: string;
  what: string;
  value: number | null;
  unit: string;
  must: number;
  stretch: number;
  /** What was measured besides, in words. */
  note: string;
  /** Every round's value, for who doubts the median. */
  rounds: number[];
}

export function median(values: readonly number[]): number {
  const sorted = [...values].toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Nanoseconds of processor time that `work` took on this thread: what else runs on the machine is not counted. */
export function timed(work: () => void): number {
  const start = process.threadCpuUsage();
  work();
  const { user, system } = process.threadCpuUsage(start);
  return (user + system) * 1000;
}

export function printTable(rows: readonly Row[]): void {
  const cells = rows.map((row) => [
    row.id,
    row.what,
    row.value === null ? '–' : `${row.value.toFixed(2)} ${row.unit}`,
    `≤ ${row.must}`,
    `≤ ${row.stretch}`,
    row.value === null ? 'not measured' : row.value <= row.stretch ? 'stretch met' : row.value <= row.must ? 'met' : 'NOT met',
    row.note,
  ]);
  const table = [['', 'what', 'median', 'must', 'stretch', '', 'note'], ...cells];
  const widths = table[0]!.map((_, column) => Math.max(...table.map((line) => line[column]!.length)));
  for (const line of table)
    console.log(
      line
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join('  ')
        .trimEnd(),
    );
}
