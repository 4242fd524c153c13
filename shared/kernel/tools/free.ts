/**
 * free (procps): memory in a glance, from /proc/meminfo. Two formats: that of procps 4, where "used" is what is not
 * available, and the one of before 3.3.10, where "used" counts buffers and cache, and a second line takes them out again.
 */
import { meminfoKb } from '../fs/proc/meminfo.ts';
import type { Machine } from '../types.ts';

/** kB, as /proc/meminfo has them. */
export interface MemoryNumbers {
  total: number;
  free: number;
  available: number;
  shared: number;
  buffers: number;
  cached: number;
  /** Slabs that would give way. */
  reclaimable: number;
  swapTotal: number;
  swapFree: number;
  lowTotal: number;
  lowFree: number;
  highTotal: number;
  highFree: number;
}

export function memoryNumbers(machine: Machine): MemoryNumbers {
  const kb = meminfoKb(machine);
  const value = (label: string): number => kb.get(label) ?? 0;
  const [total, free] = [value('MemTotal'), value('MemFree')];
  return {
    total,
    free,
    available: value('MemAvailable'),
    shared: value('Shmem'),
    buffers: value('Buffers'),
    cached: value('Cached'),
    reclaimable: value('SReclaimable'),
    swapTotal: value('SwapTotal'),
    swapFree: value('SwapFree'),
    // A machine without high memory has no such lines: all of it is low.
    lowTotal: kb.get('LowTotal') ?? total,
    lowFree: kb.get('LowFree') ?? free,
    highTotal: value('HighTotal'),
    highFree: value('HighFree'),
  };
}

type Unit = (kb: number) => string;

const SUFFIXES = ['Ki', 'Mi', 'Gi', 'Ti'];

/** -h: the first unit in which it has at most five characters, with a decimal if there is room. */
function human(kb: number): string {
  if (`${kb * 1024}B`.length <= 4) return `${kb * 1024}B`;
  let size = kb;
  for (const suffix of SUFFIXES) {
    const fine = suffix === 'Ki' ? `${size}Ki` : `${size.toFixed(1)}${suffix}`;
    if (fine.length <= 5) return fine;
    const whole = `${Math.trunc(size)}${suffix}`;
    if (whole.length <= 5) return whole;
    size /= 1024;
  }
  return `${Math.trunc(size)}Pi`;
}

const UNITS: Readonly<Record<string, Unit>> = {
  '-b': (kb) => String(kb * 1024),
  '-k': String,
  '-m': (kb) => String(Math.trunc(kb / 1024)),
  '-g': (kb) => String(Math.trunc(kb / (1024 * 1024))),
  '-h': human,
};

const row = (label: string, values: readonly string[]): string =>
  `${label.padEnd(9)}${values.map((value) => value.padStart(11)).join(' ')}\n`;

interface Wishes {
  unit: Unit;
  wide: boolean;
  total: boolean;
  low: boolean;
}

/** The format of procps 4. */
export function freeText(
  n: MemoryNumbers,
  { unit, wide, total, low }: Wishes = { unit: String, wide: false, total: false, low: false },
): string {
  const used = n.total - n.available;
  const cache = n.cached + n.reclaimable;
  const swapUsed = n.swapTotal - n.swapFree;
  const between = wide ? [n.buffers, cache] : [n.buffers + cache];
  const names = ['total', 'used', 'free', 'shared', ...(wide ? ['buffers', 'cache'] : ['buff/cache']), 'available'];
  const cells = (values: readonly number[]): string[] => values.map(unit);
  let text = row('', names) + row('Mem:', cells([n.total, used, n.free, n.shared, ...between, n.available]));
  if (low) {
    text += row('Low:', cells([n.lowTotal, n.lowTotal - n.lowFree, n.lowFree]));
    text += row('High:', cells([n.highTotal, n.highTotal - n.highFree, n.highFree]));
  }
  text += row('Swap:', cells([n.swapTotal, swapUsed, n.swapFree]));
  if (total) text += row('Total:', cells([n.total + n.swapTotal, used + swapUsed, n.free + n.swapFree]));
  return text;
}

/** The format of before 3.3.10: the second line is the one that matters. */
export function freeOldText(n: MemoryNumbers, unit: Unit = String): string {
  const cells = (values: readonly number[]): string => values.map((value) => ` ${unit(value).padStart(10)}`).join('');
  const used = n.total - n.free;
  const cache = n.buffers + n.cached;
  return (
    '             total       used       free     shared    buffers     cached\n' +
    `Mem:   ${cells([n.total, used, n.free, n.shared, n.buffers, n.cached])}\n` +
    `-/+ buffers/cache:${cells([used - cache, n.free + cache])}\n` +
    `Swap:  ${cells([n.swapTotal, n.swapTotal - n.swapFree, n.swapFree])}\n`
  );
}

export const FREE_USAGE = 'free [-b | -k | -m | -g | -h] [-w] [-t] [-l] [--old]';

/** `--old` is ours: the old format; a machine under the rules of 2.6.32 has no other. Null for an option that free does not have. */
export function runFree(machine: Machine, args: readonly string[]): string | null {
  const wishes: Wishes = { unit: String, wide: false, total: false, low: false };
  let old = machine.config.rules === '2.6.32';
  for (const arg of args) {
    if (Object.hasOwn(UNITS, arg)) wishes.unit = UNITS[arg]!;
    else if (arg === '-w') wishes.wide = true;
    else if (arg === '-t') wishes.total = true;
    else if (arg === '-l') wishes.low = true;
    else if (arg === '--old') old = true;
    else return null;
  }
  const numbers = memoryNumbers(machine);
  // Before 2.6.32 had a line Shmem to read, this column was 0.
  return old ? freeOldText({ ...numbers, shared: 0 }, wishes.unit) : freeText(numbers, wishes);
}
