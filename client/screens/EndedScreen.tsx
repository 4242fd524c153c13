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
  /** Whether one was in the room before. */
  entered: boolean;
  enterAgain(): void;
  leave(): void;
}

/** There is nothing to come back to, or nobody who may. */
const NO_WAY_BACK = new Set(
  'NO_ROOM GONE ROOM_CLOSED ROOM_BROKEN FORGOTTEN OTHER_RULES BAD_CODE NOT_HOST BANNED FOREIGN_ORIGIN NO_PASS LEFT'.split(' '),
);

/** Nobody is in the room any more. */
const CLOSED = new Set(['GONE', 'ROOM_CLOSED', 'ROOM_BROKEN', 'FORGOTTEN']);

function headOf(code: string, role: Role, entered: boolean): string {
  if (!entered) return 'common.noEntry';
  if (role === 'host') return 'common.endedHost';
  return CLOSED.has(code) ? 'common.endedRoom' : 'common.ended';
}

function backOf(code: string, entered: boolean): string {
  if (code === 'REPLACED') return 'common.playHere';
  return entered ? 'common.comeBack' : 'common.again';
}

/** Why one is out of a room, and what one can do about it. */
export function EndedScreen({ code, room, role, entered, enterAgain, leave }: EndedProps) {
  return (
    <>
      <TopBar home={false} />
      <main class="ended">
        <div class={`ended-card ${role}`} role="alert">
          <h1>{t(headOf(code, role, entered))}</h1>
          <p class="mono dim">{room}</p>
          <p>{sentenceOf(code)}</p>
          <div class="row">
            {!NO_WAY_BACK.has(code) && (
              <button type="button" class="button main" onClick={enterAgain} autofocus>
                {t(backOf(code, entered))}
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
