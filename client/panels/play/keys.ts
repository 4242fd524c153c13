/** The keyboard of the play screen (game.md): everything can be pressed. */
import { listenKeys } from '../listenKeys.ts';
import { freeDone } from './HeldPanel.tsx';
import type { Play } from './play.ts';
import { stepOrder, useTool } from './TrayPanel.tsx';

export interface KeyWishes {
  why(): void;
  close(): void;
}

export function listenPlayKeys(play: Play, wishes: KeyWishes): () => void {
  return listenKeys((event) => act(play, event, wishes));
}

/** True when the key was ours. */
function act(play: Play, event: KeyboardEvent, wishes: KeyWishes): boolean {
  const mine = play.seen.value?.mine;
  if (mine === null || mine === undefined) return false;
  const key = event.key.toLowerCase();
  if ((key === 'arrowup' || key === 'arrowdown') && mine.tray.some((tool) => tool.takesOrder)) {
    stepOrder(play, key === 'arrowup' ? 1 : -1);
    return true;
  }
  if (key === '?') return (wishes.why(), true);
  if (key === 'escape') return (wishes.close(), true);
  if (event.repeat) return key === ' ';
  if (key === ' ') return (freeDone(play), true);
  if (key >= '1' && key <= '9') {
    const card = mine.hand[Number(key) - 1];
    if (card !== undefined) play.select(card.id);
    return card !== undefined;
  }
  if (key === 'g') return reuse(play);
  if (key === 'delete' || key === 'backspace') return discard(play);
  const tool = mine.tray.find((one) => one.key === key);
  if (tool !== undefined) useTool(play, tool);
  return tool !== undefined;
}

function reuse(play: Play): boolean {
  const card = play.card.value;
  const holding = card?.reusable[0];
  if (card === null || holding === undefined) return false;
  play.act({ do: 'reuse', card: card.id, holding }, { tool: 'other', card: card.id });
  return true;
}

function discard(play: Play): boolean {
  const card = play.card.value;
  if (card === null) return false;
  play.act({ do: 'discard', card: card.id }, { tool: 'other', card: card.id });
  return true;
}
