/** Keys of a machine that have to do with disk, swap and reclaim (calls.md): parsed strictly. */
import type { FileConfig } from './fs/inode.ts';
import type { ReplacementConfig } from './mm/replacement.ts';
import type { MachineConfig, Pid } from './types.ts';

type Keys = Readonly<Record<string, unknown>>;
type Fail = (message: string) => never;

export const DISK_KEYS = [
  'disk',
  'swap',
  'swappiness',
  'dirty_ratio',
  'dirty_background_ratio',
  'dirty_expire_centisecs',
  'dirty_writeback_centisecs',
  'replacement',
];

const FILES_MAX = 1024;
const LIBS_MAX = 16;
const PATH_MAX = 255;
/** Bytes that a file can have. */
export const FILE_BYTES_MAX = 0x8000_0000;
const SLOTS_MAX = 1 << 20;
/** Slots of swap where a machine with a policy names none. */
const REPLACED_MAX = 65536;
const FUTURE_MAX = 1 << 20;
/** Until 5.8. */
export const SWAPPINESS_MAX_OLD = 100;
const POLICIES = ['fifo', 'lru', 'clock', 'opt', 'random'] as const;

const isPlain = (value: unknown): value is Keys => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Checks of one configuration; `fail` throws. */
interface Checks {
  fail: Fail;
  plain: (value: unknown, path: string, names: readonly string[]) => Keys;
  integer: (value: unknown, path: string, low: number, high: number, otherwise?: number) => number;
}

function checksWith(fail: Fail): Checks {
  return {
    fail,
    plain: (value, path, names) => {
      if (!isPlain(value)) return fail(`${path} is an object`);
      for (const name of Object.keys(value)) if (!names.includes(name)) fail(`${path}.${name} is not a key of a machine`);
      return value;
    },
    integer: (value, path, low, high, otherwise) => {
      if (value === undefined && otherwise !== undefined) return otherwise;
      const isGood = Number.isInteger(value) && (value as number) >= low && (value as number) <= high && !Object.is(value, -0);
      return isGood ? (value as number) : fail(`${path} is a whole number from ${low} to ${high}`);
    },
  };
}

function pathOf(checks: Checks, value: unknown, at: string): string {
  // Printable ASCII: the path stands in /proc/PID/maps.
  if (typeof value !== 'string' || value.length > PATH_MAX || !/^\/[!-~]+$/.test(value))
    return checks.fail(`${at} is an absolute path of at most ${PATH_MAX} printable characters`);
  return value;
}

function fileOf(checks: Checks, value: unknown, at: string): FileConfig {
  const given = checks.plain(value, at, ['path', 'bytes', 'text', 'data', 'bss', 'libs']);
  const bytes = checks.integer(given.bytes, `${at}.bytes`, 0, FILE_BYTES_MAX);
  const text = checks.integer(given.text, `${at}.text`, 0, bytes, 0);
  const dataBytes = checks.integer(given.data, `${at}.data`, 0, bytes - text, 0);
  const bss = checks.integer(given.bss, `${at}.bss`, 0, FILE_BYTES_MAX, 0);
  const libs = given.libs ?? [];
  if (!Array.isArray(libs) || libs.length > LIBS_MAX) return checks.fail(`${at}.libs is a list of at most ${LIBS_MAX} paths`);
  return {
    path: pathOf(checks, given.path, `${at}.path`),
    bytes,
    text,
    data: dataBytes,
    bss,
    libs: libs.map((lib, n) => pathOf(checks, lib, `${at}.libs.${n}`)),
  };
}

function diskOf(checks: Checks, value: unknown): FileConfig[] {
  if (value === undefined) return [];
  const { files } = checks.plain(value, 'disk', ['files']);
  if (!Array.isArray(files) || files.length > FILES_MAX) return checks.fail(`disk.files is a list of at most ${FILES_MAX} files`);
  const list = files.map((file, n) => fileOf(checks, file, `disk.files.${n}`));
  const paths = new Set(list.map(({ path }) => path));
  if (paths.size < list.length) checks.fail('disk.files has a path twice');
  for (const { path, libs } of list)
    for (const lib of libs) if (!paths.has(lib)) checks.fail(`disk.files: ${path} needs ${lib}, which is no file`);
  return list;
}

function swapOf(checks: Checks, value: unknown): MachineConfig['swap'] {
  if (value === undefined) return null;
  const given = checks.plain(value, 'swap', ['slots', 'readahead']);
  const readahead = checks.integer(given.readahead, 'swap.readahead', 1, 64, 8);
  if ((readahead & (readahead - 1)) !== 0) checks.fail('swap.readahead is a power of two');
  return { slots: checks.integer(given.slots, 'swap.slots', 1, SLOTS_MAX), readahead };
}

/** `future` comes from `sim`, which plays the script once to know it. */
function futureOf(checks: Checks, value: unknown): [Pid, number][] {
  if (value === undefined) return [];
  if (!Array.isArray(value) || value.length > FUTURE_MAX) return checks.fail('replacement.future is a list of [pid, page]');
  return value.map((pair: unknown) => {
    if (!Array.isArray(pair) || pair.length !== 2) return checks.fail('replacement.future is a list of [pid, page]');
    return [checks.integer(pair[0], 'replacement.future', 1, 0x7fffffff), checks.integer(pair[1], 'replacement.future', 0, 0x10_0000_0000)];
  });
}

function replacementOf(checks: Checks, value: unknown): ReplacementConfig | null {
  if (value === undefined || value === 'linux') return null;
  const given = checks.plain(value, 'replacement', ['policy', 'frames', 'future']);
  const policy = POLICIES.find((name) => name === given.policy);
  if (policy === undefined) return checks.fail(`replacement.policy is one of ${POLICIES.join(', ')}`);
  if (policy === 'opt' && given.future === undefined) checks.fail('replacement.policy: opt only where the whole script is known');
  return { policy, frames: checks.integer(given.frames, 'replacement.frames', 1, SLOTS_MAX), future: futureOf(checks, given.future) };
}

export function diskConfig(
  keys: Keys,
  fail: Fail,
): Pick<
  MachineConfig,
  | 'disk'
  | 'swap'
  | 'swappiness'
  | 'dirtyRatio'
  | 'dirtyBackgroundRatio'
  | 'dirtyExpireCentisecs'
  | 'dirtyWritebackCentisecs'
  | 'replacement'
> {
  const checks = checksWith(fail);
  const replacement = replacementOf(checks, keys.replacement);
  const knob = (name: string, high: number, otherwise: number) => checks.integer(keys[name], name, 0, high, otherwise);
  return {
    disk: diskOf(checks, keys.disk),
    // Pages that a policy takes away go somewhere.
    swap: swapOf(checks, keys.swap) ?? (replacement === null ? null : { slots: REPLACED_MAX, readahead: 1 }),
    swappiness: knob('swappiness', keys.rules === '2.6.32' ? SWAPPINESS_MAX_OLD : 200, 60),
    dirtyRatio: knob('dirty_ratio', 100, 20),
    dirtyBackgroundRatio: knob('dirty_background_ratio', 100, 10),
    dirtyExpireCentisecs: knob('dirty_expire_centisecs', 0x7fffffff, 3000),
    dirtyWritebackCentisecs: knob('dirty_writeback_centisecs', 0x7fffffff, 500),
    replacement,
  };
}
