import type { ComponentChildren } from 'preact';
import type { Seat } from '#game/types.ts';
import type { RosterEntry } from '../session/Session.ts';
import { t } from '../text/t.ts';
import { Swatch } from './Swatch.tsx';
import './RosterChips.css';

interface ChipsProps {
  people: readonly RosterEntry[];
  /** -1: nobody of these is oneself. */
  mine: Seat;
  /** What can be done with one of them. */
  action?(entry: RosterEntry): ComponentChildren;
}

/** Who is in the room, oneself first. */
export function RosterChips({ people, mine, action }: ChipsProps) {
  const ordered = mine < 0 ? people : people.toSorted((a, b) => Number(b.seat === mine) - Number(a.seat === mine));
  return (
    <ul class="chips">
      {ordered.map((entry) => (
        <li key={entry.id} class={`chip ${entry.online || entry.bot !== null ? '' : 'away'}`}>
          <Swatch seat={entry.seat} look={entry.seat === mine ? 'swatch mine' : 'swatch'} />
          <span class="chip-name">{entry.name}</span>
          {entry.seat === mine && <span class="chip-note">{t('common.you')}</span>}
          {entry.bot !== null && <span class="chip-note">{t('lobby.bot')}</span>}
          {entry.bot === null && !entry.online && <span class="chip-note">{t('lobby.away')}</span>}
          {action?.(entry)}
        </li>
      ))}
    </ul>
  );
}
