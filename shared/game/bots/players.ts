/** Bots that know what they do: they differ in what they free and which cards they take. */
import { isIdle, playable, rightCall, type Mind, type Seen } from './seen.ts';
import type { Action, CardView } from '../types.ts';

/** Memory that lies idle above this makes even the keeper give back, in frames. */
const KEEP_FRAMES = 32;
/** A card that was refused is tried again when the other cards were, so that one does not stop the rest. */
function nextCard(cards: readonly CardView[]): CardView | undefined {
  return cards.find((card) => card.why === null) ?? cards[0];
}

function reuseAny(cards: readonly CardView[]): Action | null {
  for (const card of cards) if (card.reusable.length > 0) return { do: 'reuse', card: card.id, holding: card.reusable[0]! };
  return null;
}

function hasIdle(seen: Seen): boolean {
  return seen.holdings.some(isIdle);
}

function take(seen: Seen, cards: readonly CardView[]): Action | null {
  const card = nextCard(cards);
  return card === undefined ? null : rightCall(seen, card);
}

/** Reuses what fits, gives back what is done at once, and takes what comes. */
export const free: Mind = (seen) => {
  const cards = playable(seen);
  return reuseAny(cards) ?? (hasIdle(seen) ? { do: 'freeDone' } : take(seen, cards));
};

/** Serves every card and gives nothing back. */
export const never: Mind = (seen) => take(seen, playable(seen));

/** Keeps what is done for a card that may need it, up to a limit; gives back when work is short. */
export const keep: Mind = (seen) => {
  const cards = playable(seen);
  const idle = seen.holdings.filter(isIdle).reduce((sum, holding) => sum + holding.frames, 0);
  const isLast = seen.ticksLeft < 60;
  return (
    reuseAny(cards) ??
    (idle > KEEP_FRAMES || (isLast && idle > 0) ? { do: 'freeDone' } : take(seen, cards)) ??
    (idle > 0 ? { do: 'freeDone' } : null)
  );
};

/** Takes only some cards and throws the others away. */
function only(isWanted: (card: CardView) => boolean): Mind {
  return (seen) => {
    const cards = playable(seen);
    const wanted = cards.filter(isWanted);
    const unwanted = cards.find((card) => !isWanted(card));
    const work = reuseAny(wanted) ?? (hasIdle(seen) ? { do: 'freeDone' } : take(seen, wanted));
    return work ?? (unwanted === undefined ? null : { do: 'discard', card: unwanted.id });
  };
}

const BIG_FRAMES = 21;
export const bigOnly: Mind = only((card) => card.frames >= BIG_FRAMES);
export const smallOnly: Mind = only((card) => card.frames < BIG_FRAMES);
