import type { RoomFacts, RosterEntry } from '../../session/Session.ts';
import { t } from '../../text/t.ts';
import type { ToastText } from '../Toast.tsx';
import type { Hosting } from './hosting.ts';

type Host = Hosting['host'];

/** A kick is no ban: the toast says so, and has the ban at hand, and after that its undoing. */
export function kickedToast({ id, name, bot }: RosterEntry, room: RoomFacts, host: Host): ToastText {
  if (bot !== null) return { text: t('host.removedBot', { name }) };
  const pardon = () => host({ do: 'pardon', id }, { text: t('host.pardoned', { name }) });
  const banned: ToastText = { text: t('host.banned', { name }), action: { text: t('host.pardon'), press: pardon } };
  return {
    text: t(room.locked ? 'host.removedLocked' : 'host.removed', { name }),
    action: { text: t('host.ban'), press: () => host({ do: 'ban', id }, banned) },
  };
}

/** Whether a bot plays for whoever drops out of the round. */
export function StandInsButton({ room, host }: { room: RoomFacts; host: Host }) {
  return (
    <button
      type="button"
      class="button small"
      aria-pressed={room.standIns}
      title={t('host.standInsSays')}
      onClick={() => host({ do: 'standIns', on: !room.standIns })}
    >
      {t('host.standIns')}
    </button>
  );
}

/** The page for the projector, in a window of its own. */
export function ScreenLink({ room }: { room: RoomFacts }) {
  return (
    <a class="button small" href={`/screen/${room.code}`} target="_blank" rel="noopener">
      {t('screen.open')}
    </a>
  );
}

export function LockButton({ room, host }: { room: RoomFacts; host: Host }) {
  return (
    <button type="button" class="button small" aria-pressed={room.locked} onClick={() => host({ do: 'lock', locked: !room.locked })}>
      {t(room.locked ? 'host.locked' : 'host.lock')}
    </button>
  );
}
