import { PodiumPanel } from '../panels/PodiumPanel.tsx';
import { WithDebrief } from '../panels/WithDebrief.tsx';
import { RoomBar } from '../panels/RoomBar.tsx';
import type { Session } from '../session/Session.ts';
import { t } from '../text/t.ts';
import './PodiumScreen.css';

/** A player's end of the round; the page stays, because the next round of the same class starts from here. */
export function PodiumScreen({ session, leave }: { session: Session; leave(): void }) {
  return (
    <WithDebrief session={session}>
      {(key) => (
        <>
          <RoomBar session={session} leave={leave} />
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
