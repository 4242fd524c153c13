import { TopBar } from '../panels/TopBar.tsx';
import type { Role } from '../session/Session.ts';
import { sentenceOf } from '../text/sentence.ts';
import { t } from '../text/t.ts';
import './EndedScreen.css';

interface EndedProps {
  /** Of protocol/codes.ts, or one that only a client knows. */
  code: string;
  room: string;
  role: Role;
  enterAgain(): void;
  leave(): void;
}

/** Where a newcomer goes wrong there is nothing to come back to. */
const NO_WAY_BACK = new Set(['NO_ROOM', 'GONE', 'ROOM_CLOSED', 'BAD_CODE', 'NOT_HOST', 'BANNED', 'LEFT']);

/** Why one is out of a room, and what one can do about it. */
export function EndedScreen({ code, room, role, enterAgain, leave }: EndedProps) {
  return (
    <>
      <TopBar home={false} />
      <main class="ended">
        <div class="ended-card" role="alert">
          <h1>{t(role === 'host' ? 'common.endedHost' : 'common.ended')}</h1>
          <p class="mono dim">{room}</p>
          <p>{sentenceOf(code)}</p>
          <div class="row">
            {!NO_WAY_BACK.has(code) && (
              <button type="button" class="button main" onClick={enterAgain} autofocus>
                {t(code === 'REPLACED' ? 'common.playHere' : 'common.comeBack')}
              </button>
            )}
            <button type="button" class="button" onClick={leave}>
              {t(role === 'host' ? 'host.newRoom' : 'common.home')}
            </button>
          </div>
        </div>
      </main>
    </>
  );
}
