import { useEffect, useState } from 'preact/hooks';
import { config } from 'zod';
import { parseScenario } from '#game/scenario.ts';
import type { BotName } from '#game/types.ts';
import { PodiumPanel } from '../panels/PodiumPanel.tsx';
import { Later } from '../panels/Later.tsx';
import { PauseKeys } from '../panels/play/PauseKeys.tsx';
import { ScenarioChoices } from '../panels/ScenarioChoices.tsx';
import { WithDebrief } from '../panels/WithDebrief.tsx';
import { TopBar } from '../panels/TopBar.tsx';
import { go } from '../route.ts';
import { lastName } from '../session/device.ts';
import { LocalSession } from '../session/LocalSession.ts';
import { t } from '../text/t.ts';
import './CreateScreen.css';

// The schema library writes faster code at run time where it may; the Content-Security-Policy forbids even the try.
config({ jitless: true });
const FILES = import.meta.glob('../../assets/scenarios/*.json', { eager: true, import: 'default' });
const SCENARIOS = Object.values(FILES).map(parseScenario);
/** A small class that plays as a class does: most free, one keeps, one never frees. */
const BOTS: BotName[] = ['free', 'half', 'keep', 'free', 'never'];

const loadPlay = () => import('./PlayScreen.tsx');

/** A round alone, in the browser: no server, no code, the same rules. */
export function PracticeScreen() {
  const [id, setId] = useState(SCENARIOS[0]?.id ?? '');
  const [session, setSession] = useState<LocalSession | null>(null);
  useEffect(() => () => session?.leave(), [session]);
  if (session !== null) return <Practice session={session} stop={() => setSession(null)} />;
  const begin = (event: Event) => {
    event.preventDefault();
    const scenario = SCENARIOS.find((one) => one.id === id);
    if (scenario === undefined) return;
    const bots = BOTS.map((bot, at) => ({ bot, name: `${bot} ${at + 1}` }));
    setSession(new LocalSession({ scenario, name: lastName() ?? t('join.me'), bots }));
  };
  return (
    <>
      <TopBar />
      <main class="create">
        <form onSubmit={begin}>
          <h1>{t('join.practice')}</h1>
          <p class="dim create-idea">{t('join.practiceIdea', { n: BOTS.length })}</p>
          <ScenarioChoices scenarios={SCENARIOS} chosen={id} choose={setId} />
          <button type="submit" class="button main large">
            {t('join.practiceStart')}
          </button>
        </form>
      </main>
    </>
  );
}

function Practice({ session, stop }: { session: LocalSession; stop(): void }) {
  if (session.room.value?.phase !== 'podium') {
    return (
      <Later load={loadPlay} show={({ default: PlayScreen }) => <PlayScreen session={session} menu={<PauseKeys session={session} />} />} />
    );
  }
  return (
    <WithDebrief session={session}>
      {(key) => (
        <>
          <TopBar home={false} />
          <main class="create">
            <PodiumPanel session={session} />
            <div class="row practice-after">
              <button type="button" class="button main large" onClick={() => void session.host({ do: 'again' })}>
                {t('join.practiceAgain')}
              </button>
              {key}
              <button type="button" class="button large" onClick={stop}>
                {t('join.practiceOther')}
              </button>
              <button type="button" class="button quiet large" onClick={() => go('/')}>
                {t('common.home')}
              </button>
            </div>
          </main>
        </>
      )}
    </WithDebrief>
  );
}
