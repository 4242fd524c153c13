import { useEffect, useState } from 'preact/hooks';
import { HostConsole } from '../panels/host/HostConsole.tsx';
import type { Hosting } from '../panels/host/hosting.ts';
import { EarlierRounds } from '../panels/host/EarlierRounds.tsx';
import { HostLobby } from '../panels/host/HostLobby.tsx';
import { Toast, type ToastText } from '../panels/Toast.tsx';
import { PodiumPanel } from '../panels/PodiumPanel.tsx';
import { WithDebrief } from '../panels/WithDebrief.tsx';
import { TopBar } from '../panels/TopBar.tsx';
import type { Session } from '../session/Session.ts';
import { learnScenarios, scenarioTitle } from '../text/scenarios.ts';
import { sentenceOf } from '../text/sentence.ts';
import { t } from '../text/t.ts';
import './HostScreen.css';

/** The teacher's console: the lobby on the projector, the running round, the podium. */
export function HostScreen({ session, leave }: { session: Session; leave(): void }) {
  useEffect(learnScenarios, []);
  const [toast, setToast] = useState<ToastText | null>(null);
  const room = session.room.value;
  if (room === null) return null;
  const host: Hosting['host'] = (action, said) =>
    void session.host(action).then((answer) => {
      if (!answer.ok) setToast({ text: sentenceOf(answer.code), grave: true });
      else if (said !== undefined) setToast(said);
    });
  const hosting: Hosting = { session, host };
  return (
    <>
      {room.phase === 'lobby' && <HostLobby hosting={hosting} room={room} leave={leave} />}
      {room.phase === 'podium' && <HostPodium hosting={hosting} leave={leave} />}
      {room.phase !== 'lobby' && room.phase !== 'podium' && <HostConsole hosting={hosting} room={room} />}
      <Toast toast={toast} close={() => setToast(null)} />
    </>
  );
}

function HostPodium({ hosting, leave }: { hosting: Hosting; leave(): void }) {
  const room = hosting.session.room.value!;
  return (
    <WithDebrief session={hosting.session}>
      {(key) => (
        <>
          <TopBar home={false}>
            <strong>{scenarioTitle(room.scenario)}</strong>
            <span class="mono dim">{room.code}</span>
          </TopBar>
          <main class="host-podium">
            <PodiumPanel session={hosting.session} />
            <div class="row host-after">
              <button type="button" class="button main large" onClick={() => hosting.host({ do: 'again' })} autofocus>
                {t('host.again')}
              </button>
              {key}
              <button type="button" class="button large" onClick={leave}>
                {t('host.newRoom')}
              </button>
            </div>
            <EarlierRounds code={room.code} host={hosting.host} />
          </main>
        </>
      )}
    </WithDebrief>
  );
}
