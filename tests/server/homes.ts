/** Data folders of servers under test, and what a killed one leaves behind. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { roundHash, type Round } from '#game/round.ts';
import { findRound, logOf } from '../../server/store/rounds.ts';
import { resume } from '../../server/sequencer/past.ts';
import { Store } from '../../server/store/Store.ts';
import type { AppOptions } from '../../server/app.ts';
import { openPlace, type ClassRoom, type Place } from './people.ts';

const made: string[] = [];

/** Removed by `removeHomes`. */
export function newHome(): string {
  const folder = mkdtempSync(join(tmpdir(), 'home-'));
  made.push(folder);
  return folder;
}

export function removeHomes(): void {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true });
}

export interface Housed extends Place {
  folder: string;
}

export async function openHome(options: Partial<AppOptions> = {}): Promise<Housed> {
  const folder = options.dataFolder ?? newHome();
  return { ...(await openPlace({ ...options, dataFolder: folder })), folder };
}

/** A server on the files as they are at this moment: what a kill would have left. The old one is closed. */
export async function crash(house: Housed, options: Partial<AppOptions> = {}): Promise<Housed> {
  const left = newHome();
  cpSync(house.folder, left, { recursive: true });
  await house.close();
  return openHome({ ...options, dataFolder: left });
}

/** The room as seen from another server. */
export function at(room: ClassRoom, place: Place): ClassRoom {
  return { ...room, place };
}

/** The newest round of a room, played from its log alone. */
export async function playLog(folder: string, code: string): Promise<Round> {
  const store = await Store.openBeside(folder);
  try {
    const { playing } = await resume({ ...logOf(store, findRound(store, code)!), snapshot: null });
    return playing.round;
  } finally {
    await store.close();
  }
}

export async function hashOnDisk(folder: string, code: string): Promise<string> {
  return roundHash(await playLog(folder, code));
}
