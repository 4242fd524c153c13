/** What the disk holds in the end, played without interruption, against what people were told while the server was killed under them. */
import { createRound, playTick, roundHash } from '#game/round.ts';
import type { Input } from '#game/types.ts';
import { decodeTick } from '#protocol/tick.ts';
import { findRound, logOf } from '../../store/rounds.ts';
import { Store } from '../../store/Store.ts';
import type { ClassRoom } from './ClassRoom.ts';
import type { Pupil } from './Pupil.ts';

export interface Verdict {
  ticks: number;
  /** Ticks that people heard, each compared with the log byte for byte; hashes that they were told, each with a play of the log. */
  heard: number;
  told: number;
  /** Inputs of people in the log. */
  inputs: number;
  /** Inputs that people saw confirmed. */
  confirmed: number;
  /** Sentences; none is what is wanted. */
  faults: string[];
}

type Act = Extract<Input, { type: 'act' }>;

export async function verify(folder: string, room: ClassRoom): Promise<Verdict> {
  const store = await Store.openBeside(folder);
  try {
    const row = findRound(store, room.code);
    if (row === null) return { ticks: 0, heard: 0, told: 0, inputs: 0, confirmed: 0, faults: ['no round is on the disk'] };
    const { scenario, seed, seats, ticks } = logOf(store, row);
    const faults: string[] = [];
    const round = createRound(scenario, seed, seats);
    const hashes = new Map<number, string>();
    const acts: Act[] = [];
    const heardAt = new Set(room.people.flatMap((pupil) => pupil.digests.map((digest) => digest.n)));
    for (const bytes of ticks) {
      const tick = decodeTick(bytes);
      for (const input of tick.inputs) if (input.type === 'act') acts.push(input);
      playTick(round, tick);
      if (heardAt.has(tick.n)) hashes.set(tick.n, roundHash(round));
    }
    if (!round.over) faults.push(`the log ends at tick ${ticks.length}, before the end of the round`);
    if (row.hash !== roundHash(round)) faults.push(`the server's last hash is ${row.hash}, the log's ${roundHash(round)}`);
    for (const pupil of room.people) faults.push(...compare(pupil, ticks, hashes), ...compareActs(pupil, acts));
    const own = acts.filter((act) => room.pupils.some((pupil) => pupil.seat === act.seat));
    const confirmed = room.pupils.reduce((sum, pupil) => sum + pupil.confirmed.size, 0);
    const heard = room.people.reduce((sum, pupil) => sum + pupil.heard.size, 0);
    const told = room.people.reduce((sum, pupil) => sum + pupil.digests.length, 0);
    return { ticks: ticks.length, heard, told, inputs: own.length, confirmed, faults: faults.map((fault) => `${room.code}: ${fault}`) };
  } finally {
    await store.close();
  }
}

function compare(pupil: Pupil, ticks: readonly Uint8Array[], hashes: ReadonlyMap<number, string>): string[] {
  const who = `${pupil.role} on seat ${pupil.seat}`;
  const faults: string[] = [];
  for (const [n, bytes] of pupil.heard) {
    const kept = ticks[n - 1];
    if (kept === undefined) faults.push(`${who} heard tick ${n}, which the log does not hold`);
    else if (!Buffer.from(kept).equals(bytes)) faults.push(`${who} heard another tick ${n} than the log holds`);
  }
  for (const { n, hash } of pupil.digests)
    if (hashes.get(n) !== hash) faults.push(`${who} was told hash ${hash} of tick ${n}; the log gives ${hashes.get(n)}`);
  return faults;
}

/** Each action at most once, as it was meant; each that was confirmed, once. */
function compareActs(pupil: Pupil, acts: readonly Act[]): string[] {
  if (pupil.seat < 0) return [];
  const who = `seat ${pupil.seat}`;
  const faults: string[] = [];
  const logged = new Set<number>();
  for (const { seq, action } of acts.filter((act) => act.seat === pupil.seat)) {
    if (logged.has(seq)) faults.push(`${who}: action ${seq} stands twice`);
    logged.add(seq);
    if (JSON.stringify(pupil.sent.get(seq)) !== JSON.stringify(action)) faults.push(`${who}: action ${seq} is not what was sent`);
  }
  for (const seq of pupil.confirmed) if (!logged.has(seq)) faults.push(`${who}: action ${seq} was confirmed and is lost`);
  return faults;
}
