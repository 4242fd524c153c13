import { useEffect, useState } from 'preact/hooks';
import { OtherDevice } from '../panels/OtherDevice.tsx';
import { LinkBanner } from '../panels/LinkBanner.tsx';
import { Later } from '../panels/Later.tsx';
import { TopBar } from '../panels/TopBar.tsx';
import { go } from '../route.ts';
import { forgetBrought, keepPlaceOfTab, passFor, placeOfTab, secretFor, usePass } from '../session/device.ts';
import { takeReserved } from '../session/reserved.ts';
import { RoomSession } from '../session/RoomSession.ts';
import type { Role } from '../session/Session.ts';
import { openTestDoor } from '../session/testDoor.ts';
import { sentenceOf } from '../text/sentence.ts';
import { t } from '../text/t.ts';
import { BriefingScreen } from './BriefingScreen.tsx';
import { EndedScreen } from './EndedScreen.tsx';
import { LobbyScreen } from './LobbyScreen.tsx';
import { PodiumScreen } from './PodiumScreen.tsx';

const loadPlay = () => import('./PlayScreen.tsx');
const loadHost = () => import('./HostScreen.tsx');
const loadScreen = () => import('./ScreenScreen.tsx');

/** Leaving is no loss: the process stays, and the same device comes back to it. */
function LeaveKey({ leave }: { leave(): void }) {
  return (
    <button type="button" class="button quiet small" onClick={leave}>
      {t('common.leave')}
    </button>
  );
}

/** Inside a room: one session for as long as the page is here, and the screen of the phase and the role. */
export function RoomScreen({ code, role }: { code: string; role: Role }) {
  const [entry, setEntry] = useState(0);
  return <RoomOnce key={entry} code={code} role={role} enterAgain={() => setEntry(entry + 1)} />;
}

function RoomOnce({ code, role, enterAgain }: { code: string; role: Role; enterAgain(): void }) {
  const [session] = useState(() => {
    const name = role === 'player' ? (placeOfTab()?.name ?? '') : '';
    const pass = passFor(code);
    const door = { code, role, secret: secretFor(code), seated: () => usePass(code) };
    const whole = { ...door, ...(name === '' ? {} : { name }), ...(pass === undefined ? {} : { pass }) };
    return new RoomSession(whole, role === 'player' ? takeReserved(code) : null);
  });
  useEffect(() => {
    openTestDoor(session);
    return () => session.leave();
  }, [session]);
  const leave = () => {
    session.leave();
    forgetBrought(code);
    if (role === 'player') keepPlaceOfTab(null);
    go(role === 'host' ? '/host' : '/');
  };
  if (session.ended.value !== null) {
    const entered = session.room.value !== null;
    return <EndedScreen code={session.ended.value} room={code} role={role} entered={entered} enterAgain={enterAgain} leave={leave} />;
  }
  return (
    <>
      <LinkBanner link={session.link} room={session.room} role={role} />
      <Demoted session={session} enterAgain={enterAgain} />
      <Phased session={session} leave={leave} />
    </>
  );
}

/** A page that was too slow to play says so, and offers the way back. */
function Demoted({ session, enterAgain }: { session: RoomSession; enterAgain(): void }) {
  const why = session.room.value?.why ?? null;
  if (why === null) return null;
  return (
    <div class="notice warn demoted" role="alert">
      <p>{sentenceOf(why)}</p>
      <button type="button" class="button small" onClick={enterAgain}>
        {t('common.comeBack')}
      </button>
    </div>
  );
}

function Phased({ session, leave }: { session: RoomSession; leave(): void }) {
  const room = session.room.value;
  if (room === null) {
    return (
      <>
        <TopBar home={false} />
        <p class="waiting">{t('common.connecting')}</p>
      </>
    );
  }
  if (room.role === 'host') return <Later load={loadHost} show={({ HostScreen }) => <HostScreen session={session} leave={leave} />} />;
  if (room.role === 'screen') {
    const names = new URLSearchParams(location.search).has('names');
    return <Later load={loadScreen} show={({ ScreenScreen }) => <ScreenScreen session={session} names={names} />} />;
  }
  if (room.role === 'spectator') {
    const menu = <LeaveKey leave={leave} />;
    return <Later load={loadScreen} show={({ ScreenScreen }) => <ScreenScreen session={session} names menu={menu} />} />;
  }
  const menu = (
    <>
      <OtherDevice session={session} />
      <LeaveKey leave={leave} />
    </>
  );
  if (room.phase === 'lobby') return <LobbyScreen session={session} leave={leave} />;
  if (room.phase === 'podium') return <PodiumScreen session={session} leave={leave} />;
  return (
    <>
      <Later load={loadPlay} show={({ default: PlayScreen }) => <PlayScreen session={session} menu={menu} />} />
      {room.phase === 'briefing' && <BriefingScreen room={room} />}
    </>
  );
}
