import type { Session } from '../session/Session.ts';
import { t } from '../text/t.ts';
import { OtherDevice } from './OtherDevice.tsx';
import { TopBar } from './TopBar.tsx';

/** The bar of who is in a room and does not play now: its code, the way to another device, the way out. */
export function RoomBar({ session, leave }: { session: Session; leave(): void }) {
  return (
    <TopBar home={false}>
      <span class="mono dim">{session.room.value?.code}</span>
      <span class="row topbar-leave">
        <OtherDevice session={session} />
        <button type="button" class="button quiet small" onClick={leave}>
          {t('common.leave')}
        </button>
      </span>
    </TopBar>
  );
}
