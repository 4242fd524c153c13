import { OtherDevice } from '../panels/OtherDevice.tsx';
import { PodiumPanel } from '../panels/PodiumPanel.tsx';
import { WithDebrief } from '../panels/WithDebrief.tsx';
import { TopBar } from '../panels/TopBar.tsx';
import type { Session } from '../session/Session.ts';
import { t } from '../text/t.ts';
import './PodiumScreen.css';

/** A player's end of the round; the page stays, because the next round of the same class starts from here. */
export function PodiumScreen({ session, leave }: { session: Session; leave(): void }) {
  return (
    <WithDebrief session={session}>
      {(key) => (
        <>
          <TopBar home={false}>
            <span class="mono dim">{session.room.value?.code}</span>
            <span class="row podium-leave">
              <OtherDevice session={session} />
              <button type="button" class="button quiet small" onClick={leave}>
                {t('common.leave')}
              </button>
            </span>
          </TopBar>
          <main class="podium-page">
            <PodiumPanel session={session} />
            <div class="podium-after">{key}</div>
            <p class="dim podium-stay">{t('podium.stay')}</p>
          </main>
        </>
      )}
    </WithDebrief>
  );
}
