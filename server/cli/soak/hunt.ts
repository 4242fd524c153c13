/** Kills a server again and again while classes play on it, and compares in the end. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SECONDS_MAX } from '#protocol/limits.ts';
import type { Phase } from '#protocol/messages.ts';
import { ClassRoom } from './ClassRoom.ts';
import { Prey } from './Prey.ts';
import { verify, type Verdict } from './verify.ts';

export interface HuntOptions {
  kills: number;
  rooms: number;
  players: number;
  bots: number;
  /** The longest life between two kills, ms. */
  lifeMsMax: number;
  /** Decides when the server is killed. */
  seed: number;
  say: (line: string) => void;
}

export interface Hunted {
  verdicts: Verdict[];
  /** From the kill until the last of all people heard of the round again, ms; of each kill. */
  backMs: number[];
  kills: number;
}

/** The shortest life between two kills, ms: the server has only just come up. */
const LIFE_MS_MIN = 50;
/** Every so many kills it is killed once more while it starts. */
const TWICE_EVERY = 4;
/** Every so many kills the rounds are paused before, and must be so after. */
const PAUSED_EVERY = 5;
const START_MS_MAX = 900;
/** In a round that is interrupted and not gone, all are back within this. */
const BACK_MS_MAX = 60_000;

export async function hunt({ kills, rooms: count, players, bots, lifeMsMax, seed, say }: HuntOptions): Promise<Hunted> {
  const folder = mkdtempSync(join(tmpdir(), 'soak-'));
  const prey = await Prey.on(folder);
  const chance = generator(seed);
  const rooms: ClassRoom[] = [];
  try {
    prey.start();
    await prey.answers();
    for (let i = 0; i < count; i++) rooms.push(await ClassRoom.open(prey.url, players, bots, Math.min(SECONDS_MAX, 60 + 6 * kills)));
    await Promise.all(rooms.map((room) => begin(room)));
    const backMs: number[] = [];
    for (let kill = 1; kill <= kills; kill++) {
      await pause(LIFE_MS_MIN + chance(lifeMsMax - LIFE_MS_MIN));
      const isPaused = kill % PAUSED_EVERY === 0;
      if (isPaused) await Promise.all(rooms.map((room) => turn(room, 'pause', 'paused')));
      backMs.push(await killOnce(prey, rooms, kill % TWICE_EVERY === 0 ? chance(START_MS_MAX) : null));
      if (isPaused) await Promise.all(rooms.map((room) => turn(room, 'resume', 'running')));
      const tick = [...rooms[0]!.host.heard.keys()].at(-1) ?? 0;
      say(`kill ${kill} of ${kills}${isPaused ? ', paused' : ''}: all back after ${Math.round(backMs.at(-1)!)} ms, tick ${tick}`);
    }
    await Promise.all(rooms.map((room) => finish(room)));
    await Promise.all(rooms.map((room) => room.leave()));
    await prey.stop();
    const verdicts: Verdict[] = [];
    for (const room of rooms) verdicts.push(await verify(folder, room));
    return { verdicts, backMs, kills };
  } finally {
    await Promise.all(rooms.map((room) => room.leave()));
    await prey.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** `again`: once more so many ms after the start. */
async function killOnce(prey: Prey, rooms: ClassRoom[], again: number | null): Promise<number> {
  const since = performance.now();
  await prey.kill();
  prey.start();
  if (again !== null) {
    await pause(again);
    await prey.kill();
    prey.start();
  }
  const late = new Promise<never>((_, reject) => setTimeout(() => reject(new Error('somebody has not come back')), BACK_MS_MAX).unref());
  await Promise.race([Promise.all(rooms.map((room) => room.untilBack(since))), late]);
  return performance.now() - since;
}

async function begin(room: ClassRoom): Promise<void> {
  await room.host.host({ do: 'start' });
  await room.until(() => room.host.heard.size > 0);
}

/** A host may ask in vain, when the server was only just killed: then once more. `resume` is refused unless the round is paused still. */
async function turn(room: ClassRoom, action: 'pause' | 'resume', phase: Phase): Promise<void> {
  if (action === 'resume') {
    await room.until(() => room.host.isThere && room.phase !== undefined);
    if (room.phase !== 'paused') throw new Error(`${room.code}: a paused round was ${room.phase} after the kill`);
  }
  while (room.phase !== phase) {
    await room.host.host({ do: action });
    await pause(LIFE_MS_MIN);
    if (room.fault !== null) throw new Error(room.fault);
  }
}

async function finish(room: ClassRoom): Promise<void> {
  await room.until(() => room.phase === 'running');
  await room.host.host({ do: 'end' });
  await room.until(() => room.phase === 'podium');
}

/** Integers from 0 to n − 1, the same for the same seed. */
function generator(seed: number): (n: number) => number {
  let state = seed >>> 0 || 1;
  return (n) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % n;
  };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
