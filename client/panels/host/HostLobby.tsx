import { useEffect, useState } from 'preact/hooks';
import type { ScenarioReply } from '#protocol/messages.ts';
import type { RoomFacts, RosterEntry } from '../../session/Session.ts';
import { askScenarios } from '../../session/doors.ts';
import { scenarioIdea } from '../../text/scenarios.ts';
import { lang, t } from '../../text/t.ts';
import { RosterChips } from '../RosterChips.tsx';
import { TopBar } from '../TopBar.tsx';
import { OtherDevice } from '../OtherDevice.tsx';
import { BotsPanel } from './BotsPanel.tsx';
import { EarlierRounds } from './EarlierRounds.tsx';
import { Invite } from './Invite.tsx';
import type { Hosting } from './hosting.ts';
import { kickedToast, LockButton, ScreenLink, StandInsButton } from './people.tsx';
import { Watchers } from './Watchers.tsx';

/** Above so many people a small screen gives the roster more room than the code. */
const MANY = 18;

interface HostLobbyProps {
  hosting: Hosting;
  room: RoomFacts;
  leave(): void;
}

/** What the class sees while it comes in, and what the teacher does meanwhile. */
export function HostLobby({ hosting, room, leave }: HostLobbyProps) {
  const { host } = hosting;
  const players = room.roster.filter((entry) => entry.role === 'player');
  const bots = players.filter((entry) => entry.bot !== null).length;
  const kick = (entry: RosterEntry) => host({ do: 'kick', id: entry.id }, kickedToast(entry, room, host));
  return (
    <>
      <TopBar home={false}>
        <span class="label">{t('host.lobby')}</span>
        <span class="row host-leave">
          <OtherDevice session={hosting.session} />
          <button type="button" class="button quiet small" onClick={leave}>
            {t('host.newRoom')}
          </button>
        </span>
      </TopBar>
      <main class="host-lobby">
        <div class={`host-invite ${players.length > MANY ? 'many' : ''}`}>
          <Invite code={room.code} />
        </div>
        <section class="panel host-roster">
          <div class="row spread">
            <h2 aria-live="polite">{t('lobby.here', { n: players.length, seats: room.seats })}</h2>
            <div class="row">
              <ScreenLink room={room} />
              <StandInsButton room={room} host={host} />
              <LockButton room={room} host={host} />
            </div>
          </div>
          {players.length === 0 && <p class="dim host-empty">{t('host.nobody')}</p>}
          <RosterChips
            people={players}
            mine={-1}
            action={(entry) => (
              <button
                type="button"
                class="button quiet small"
                aria-label={t('host.kickName', { name: entry.name })}
                title={t('host.kick')}
                onClick={() => kick(entry)}
              >
                ✕
              </button>
            )}
          />
          <Watchers room={room} host={host} />
          <EarlierRounds code={room.code} host={host} />
        </section>
        <section class="panel host-setup" aria-label={t('host.setup')}>
          <Options hosting={hosting} room={room} />
          <BotsPanel places={room.seats - players.length} bots={bots} host={host} />
          <button type="button" class="button main large" disabled={players.length === 0} onClick={() => host({ do: 'start' })}>
            {t('host.start')}
          </button>
        </section>
      </main>
    </>
  );
}

function Options({ hosting, room }: { hosting: Hosting; room: RoomFacts }) {
  const [scenarios, setScenarios] = useState<ScenarioReply[]>([]);
  useEffect(() => {
    void askScenarios().then((answer) => answer.ok && setScenarios(answer.value));
  }, []);
  const lengths = [...new Set([60, 120, 180, 300, 480, 600, room.seconds])].toSorted((a, b) => a - b);
  return (
    <div class="host-options">
      <div class="row">
        <select
          class="input"
          aria-label={t('host.scenario')}
          value={room.scenario}
          onChange={(event) => hosting.host({ do: 'options', scenario: event.currentTarget.value })}
        >
          {scenarios.length === 0 && <option value={room.scenario}>{room.scenario}</option>}
          {scenarios.map((scenario) => (
            <option key={scenario.id} value={scenario.id}>
              {scenario.title[lang.value]}
            </option>
          ))}
        </select>
        <select
          class="input"
          aria-label={t('host.length')}
          value={room.seconds}
          onChange={(event) => hosting.host({ do: 'options', seconds: Number(event.currentTarget.value) })}
        >
          {lengths.map((seconds) => (
            <option key={seconds} value={seconds}>
              {seconds < 60 ? t('host.seconds', { n: seconds }) : t('host.minutes', { n: Math.round(seconds / 6) / 10 })}
            </option>
          ))}
        </select>
      </div>
      <p class="dim host-idea">{scenarioIdea(room.scenario)}</p>
    </div>
  );
}
