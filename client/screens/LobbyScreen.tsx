import { useEffect } from 'preact/hooks';
import { Rule } from '../panels/Rich.tsx';
import { RosterChips } from '../panels/RosterChips.tsx';
import { Swatch } from '../panels/Swatch.tsx';
import { RoomBar } from '../panels/RoomBar.tsx';
import type { Session } from '../session/Session.ts';
import { learnScenarios, scenarioIdea, scenarioTitle } from '../text/scenarios.ts';
import { t } from '../text/t.ts';
import './LobbyScreen.css';

const RULES = ['call', 'free', 'oom'] as const;

/** A player waits: who one is, who is here, and the rules in three lines. */
export function LobbyScreen({ session, leave }: { session: Session; leave(): void }) {
  useEffect(learnScenarios, []);
  const room = session.room.value;
  if (room === null) return null;
  const me = room.roster.find((entry) => entry.seat === room.seat && entry.role === 'player');
  const players = room.roster.filter((entry) => entry.role === 'player');
  return (
    <>
      <RoomBar session={session} leave={leave} />
      <main class="lobby">
        <section class="lobby-me" aria-live="polite">
          <p class="label">{t('lobby.youAre')}</p>
          <p class="lobby-name">
            <Swatch seat={room.seat} look="swatch mine" />
            <span>{me?.name ?? ''}</span>
          </p>
          <p class="lobby-wait">{t('lobby.wait')}</p>
        </section>
        <section class="panel lobby-rules">
          <h2>{scenarioTitle(room.scenario)}</h2>
          <p class="dim">{scenarioIdea(room.scenario)}</p>
          <ol>
            {RULES.map((rule) => (
              <li key={rule}>
                <Rule name={rule} />
              </li>
            ))}
          </ol>
        </section>
        <section class="panel lobby-here">
          <h2>{t('lobby.here', { n: players.length, seats: room.seats })}</h2>
          <RosterChips people={players} mine={room.seat} />
        </section>
      </main>
    </>
  );
}
