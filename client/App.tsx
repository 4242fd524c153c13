import { useEffect } from 'preact/hooks';
import { route, go } from './route.ts';
import { keepPlaceOfTab, placeOfTab } from './session/device.ts';
import { Later } from './panels/Later.tsx';
import { JoinScreen } from './screens/JoinScreen.tsx';
import { t } from './text/t.ts';

const loadRoom = () => import('./screens/RoomScreen.tsx');
const loadHost = () => import('./screens/HostDoor.tsx');
const loadPractice = () => import('./screens/PracticeScreen.tsx');
const loadReplay = () => import('./screens/ReplayScreen.tsx');
const loadPlay = () => import('./screens/PlayScreen.tsx');

const TITLES = {
  join: 'join.title',
  host: 'host.title',
  watch: 'screen.watchTitle',
  screen: 'screen.title',
  practice: 'join.practice',
  replay: 'replay.title',
};

/** The pages of the one-page application: a player's door, a teacher's door, the room behind each, and practice alone. */
export function App() {
  const { page, code, typed } = route.value;
  useEffect(() => {
    document.title = t(TITLES[page]) + ' · Overcommit';
  });
  useEffect(prefetch, []);
  if (page === 'host') return <Later load={loadHost} show={({ HostDoor }) => <HostDoor key={code} code={code} />} />;
  if (page === 'practice') return <Later load={loadPractice} show={({ PracticeScreen }) => <PracticeScreen />} />;
  if (page === 'replay') return <Later load={loadReplay} show={({ ReplayScreen }) => <ReplayScreen key={typed} id={typed} />} />;
  if (code !== '' && (page === 'watch' || page === 'screen')) {
    const role = page === 'watch' ? 'spectator' : 'screen';
    return <Later load={loadRoom} show={({ RoomScreen }) => <RoomScreen key={page + code} code={code} role={role} />} />;
  }
  if (code !== '' && placeOfTab()?.code === code) {
    return <Later load={loadRoom} show={({ RoomScreen }) => <RoomScreen key={code} code={code} role="player" />} />;
  }
  return <JoinScreen code={code || typed} entered={enter} />;
}

/** A seat was given: the address becomes the room's own, so that a reload comes back to it. */
function enter(code: string, name: string): void {
  keepPlaceOfTab({ code, name });
  go(`/j/${code}`, 'replace');
}

/** The room and the game load while somebody types a name. */
function prefetch(): void {
  const idle = window.requestIdleCallback ?? ((work: () => void) => setTimeout(work, 600));
  idle(
    () =>
      void loadRoom()
        .then(() => idle(() => void loadPlay().catch(() => {})))
        .catch(() => {}),
  );
}
