import type { RoomFacts, RosterEntry } from '../../session/Session.ts';
import { t } from '../../text/t.ts';
import type { Hosting } from './hosting.ts';
import { kickedToast } from './people.tsx';
import '../RosterChips.css';
import './Watchers.css';

/** Who watches without a process. They have no names: the number is the order in which they came. */
export function watchersOf(room: RoomFacts): RosterEntry[] {
  const counts = new Map<string, number>();
  return room.roster
    .filter(({ role }) => role === 'spectator' || role === 'screen')
    .map((entry) => {
      const n = (counts.get(entry.role) ?? 0) + 1;
      counts.set(entry.role, n);
      return { ...entry, name: t(`host.watch.${entry.role}`, { n }) };
    });
}

/** The list of them, each with the key that takes it out of the room; nothing while nobody watches. */
export function Watchers({ room, host }: { room: RoomFacts; host: Hosting['host'] }) {
  const watchers = watchersOf(room);
  if (watchers.length === 0) return null;
  return (
    <div class="watchers">
      <span class="label">{t('host.watch.head', { n: watchers.length })}</span>
      <ul class="row">
        {watchers.map((entry) => (
          <li key={entry.id} class={`chip ${entry.online ? '' : 'away'}`}>
            <span class="chip-name">{entry.name}</span>
            {!entry.online && <span class="chip-note">{t('lobby.away')}</span>}
            <button
              type="button"
              class="button quiet small"
              aria-label={t('host.kickName', { name: entry.name })}
              title={t('host.kick')}
              onClick={() => host({ do: 'kick', id: entry.id }, kickedToast(entry, room, host))}
            >
              ✕
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}
