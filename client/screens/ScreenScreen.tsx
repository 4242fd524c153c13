import { useComputed } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import type { ComponentChildren } from 'preact';
import type { ClassView } from '#game/types.ts';
import { Countdown } from '../panels/Countdown.tsx';
import { ClassFigures } from '../panels/host/ClassFigures.tsx';
import { Invite } from '../panels/host/Invite.tsx';
import { MachinePanel } from '../panels/play/MachinePanel.tsx';
import { PodiumPanel } from '../panels/PodiumPanel.tsx';
import { RosterChips } from '../panels/RosterChips.tsx';
import { WithDebrief } from '../panels/WithDebrief.tsx';
import { useClassView } from '../panels/useClassView.ts';
import { nameless } from '../session/nameless.ts';
import type { RoomFacts, Session } from '../session/Session.ts';
import { learnScenarios, scenarioIdea, scenarioTitle } from '../text/scenarios.ts';
import { t } from '../text/t.ts';
import { clock } from '../text/units.ts';
import './ScreenScreen.css';

interface ScreenProps {
  session: Session;
  /** Off on a projector, unless the address asks for them. */
  names: boolean;
  /** Stands in the head; a projector has nothing to press. */
  menu?: ComponentChildren;
}

/** The round for a room full of people, and for who watches: code and clock, the machine, the class as a whole, the podium. */
export function ScreenScreen({ session: real, names, menu }: ScreenProps) {
  useEffect(learnScenarios, []);
  const session = useMemo(() => (names ? real : nameless(real)), [real, names]);
  const room = session.room.value;
  const view = useClassView(session);
  if (room === null) return null;
  const inRound = room.phase === 'running' || room.phase === 'paused';
  const page = (debrief: ComponentChildren) => (
    <div class="screen">
      <Head session={session} room={room} endsAt={view?.endsAt ?? room.seconds * 10} menu={menu} />
      {room.phase === 'lobby' && <Lobby room={room} names={names} />}
      {room.phase === 'briefing' && <Briefing room={room} />}
      {inRound && <Round session={session} view={view} />}
      {room.phase === 'podium' && (
        <main class="screen-podium">
          <PodiumPanel session={session} />
          {debrief}
        </main>
      )}
    </div>
  );
  // A projector has nothing to press.
  if (room.phase !== 'podium' || menu === undefined) return page(null);
  return <WithDebrief session={session}>{page}</WithDebrief>;
}

/** The code stays in sight for who comes late; in the lobby it is the page itself. */
function Head({ session, room, endsAt, menu }: { session: Session; room: RoomFacts; endsAt: number; menu: ComponentChildren }) {
  const left = useComputed(() => Math.ceil((endsAt - session.tick.value) / 10) * 10).value;
  const timed = room.phase === 'running' || room.phase === 'paused';
  return (
    <header class={`screen-head ${room.phase === 'lobby' ? 'screen-no-code' : ''}`}>
      {room.phase !== 'lobby' && (
        <p class="screen-code mono">
          <span class="label">{t('screen.code')}</span>
          <strong aria-label={room.code.split('').join(' ')}>{room.code}</strong>
        </p>
      )}
      <p class="screen-title">
        <strong>{scenarioTitle(room.scenario)}</strong>
        {room.phase === 'paused' && <span class="warn">{t('screen.paused')}</span>}
        {room.locked && <span class="dim">{t('screen.locked')}</span>}
      </p>
      {timed && (
        <p class="screen-clock clock" role="timer" aria-label={t('screen.clock')}>
          {clock(left)}
        </p>
      )}
      {menu}
    </header>
  );
}

function Lobby({ room, names }: { room: RoomFacts; names: boolean }) {
  const players = room.roster.filter((entry) => entry.role === 'player');
  return (
    <main class="screen-lobby">
      <Invite code={room.code} />
      <p class="screen-here" aria-live="polite">
        {t('lobby.here', { n: players.length, seats: room.seats })}
      </p>
      {names && <RosterChips people={players} mine={-1} />}
    </main>
  );
}

function Briefing({ room }: { room: RoomFacts }) {
  return (
    <main class="screen-briefing">
      <p class="screen-count" aria-hidden="true">
        <Countdown ms={room.briefingMs} />
      </p>
      <h1>{scenarioTitle(room.scenario)}</h1>
      <p>{scenarioIdea(room.scenario)}</p>
    </main>
  );
}

function Round({ session, view }: { session: Session; view: ClassView | null }) {
  return (
    <main class="screen-round">
      <section class="screen-machine" aria-label={t('screen.machine')}>
        <MachinePanel session={session} seat={null} />
      </section>
      {view !== null && (
        <section class="screen-figures" aria-label={t('screen.figures')}>
          <ClassFigures view={view} />
        </section>
      )}
    </main>
  );
}
