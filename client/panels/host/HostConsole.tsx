import { useComputed } from '@preact/signals';
import { useState } from 'preact/hooks';
import type { RoomFacts, Session } from '../../session/Session.ts';
import { scenarioTitle } from '../../text/scenarios.ts';
import { t } from '../../text/t.ts';
import { clock } from '../../text/units.ts';
import { Countdown } from '../Countdown.tsx';
import { Later } from '../Later.tsx';
import { OtherDevice } from '../OtherDevice.tsx';
import type { Play } from '../play/play.ts';
import { Switches } from '../TopBar.tsx';
import { useClassView } from '../useClassView.ts';
import { BotsPanel } from './BotsPanel.tsx';
import { ClassFigures } from './ClassFigures.tsx';
import { Invite } from './Invite.tsx';
import { ProcessTable } from './ProcessTable.tsx';
import { SurePress } from './SurePress.tsx';
import { LockButton, ScreenLink, StandInsButton } from './people.tsx';
import type { Hosting } from './hosting.ts';
import { Watchers, watchersOf } from './Watchers.tsx';
import './HostConsole.css';

const loadMachine = () => import('../play/MachinePanel.tsx');

export function HostConsole({ hosting, room }: { hosting: Hosting; room: RoomFacts }) {
  const { session } = hosting;
  const view = useClassView(session);
  const [play, lend] = useState<Play | null>(null);
  const [names, setNames] = useState(true);
  const [more, setMore] = useState(false);
  const players = room.roster.filter((entry) => entry.role === 'player');
  const watchers = watchersOf(room).length;
  return (
    <>
      <header class="console-head">
        <div class="console-room">
          <strong>{scenarioTitle(room.scenario)}</strong>
          <span class="mono dim">{room.code}</span>
          <LockButton room={room} host={hosting.host} />
        </div>
        <Clock session={session} room={room} endsAt={view?.endsAt ?? room.seconds * 10} />
        <Controls hosting={hosting} room={room} />
        <Switches />
      </header>
      <main class="console">
        <section class="console-machine" aria-label={t('host.machine')}>
          <Later load={loadMachine} show={({ MachinePanel }) => <MachinePanel session={session} seat={null} lend={lend} />} />
        </section>
        <section class="console-side">
          {view !== null && <ClassFigures view={view} />}
          <div class="row spread console-tools">
            <div class="row">
              <button type="button" class="button small" aria-pressed={!names} onClick={() => setNames(!names)}>
                {t('host.hideNames')}
              </button>
              <button type="button" class="button small" aria-expanded={more} onClick={() => setMore(!more)}>
                {t('host.latecomers')}
              </button>
              <StandInsButton room={room} host={hosting.host} />
              <ScreenLink room={room} />
            </div>
            <span class="label">
              {t('lobby.here', { n: players.length, seats: room.seats })}
              {watchers > 0 && ` · ${t('host.watch.head', { n: watchers })}`}
            </span>
          </div>
          {more && (
            <div class="panel console-more">
              <Invite code={room.code} small />
              <BotsPanel
                places={room.seats - players.length}
                bots={players.filter((entry) => entry.bot !== null).length}
                host={hosting.host}
              />
              <Watchers room={room} host={hosting.host} />
              <OtherDevice session={hosting.session} />
            </div>
          )}
          <ProcessTable hosting={hosting} room={room} view={view} names={names} play={play} />
        </section>
      </main>
    </>
  );
}

function Clock({ session, room, endsAt }: { session: Session; room: RoomFacts; endsAt: number }) {
  const left = useComputed(() => Math.ceil((endsAt - session.tick.value) / 10) * 10).value;
  return (
    <div class="console-clock">
      <span class="clock" role="timer" aria-label={t('host.clock')}>
        {clock(left)}
      </span>
      {room.phase === 'briefing' && (
        <span class="console-phase">
          {t('host.startsIn')} <Countdown ms={room.briefingMs} />
        </span>
      )}
      {room.phase === 'paused' && <span class="console-phase warn">{t('host.paused')}</span>}
    </div>
  );
}

function Controls({ hosting: { host }, room }: { hosting: Hosting; room: RoomFacts }) {
  const on = room.phase === 'running' || room.phase === 'paused';
  return (
    <div class="row console-controls">
      <button
        type="button"
        class={`button ${room.phase === 'paused' ? 'main' : ''}`}
        disabled={!on}
        onClick={() => host({ do: room.phase === 'paused' ? 'resume' : 'pause' })}
      >
        {t(room.phase === 'paused' ? 'host.resume' : 'host.pause')}
      </button>
      {[30, 60].map((seconds) => (
        <button
          key={seconds}
          type="button"
          class="button"
          disabled={!on}
          onClick={() => host({ do: 'extend', seconds }, { text: t('host.extended', { n: seconds }) })}
        >
          {t('host.extend', { n: seconds })}
        </button>
      ))}
      {on && <SurePress text={t('host.end')} sure={t('host.endSure')} press={() => host({ do: 'end' })} />}
    </div>
  );
}
