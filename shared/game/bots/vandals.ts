/** Bots that do harm or know nothing: the rules are right when they lose. */
import { randomBelow } from '#kernel/rng.ts';
import type { Action } from '../types.ts';
import { hasTool, isIdle, orderOf, pickOne, playable, useFor, type Mind } from './seen.ts';

/** Orders that a random clicker tries. */
const ORDERS = 8;

/** Presses anything at all. */
export const spam: Mind = (seen, chance) => {
  const tool = pickOne(chance, seen.tray)!.id;
  const card = pickOne(chance, seen.hand);
  const holding = pickOne(chance, seen.holdings);
  const actions: Action[] = [{ do: 'freeDone' }, { do: 'use', tool, card: 0, order: randomBelow(chance, ORDERS) }];
  if (card)
    actions.push(useFor(card, tool, randomBelow(chance, ORDERS)), useFor(card, tool, randomBelow(chance, ORDERS)), {
      do: 'discard',
      card: card.id,
    });
  if (card && holding) actions.push({ do: 'reuse', card: card.id, holding: holding.id });
  if (holding) actions.push({ do: 'free', holding: holding.id });
  return pickOne(chance, actions)!;
};

/** Frees as it should, and chooses calls by chance: any of the tray, an order near what the card asks. */
export const guess: Mind = (seen, chance) => {
  if (seen.holdings.some(isIdle)) return { do: 'freeDone' };
  const card = pickOne(chance, playable(seen));
  if (!card) return null;
  const tool = pickOne(chance, seen.tray)!.id;
  return useFor(card, tool, Math.max(0, orderOf(card.frames) - 1 + randomBelow(chance, 4)));
};

/** Cuts memory to pieces: takes small pieces for whatever comes, gives back every other one. */
export const splinter: Mind = (seen, chance) => {
  const tool = hasTool(seen, 'alloc_pages') ? 'alloc_pages' : 'brk';
  const idle = seen.holdings.filter(isIdle);
  if (idle.length > 2 && randomBelow(chance, 2) === 0) return { do: 'free', holding: idle[idle.length - 2]!.id };
  const card = randomBelow(chance, 2) === 0 ? pickOne(chance, playable(seen)) : undefined;
  return { do: 'use', tool, card: card?.id ?? 0, order: randomBelow(chance, 2) };
};
