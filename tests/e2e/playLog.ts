/** Plays the log of a round from nothing, in Node and, bundled, in a browser: the same code, the same bytes. */
import { createRound, playTick, restoreRound, roundHash, saveRound } from '#game/round.ts';
import { decodeTick } from '#protocol/tick.ts';
import { hashesOf } from '../golden/hashes.ts';
import type { ServerRound } from './classroom.ts';

/** The hash after every tick. `reloadEvery`: saved and restored after so many ticks, 0 for never. */
export function playLog({ scenario, seed, ticks }: Pick<ServerRound, 'scenario' | 'seed' | 'ticks'>, reloadEvery = 0): string[] {
  const inputs = ticks.map((text) => decodeTick(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))));
  const seats = inputs[0]?.inputs.filter((input) => input.type === 'join').length ?? 0;
  let round = createRound(scenario, seed, seats);
  return inputs.map((tick) => {
    playTick(round, tick);
    if (reloadEvery > 0 && tick.n % reloadEvery === 0) round = restoreRound(saveRound(round));
    return roundHash(round);
  });
}

/** Of a golden round, in base64. */
export function playFile(base64: string): string {
  return hashesOf(Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0)));
}

Object.assign(globalThis, { playLog, playFile });
