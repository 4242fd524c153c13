/**
 * A scenario as a file or a teacher gives it: checked for shape, for limits, and for being playable, before anything is
 * allocated. What is wrong is said with the path to it.
 */
import { parseConfig, ConfigError } from '#kernel/config.ts';
import { z } from 'zod';
import { meanMilli, neededFrames } from './jobs.ts';
import { CHILDREN_MAX } from './process.ts';
import { RULES } from './round.ts';
import { FRAMES_MAX, machineConfig, machineFrames, SEATS_MAX } from './sizing.ts';
import type { Scenario } from './types.ts';

/** Not a scenario; `path` leads to the place ("families.0.weight"), "" means the whole. */
export class ScenarioError extends Error {
  override name = 'ScenarioError';
  readonly path: string;
  constructor(path: string, rule: string) {
    super(path === '' ? rule : `${path}: ${rule}`);
    this.path = path;
  }
}

export const SCENARIO_BYTES_MAX = 256 * 1024;
export const SCENARIO_DEPTH_MAX = 16;
const PROCESSES_MAX = 512;

const whole = (min: number, max: number) => z.number().int().min(min).max(max);
const milli = (max = 1000) => whole(0, max);
const words = z.strictObject({ en: z.string().min(1).max(200), 'zh-CN': z.string().min(1).max(200) });

/** Keys of the kernel that the round sets itself are no author's to set. */
const kernelKeys = z.strictObject({
  maxOrder: whole(0, 10).optional(),
  pageblockOrder: whole(0, 10).optional(),
  minFreeKbytes: whole(0, 1_000_000).optional(),
  overcommit: z.strictObject({ mode: whole(0, 2), ratio: whole(0, 1000) }).optional(),
  costs: z.record(z.string().max(40), whole(0, 1_000_000)).optional(),
});

const variant = z.strictObject({
  weight: whole(1, 1000),
  holdMilli: whole(50, 10_000).default(1000),
  count: whole(1, 256).default(1),
  bytes: whole(1, 4 << 20).default(4096),
  touchMilli: whole(1, 1000).default(1000),
  frames: whole(1, 1024).default(1),
  writesMilli: milli().default(0),
});

const family = z.strictObject({
  family: z.enum(['buffer', 'capture', 'worker']),
  weight: whole(1, 1000),
  variants: z.array(variant).min(1).max(32),
});

const economy = z.strictObject({
  rentMilliPerFrameSecond: milli(10_000),
  patienceFloorMilli: milli(),
  doneShareMilli: milli(),
  reuseBonusMilli: milli(),
  fairMilli: milli(),
  poorMilli: milli(),
  missMilli: milli(),
  killShareMilli: milli(),
  killMax: whole(0, 1_000_000),
  respawnSeconds: z.tuple([whole(1, 600), whole(1, 600), whole(1, 600)]),
  graceSeconds: whole(0, 3600),
  budgetPerTick: whole(1, 100_000),
  stallTicksMax: whole(0, 600),
  discardSeconds: whole(0, 600),
});

/** Calls that `{do: 'call'}` may open: those whose effect on memory the game can read from the kernel. */
const OPEN_CALLS = ['mmap', 'munmap', 'read', 'write', 'exec', 'peek', 'poke', 'alloc_pages', 'free_pages', 'setrlimit', 'cat'] as const;

const schema = z.strictObject({
  rules: z.literal(RULES),
  id: z.string().regex(/^[a-zA-Z0-9][a-zA-Z0-9_-]{0,63}$/),
  title: words,
  idea: words,
  seconds: whole(10, 3600),
  seats: whole(1, SEATS_MAX),
  machine: z.strictObject({ framesPerSeat: whole(16, 4096), homeFrames: whole(0, 256), kernel: kernelKeys }),
  meanAsk: whole(1, 1024),
  dealSeconds: whole(1, 600),
  hand: whole(1, 5),
  patienceSeconds: whole(5, 3600),
  families: z.array(family).min(1).max(12),
  tools: z
    .array(z.enum(['mmap', 'brk', 'alloc_pages', 'fork']))
    .min(1)
    .max(8),
  calls: z.array(z.enum(OPEN_CALLS)).max(OPEN_CALLS.length),
  economy,
  pulse: z.strictObject({
    calmSeconds: whole(0, 3600),
    demandMilli: z.tuple([whole(50, 3000), whole(50, 3000)]),
    rushSeconds: whole(0, 3600),
    noLongCardsSeconds: whole(0, 3600),
  }),
  ranks: z.enum(['thirds', 'full', 'none']),
});

/** Depth of arrays and objects, without recursion: the value may be hostile. */
function depthOf(value: unknown): number {
  let depth = 0;
  let level: unknown[] = [value];
  while (level.length > 0 && depth <= SCENARIO_DEPTH_MAX) {
    const below: unknown[] = [];
    for (const item of level) if (typeof item === 'object' && item !== null) below.push(...Object.values(item));
    if (below.length > 0) depth += 1;
    level = below;
  }
  return depth;
}

function checkPlayable(scenario: Scenario): void {
  const frames = machineFrames(scenario, SEATS_MAX);
  if (frames > FRAMES_MAX)
    throw new ScenarioError('machine.framesPerSeat', `${SEATS_MAX} seats would take ${frames} frames, more than ${FRAMES_MAX}`);
  if (scenario.seats * (1 + CHILDREN_MAX) > PROCESSES_MAX)
    throw new ScenarioError('seats', `more than ${PROCESSES_MAX} processes with their children`);
  if (new Set(scenario.tools).size !== scenario.tools.length) throw new ScenarioError('tools', 'a tool stands twice');
  const mean = Math.trunc(meanMilli(scenario, (name, row) => neededFrames(name, row, scenario)) / 1000);
  if (mean * 4 < scenario.meanAsk * 3 || mean * 4 > scenario.meanAsk * 5) {
    throw new ScenarioError('meanAsk', `the cards ask for ${mean} frames on average, not ${scenario.meanAsk}`);
  }
  try {
    for (const seats of [1, scenario.seats]) parseConfig(machineConfig(scenario, seats, 1));
  } catch (error) {
    if (error instanceof ConfigError) throw new ScenarioError('machine.kernel', error.message);
    throw error;
  }
}

/** Throws `ScenarioError` for what is no scenario of these rules. */
export function parseScenario(value: unknown): Scenario {
  if (depthOf(value) > SCENARIO_DEPTH_MAX) throw new ScenarioError('', `nested deeper than ${SCENARIO_DEPTH_MAX}`);
  const text = JSON.stringify(value);
  if (text === undefined || text.length > SCENARIO_BYTES_MAX) throw new ScenarioError('', `more than ${SCENARIO_BYTES_MAX} bytes`);
  const parsed = schema.safeParse(value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    const unknown = issue.code === 'unrecognized_keys' ? issue.keys[0]! : null;
    const path = [...issue.path.map(String), ...(unknown === null ? [] : [unknown])].join('.');
    throw new ScenarioError(path, unknown === null ? issue.message : 'not a key of a scenario');
  }
  checkPlayable(parsed.data as Scenario);
  return parsed.data as Scenario;
}
