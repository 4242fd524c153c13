import type { Session } from '../../session/Session.ts';
import { t } from '../../text/t.ts';

/** Who plays alone may let time stand still, and end. */
export function PauseKeys({ session }: { session: Session }) {
  const paused = session.room.value?.phase === 'paused';
  return (
    <>
      <button
        type="button"
        class="button small"
        aria-pressed={paused}
        onClick={() => void session.host({ do: paused ? 'resume' : 'pause' })}
      >
        {t(paused ? 'play.resume' : 'play.pause')}
      </button>
      <button type="button" class="button small quiet" disabled={paused} onClick={() => void session.host({ do: 'end' })}>
        {t('play.end')}
      </button>
    </>
  );
}
