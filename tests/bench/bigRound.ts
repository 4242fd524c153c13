/** The round that quality.md speaks of: 40 players on 16,384 frames, ten minutes long, as the server plays and keeps it. */
import { createBot } from '#game/bots/bots.ts';
import { machineFrames } from '#game/sizing.ts';
import type { BotName, Scenario } from '#game/types.ts';
import { createLog } from '../../server/log.ts';
import { loadScenarios } from '../../server/scenarios.ts';
import { Playing, type Snapshot } from '../../server/sequencer/Playing.ts';

export const SEATS = 40;
export const FRAMES = 16_384;
/** Ticks that a newcomer plays after the snapshot at worst: then a new one is taken. */
export const TAIL_TICKS = 50;
const SEED = 20261121;
/** A class as it is: most free, some do not. */
const KINDS: readonly BotName[] = ['free', 'half', 'free', 'keep', 'free', 'never', 'free', 'splinter'];
/** Of the machine's frames, what all cards at work would like to hold. */
const DEMAND_MILLI = 1050;

/** A shipped scenario on a machine of about so many frames, with cards that ask for as much more. */
function scenario(frames: number): Scenario {
  const scenarios = loadScenarios(createLog('silent'));
  const shipped = scenarios.get('swiss-cheese') ?? scenarios.get(scenarios.list()[0]!.id)!;
  const large: Scenario = {
    ...shipped,
    seconds: 3600,
    pulse: { ...shipped.pulse, demandMilli: [DEMAND_MILLI, DEMAND_MILLI] },
    machine: { ...shipped.machine },
  };
  while (machineFrames(large, SEATS) < frames) large.machine.framesPerSeat += 1;
  const more = Math.max(1, Math.round(large.machine.framesPerSeat / shipped.machine.framesPerSeat));
  large.meanAsk *= more;
  large.families = shipped.families.map((family) => ({
    ...family,
    variants: family.variants.map((variant) => (family.family === 'buffer' ? { ...variant, count: variant.count * more } : variant)),
  }));
  return large;
}

export interface Kept {
  playing: Playing;
  /** Snapshots by the ticks after which they were taken. */
  snapshots: Snapshot[];
}

/** Plays so many ticks, and takes a snapshot after each of those named. */
export async function playBigRound(ticks: number, snapshotsAt: readonly number[], frames = FRAMES): Promise<Kept> {
  const playing = new Playing(scenario(frames), SEED, SEATS);
  const bots = Array.from({ length: SEATS }, (_, seat) => createBot(KINDS[seat % KINDS.length]!, seat, SEED));
  const seqs = bots.map(() => 0);
  for (const { seat } of bots) playing.queue({ type: 'join', seat, bot: null });
  const snapshots: Promise<Snapshot>[] = [];
  for (let n = 1; n <= ticks; n++) {
    for (const bot of bots) {
      const action = bot.act(playing.round);
      if (action !== null) playing.queue({ type: 'act', seat: bot.seat, seq: ++seqs[bot.seat]!, action });
    }
    playing.close();
    if (snapshotsAt.includes(n)) snapshots.push(playing.freshSnapshot());
  }
  return { playing, snapshots: await Promise.all(snapshots) };
}
